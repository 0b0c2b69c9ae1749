"""Users: making, changing and deleting them. Pure; functions change a draft and ask for no permission."""

from __future__ import annotations

from collections.abc import Collection

from attrs import evolve

from onedata.errors import AlreadyExists, BadValueIdentifierOccupied, NotFound
from oz_worker.circles import forget_member
from oz_worker.draft import Draft
from oz_worker.records import Changes, User


def create_user(draft: Draft, user: User) -> None:
    """Add a user. Raises: AlreadyExists for a taken id; BadValueIdentifierOccupied for a taken name."""
    if draft.exists("user", user.id):
        raise AlreadyExists()
    _demand_free_username(draft, user)
    draft.put(user)


def update_user(draft: Draft, user_id: str, changes: Changes) -> None:
    """Change attributes of a user, named as in ``records.User``. Raises: NotFound; occupied user name."""
    user = evolve(draft.user(user_id), **changes)
    _demand_free_username(draft, user)
    draft.put(user)


def change_zone_privileges(
    draft: Draft, user_id: str, grant: Collection[str], revoke: Collection[str]
) -> None:
    """Grant, then revoke, zone privileges of a user. Raises: NotFound."""
    user = draft.user(user_id)
    draft.put(evolve(user, privileges=(user.privileges | frozenset(grant)) - frozenset(revoke)))


def delete_user(draft: Draft, user_id: str) -> None:
    """Remove a user with all tokens and memberships. Raises: NotFound."""
    user = draft.user(user_id)
    forget_member(draft, "user", user_id)
    for token in draft.state.tokens_of("user", user_id):
        draft.delete(token)
    draft.delete(user)


def set_alias(draft: Draft, user_id: str, space_id: str, alias: str) -> None:
    """Give a space a name of the user's own. Raises: NotFound."""
    user = draft.user(user_id)
    draft.put(evolve(user, aliases={**user.aliases, space_id: alias}))


def remove_alias(draft: Draft, user_id: str, space_id: str) -> None:
    """Forget the user's own name of a space. Raises: NotFound when there is none."""
    user = draft.user(user_id)
    if space_id not in user.aliases:
        raise NotFound()
    draft.put(evolve(user, aliases={key: text for key, text in user.aliases.items() if key != space_id}))


def _demand_free_username(draft: Draft, user: User) -> None:
    if user.username is None:
        return
    holder = draft.state.user_named(user.username)
    if holder is not None and holder.id != user.id:
        raise BadValueIdentifierOccupied("username")
