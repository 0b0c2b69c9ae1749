"""From tokens to callers, asking the zone as little as possible."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from cluster_worker.persistence.engine import PersistenceUnavailable
from cluster_worker.persistence.memory import MemoryEngine
from onedata.errors import (
    Forbidden,
    NoConnectionToOnezone,
    NotFound,
    OnedataError,
    TokenInvalid,
    Unauthorized,
)
from onedata.ids import ProviderId, TokenId, UserId
from onedata.tokens.caveats import parse_caveat
from onedata.tokens.identifier import NAMED, Persistence, TokenIdentifier
from onedata.tokens.subjects import Subject
from onedata.tokens.token import Token
from onedata.tokens.types import AccessToken, IdentityToken, TokenType
from op_worker.auth.caller import Caller
from op_worker.zone.authenticator import ZoneAuthenticator
from op_worker.zone.authority import Presented
from op_worker.zone.known import KnownZone
from op_worker.zone.records import UserInfo
from op_worker.zone.store import ZoneStore
from op_worker.zone.topics import provider_topic, token_events_topic, user_topic

P1, U1 = ProviderId("p1"), UserId("u1")


def token(
    name: str = "t1",
    *caveats: str,
    persistence: Persistence = NAMED,
    kind: TokenType | None = None,
) -> Token:
    identifier = TokenIdentifier(persistence, Subject("user", "u1"), kind or AccessToken(), TokenId(name))
    return Token.mint("zone.test", identifier, "secret", map(parse_caveat, caveats))


class Authority:
    """A zone that vouches for every token, unless told otherwise."""

    def __init__(self) -> None:
        self.known = KnownZone()
        self.provider_id: ProviderId | None = P1
        self.known.apply(provider_topic(P1), {"name": "One", "domain": "d", "effectiveSpaces": ["s1"]})
        self.know_user()
        self.answer: Subject | OnedataError = Subject("user", "u1")
        self.asked: list[Presented] = []
        self.hold: Deferred[None] | None = None
        self.users: dict[UserId, UserInfo] = {}

    def know_user(self, **changes: Any) -> None:
        self.known.apply(user_topic(U1), {"fullName": "Anna", "effectiveSpaces": ["s1"], **changes})

    def events(self, **events: Any) -> None:
        self.known.apply(token_events_topic(P1), events)

    async def user(self, user_id: UserId) -> UserInfo:
        if user_id not in self.users:
            raise NotFound
        return self.users[user_id]

    async def verify_token(self, presented: Presented) -> Subject:
        self.asked.append(presented)
        if self.hold is not None:
            await self.hold
        if isinstance(self.answer, OnedataError):
            raise self.answer
        return self.answer


class Door:
    """An authenticator with its surroundings."""

    def __init__(self, clock: Clock, most_tokens: int = 100) -> None:
        self.clock, self.zone, self.engine = clock, Authority(), MemoryEngine(clock)
        self.most_tokens = most_tokens
        self.authenticator = self.make()

    def make(self) -> ZoneAuthenticator:
        made = ZoneAuthenticator(
            self.zone,
            ZoneStore(self.engine),
            clock=self.clock,
            wall_clock=lambda: 1000.0 + self.clock.seconds(),
            most_tokens=self.most_tokens,
        )
        made.startService()
        return made

    async def restart(self) -> None:
        self.authenticator = self.make()
        self.authenticator.load((await ZoneStore(self.engine).load()).tokens)

    async def show(self, text: str, **circumstances: Any) -> Caller:
        given = {"peer_ip": "127.0.0.1", "interface": "rest", **circumstances}
        return await self.authenticator.authenticate(text, **given)

    async def refusal(self, text: str, **circumstances: Any) -> str:
        """The id of the reason for which a token is refused."""
        with pytest.raises(Unauthorized) as caught:
            await self.show(text, **circumstances)
        reason = caught.value.auth_error
        return "" if reason is None else reason.id


@pytest.fixture
def door(clock: Clock) -> Door:
    return Door(clock)


@ensureDeferred
async def test_zone_is_asked_about_a_token_only_once(door: Door) -> None:
    text = token().serialize()
    first = await door.show(text)
    assert (first.user_id, first.token_id, first.is_limited) == (U1, "t1", False)
    assert await door.show(text) is first
    assert [asked.token for asked in door.zone.asked] == [text]


@ensureDeferred
async def test_many_first_uses_at_once_are_one_question(door: Door) -> None:
    door.zone.hold = Deferred()
    text = token().serialize()
    shown = [Deferred.fromCoroutine(door.show(text)) for _ in range(5)]
    door.zone.hold.callback(None)
    assert {(await each).user_id for each in shown} == {U1}
    assert len(door.zone.asked) == 1


@ensureDeferred
async def test_token_confined_offline_is_accepted_with_its_limits(door: Door) -> None:
    await door.show(token().serialize())
    confined = token().confine([parse_caveat("data.readonly")])
    caller = await door.show(confined.serialize())
    assert caller.limits.readonly
    assert len(door.zone.asked) == 1


@ensureDeferred
async def test_forged_token_goes_to_the_zone_and_is_refused(door: Door) -> None:
    await door.show(token().serialize())
    door.zone.answer = TokenInvalid()
    identifier = token().identifier
    forged = Token.mint("zone.test", identifier, "guess").serialize()
    assert await door.refusal(forged) == "tokenInvalid"


@ensureDeferred
async def test_refused_token_is_not_asked_about_again_at_once(door: Door) -> None:
    door.zone.answer = TokenInvalid()
    text = token().serialize()
    assert await door.refusal(text) == "tokenInvalid"
    assert await door.refusal(text) == "tokenInvalid"
    assert len(door.zone.asked) == 1
    door.clock.advance(10.0)
    door.zone.answer = Subject("user", "u1")
    assert (await door.show(text)).user_id == U1


@ensureDeferred
async def test_reason_inside_the_zones_refusal_is_unpacked(door: Door) -> None:
    door.zone.answer = Unauthorized(TokenInvalid())
    assert await door.refusal(token().serialize()) == "tokenInvalid"


@pytest.mark.parametrize(
    ("caveat", "circumstances", "reason"),
    [
        ("time < 1005", {}, None),
        ("ip = 127.0.0.0/8", {}, None),
        ("ip = 10.0.0.0/8", {}, "tokenCaveatUnverified"),
        ("ip = 127.0.0.0/8", {"peer_ip": None}, "tokenCaveatUnverified"),
        ("interface = rest", {}, None),
        ("interface = oneclient", {}, "tokenCaveatUnverified"),
        ("service = opw-p1", {}, None),
        ("service = opw-p2", {}, "tokenCaveatUnverified"),
        ("geo.country = PL", {}, "tokenCaveatUnverified"),
        ("api = all/get/*.*.*:*", {}, "tokenCaveatUnverified"),
        ("moon = full", {}, "tokenCaveatUnknown"),
    ],
)
@ensureDeferred
async def test_caveats_are_decided_here_whatever_the_zone_says(
    door: Door, caveat: str, circumstances: dict[str, Any], reason: str | None
) -> None:
    known = token()
    await door.show(known.serialize())
    text = Token.mint("zone.test", known.identifier, "secret").serialize()
    if caveat == "moon = full":
        text = _with_text(known, caveat)
    else:
        text = known.confine([parse_caveat(caveat)]).serialize()
    if reason is None:
        assert (await door.show(text, **circumstances)).user_id == U1
    else:
        assert await door.refusal(text, **circumstances) == reason


def _with_text(known: Token, caveat: str) -> str:
    return Token(known.location, known.identifier, (caveat,), known.signature).serialize()


@ensureDeferred
async def test_time_caveat_is_looked_at_again_at_each_request(door: Door) -> None:
    text = token("t1", "time < 1005").serialize()
    await door.show(text)
    door.clock.advance(5.0)
    assert await door.refusal(text) == "tokenCaveatUnverified"


@ensureDeferred
async def test_revoked_token_is_refused_from_the_event_on(door: Door) -> None:
    text = token().serialize()
    confined = token().confine([parse_caveat("data.readonly")]).serialize()
    await door.show(text)
    await door.show(confined)
    door.zone.events(revokedTokens=["t1"])
    assert await door.refusal(text) == "tokenRevoked"
    door.zone.answer = TokenInvalid()
    assert await door.refusal(confined) == "tokenInvalid"


@ensureDeferred
async def test_temporary_token_ends_with_its_generation(door: Door) -> None:
    text = token("x", persistence=Persistence(3)).serialize()
    await door.show(text)
    door.zone.events(temporaryGenerations={"u1": 3})
    await door.show(text)
    door.zone.events(temporaryGenerations={"u1": 4})
    assert await door.refusal(text) == "tokenRevoked"


@ensureDeferred
async def test_blocked_user_is_refused_until_unblocked(door: Door) -> None:
    text = token().serialize()
    await door.show(text)
    door.zone.know_user(blocked=True)
    assert await door.refusal(text) == "userBlocked"
    door.zone.know_user(blocked=False)
    assert (await door.show(text)).user_id == U1


@ensureDeferred
async def test_user_without_supported_space_is_refused(door: Door) -> None:
    door.zone.know_user(effectiveSpaces=["s2"])
    assert await door.refusal(token().serialize()) == "userNotSupported"


@ensureDeferred
async def test_user_that_no_longer_exists_is_refused(door: Door) -> None:
    text = token().serialize()
    await door.show(text)
    door.zone.known.forget(user_topic(U1))
    assert await door.refusal(text) == "tokenSubjectInvalid"


@ensureDeferred
async def test_user_told_of_only_after_showing_the_token_again_is_accepted(door: Door) -> None:
    text = token().serialize()
    await door.show(text)
    door.zone.known.forget(user_topic(U1))

    async def verify_token(presented: Presented) -> Subject:
        door.zone.know_user()
        door.zone.users[U1] = door.zone.known.users[U1]
        return Subject("user", "u1")

    door.zone.verify_token = verify_token  # type: ignore[method-assign]  # this zone learns by being shown
    assert (await door.show(text)).user_id == U1


@ensureDeferred
async def test_known_token_is_good_while_the_zone_is_away(door: Door) -> None:
    text = token().serialize()
    await door.show(text)
    door.zone.answer = NoConnectionToOnezone()
    door.clock.advance(3600.0)
    assert (await door.show(text)).user_id == U1


@ensureDeferred
async def test_unknown_token_while_the_zone_is_away_names_the_reason(door: Door) -> None:
    door.zone.answer = NoConnectionToOnezone()
    text = token().serialize()
    assert await door.refusal(text) == "noConnectionToOnezone"
    door.zone.answer = Subject("user", "u1")
    assert (await door.show(text)).user_id == U1


@ensureDeferred
async def test_known_token_survives_a_restart_without_the_zone(door: Door) -> None:
    text = token().serialize()
    await door.show(text)
    await door.restart()
    door.zone.answer = NoConnectionToOnezone()
    confined = token().confine([parse_caveat("interface = rest")]).serialize()
    assert (await door.show(text)).user_id == U1
    assert (await door.show(confined)).user_id == U1


@ensureDeferred
async def test_revoked_token_does_not_survive_a_restart(door: Door) -> None:
    text = token().serialize()
    await door.show(text)
    door.zone.events(revokedTokens=["t1"])
    await door.refusal(text)
    await door.restart()
    door.zone.events(revokedTokens=[])
    door.zone.answer = NoConnectionToOnezone()
    assert await door.refusal(text) == "noConnectionToOnezone"


@ensureDeferred
async def test_token_in_use_is_looked_at_again_every_ten_minutes(door: Door) -> None:
    text = token().serialize()
    await door.show(text)
    door.clock.advance(600.0)
    await door.show(text)
    await door.show(text)
    assert len(door.zone.asked) == 2
    door.zone.answer = TokenInvalid()
    door.clock.advance(600.0)
    await door.show(text)
    assert await door.refusal(text) == "tokenInvalid"


@ensureDeferred
async def test_tokens_of_providers_are_no_use_here(door: Door) -> None:
    door.zone.answer = Subject("oneprovider", "p2")
    assert await door.refusal(token().serialize()) == "tokenServiceForbidden"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("rubbish", "badToken"),
        ("", "badToken"),
        ("é€", "badToken"),
        ("a" * (1024 * 1024 + 1), "tokenTooLarge"),
        (token(kind=IdentityToken()).serialize(), "notAnAccessToken"),
        (token("t1", "authorization = none").serialize(), "notAnAccessToken"),
    ],
)
@ensureDeferred
async def test_what_is_no_access_token_is_refused_without_asking(door: Door, text: str, reason: str) -> None:
    assert await door.refusal(text) == reason
    assert door.zone.asked == []


@ensureDeferred
async def test_token_with_a_consumer_is_always_asked_about(door: Door) -> None:
    text = token("t1", "consumer = usr-u2").serialize()
    for _ in range(2):
        assert (await door.show(text, consumer_token="C")).user_id == U1
    assert [asked.consumer_token for asked in door.zone.asked] == ["C", "C"]
    door.zone.answer = Forbidden()
    assert await door.refusal(text) == "forbidden"


@ensureDeferred
async def test_number_of_remembered_tokens_is_bounded(clock: Clock) -> None:
    door = Door(clock, most_tokens=3)
    for number in range(20):
        await door.show(token(f"t{number}").serialize())
    assert len((await ZoneStore(door.engine).load()).tokens) == 3
    await door.show(token("t0").serialize())
    assert len(door.zone.asked) <= 21


@ensureDeferred
async def test_token_is_accepted_even_when_it_cannot_be_kept(door: Door) -> None:
    class Away(ZoneStore):
        async def put_token(self, digest: str, record: bytes) -> None:
            raise PersistenceUnavailable

    door.authenticator = ZoneAuthenticator(
        door.zone, Away(door.engine), clock=door.clock, wall_clock=lambda: 1000.0
    )
    assert (await door.show(token().serialize())).user_id == U1


@ensureDeferred
async def test_session_of_a_gui_token_reaches_the_caller(door: Door) -> None:
    text = token(kind=AccessToken("session1")).serialize()
    assert (await door.show(text)).session_id == "session1"


@ensureDeferred
async def test_stored_tokens_do_not_hold_the_token_text(door: Door) -> None:
    text = token().serialize()
    await door.show(text)
    stored = (await ZoneStore(door.engine).load()).tokens
    assert stored and all(text.encode() not in data and text not in key for key, data in stored.items())
