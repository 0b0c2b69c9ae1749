"""Deciding whether a token is genuine, alive and usable here. Pure over the zone's state.

The order decides what error is told: it can be read → it is of the expected type → its secret is known
and signed it → it was not revoked → its subject is alive → the service may see it → its caveats hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

from attrs import evolve, frozen

from onedata.errors import (
    NotAnAccessToken,
    NotAnIdentityToken,
    NotAnInviteToken,
    TokenInvalid,
    TokenRevoked,
    TokenServiceForbidden,
    TokenSessionInvalid,
    TokenSubjectInvalid,
    UserBlocked,
)
from onedata.tokens.caveats import Caveat, InterfaceCaveat, ServiceCaveat
from onedata.tokens.subjects import ANY_ID, Service, ServiceKind, Subject, SubjectKind
from onedata.tokens.token import Token
from onedata.tokens.types import AccessToken, IdentityToken, InviteToken, InviteType, TokenType
from onedata.tokens.verify import RequestContext, effective_type, valid_until, verify_caveats
from oz_worker.records import NamedToken, TemporarySecret
from oz_worker.state import ZoneState


@frozen
class Verified:
    """A token that holds. ``record`` is its document when it is a named one."""

    token: Token
    subject: Subject
    caveats: tuple[Caveat, ...]
    record: NamedToken | None

    def ttl_s(self, now_s: float) -> int | None:
        """Return for how many seconds the token will hold; ``None`` when it does not end by itself."""
        end_s = valid_until(self.caveats)
        return None if end_s is None else max(0, int(end_s - now_s))


class Own(Enum):
    """Stands for the subject of the token itself where a consumer is asked for."""

    OWN = "own"


OWN: Final = Own.OWN


class TokenVerifier:
    """Verifies tokens against what the zone knows now."""

    def __init__(self, state: ZoneState) -> None:
        self._state = state

    def access(self, text: str, context: RequestContext) -> Verified:
        """Verify an access token. Raises: the token errors of the catalogue."""
        token = Token.deserialize(text)
        kind = self._used_as(token)
        if not isinstance(kind, AccessToken):
            raise NotAnAccessToken(kind.to_json())
        return self._verify(token, kind, context)

    def reach(self, text: str, consumer: Subject | Own | None, context: RequestContext) -> Verified:
        """Verify an access token whose reach is asked for; interface and service do not matter then.

        Args:
            consumer: ``OWN`` stands for the token's own subject.

        Raises: the token errors of the catalogue.
        """
        token = Token.deserialize(text)
        kind = self._used_as(token)
        if not isinstance(kind, AccessToken):
            raise NotAnAccessToken(kind.to_json())
        record = self._demand_signature(token)
        own = token.identifier.subject if record is None else record.subject
        context = self.context_for(own if isinstance(consumer, Own) else consumer, context)
        return self._verify(token, kind, context, ignored=(InterfaceCaveat, ServiceCaveat))

    def identity(self, text: str, context: RequestContext) -> Verified:
        """Verify an identity token. Raises: the token errors of the catalogue."""
        token = Token.deserialize(text)
        kind = self._used_as(token)
        if not isinstance(kind, IdentityToken):
            raise NotAnIdentityToken(kind.to_json())
        return self._verify(token, kind, context)

    def invite(self, text: str, expected: InviteType | None, context: RequestContext) -> Verified:
        """Verify an invite token; ``expected`` ``None`` means any kind of invitation.

        Raises: the token errors of the catalogue.
        """
        token = Token.deserialize(text)
        kind = self._used_as(token)
        if not isinstance(kind, InviteToken) or expected not in (None, kind.invite_type):
            raise NotAnInviteToken("any" if expected is None else expected.value, kind.to_json())
        return self._verify(token, kind, context)

    def context_for(self, consumer: Subject | None, context: RequestContext) -> RequestContext:
        """Return ``context`` with the consumer and its groups filled in."""
        return evolve(context, consumer=consumer, consumer_groups=self._groups(consumer))

    def demand_subject(self, subject: Subject) -> None:
        """Return when the subject exists and is not blocked. Raises: TokenSubjectInvalid, UserBlocked."""
        if subject.kind is SubjectKind.USER and subject.id in self._state.users:
            if self._state.users[subject.id].blocked:
                raise UserBlocked()
        elif subject.kind is not SubjectKind.ONEPROVIDER or subject.id not in self._state.providers:
            raise TokenSubjectInvalid()

    def demand_service(self, subject: Subject, service: Service | None) -> None:
        """Return when tokens of ``subject`` may be shown to ``service``. Raises: TokenServiceForbidden."""
        if service is not None and not self._may_see(subject, service):
            raise TokenServiceForbidden(service.to_json())

    def demand_usable(self, subject: Subject, caveats: Iterable[Caveat]) -> None:
        """Return when every service named in service caveats may see tokens of ``subject``.

        Raises: TokenServiceForbidden.
        """
        for caveat in caveats:
            if isinstance(caveat, ServiceCaveat):
                for service in caveat.whitelist:
                    if service.id != ANY_ID:
                        self.demand_service(subject, service)

    def _used_as(self, token: Token) -> TokenType:
        return effective_type(token.identifier.type, token.caveats)

    def _verify(
        self,
        token: Token,
        kind: TokenType,
        context: RequestContext,
        ignored: tuple[type[Caveat], ...] = (),
    ) -> Verified:
        record = self._demand_signature(token)
        subject = token.identifier.subject if record is None else record.subject
        if token.identifier.version == 2 and token.identifier.subject != subject:
            raise TokenSubjectInvalid()
        self.demand_subject(subject)
        if isinstance(kind, AccessToken) and kind.session_id is not None:
            raise TokenSessionInvalid()
        self.demand_service(subject, context.service)
        caveats = token.caveats
        verify_caveats(kind, [caveat for caveat in caveats if not isinstance(caveat, ignored)], context)
        return Verified(token, subject, caveats, record)

    def _demand_signature(self, token: Token) -> NamedToken | None:
        generation = token.identifier.persistence.generation
        if generation is None:
            record = self._state.tokens.get(token.identifier.token_id)
            if record is None or not token.has_valid_signature(record.secret):
                raise TokenInvalid()
            if record.revoked:
                raise TokenRevoked()
            return record
        temporary = self._temporary_secret(token.identifier.subject)
        if generation < temporary.generation:
            raise TokenRevoked()
        if generation > temporary.generation or not token.has_valid_signature(temporary.secret):
            raise TokenInvalid()
        return None

    def _temporary_secret(self, subject: Subject) -> TemporarySecret:
        if subject.kind is SubjectKind.USER and subject.id in self._state.users:
            return self._state.users[subject.id].temporary
        if subject.kind is SubjectKind.ONEPROVIDER and subject.id in self._state.providers:
            return self._state.providers[subject.id].temporary
        raise TokenSubjectInvalid()

    def _groups(self, consumer: Subject | None) -> frozenset[str]:
        if consumer is None or consumer.kind is not SubjectKind.USER or consumer.id is None:
            return frozenset()
        return self._state.groups_of_user(consumer.id)

    def _may_see(self, subject: Subject, service: Service) -> bool:
        if subject.kind is SubjectKind.ONEPROVIDER:
            return service.kind in (ServiceKind.OZ_WORKER, ServiceKind.OZ_PANEL) or service.id == subject.id
        if service.kind is ServiceKind.OP_PANEL:
            cluster = self._state.providers.get(service.id)
            return cluster is not None and subject.id in self._state.members(cluster).users
        if service.kind is ServiceKind.OZ_PANEL:
            user = self._state.users.get(subject.id or "")
            return user is not None and "oz_set_privileges" in self._state.zone_privileges(user)
        return True


class Parties:
    """Finds out from their tokens which consumer and which service stand behind a request."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    def subject_of(self, text: str, context: RequestContext) -> Subject:
        """Return whose identity token this is. Raises: the token errors of the catalogue."""
        return self._verifier.identity(text, evolve(context, service=None)).subject

    def service_of(self, text: str, context: RequestContext) -> Service:
        """Return the service whose token this is: an identity or root token of a provider.

        Raises: the token errors of the catalogue.
        """
        bare = evolve(context, service=None)
        try:
            subject = self._verifier.identity(text, bare).subject
        except NotAnIdentityToken:
            subject = self._verifier.access(text, bare).subject
        if subject.kind is not SubjectKind.ONEPROVIDER or subject.id is None:
            raise TokenInvalid()
        return Service(ServiceKind.OP_PANEL if text.startswith("opp-") else ServiceKind.OP_WORKER, subject.id)
