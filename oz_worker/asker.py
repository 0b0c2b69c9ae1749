"""Who asks: a verified subject, what its token restricts it to, and what it may in the zone. Pure."""

from __future__ import annotations

from attrs import frozen

from onedata.errors import TokenCaveatUnverified, Unauthorized
from onedata.gri import Gri
from onedata.tokens.caveats import Caveat, Operation
from onedata.tokens.operations import verify_operation
from onedata.tokens.subjects import NOBODY, ServiceKind, Subject, SubjectKind
from oz_worker.state import ZoneState


@frozen
class Asker:
    """The subject of a request.

    Attributes:
        caveats: of the token it showed; none for passwords and unconfined tokens.
        peer_ip: address of the client as text.
    """

    subject: Subject = NOBODY
    caveats: tuple[Caveat, ...] = ()
    peer_ip: str | None = None

    @property
    def user_id(self) -> str | None:
        """The id of the user who asks; ``None`` for providers and nobody."""
        return self.subject.id if self.subject.kind is SubjectKind.USER else None

    @property
    def provider_id(self) -> str | None:
        """The id of the provider that asks; ``None`` for users and nobody."""
        return self.subject.id if self.subject.kind is SubjectKind.ONEPROVIDER else None

    @property
    def is_nobody(self) -> bool:
        """Whether no credentials were shown."""
        return self.subject.kind is SubjectKind.NOBODY

    def is_admin(self, state: ZoneState, *privileges: str) -> bool:
        """Whether a user asks who holds all of these zone privileges."""
        user = state.users.get(self.user_id or "")
        return user is not None and bool(privileges) and state.zone_privileges(user).issuperset(privileges)

    def demand_api(self, operation: Operation, resource: str) -> None:
        """Return when the token leaves this operation on the resource (a GRI) allowed.

        Raises: Unauthorized with the first caveat that forbids it.
        """
        if not self.caveats:
            return
        try:
            verify_operation(self.caveats, ServiceKind.OZ_WORKER, operation, Gri.parse(resource))
        except TokenCaveatUnverified as exc:
            raise Unauthorized(exc) from None
