"""A provider without a zone."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from onedata.errors import NotFound, NotSupported, Unauthorized
from onedata.ids import ProviderId, SpaceId, StorageId, UserId
from onedata.tokens.caveats import parse_caveat
from onedata.tokens.token import Token
from op_worker.zone.directory import StaticZone
from op_worker.zone.local import LocalAuthenticator, NoZone, mint_local_token
from op_worker.zone.records import SpaceInfo, UserInfo
from op_worker.zone.registering import RegistrationRequest

ANNA = UserId("anna")
TOKEN = mint_local_token(ANNA, "secret")


async def refusal(authenticator: LocalAuthenticator, token: str) -> str:
    with pytest.raises(Unauthorized) as caught:
        await authenticator.authenticate(token, peer_ip="127.0.0.1", interface="rest")
    assert caught.value.auth_error is not None
    return caught.value.auth_error.id


@ensureDeferred
async def test_local_token_stands_for_its_user() -> None:
    authenticator = LocalAuthenticator("secret", [ANNA], lambda: 0.0)
    caller = await authenticator.authenticate(TOKEN, peer_ip=None, interface="rest")
    assert (caller.user_id, caller.is_limited) == (ANNA, False)


@ensureDeferred
async def test_local_token_can_be_confined() -> None:
    authenticator = LocalAuthenticator("secret", [ANNA], lambda: 10.0)
    confined = Token.deserialize(TOKEN).confine([parse_caveat("data.readonly")]).serialize()
    caller = await authenticator.authenticate(confined, peer_ip=None, interface="rest")
    assert caller.limits.readonly
    ended = Token.deserialize(TOKEN).confine([parse_caveat("time < 10")]).serialize()
    assert await refusal(authenticator, ended) == "tokenCaveatUnverified"


@ensureDeferred
async def test_local_tokens_that_are_wrong_are_refused() -> None:
    authenticator = LocalAuthenticator("secret", [ANNA], lambda: 0.0)
    assert await refusal(authenticator, "rubbish") == "badToken"
    assert await refusal(authenticator, mint_local_token(ANNA, "guess")) == "tokenInvalid"
    assert await refusal(authenticator, mint_local_token(UserId("bob"), "secret")) == "tokenSubjectInvalid"


@ensureDeferred
async def test_static_zone_tells_what_it_was_given() -> None:
    space = SpaceInfo(space_id=SpaceId("s"), name="s", supports={ProviderId("p"): 1})
    foreign = SpaceInfo(space_id=SpaceId("f"), name="f", supports={ProviderId("q"): 1})
    zone = StaticZone([], [space], provider_id=ProviderId("p"))
    zone.put_space(foreign)
    zone.put_user(UserInfo(user_id=ANNA, full_name="Anna"))
    assert list(zone.supported_spaces()) == ["s"]
    assert await zone.space(SpaceId("f")) is foreign
    assert await zone.space(SpaceId("x")) is None
    assert (await zone.user(ANNA)).full_name == "Anna"
    with pytest.raises(NotFound):
        await zone.user(UserId("bob"))


@ensureDeferred
async def test_provider_with_local_users_neither_registers_nor_takes_support_tokens() -> None:
    space = SpaceInfo(space_id=SpaceId("s"), name="s")
    no_zone = NoZone(StaticZone([], [space]))
    request = RegistrationRequest(token="t", name="n", admin_email="e", domain="d")
    with pytest.raises(NotSupported):
        await no_zone.register(request)
    with pytest.raises(NotSupported):
        await no_zone.support_space(StorageId("st"), "t", 1)
    assert no_zone.registration is None
    assert list(no_zone.supported_spaces()) == ["s"]
