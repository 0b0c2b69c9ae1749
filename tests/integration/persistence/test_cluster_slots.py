"""Slots that move between the primaries of a cluster while scopes are used, and nodes that come and go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from cluster_worker.persistence.address import ClusterAddress, RedisAddress, parse_address
from cluster_worker.persistence.engine import Batch, Document, Key, PersistenceUnavailable, Put, Scope
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.persistence.slots import key_slot
from tests.support.commit_writers import Writers
from tests.support.redis_sets import HOST, PASSWORD, ClusterGroup, Server

pytestmark = pytest.mark.slow
reactor: Any = global_reactor
SCOPE, KEY = Scope("space"), Key("key")
OTHER = Scope("other")
SLOT, OTHER_SLOT = key_slot(b"{space}:"), key_slot(b"{other}:")
MakeEngine = Callable[..., RedisEngine]
Until = Callable[..., Awaitable[None]]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterGroup]:
    group = ClusterGroup(tmp_path_factory.mktemp("cluster"))
    try:
        group.start()
        yield group
    finally:
        group.stop()


def other_than(cluster: ClusterGroup, server: Server) -> Server:
    """Return another primary."""
    return next(one for one in cluster.servers if one is not server)


@ensureDeferred
async def test_scope_whose_slot_moves_key_by_key_waits_and_goes_on_where_it_is_then(
    cluster: ClusterGroup, make_redis_engine: MakeEngine
) -> None:
    engine = make_redis_engine(parse_address(cluster.url))
    await engine.wait_ready()
    await engine.commit(SCOPE, Batch([Put(KEY, "m", b"1")], [KEY]))
    source = cluster.owner(SLOT)
    target = other_than(cluster, source)
    target.ask("CLUSTER", "SETSLOT", SLOT, "IMPORTING", cluster.node_id(source))
    source.ask("CLUSTER", "SETSLOT", SLOT, "MIGRATING", cluster.node_id(target))
    commit = Deferred.fromCoroutine(engine.commit(SCOPE, Batch([Put(KEY, "m", b"2", expect=1)], [KEY])))
    await deferLater(reactor, 0.3, lambda: None)
    assert not commit.called  # one part of the scope may be here and another there
    for name in source.ask("CLUSTER", "GETKEYSINSLOT", SLOT, 100):
        source.ask("MIGRATE", HOST, target.port, name, 0, 1000, "AUTH", PASSWORD)
    for one in (target, source, *cluster.servers):
        one.ask("CLUSTER", "SETSLOT", SLOT, "NODE", cluster.node_id(target))
    assert (await commit).seq == 2
    assert await engine.get_all(SCOPE, KEY) == {"m": Document(2, b"2")}
    assert cluster.owner(SLOT) is target


@ensureDeferred
async def test_scope_whose_slot_moves_at_once_loses_nothing_under_load(
    cluster: ClusterGroup, make_redis_engine: MakeEngine, until: Until
) -> None:
    engine = make_redis_engine(parse_address(cluster.url))
    await engine.wait_ready()
    writers = Writers(engine, OTHER)
    running = [Deferred.fromCoroutine(writers.run(number)) for number in range(4)]
    await until(lambda: len(writers.acknowledged) > 200)
    source = cluster.owner(OTHER_SLOT)
    target = other_than(cluster, source)
    words = ("SLOTSRANGE", OTHER_SLOT, OTHER_SLOT, "NODE", cluster.node_id(target))
    if b"MIGRATESLOTS" not in b" ".join(source.ask("CLUSTER", "HELP")):
        pytest.skip("this server moves slots key by key only")
    source.ask("CLUSTER", "MIGRATESLOTS", *words)
    await until(lambda: cluster.owner(OTHER_SLOT) is target)
    before = len(writers.acknowledged)
    await until(lambda: len(writers.acknowledged) > before + 200)
    writers.stopped = True
    await gatherResults(running)
    await writers.check()


@ensureDeferred
async def test_scopes_lie_on_several_nodes_and_are_listed_together(
    cluster: ClusterGroup, make_redis_engine: MakeEngine
) -> None:
    engine = make_redis_engine(parse_address(cluster.url))
    await engine.wait_ready()
    scopes = sorted(Scope(f"s{number}") for number in range(12))
    for scope in scopes:
        await engine.commit(scope, Batch([Put(KEY, "m", b"")], [KEY]))
    assert len({cluster.owner(key_slot(b"{%b}:" % scope.encode())).port for scope in scopes}) == 3
    assert set(await engine.scopes()) >= set(scopes)


@ensureDeferred
async def test_lost_shard_without_a_replica_leaves_the_others_at_work(
    cluster: ClusterGroup, make_redis_engine: MakeEngine
) -> None:
    engine = make_redis_engine(parse_address(cluster.url), patience_s=0.5)
    await engine.wait_ready()
    dead = cluster.owner(SLOT)
    dead.stop()
    with pytest.raises(PersistenceUnavailable):
        await engine.get(SCOPE, KEY, ["m"])
    there = next(
        scope
        for scope in (Scope(f"s{number}") for number in range(99))
        if cluster.owner(key_slot(b"{%b}:" % scope.encode())) is not dead
    )
    await engine.commit(there, Batch([Put(KEY, "n", b"x")]))
    dead.start()
    for _ in range(40):
        try:
            await engine.commit(SCOPE, Batch([Put(KEY, "m", b"x")]))
            return
        except PersistenceUnavailable:
            continue
    raise AssertionError("the shard did not come back")


@ensureDeferred
async def test_node_that_is_no_cluster_is_unavailable(make_redis_engine: MakeEngine, free_port: int) -> None:
    address = ClusterAddress(nodes=(RedisAddress(host=HOST, port=free_port),))
    engine = make_redis_engine(address, patience_s=0.3)
    with pytest.raises(PersistenceUnavailable, match="cluster of"):
        await engine.get(SCOPE, KEY, ["m"])
