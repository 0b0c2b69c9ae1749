"""What the memory engine promises beyond the suite that all engines pass."""

from __future__ import annotations

from pytest_twisted import ensureDeferred
from twisted.logger import capturedLogs

from cluster_worker.persistence.engine import Batch, Key, Scope
from cluster_worker.persistence.memory import MemoryEngine


@ensureDeferred
async def test_failing_listener_is_logged_and_the_others_are_told() -> None:
    engine, heard = MemoryEngine(), list[Scope]()

    def fail(scope: Scope) -> None:
        raise ZeroDivisionError

    engine.watch(fail)
    engine.watch(heard.append)
    with capturedLogs() as events:
        await engine.commit(Scope("s"), Batch([], [Key("k")]))
    assert heard == [Scope("s")]
    assert [event["log_failure"].type for event in events] == [ZeroDivisionError]


@ensureDeferred
async def test_lease_without_a_clock_never_expires() -> None:
    engine = MemoryEngine()
    assert await engine.acquire("name", "one", 0.0) is not None
    assert await engine.acquire("name", "one", 1.0) is not None
    assert await engine.acquire("name", "two", 1.0) is None
