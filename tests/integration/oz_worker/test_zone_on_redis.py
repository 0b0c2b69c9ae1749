"""The zone on a real server: everything is there again after a restart, two nodes agree."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet import reactor
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.engine import Engine
from cluster_worker.persistence.setup import make_engine
from cluster_worker.runtime.clock import sleep
from tests.integration.oz_worker.graph_client import connect
from tests.integration.oz_worker.running_zone import start_zone

TOKEN = "X-Auth-Token"


@async_yield_fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """An engine on an embedded server in a folder of its own."""
    parent, made = make_engine(reactor, RedisConfig(patience_s=10.0), str(tmp_path))
    parent.startService()
    yield made
    await parent.stopService()


@ensureDeferred
async def test_restarted_zone_knows_all_it_knew(engine: Engine) -> None:
    zone = await start_zone(engine)
    anna = await zone.user("anna")
    space = await zone.space(anna)
    provider = await zone.provider(anna)
    group = {"groupId": "g1", "name": "Group 1", "creatorId": "anna"}
    await zone.client("POST", "/dev/groups", group)
    revoked = (await anna("POST", "/user/tokens/named", {"name": "gone"})).body
    await anna("DELETE", f"/tokens/named/{revoked['tokenId']}")
    invite = (await anna("POST", f"/spaces/{space}/providers/token")).body["token"]
    channel = await connect(zone.port, provider.auth[TOKEN])
    await channel.graph("storage.d1.support", "create", {"token": invite, "size": 1 << 30})
    before = await channel.read(f"space.{space}.instance")
    scope_of = {"token": anna.auth[TOKEN]}
    scope = (await zone.client("POST", "/tokens/infer_access_token_scope", scope_of)).body
    await zone.stop()

    zone = await start_zone(engine)
    anna, provider = zone.client.token(anna.auth[TOKEN]), zone.client.token(provider.auth[TOKEN])
    assert (await zone.client.basic("anna")("GET", "/user")).status == 200
    assert (await anna("GET", "/user/groups")).body == {"groups": ["g1"]}
    channel = await connect(zone.port, provider.auth[TOKEN])
    again = await channel.read(f"space.{space}.instance")
    assert again["revision"] >= before["revision"]
    assert {**again, "revision": 0} == {**before, "revision": 0}
    events = await channel.read("provider.krk.token_events")
    assert events["revokedTokens"] == [revoked["tokenId"]]
    assert (await zone.client("POST", "/tokens/infer_access_token_scope", scope_of)).body == scope
    assert (await zone.client.token(revoked["token"])("GET", "/user")).auth_error == "tokenInvalid"
    await zone.stop()


@ensureDeferred
async def test_two_nodes_of_a_zone_follow_each_other(engine: Engine) -> None:
    one, two = await start_zone(engine), await start_zone(engine)
    anna = await one.user("anna")
    space = await one.space(anna)
    there = two.client.token(anna.auth[TOKEN])
    for _ in range(200):
        if (await there("GET", f"/spaces/{space}")).status == 200:
            break
        await sleep(IReactorTime(reactor), 0.01)
    assert (await there("PATCH", f"/spaces/{space}", {"name": "From two"})).status == 204
    assert (await anna("PATCH", f"/spaces/{space}", {"description": "from one"})).status == 204
    shown = (await anna("GET", f"/spaces/{space}")).body
    assert (shown["name"], shown["description"]) == ("From two", "from one")
    await one.stop()
    await two.stop()
