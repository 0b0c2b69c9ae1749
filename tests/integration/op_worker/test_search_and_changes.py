"""A whole provider: search switched on, kept over a restart; streams of changes end with the daemon."""

from __future__ import annotations

from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from cluster_worker.runtime.clock import sleep
from tests.integration.op_worker.running import Client, World
from tests.integration.op_worker.test_local_users import local, token

API = "/api/v3/oneprovider"


async def anna(world: World) -> Client:
    await world.start_provider(world.provider_config(local=local(world)))
    return world.provider_client().with_token(token(world, "anna"))


async def found(user: Client, query: str) -> list[str]:
    answer = await user("POST", f"{API}/spaces/lab/search", {"query": query})
    assert (answer.status, answer.body["isCurrent"]) == (200, True), answer
    return [file["path"] for file in answer.body["files"]]


@ensureDeferred
async def test_an_index_is_kept_over_a_restart_and_removed_when_switched_off(world: World) -> None:
    user = await anna(world)
    index = world.folder / "provider" / "search" / "lab.sqlite"
    assert (await user("PUT", "/cdmi/Lab/x.txt", b"x", content_type="text/plain")).status == 201
    assert (await user("PATCH", f"{API}/spaces/lab/settings", {"search": True})).status == 200
    assert await found(user, 'name ~ "*.txt"') == ["/Lab/x.txt"]
    assert index.exists()
    await world.stop("provider")
    user = await anna(world)
    assert (await user("PUT", "/cdmi/Lab/y.txt", b"y", content_type="text/plain")).status == 201
    assert await found(user, 'name ~ "*.txt" and size = 1') == ["/Lab/x.txt", "/Lab/y.txt"]
    assert (await user("PATCH", f"{API}/spaces/lab/settings", {"search": False})).status == 200
    for _ in range(100):
        if not index.exists():
            return
        await sleep(reactor, 0.1)
    raise AssertionError("the index is still there")


@ensureDeferred
async def test_a_daemon_that_stops_does_not_wait_for_those_who_follow_changes(world: World) -> None:
    user = await anna(world)
    stream = Deferred.fromCoroutine(user("GET", f"{API}/changes/metadata/lab?last_seq=0"))
    await sleep(reactor, 0.5)
    assert not stream.called
    begin_s = reactor.seconds()
    await world.stop("provider")
    assert reactor.seconds() - begin_s < 3
    assert (await stream).status == 200
