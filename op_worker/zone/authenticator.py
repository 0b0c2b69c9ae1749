"""From a token to the caller it stands for."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import PersistenceUnavailable
from cluster_worker.runtime.clock import WallClock
from cluster_worker.runtime.locks import KeyedLocks
from cluster_worker.runtime.services import TaskService
from onedata.errors import (
    NoConnectionToOnezone,
    NotFound,
    OnedataError,
    Timeout,
    TokenCaveatUnverified,
    TokenRevoked,
    TokenServiceForbidden,
    TokenSubjectInvalid,
    Unauthorized,
    UserBlocked,
    UserNotSupported,
)
from onedata.ids import UserId
from onedata.tokens.caveats import ConsumerCaveat
from onedata.tokens.subjects import Service, ServiceKind, SubjectKind
from onedata.tokens.token import Token
from onedata.tokens.verify import RequestContext, verify_caveats
from op_worker.auth.caller import Caller
from op_worker.zone.authority import Presented, TokenAuthority
from op_worker.zone.hits import Hit, hit_of, read_access_token
from op_worker.zone.records import UserInfo
from op_worker.zone.refusals import Refusals
from op_worker.zone.store import TOKENS, ZoneStore
from op_worker.zone.verified import VerifiedToken, VerifiedTokens, decode_verified, encode_verified

_UNREACHABLE = (NoConnectionToOnezone, Timeout)


class ZoneAuthenticator(TaskService):
    """Asks the zone about each token once, then decides alone.

    A token stays good until the zone tells of its end, until one of its caveats fails, or until a new
    look at it, ``recheck_s`` seconds after the last one and while the zone is there, shows otherwise.
    """

    _log = Logger()

    def __init__(
        self,
        zone: TokenAuthority,
        store: ZoneStore,
        *,
        clock: IReactorTime,
        wall_clock: WallClock,
        recheck_s: float = 600.0,
        most_tokens: int = 5000,
        refusal_s: float = 10.0,
    ) -> None:
        super().__init__()
        self._zone, self._store = zone, store
        self._clock, self._wall_clock = clock, wall_clock
        self.recheck_s, self._most_tokens = recheck_s, most_tokens
        self._verified = VerifiedTokens(most_tokens)
        self._hits: dict[str, Hit] = {}
        self._refusals = Refusals(refusal_s)
        self._locks = KeyedLocks()

    def load(self, records: Mapping[str, bytes]) -> None:
        """Take over the tokens that an earlier run verified; they are looked at again when next used."""
        long_ago_s = self._clock.seconds() - self.recheck_s
        for record in records.values():
            verified = decode_verified(record, now_s=self._wall_clock(), verified_at_s=long_ago_s)
            if verified is not None:
                self._verified.add(verified)

    async def authenticate(
        self,
        token: str,
        *,
        peer_ip: str | None,
        interface: str,
        consumer_token: str | None = None,
        service_token: str | None = None,
    ) -> Caller:
        """Return the caller that ``token`` stands for. ``interface`` is ``rest`` or ``oneclient``.

        Raises:
            Unauthorized: with the reason as its ``auth_error``.
        """
        hit = self._hits.get(token)
        if (
            hit is not None
            and consumer_token is None
            and service_token is None
            and hit.checked_version == self._zone.known.version
            and self._clock.seconds() - hit.verified.verified_at_s < self.recheck_s
        ):
            if hit.has_conditions:
                self._verify_caveats(hit, peer_ip, interface)
            return hit.caller
        presented = Presented(
            token=token,
            peer_ip=peer_ip,
            interface=interface,
            consumer_token=consumer_token,
            service_token=service_token,
        )
        return await self._authenticate_slowly(presented, hit)

    async def _authenticate_slowly(self, presented: Presented, hit: Hit | None) -> Caller:
        """The token is new, or something has happened since it was looked at last."""
        if hit is None or not presented.is_alone:
            hit = await self._admit(presented)
        elif hit.has_conditions:
            self._verify_caveats(hit, presented.peer_ip, presented.interface)
        if hit.checked_version != self._zone.known.version:
            await self._check_standing(hit, presented)
        if self._clock.seconds() - hit.verified.verified_at_s >= self.recheck_s:
            self._look_again(hit, presented)
        return hit.caller

    # -- a token not seen before ------------------------------------------------------------------

    async def _admit(self, presented: Presented) -> Hit:
        token, caveats = read_access_token(presented.token)
        if not presented.is_alone or any(isinstance(caveat, ConsumerCaveat) for caveat in caveats):
            return hit_of(await self._ask(presented, token), token, caveats)
        async with self._locks.hold(presented.token):
            verified = self._verified.find(token)
            if verified is None:
                refusal = self._refusals.find(presented.token, self._clock.seconds())
                if refusal is not None:
                    raise Unauthorized(refusal)
                verified = await self._ask(presented, token)
                await self._remember(verified)
        hit = hit_of(verified, token, caveats)
        if hit.has_conditions:
            self._verify_caveats(hit, presented.peer_ip, presented.interface)
        if len(self._hits) >= 2 * self._most_tokens:
            self._hits.clear()
        self._hits[presented.token] = hit
        return hit

    async def _ask(self, presented: Presented, token: Token) -> VerifiedToken:
        try:
            subject = await self._zone.verify_token(presented)
        except _UNREACHABLE:
            raise Unauthorized(NoConnectionToOnezone()) from None
        except OnedataError as error:
            refusal = _reason(error)
            if presented.is_alone and not isinstance(refusal, TokenCaveatUnverified):
                self._refusals.note(presented.token, refusal, self._clock.seconds())
            raise Unauthorized(refusal) from None
        if subject.kind is not SubjectKind.USER or subject.id is None:
            raise Unauthorized(TokenServiceForbidden(self._service().to_json()))
        return VerifiedToken(token, UserId(subject.id), self._clock.seconds())

    async def _remember(self, verified: VerifiedToken) -> None:
        dropped = self._verified.add(verified)
        try:
            await self._store.put_token(verified.digest, encode_verified(verified))
            for each in dropped:
                await self._store.remove(TOKENS, each.digest)
        except PersistenceUnavailable:
            self._log.warn("a verified token was not kept for later runs: the store is away")

    # -- what is decided here at each request -----------------------------------------------------

    def _verify_caveats(self, hit: Hit, peer_ip: str | None, interface: str) -> None:
        context = RequestContext(
            now_s=self._wall_clock(),
            peer_ip=peer_ip,
            interface=interface,
            service=self._service(),
            data_access_allowed=True,
        )
        try:
            verify_caveats(hit.type, hit.caveats, context)
        except OnedataError as error:
            raise Unauthorized(error) from None

    async def _check_standing(self, hit: Hit, presented: Presented) -> None:
        """Is the token still in force, and its user still somebody here? Asked after each news."""
        known = self._zone.known
        version = known.version
        if self._is_revoked(hit.verified):
            await self._drop(hit.verified)
            raise Unauthorized(TokenRevoked())
        user = known.users.get(hit.verified.user_id) or await self._user(hit.verified, presented)
        if user.blocked:
            raise Unauthorized(UserBlocked())
        if not known.is_supported_user(user):
            raise Unauthorized(UserNotSupported())
        hit.checked_version = version

    async def _user(self, verified: VerifiedToken, presented: Presented) -> UserInfo:
        """Have the zone tell of a user; of some it only tells who has just shown a token of theirs."""
        try:
            return await self._zone.user(verified.user_id)
        except NotFound:
            self._log.debug("user {user} is not told of yet", user=verified.user_id)
        except OnedataError as error:
            raise Unauthorized(error) from None
        try:
            await self._zone.verify_token(presented)
            return await self._zone.user(verified.user_id)
        except NotFound:
            await self._drop(verified)
            raise Unauthorized(TokenSubjectInvalid()) from None
        except OnedataError as error:
            raise Unauthorized(_reason(error)) from None

    def _is_revoked(self, verified: VerifiedToken) -> bool:
        identifier, events = verified.token.identifier, self._zone.known.token_events
        generation = identifier.persistence.generation
        if generation is None:
            return identifier.token_id in events.revoked
        return generation < events.generations.get(verified.user_id, 0)

    # -- a new look -------------------------------------------------------------------------------

    def _look_again(self, hit: Hit, presented: Presented) -> None:
        if not hit.verified.is_checking and self.running:
            hit.verified.is_checking = True
            self.spawn("look at a token again", self._verify_again(hit.verified, presented))

    async def _verify_again(self, verified: VerifiedToken, presented: Presented) -> None:
        try:
            await self._zone.verify_token(presented)
        except (*_UNREACHABLE, TokenCaveatUnverified):
            return
        except OnedataError as error:
            reason = _reason(error)
            if not isinstance(reason, TokenCaveatUnverified):
                self._log.info("token {id} is not valid any more", id=verified.token.identifier.token_id)
                self._refusals.note(presented.token, reason, self._clock.seconds())
                await self._drop(verified)
        else:
            verified.verified_at_s = self._clock.seconds()
        finally:
            verified.is_checking = False

    async def _drop(self, verified: VerifiedToken) -> None:
        self._verified.discard(verified)
        for text in [text for text, hit in self._hits.items() if hit.verified is verified]:
            del self._hits[text]
        try:
            await self._store.remove(TOKENS, verified.digest)
        except PersistenceUnavailable:
            self._log.warn("a token that ended was not removed: the store is away")

    def _service(self) -> Service:
        return Service(ServiceKind.OP_WORKER, self._zone.provider_id or "unregistered")


def _reason(error: OnedataError) -> OnedataError:
    """The zone may say ``unauthorized`` with a reason, or the bare reason."""
    if isinstance(error, Unauthorized) and error.auth_error is not None:
        return error.auth_error
    return error
