"""Invite tokens: who may issue them, and what happens when one is consumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from attrs import evolve, frozen

from cluster_worker.runtime.clock import WallClock
from onedata.errors import (
    BadValueToken,
    InviteTokenSubjectNotAuthorized,
    InviteTokenTargetIdInvalid,
    InviteTokenUsageLimitReached,
    OnedataError,
)
from onedata.privileges import (
    CLUSTER_ADMIN,
    CLUSTER_MEMBER,
    GROUP_ADMIN,
    GROUP_MEMBER,
    SPACE_ADMIN,
    SPACE_MEMBER,
)
from onedata.tokens.subjects import Subject, SubjectKind
from onedata.tokens.types import InviteToken, InviteType
from onedata.tokens.verify import RequestContext
from oz_worker.asker import Asker
from oz_worker.circles import CircleKind, MemberKind, Seat, add_member
from oz_worker.draft import Draft
from oz_worker.records import Group, Provider, Space
from oz_worker.spaces import add_support
from oz_worker.state import ZoneState
from oz_worker.store import ZoneStore
from oz_worker.verification import TokenVerifier, Verified


@frozen
class InviteRule:
    """What an invitation leads to, and what its issuer needs.

    Attributes:
        privilege: the issuer needs it in the target, or all of ``admin`` in the zone.
        default: what an invited member gets unless the token says otherwise.
    """

    circle: CircleKind
    member: MemberKind | None
    privilege: str
    admin: tuple[str, ...]
    default: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()

    @property
    def set_privileges(self) -> str:
        """The privilege needed to choose what the invited get."""
        return f"{'cluster' if self.circle == 'provider' else self.circle}_set_privileges"


RULES: Final[Mapping[InviteType, InviteRule]] = {
    InviteType.USER_JOIN_SPACE: InviteRule(
        "space", "user", "space_add_user", ("oz_spaces_add_relationships",), SPACE_MEMBER, SPACE_ADMIN
    ),
    InviteType.GROUP_JOIN_SPACE: InviteRule(
        "space", "group", "space_add_group", ("oz_spaces_add_relationships",), SPACE_MEMBER, SPACE_ADMIN
    ),
    InviteType.SUPPORT_SPACE: InviteRule(
        "space", None, "space_add_support", ("oz_spaces_add_relationships",)
    ),
    InviteType.USER_JOIN_GROUP: InviteRule(
        "group", "user", "group_add_user", ("oz_groups_add_relationships",), GROUP_MEMBER, GROUP_ADMIN
    ),
    InviteType.GROUP_JOIN_GROUP: InviteRule(
        "group", "group", "group_add_child", ("oz_groups_add_relationships",), GROUP_MEMBER, GROUP_ADMIN
    ),
    InviteType.USER_JOIN_CLUSTER: InviteRule(
        "provider",
        "user",
        "cluster_add_user",
        ("oz_clusters_add_relationships",),
        CLUSTER_ADMIN,
        CLUSTER_ADMIN,
    ),
    InviteType.GROUP_JOIN_CLUSTER: InviteRule(
        "provider",
        "group",
        "cluster_add_group",
        ("oz_clusters_add_relationships",),
        CLUSTER_MEMBER,
        CLUSTER_ADMIN,
    ),
}
_JOINS: Final = {(rule.circle, rule.member): kind for kind, rule in RULES.items() if rule.member is not None}


def demand_may_issue(
    state: ZoneState, subject: Subject, invite: InviteToken, *, with_privileges: bool, open_registration: bool
) -> None:
    """Return when ``subject`` may invite like this now.

    Raises: InviteTokenTargetIdInvalid; InviteTokenSubjectNotAuthorized.
    """
    if invite.invite_type is InviteType.REGISTER_ONEPROVIDER:
        _demand_may_register(state, subject, invite.target_id, open_registration)
        return
    rule = RULES.get(invite.invite_type)
    circle = None if rule is None else _circle(state, rule.circle, invite.target_id)
    if rule is None or circle is None:
        raise InviteTokenTargetIdInvalid(invite.target_id)
    needed = [rule.privilege, rule.set_privileges] if with_privileges else [rule.privilege]
    held = state.members(circle).users.get(subject.id or "", frozenset())
    is_own_cluster = subject.kind is SubjectKind.ONEPROVIDER and subject.id == circle.id
    if not (held.issuperset(needed) or is_own_cluster or _is_admin(state, subject, *rule.admin)):
        raise InviteTokenSubjectNotAuthorized()


class Invitations:
    """Consumes invite tokens. The issuer's rights are checked again; the use is counted with the effect.

    All methods raise ``BadValueToken`` for tokens that do not hold or are of another kind,
    ``InviteTokenSubjectNotAuthorized``, ``InviteTokenTargetIdInvalid``, ``InviteTokenUsageLimitReached``.
    """

    def __init__(
        self, store: ZoneStore, verifier: TokenVerifier, wall_clock: WallClock, *, open_registration: bool
    ) -> None:
        self._store, self._verifier, self._wall_clock = store, verifier, wall_clock
        self._open_registration = open_registration

    async def join(
        self, text: str, circle: CircleKind, member: MemberKind, member_id: str, asker: Asker
    ) -> str:
        """Make a user or group a member of what the token invites to; return the circle's id.

        Raises: also RelationAlreadyExists, CannotAddRelationToSelf.
        """
        kind = _JOINS[circle, member]

        def decide(draft: Draft) -> str:
            invite, verified = self.use(draft, text, kind, asker)
            chosen = None if verified.record is None else verified.record.privileges
            privileges = RULES[kind].default if chosen is None else chosen
            add_member(draft, Seat(circle, invite.target_id, member, member_id), privileges)
            return invite.target_id

        return await self._store.change(decide)

    async def support(self, text: str, provider_id: str, storage_id: str, size_b: int, asker: Asker) -> str:
        """Let a storage of a provider support the space the token invites to; return the space's id.

        Raises: also RelationAlreadyExists.
        """

        def decide(draft: Draft) -> str:
            invite, _ = self.use(draft, text, InviteType.SUPPORT_SPACE, asker)
            add_support(draft, invite.target_id, provider_id, storage_id, size_b)
            return invite.target_id

        return await self._store.change(decide)

    async def register(self, text: str, asker: Asker, create: Callable[[Draft, str], None]) -> None:
        """Consume a registration token, with ``create`` called for its admin user in the same change."""

        def decide(draft: Draft) -> None:
            invite, _ = self.use(draft, text, InviteType.REGISTER_ONEPROVIDER, asker)
            create(draft, invite.target_id)

        await self._store.change(decide)

    def use(self, draft: Draft, text: str, kind: InviteType, asker: Asker) -> tuple[InviteToken, Verified]:
        """Verify a token within a draft, check its issuer again and count the use."""
        verified = self._verify(text, kind, asker)
        invite = verified.token.identifier.type
        assert isinstance(invite, InviteToken)
        record = verified.record
        demand_may_issue(
            draft.state,
            verified.subject,
            invite,
            with_privileges=record is not None and record.privileges is not None,
            open_registration=self._open_registration,
        )
        if record is not None:
            if record.usage_limit is not None and record.usage_count >= record.usage_limit:
                raise InviteTokenUsageLimitReached()
            draft.put(evolve(record, usage_count=record.usage_count + 1))
        return invite, verified

    def _verify(self, text: str, kind: InviteType, asker: Asker) -> Verified:
        context = RequestContext(now_s=self._wall_clock(), peer_ip=asker.peer_ip)
        try:
            return self._verifier.invite(text, kind, self._verifier.context_for(asker.subject, context))
        except OnedataError as exc:
            raise BadValueToken("token", exc) from None


def _demand_may_register(state: ZoneState, subject: Subject, user_id: str, open_registration: bool) -> None:
    if user_id not in state.users:
        raise InviteTokenTargetIdInvalid(user_id)
    is_self = subject.kind is SubjectKind.USER and subject.id == user_id
    if not (is_self and open_registration) and not _is_admin(state, subject, "oz_providers_invite"):
        raise InviteTokenSubjectNotAuthorized()


def _circle(state: ZoneState, kind: CircleKind, circle_id: str) -> Group | Space | Provider | None:
    if kind == "group":
        return state.groups.get(circle_id)
    return state.spaces.get(circle_id) if kind == "space" else state.providers.get(circle_id)


def _is_admin(state: ZoneState, subject: Subject, *privileges: str) -> bool:
    user = state.users.get(subject.id or "") if subject.kind is SubjectKind.USER else None
    return user is not None and state.zone_privileges(user).issuperset(privileges)
