"""A primary that is killed or hangs under load: another one takes over, and nothing acknowledged is lost."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import count
from typing import Any, TypeVar

import pytest
from attrs import frozen
from pytest_twisted import ensureDeferred
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, gatherResults

from cluster_worker.persistence.address import StoreAddress, parse_address
from cluster_worker.persistence.engine import Batch, Key, Put, Scope
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.persistence.slots import key_slot
from tests.support.commit_writers import Writers
from tests.support.redis_sets import (
    PASSWORD,
    SENTINEL_PASSWORD,
    SERVICE,
    ClusterGroup,
    SentinelGroup,
    Server,
    wait_until,
)

pytestmark = pytest.mark.slow
reactor: Any = global_reactor
G = TypeVar("G", SentinelGroup, ClusterGroup)
OPTIONS: dict[str, Any] = {"replicas_acknowledge": 1, "sentinel_password": SENTINEL_PASSWORD}
_numbers = count()
MakeEngine = Callable[..., RedisEngine]
Until = Callable[..., Awaitable[None]]


@pytest.fixture(scope="module")
def all_sentinels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelGroup]:
    yield from running(SentinelGroup(tmp_path_factory.mktemp("sentinels"), replicas=2, password=PASSWORD))


@pytest.fixture(scope="module")
def whole_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterGroup]:
    yield from running(ClusterGroup(tmp_path_factory.mktemp("cluster"), primaries=3, replicas=2))


def running(group: G) -> Iterator[G]:
    """Start servers, and end them."""
    try:
        group.start()
        yield group
    finally:
        group.stop()


@pytest.fixture()
def sentinels(all_sentinels: SentinelGroup) -> SentinelGroup:
    wait_until(all_sentinels.is_whole, "the servers recover from the test before")
    return all_sentinels


@pytest.fixture()
def cluster(whole_cluster: ClusterGroup) -> ClusterGroup:
    wait_until(whole_cluster.is_whole, "the nodes recover from the test before")
    return whole_cluster


def new_scope() -> Scope:
    """Return a scope that no other test uses."""
    return Scope(f"scope-{next(_numbers)}")


def owner_of(cluster: ClusterGroup, scope: Scope) -> Server:
    """Return the primary that has a scope."""
    return cluster.owner(key_slot(f"{{{scope}}}:".encode()))


@frozen
class Loss:
    """A way to lose a primary, and to have its server back; replaced, it stays and answers all the time.

    Attributes:
        is_over: whether another server is the primary.
    """

    lose: Callable[[], object]
    come_back: Callable[[], object]
    is_over: Callable[[], bool]


def losses(primary: Server, replace: Callable[[], object], is_over: Callable[[], bool]) -> dict[str, Loss]:
    """Return the ways to lose a primary."""
    return {
        "killed": Loss(lambda: primary.signal(signal.SIGKILL), primary.start, is_over),
        "stopped": Loss(
            lambda: primary.signal(signal.SIGSTOP), lambda: primary.signal(signal.SIGCONT), is_over
        ),
        "replaced": Loss(replace, lambda: None, is_over),
    }


async def lose_primary(engine: RedisEngine, scopes: Sequence[Scope], loss: Loss, until: Until) -> float:
    """Lose a primary under load, wait for service, bring it back; return for how long a scope was away."""
    loads = [Writers(engine, scope) for scope in scopes]
    running = [Deferred.fromCoroutine(load.run(number)) for load in loads for number in range(4)]
    try:
        await until(lambda: all(len(load.acknowledged) > 100 for load in loads))
        loss.lose()
        lost_s = reactor.seconds()
        await until(loss.is_over, 30)
        before = [len(load.acknowledged) for load in loads]
        await until(
            lambda: all(len(load.acknowledged) > n + 100 for load, n in zip(loads, before, strict=True)),
            30,
        )
        away_s: float = reactor.seconds() - lost_s
        loss.come_back()
        before = [len(load.acknowledged) for load in loads]
        await until(
            lambda: all(len(load.acknowledged) > n + 300 for load, n in zip(loads, before, strict=True)),
            30,
        )
    finally:
        for load in loads:
            load.stopped = True
        await gatherResults(running)
    for load in loads:
        await load.check()
    print(f"service was back after {away_s:.1f} s; unknown {sum(len(load.unknown) for load in loads)}")
    return away_s


@ensureDeferred
async def test_connections_to_sentinels_stay_once_they_have_subscribed(
    sentinels: SentinelGroup, make_redis_engine: MakeEngine, until: Until
) -> None:
    make_redis_engine(parse_address(sentinels.url), **OPTIONS)

    def subscribed() -> list[str]:
        """Return the connections of each sentinel that listen on both channels, by their ids."""
        found = []
        for number, sentinel in enumerate(sentinels.sentinels):
            clients: bytes = sentinel.ask("CLIENT", "LIST")
            lines = [line.split() for line in clients.decode().splitlines()]
            found += [f"{number} {words[0]}" for words in lines if "sub=2" in words]
        return found

    await until(lambda: len(subscribed()) == 3)
    before, since = subscribed(), reactor.seconds()
    await until(lambda: reactor.seconds() > since + 1.5)
    assert subscribed() == before


@pytest.mark.parametrize("way", ["killed", "stopped", "replaced"])
@ensureDeferred
async def test_sentinel_failover_under_load_loses_no_acknowledged_commit(
    way: str, sentinels: SentinelGroup, make_redis_engine: MakeEngine, until: Until
) -> None:
    # sentinels that replace a primary which lives do not stop it first: only all replicas know what counts
    replicas = 2 if way == "replaced" else 1
    engine = make_redis_engine(parse_address(sentinels.url), **{**OPTIONS, "replicas_acknowledge": replicas})
    await engine.wait_ready()
    primary = sentinels.primary()
    sentinel = sentinels.sentinels[0]
    loss = losses(
        primary,
        lambda: sentinel.ask("SENTINEL", "FAILOVER", SERVICE),
        lambda: sentinels.primary() is not primary,
    )[way]
    away_s = await lose_primary(engine, [new_scope(), new_scope()], loss, until)
    assert away_s < 15


@pytest.mark.parametrize("way", ["killed", "stopped", "replaced"])
@ensureDeferred
async def test_cluster_failover_under_load_loses_no_acknowledged_commit(
    way: str, cluster: ClusterGroup, make_redis_engine: MakeEngine, until: Until
) -> None:
    engine = make_redis_engine(parse_address(cluster.url), **OPTIONS)
    await engine.wait_ready()
    scopes = [new_scope() for _ in range(4)]
    slot = key_slot(b"{%b}:" % scopes[0].encode())
    primary = cluster.owner(slot)
    replica = cluster.replica_of(primary)
    loss = losses(
        primary,
        lambda: replica.ask("CLUSTER", "FAILOVER"),
        lambda: cluster.owner(slot, besides=primary) is not primary,
    )[way]
    away_s = await lose_primary(engine, scopes, loss, until)
    assert away_s < 15
    assert set(await engine.scopes()) >= set(scopes)


@pytest.mark.parametrize("kind", ["sentinels", "cluster"])
@ensureDeferred
async def test_listeners_leases_and_tokens_outlive_a_failover(
    kind: str, request: pytest.FixtureRequest, make_redis_engine: MakeEngine, until: Until
) -> None:
    group: SentinelGroup | ClusterGroup = request.getfixturevalue(kind)
    address: StoreAddress = parse_address(group.url)
    engine, other = (make_redis_engine(address, **OPTIONS) for _ in range(2))
    for one in (engine, other):
        await one.wait_ready()
    heard: list[Scope] = []
    engine.watch(heard.append)
    scopes = [new_scope() for _ in range(4)]
    for scope in scopes:
        await engine.commit(scope, Batch([Put(Key("k"), "m", b"")], [Key("k")]))
    await until(lambda: set(heard) >= set(scopes))
    lease = await engine.acquire(f"{{{scopes[0]}}}", "one", 60)
    assert lease is not None
    heard.clear()
    primary = group.primary() if isinstance(group, SentinelGroup) else owner_of(group, scopes[0])
    primary.signal(signal.SIGKILL)
    assert await other.acquire(lease.name, "two", 60) is None
    await until(lambda: set(heard) >= set(scopes))  # told again, for something may have been missed
    heard.clear()
    for scope in scopes:
        await other.commit(scope, Batch([Put(Key("k"), "m", b"")], [Key("k")]))
    await until(lambda: set(heard) >= set(scopes))

    await engine.release(lease)
    taken = await other.acquire(lease.name, "two", 60)
    assert taken is not None
    assert taken.token > lease.token
    primary.start()
