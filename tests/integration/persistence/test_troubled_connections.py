"""A server that is away, hangs, restarts, wants a password or TLS, or is cut off in the middle of a word."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from pytest_twisted import blockon, ensureDeferred
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from cluster_worker.persistence.address import RedisAddress
from cluster_worker.persistence.engine import (
    Add,
    Batch,
    Document,
    Key,
    Link,
    OutcomeUnknown,
    PersistenceUnavailable,
    Put,
    Scope,
    Step,
)
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.persistence.scripts import ALL

reactor: Any = global_reactor
SCOPE, KEY, ROOT = Scope("space"), Key("key"), Key("root")
MakeServer = Callable[..., Any]
MakeEngine = Callable[..., RedisEngine]
Until = Callable[..., Awaitable[None]]


async def pause(duration_s: float) -> None:
    """Let the reactor run for a while."""
    await deferLater(reactor, duration_s, lambda: None)


# passwords


@ensureDeferred
async def test_right_password_opens_and_wrong_one_does_not(
    make_server: MakeServer, make_redis_engine: MakeEngine
) -> None:
    server = make_server("--requirepass", "s3cret")
    there = {"host": "127.0.0.1", "port": server.port}
    right = make_redis_engine(RedisAddress(password="s3cret", database=3, **there))
    await right.wait_ready()
    await right.commit(SCOPE, Batch([Put(KEY, "m", b"x")]))
    for password in ("guess-word", None):
        wrong = make_redis_engine(RedisAddress(password=password, **there), patience_s=0.3)
        with pytest.raises(PersistenceUnavailable) as caught:
            await wrong.get_all(SCOPE, KEY)
        assert "guess-word" not in str(caught.value)
        assert "s3cret" not in str(caught.value)


@ensureDeferred
async def test_databases_of_one_server_are_apart(
    make_server: MakeServer, make_redis_engine: MakeEngine
) -> None:
    server = make_server()
    first, second = (
        make_redis_engine(RedisAddress(host="127.0.0.1", port=server.port, database=number))
        for number in (0, 5)
    )
    await first.wait_ready()
    await first.commit(SCOPE, Batch([Put(KEY, "m", b"x")]))
    await second.wait_ready()
    assert await second.get_all(SCOPE, KEY) == {}


# scripts


@ensureDeferred
async def test_forgotten_scripts_are_taught_again(
    make_server: MakeServer, make_redis_engine: MakeEngine
) -> None:
    engine = make_redis_engine(make_server().address)
    await engine.wait_ready()
    for expected in (1, 2, 3):
        await engine._command(b"SCRIPT", b"FLUSH")
        assert (await engine.commit(SCOPE, Batch([Put(KEY, "m", b"x")], [KEY]))).seq == expected
        await engine._command(b"SCRIPT", b"FLUSH")
        calls = [Deferred.fromCoroutine(engine.resolve(SCOPE, ROOT, [], [])) for _ in range(5)]
        assert len(await gatherResults(calls)) == 5
    known = await engine._command(b"SCRIPT", b"EXISTS", *(script.digest.encode() for script in ALL))
    assert known == [1] * len(ALL)


# a server that refuses


@ensureDeferred
async def test_full_server_refuses_writes_and_still_reads(
    make_server: MakeServer, make_redis_engine: MakeEngine
) -> None:
    engine = make_redis_engine(make_server().address)
    await engine.wait_ready()
    await engine.commit(SCOPE, Batch([Put(KEY, "m", b"x")]))
    await engine._command(b"CONFIG", b"SET", b"maxmemory", b"1")
    with pytest.raises(PersistenceUnavailable, match="OOM"):
        await engine.commit(SCOPE, Batch([Put(KEY, "m", b"y"), Put(KEY, "t", b"z")]))
    assert await engine.get_all(SCOPE, KEY) == {"m": Document(1, b"x")}
    assert len(await engine.resolve(SCOPE, KEY, [], ["m"])) == 1
    await engine._command(b"CONFIG", b"SET", b"maxmemory", b"0")
    await engine.commit(SCOPE, Batch([Put(KEY, "m", b"y", expect=1)]))


# a server that is away


@define
class Load:
    """Calls in a row from several workers, with what became of each."""

    engine: RedisEngine
    done: list[float] = field(factory=list)
    failed: list[Exception] = field(factory=list)
    slowest_s: float = 0.0
    stopped: bool = False

    async def run(self, worker: int) -> None:
        number = 0
        while not self.stopped:
            number += 1
            began_s = reactor.seconds()
            try:
                if number % 2:
                    await self.engine.commit(SCOPE, Batch([Add("n", 1)], [Key(f"{worker}")]))
                else:
                    await self.engine.resolve(SCOPE, ROOT, [b"x"], ["m"])
                self.done.append(reactor.seconds())
            except PersistenceUnavailable as exc:
                self.failed.append(exc)
            self.slowest_s = max(self.slowest_s, reactor.seconds() - began_s)


@ensureDeferred
async def test_three_seconds_without_a_server_bring_bounded_errors_then_recovery(
    make_server: MakeServer, make_redis_engine: MakeEngine, until: Until
) -> None:
    server = make_server()
    engine = make_redis_engine(server.address, patience_s=0.8)
    await engine.wait_ready()
    load = Load(engine)
    running = [Deferred.fromCoroutine(load.run(number)) for number in range(16)]
    await until(lambda: len(load.done) > 300)
    server.signal(signal.SIGKILL)
    await pause(3.0)
    server.start()
    back_s = reactor.seconds()
    await until(lambda: load.done[-1] > back_s)
    assert load.done[-1] - back_s < 1.5
    load.stopped = True
    await gatherResults(running)
    assert 16 <= len(load.failed) <= 16 * 6
    assert load.slowest_s < 0.8 + 0.8
    unknown = sum(isinstance(exc, OutcomeUnknown) for exc in load.failed)
    assert unknown <= 16
    written = (await engine.counters(SCOPE))["n"]
    assert (await engine.last_seq(SCOPE)) == written


@ensureDeferred
async def test_call_made_while_the_server_starts_waits_for_it(
    make_server: MakeServer, make_redis_engine: MakeEngine
) -> None:
    server = make_server()
    engine = make_redis_engine(server.address)
    await engine.wait_ready()
    server.signal(signal.SIGKILL)
    await pause(0.1)
    reply = Deferred.fromCoroutine(engine.commit(SCOPE, Batch([Put(KEY, "m", b"x")], [KEY])))
    await pause(0.4)
    server.start()
    assert (await reply).seq == 1


@ensureDeferred
async def test_loading_server_is_waited_for(make_server: MakeServer, make_redis_engine: MakeEngine) -> None:
    server = make_server("--key-load-delay", "300", "--loading-process-events-interval-bytes", "1024")
    engine = make_redis_engine(server.address, patience_s=8.0)
    await engine.wait_ready()
    puts = [Put(Key(f"k{number}"), "m", b"x" * 100) for number in range(3000)]
    await engine.commit(SCOPE, Batch(puts, [KEY]))
    server.signal(signal.SIGKILL)
    server.start()
    began_s = reactor.seconds()
    assert await engine.last_seq(SCOPE) == 1
    assert reactor.seconds() - began_s > 0.3


@ensureDeferred
async def test_hanging_server_is_given_up_after_the_reply_timeout(
    make_server: MakeServer, make_redis_engine: MakeEngine
) -> None:
    server = make_server()
    engine = make_redis_engine(server.address, patience_s=0.2, reply_timeout_s=0.5)
    await engine.wait_ready()
    server.signal(signal.SIGSTOP)
    commit = Deferred.fromCoroutine(engine.commit(SCOPE, Batch([Put(KEY, "m", b"x")])))
    read = Deferred.fromCoroutine(engine.get_all(SCOPE, KEY))
    began_s = reactor.seconds()
    with pytest.raises(OutcomeUnknown, match="no reply"):
        await commit
    with pytest.raises(PersistenceUnavailable):
        await read
    assert reactor.seconds() - began_s < 2.0
    server.signal(signal.SIGCONT)
    await pause(1.0)
    assert (await engine.get_all(SCOPE, KEY))["m"] == Document(1, b"x")


@ensureDeferred
async def test_idle_connection_to_a_hanging_server_is_noticed(
    make_server: MakeServer, make_redis_engine: MakeEngine, until: Until
) -> None:
    server = make_server()
    engine = make_redis_engine(server.address, ping_interval_s=0.2, reply_timeout_s=0.4)
    await engine.wait_ready()
    server.signal(signal.SIGSTOP)
    await until(lambda: not engine._connection.is_ready, 3)
    server.signal(signal.SIGCONT)
    await engine.wait_ready()


@ensureDeferred
async def test_stopped_engine_answers_unavailable_at_once(
    make_server: MakeServer, make_redis_engine: MakeEngine
) -> None:
    engine = make_redis_engine(make_server().address)
    await engine.wait_ready()
    await engine.stopService()
    with pytest.raises(PersistenceUnavailable, match="not running"):
        await engine.last_seq(SCOPE)


@ensureDeferred
async def test_cancelled_wait_still_commits(make_server: MakeServer, make_redis_engine: MakeEngine) -> None:
    engine = make_redis_engine(make_server().address)
    await engine.wait_ready()
    wait = Deferred.fromCoroutine(engine.commit(SCOPE, Batch([Put(KEY, "m", b"x")])))
    wait.addErrback(lambda failure: None)
    wait.cancel()
    assert (await engine.get_all(SCOPE, KEY))["m"] == Document(1, b"x")
    assert await engine.last_seq(SCOPE) == 0


# a link that breaks at any byte


class Pipe(Protocol):
    """One end of a cut-able connection."""

    transport: Any

    def __init__(self, cutter: Cutter) -> None:
        self.cutter = cutter
        self.peer: Pipe | None = None
        self.early = b""

    def dataReceived(self, data: bytes) -> None:
        self.cutter.carry(self, data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.loseConnection()


class Cutter(Factory):
    """Forwards a unix socket; once told to, cuts after so many bytes in one direction."""

    noisy = False

    def __init__(self, target: str) -> None:
        self._target = target
        self._left: dict[str, int] = {}

    def cut_after(self, direction: str, size_b: int) -> None:
        """Cut the connection after ``size_b`` more bytes ``up`` to the server or ``down`` from it."""
        self._left = {direction: size_b}

    def buildProtocol(self, addr: object) -> Pipe:
        near, far = Pipe(self), Pipe(self)
        near.peer, far.peer = far, near
        connected = connectProtocol(UNIXClientEndpoint(reactor, self._target), far)
        connected.addCallbacks(
            lambda _: far.transport.write(near.early), lambda _: near.transport.abortConnection()
        )
        return near

    def carry(self, pipe: Pipe, data: bytes) -> None:
        direction = "down" if getattr(pipe.transport, "connector", None) else "up"
        left = self._left.get(direction)
        assert pipe.peer is not None
        if left is not None and left < len(data):
            self._left = {}
            if left and pipe.peer.transport is not None:
                pipe.peer.transport.write(data[:left])
            pipe.transport.loseConnection()
            return
        if left is not None:
            self._left[direction] = left - len(data)
        if pipe.peer.transport is None:
            pipe.early += data
        else:
            pipe.peer.transport.write(data)


@pytest.fixture()
def make_cutter(tmp_path: Path) -> Iterator[Callable[[str], tuple[Cutter, RedisAddress]]]:
    """Return what puts a cutter before a socket."""
    ports: list[Any] = []

    def make(target: str) -> tuple[Cutter, RedisAddress]:
        cutter = Cutter(target)
        path = str(tmp_path / "cut.sock")
        ports.append(reactor.listenUNIX(path, cutter))
        return cutter, RedisAddress(path=path)

    yield make
    for port in ports:
        blockon(maybeDeferred(port.stopListening))


@pytest.mark.parametrize("direction", ["up", "down"])
@ensureDeferred
async def test_link_cut_at_any_byte_leaves_the_store_as_before_or_after(
    direction: str,
    make_server: MakeServer,
    make_cutter: Callable[[str], tuple[Cutter, RedisAddress]],
    make_redis_engine: MakeEngine,
) -> None:
    server = make_server()
    straight = make_redis_engine(server.address)
    await straight.wait_ready()
    cutter, address = make_cutter(server.address.path)
    engine = make_redis_engine(address)
    await engine.wait_ready()
    await engine.commit(SCOPE, Batch([Add("n", 0)], [KEY]))
    applied = 0
    points = [*range(0, 6), *range(6, 260, 23)] if direction == "up" else range(5)
    for cut in points:
        name = f"f{cut}"
        steps: list[Step] = [
            Put(Key(name), "m", b"x", expect=0),
            Link(ROOT, name.encode(), b"v"),
            Add("n", 1),
        ]
        await engine.wait_ready()
        cutter.cut_after(direction, cut)
        try:
            await engine.commit(SCOPE, Batch(steps, [Key(name)]))
            said = "done"
        except OutcomeUnknown:
            said = "unknown"
        cutter.cut_after(direction, 10**9)
        there = bool(await straight.get_all(SCOPE, Key(name)))
        assert there or said == "unknown"
        applied += there
        assert (await straight.lookup(SCOPE, ROOT, name.encode()) is not None) == there
        assert await straight.counters(SCOPE) == {"n": applied}
        assert await straight.last_seq(SCOPE) == 1 + applied
    assert applied == len(points) if direction == "down" else 0 < applied < len(points)


@ensureDeferred
async def test_reads_survive_a_link_that_breaks_once(
    make_server: MakeServer,
    make_cutter: Callable[[str], tuple[Cutter, RedisAddress]],
    make_redis_engine: MakeEngine,
) -> None:
    cutter, address = make_cutter(make_server().address.path)
    engine = make_redis_engine(address)
    await engine.wait_ready()
    await engine.commit(SCOPE, Batch([Link(ROOT, b"n", b"v")]))
    for cut in range(0, 12, 3):
        cutter.cut_after("down", cut)
        assert [one.entry.name for one in await engine.resolve(SCOPE, ROOT, [b"n"], ["m"])] == [b"", b"n"]


class Babbler(Protocol):
    """Answers everything with what is no Redis reply."""

    transport: Any

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@ensureDeferred
async def test_server_of_another_kind_is_unavailable(make_redis_engine: MakeEngine) -> None:
    port = reactor.listenTCP(0, Factory.forProtocol(Babbler), interface="127.0.0.1")
    engine = make_redis_engine(RedisAddress(host="127.0.0.1", port=port.getHost().port), patience_s=0.3)
    with pytest.raises(PersistenceUnavailable, match="unknown kind of reply"):
        await engine.last_seq(SCOPE)
    await engine.stopService()
    await port.stopListening()
