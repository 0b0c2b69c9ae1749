"""Who may: small checks that routes are put together from.

A check returns whether the asker may, and raises ``NotFound`` when the entity named in the path does
not exist, to strangers too.
"""

from __future__ import annotations

from onedata.errors import NotFound
from oz_worker.circles import CircleKind, circle_in
from oz_worker.records import Space
from oz_worker.rest.routes import Access, Call


def anyone(call: Call) -> bool:
    """Everybody, without credentials too."""
    return True


def any_user(call: Call) -> bool:
    """Every user."""
    return call.asker.user_id is not None


def any_provider(call: Call) -> bool:
    """Every provider."""
    return call.asker.provider_id is not None


def any_subject(call: Call) -> bool:
    """Everybody with credentials."""
    return not call.asker.is_nobody


def nobody(call: Call) -> bool:
    """No one, unless by another check."""
    return False


def either(*checks: Access) -> Access:
    """Those who pass at least one check; checked in order."""
    return lambda call: any(check(call) for check in checks)


def both(*checks: Access) -> Access:
    """Those who pass all checks."""
    return lambda call: all(check(call) for check in checks)


def admin(*privileges: str) -> Access:
    """Users who hold all these zone privileges."""
    return lambda call: call.asker.is_admin(call.state, *privileges)


def self_user(name: str = "uid") -> Access:
    """The user named in the path."""

    def check(call: Call) -> bool:
        if call[name] not in call.state.users:
            raise NotFound()
        return call.asker.user_id == call[name]

    return check


def self_provider(name: str = "pid") -> Access:
    """The provider named in the path."""

    def check(call: Call) -> bool:
        if call[name] not in call.state.providers:
            raise NotFound()
        return call.asker.provider_id == call[name]

    return check


def holds(kind: CircleKind, name: str, privilege: str) -> Access:
    """Effective members of the circle ``call[name]`` who hold ``privilege`` there; owners hold all."""

    def check(call: Call) -> bool:
        return has_privilege(call, kind, call[name], privilege)

    return check


def member(kind: CircleKind, name: str) -> Access:
    """Effective members of the circle ``call[name]``."""

    def check(call: Call) -> bool:
        circle = circle_in(call.state, kind, call[name])
        return call.asker.user_id in call.state.members(circle).users

    return check


def supporter(name: str = "sid") -> Access:
    """Providers that support the space ``call[name]``."""

    def check(call: Call) -> bool:
        space = circle_in(call.state, "space", call[name])
        return isinstance(space, Space) and call.asker.provider_id in space.supports

    return check


def owner(name: str = "sid") -> Access:
    """Owners of the space ``call[name]``."""

    def check(call: Call) -> bool:
        space = circle_in(call.state, "space", call[name])
        return isinstance(space, Space) and call.asker.user_id in space.owners

    return check


def has_privilege(call: Call, kind: CircleKind, circle_id: str, privilege: str) -> bool:
    """Whether the asking user holds a privilege in a circle. Raises: NotFound."""
    user_id = call.asker.user_id
    circle = circle_in(call.state, kind, circle_id)
    if user_id is None or user_id not in call.state.users:
        return False
    return privilege in call.state.members(circle).users.get(user_id, frozenset())
