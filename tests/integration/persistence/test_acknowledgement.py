"""Commits and leases that count only when a replica has them, and tokens that grow without one."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, gatherResults

from cluster_worker.persistence.address import RedisAddress
from cluster_worker.persistence.engine import (
    Add,
    Batch,
    Check,
    Document,
    Key,
    OutcomeUnknown,
    PersistenceUnavailable,
    PreconditionFailed,
    Put,
    Scope,
    Seq,
)
from cluster_worker.persistence.redis import RedisEngine
from tests.support.redis_sets import HOST, Server, free_port, link_status, server_options, wait_until

reactor: Any = global_reactor
SCOPE, KEY = Scope("space"), Key("key")
MakeEngine = Callable[..., RedisEngine]
BATCH = Batch([Put(KEY, "m", b"x")], [KEY])


@pytest.fixture()
def pair(tmp_path: Path) -> Iterator[tuple[RedisAddress, Server]]:
    """Yield the address of a primary, and its one replica."""
    ports = free_port(), free_port()
    primary = Server(tmp_path / "primary", ports[0], server_options(ports[0]))
    follow = ("--replicaof", f"{HOST} {ports[0]}")
    replica = Server(tmp_path / "replica", ports[1], server_options(ports[1], follow))
    try:
        primary.start()
        replica.start()
        wait_until(lambda: link_status(replica) == b"up", "the replica follows")
        yield RedisAddress(host=HOST, port=ports[0]), replica
    finally:
        replica.stop()
        primary.stop()


@ensureDeferred
async def test_checks_of_what_no_replica_has_do_not_count(
    pair: tuple[RedisAddress, Server], make_redis_engine: MakeEngine
) -> None:
    address, replica = pair
    options = {"acknowledge_timeout_s": 0.2, "patience_s": 0.3}
    engine, other = (make_redis_engine(address, replicas_acknowledge=1, **options) for _ in range(2))
    await engine.commit(SCOPE, BATCH)
    replica.signal(signal.SIGSTOP)
    with pytest.raises(OutcomeUnknown):
        await engine.commit(SCOPE, BATCH)
    found = await other.get(SCOPE, KEY, ["m"])
    same = Batch([Check(KEY, "m", found["m"].revision)], [])
    with pytest.raises(OutcomeUnknown):
        await other.commit(SCOPE, same)
    replica.signal(signal.SIGCONT)
    wait_until(lambda: link_status(replica) == b"up", "the replica follows again")
    await other.commit(SCOPE, same)


@ensureDeferred
async def test_nothing_counts_while_the_replica_hangs_and_everything_does_when_it_is_back(
    pair: tuple[RedisAddress, Server], make_redis_engine: MakeEngine
) -> None:
    address, replica = pair
    options = {"acknowledge_timeout_s": 0.2, "patience_s": 0.3}
    engine = make_redis_engine(address, replicas_acknowledge=1, **options)
    careless = make_redis_engine(address)
    await engine.wait_ready()
    await careless.wait_ready()
    assert (await engine.commit(SCOPE, BATCH)).seq == 1
    replica.signal(signal.SIGSTOP)
    with pytest.raises(OutcomeUnknown, match="0 of 1 replicas"):
        await engine.commit(SCOPE, BATCH)
    with pytest.raises(PersistenceUnavailable, match="0 of 1 replicas"):
        await engine.acquire("lease", "one", 60)
    with pytest.raises(PersistenceUnavailable, match="0 of 1 replicas"):
        await engine.changes(SCOPE, Seq(0), 9)
    assert (await engine.get_all(SCOPE, KEY))["m"] == Document(2, b"x")
    assert (await careless.commit(SCOPE, BATCH)).seq == 3
    replica.signal(signal.SIGCONT)
    assert (await engine.commit(SCOPE, BATCH)).seq == 4
    assert [change.seq for change in await engine.changes(SCOPE, Seq(0), 9)] == [4]
    assert await engine.acquire("lease", "one", 60) is not None


@ensureDeferred
async def test_many_commits_in_flight_are_each_answered_for_themselves(
    pair: tuple[RedisAddress, Server], make_redis_engine: MakeEngine
) -> None:
    engine = make_redis_engine(pair[0], replicas_acknowledge=1)
    await engine.wait_ready()
    puts = [Batch([Put(Key(f"k{n % 50}"), "m", b"", expect=0), Add("n", 1)], [KEY]) for n in range(100)]
    calls = [Deferred.fromCoroutine(engine.commit(SCOPE, batch)) for batch in puts]
    refused = 0
    for call in calls:
        try:
            await call
        except PreconditionFailed:
            refused += 1
    assert refused == 50
    assert await engine.counters(SCOPE) == {"n": 50}


@ensureDeferred
async def test_tokens_grow_even_when_the_last_grants_were_lost(
    pair: tuple[RedisAddress, Server], make_redis_engine: MakeEngine
) -> None:
    engine = make_redis_engine(pair[0])
    await engine.wait_ready()
    tokens: list[int] = []
    for owner in ("one", "two", "three"):
        lease = await engine.acquire("lease", owner, 60)
        assert lease is not None
        tokens.append(lease.token)
        await engine._command(b"DEL", b"lease:lease")  # as a primary that died with it
    assert tokens == sorted(tokens)
    await gatherResults([Deferred.fromCoroutine(engine.acquire("lease", "one", 60)) for _ in range(3)])
    first = await engine.acquire("lease", "one", 60)
    assert first is not None
    await engine.release(first)
    second = await engine.acquire("lease", "two", 60)
    assert second is not None
    assert second.token > first.token  # also within one millisecond
