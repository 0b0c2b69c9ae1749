"""Making tokens: named ones, which are kept, and temporary ones, which are only signed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from attrs import evolve, field, frozen

from onedata.errors import BadValueIdentifierOccupied, TokenSubjectInvalid, TokenTimeCaveatRequired
from onedata.ids import TokenId
from onedata.tokens.caveats import Caveat
from onedata.tokens.identifier import NAMED, Persistence, TokenIdentifier
from onedata.tokens.subjects import Subject, SubjectKind
from onedata.tokens.token import Token
from onedata.tokens.types import AccessToken, InviteToken, TokenType
from onedata.tokens.verify import valid_until
from oz_worker.draft import Draft
from oz_worker.fresh import Fresh
from oz_worker.records import NamedToken, Provider, TemporarySecret, User
from oz_worker.state import ZoneState

MAX_TEMPORARY_TTL_S: Final = 2_592_000
MOST_ENDED_TOKENS: Final = 1000


@frozen(kw_only=True)
class TokenOrder:
    """What a new named token shall be."""

    name: str
    type: TokenType = field(factory=AccessToken)
    caveats: Sequence[Caveat] = ()
    custom: Any = None
    revoked: bool = False
    usage_limit: int | None = None
    privileges: frozenset[str] | None = None


class Issuer:
    """Makes tokens of a zone.

    Args:
        domain: of the zone; the location in every token.
        max_ttl_s: how long temporary tokens may live.
    """

    def __init__(self, domain: str, fresh: Fresh, max_ttl_s: int = MAX_TEMPORARY_TTL_S) -> None:
        self._domain, self._fresh, self._max_ttl_s = domain, fresh, max_ttl_s

    def named(self, subject: Subject, order: TokenOrder) -> NamedToken:
        """Return a new token with its document; nothing is written."""
        token_id = TokenId(self._fresh.id())
        secret = self._fresh.secret()
        identifier = TokenIdentifier(NAMED, subject, order.type, token_id)
        token = Token.mint(self._domain, identifier, secret, order.caveats)
        return NamedToken(
            id=token_id,
            created_s=self._fresh.now_s(),
            name=order.name,
            subject=subject,
            secret=secret,
            serialized=token.serialize(),
            is_invite=isinstance(order.type, InviteToken),
            custom={} if order.custom is None else order.custom,
            revoked=order.revoked,
            usage_limit=order.usage_limit,
            privileges=order.privileges,
        )

    def temporary(
        self, state: ZoneState, subject: Subject, kind: TokenType, caveats: Sequence[Caveat]
    ) -> str:
        """Return a serialised temporary token.

        Raises: TokenTimeCaveatRequired without a time caveat that is near enough; TokenSubjectInvalid.
        """
        end_s = valid_until(caveats)
        if end_s is None or end_s - self._fresh.now_s() > self._max_ttl_s:
            raise TokenTimeCaveatRequired(self._max_ttl_s)
        temporary = temporary_secret(state, subject)
        persistence = Persistence(temporary.generation)
        identifier = TokenIdentifier(persistence, subject, kind, TokenId(self._fresh.id()))
        return Token.mint(self._domain, identifier, temporary.secret, caveats).serialize()

    def revoke_temporary(self, draft: Draft, subject: Subject) -> None:
        """Start a new generation of a subject's temporary tokens, which ends all of the present one."""
        holder: User | Provider
        if subject.kind is SubjectKind.USER:
            holder = draft.user(subject.id or "")
        else:
            holder = draft.provider(subject.id or "")
        fresh = TemporarySecret(holder.temporary.generation + 1, self._fresh.secret())
        draft.put(evolve(holder, temporary=fresh))


def keep_token(draft: Draft, token: NamedToken) -> None:
    """Add a named token. Raises: BadValueIdentifierOccupied when its subject has one of this name."""
    demand_free_name(draft, token)
    draft.put(token)


def drop_token(draft: Draft, token: NamedToken) -> None:
    """Remove a named token. A user's is remembered as ended, so that providers forget it too."""
    draft.delete(token)
    if token.subject.kind is SubjectKind.USER and not token.is_invite:
        user = draft.user(token.subject.id or "")
        draft.put(evolve(user, ended_tokens=(*user.ended_tokens, token.id)[-MOST_ENDED_TOKENS:]))


def demand_free_name(draft: Draft, token: NamedToken) -> None:
    """Return when no other token of the subject has this name. Raises: BadValueIdentifierOccupied."""
    for directory, name in token.names():
        if draft.state.holder_of(directory, name) not in (None, token.id):
            raise BadValueIdentifierOccupied("name")


def temporary_secret(state: ZoneState, subject: Subject) -> TemporarySecret:
    """Return what the temporary tokens of a subject are signed with. Raises: TokenSubjectInvalid."""
    holders = state.users if subject.kind is SubjectKind.USER else state.providers
    holder: User | Provider | None = holders.get(subject.id or "")
    if holder is None:
        raise TokenSubjectInvalid()
    return holder.temporary
