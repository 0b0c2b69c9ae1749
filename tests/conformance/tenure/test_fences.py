"""Fences keep owners of the past from writing, over every engine."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock

from cluster_worker.persistence.engine import Batch, Engine, Key, Lease, PreconditionFailed, Put, Scope
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.runtime.clock import sleep
from cluster_worker.tenure.owned_work import OwnedWork
from cluster_worker.tenure.tenure import Deposed, Fence, Tenure
from cluster_worker.tenure.timing import TenureTimes
from tests.support.embedded_engine import embedded_engine

LOG = Key("log")
_numbers = itertools.count()


def written(text: str, expect: int | None = None) -> Batch:
    """A commit of one document."""
    return Batch([Put(LOG, "line", text.encode(), expect=expect)])


async def tenure_of(engine: Engine, owner: str, name: str = "w") -> Tenure:
    """A tenure of an owner that gave the lease back (it does not know, like one that slept)."""
    lease = await engine.acquire(f"work:{name}", owner, 60.0)
    assert isinstance(lease, Lease)
    await engine.release(lease)
    return Tenure(name, owner, lease.token, engine)


class FenceConformance:
    """The suite; subclasses have a fixture ``engine`` and say which clock its leases follow."""

    @pytest.fixture()
    def scope(self) -> Scope:
        return Scope(f"scope-{next(_numbers)}")

    @ensureDeferred
    async def test_guarded_commit_goes_through_while_the_tenure_stands(
        self, engine: Engine, scope: Scope
    ) -> None:
        fence = await (await tenure_of(engine, "a")).fence(scope)
        await fence.commit(engine, written("one"))
        await fence.commit(engine, written("two"))
        assert (await engine.get(scope, LOG, ["line"]))["line"].data == b"two"

    @ensureDeferred
    async def test_commit_of_an_earlier_tenure_is_refused_once_a_later_one_put_up_its_fence(
        self, engine: Engine, scope: Scope
    ) -> None:
        first = await (await tenure_of(engine, "a")).fence(scope)
        await first.commit(engine, written("first"))
        await (await tenure_of(engine, "b")).fence(scope)
        with pytest.raises(Deposed):
            await first.commit(engine, written("late"))
        assert (await engine.get(scope, LOG, ["line"]))["line"].data == b"first"

    @ensureDeferred
    async def test_earlier_tenure_cannot_put_up_a_fence_after_a_later_one(
        self, engine: Engine, scope: Scope
    ) -> None:
        first, second = await tenure_of(engine, "a"), await tenure_of(engine, "b")
        fence = await second.fence(scope)
        with pytest.raises(Deposed):
            await first.fence(scope)
        await fence.commit(engine, written("second"))

    @ensureDeferred
    async def test_new_tenure_of_the_same_owner_ends_the_old_one(self, engine: Engine, scope: Scope) -> None:
        token = (await tenure_of(engine, "a")).token
        first = await Tenure("w", "a", token, engine).fence(scope)
        second = await Tenure("w", "a", token, engine).fence(scope)
        with pytest.raises(Deposed):
            await first.commit(engine, written("late"))
        await second.commit(engine, written("second"))

    @ensureDeferred
    async def test_lost_tenure_is_told_before_any_other_precondition(
        self, engine: Engine, scope: Scope
    ) -> None:
        first = await (await tenure_of(engine, "a")).fence(scope)
        with pytest.raises(PreconditionFailed):
            await first.commit(engine, written("wrong", expect=7))
        await (await tenure_of(engine, "b")).fence(scope)
        with pytest.raises(Deposed):
            await first.commit(engine, written("wrong", expect=7))

    @ensureDeferred
    async def test_fence_is_put_up_once_whoever_asks(self, engine: Engine, scope: Scope) -> None:
        tenure = await tenure_of(engine, "a")
        asked = [Deferred.fromCoroutine(tenure.fence(scope)) for _ in range(5)]
        fences: list[Fence] = [await one for one in asked]
        assert set(fences) == {fences[0]}

    @ensureDeferred
    async def test_works_of_other_names_and_scopes_do_not_meet(self, engine: Engine, scope: Scope) -> None:
        fence = await (await tenure_of(engine, "a")).fence(scope)
        await (await tenure_of(engine, "b", "other")).fence(scope)
        await (await tenure_of(engine, "b")).fence(Scope(f"{scope}-other"))
        await fence.commit(engine, written("still"))

    @pytest.mark.slow()
    @ensureDeferred
    async def test_node_that_wakes_up_after_a_takeover_writes_nothing(
        self, engine: Engine, scope: Scope, store_clock: IReactorTime
    ) -> None:
        clocks: dict[str, IReactorTime] = {"a": Clock(), "b": store_clock}
        times = TenureTimes(ttl_s=0.4, renew_s=0.1, margin_s=0.1, try_s=0.1)
        tried: list[str] = []
        lines: list[str] = []

        def on(node: str) -> OwnedWork:
            async def work(tenure: Tenure) -> None:
                fence = await tenure.fence(scope)
                while True:
                    tried.append(node)
                    await fence.commit(engine, written(node))
                    lines.append(node)
                    await sleep(clocks[node], 0.02)

            name = f"work in {scope}"
            service = OwnedWork(engine, name, node, work, clock=clocks[node], times=times)
            service.startService()
            return service

        first = on("a")
        await sleep(store_clock, 0.05)  # it has the work, and then its clock stands still
        second = on("b")
        await sleep(store_clock, 1.0)
        assert lines[0] == "a"
        assert lines[-1] == "b"
        sleeper = clocks["a"]
        assert isinstance(sleeper, Clock)
        sleeper.advance(1.0)
        assert "a" in tried[tried.index("b") :]
        await maybeDeferred(second.stopService)
        await maybeDeferred(first.stopService)
        line = (await engine.get(scope, LOG, ["line"]))["line"]
        assert line.data == b"b"
        assert line.revision == len(tried) - 1


class TestMemoryEngine(FenceConformance):
    """Everything in this process."""

    @pytest.fixture()
    def engine(self) -> Engine:
        return MemoryEngine(reactor)

    @pytest.fixture()
    def store_clock(self) -> IReactorTime:
        return reactor


@pytest.fixture(scope="module")
def redis_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisEngine]:
    with embedded_engine(tmp_path_factory.mktemp("redis")) as engine:
        yield engine


class TestRedisEngine(FenceConformance):
    """The embedded server."""

    @pytest.fixture()
    def engine(self, redis_engine: RedisEngine) -> Engine:
        return redis_engine

    @pytest.fixture()
    def store_clock(self) -> IReactorTime:
        return reactor
