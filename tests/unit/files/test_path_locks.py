"""Locks by storage path."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from op_worker.files.committing.path_locks import PathLocks
from op_worker.storage.helper import StoragePath

A, B, C = StoragePath("s/a"), StoragePath("s/b"), StoragePath("s/c")
INNER = StoragePath("s/a/x")


class Holder:
    """Holds paths until it is told to let go."""

    def __init__(self, locks: PathLocks, *paths: StoragePath) -> None:
        self.has_them = False
        self.let_go: Deferred[None] = Deferred()
        self.done = Deferred.fromCoroutine(self._hold(locks, paths))

    async def _hold(self, locks: PathLocks, paths: tuple[StoragePath, ...]) -> None:
        async with locks.hold(*paths):
            self.has_them = True
            await self.let_go


def test_paths_are_held_by_one_at_a_time_in_order() -> None:
    locks = PathLocks()
    holders = [Holder(locks, A) for _ in range(3)]
    assert [holder.has_them for holder in holders] == [True, False, False]
    holders[0].let_go.callback(None)
    assert [holder.has_them for holder in holders] == [True, True, False]


def test_nobody_waits_for_one_path_while_holding_another() -> None:
    locks = PathLocks()
    first = Holder(locks, B)
    both = Holder(locks, A, B)
    other = Holder(locks, A)
    assert other.has_them
    assert not both.has_them
    other.let_go.callback(None)
    first.let_go.callback(None)
    assert both.has_them
    both.let_go.callback(None)
    assert not any(map(locks.is_held, (A, B)))


def test_draining_waits_for_everybody_below_and_nobody_else() -> None:
    locks = PathLocks()
    above, inner, beside = Holder(locks, A), Holder(locks, INNER), Holder(locks, StoragePath("s/ab"))
    drained: list[object] = []
    Deferred.fromCoroutine(locks.drain_below(A, C)).addCallback(drained.append)
    assert drained == []
    inner.let_go.callback(None)
    assert drained == [None]
    assert above.has_them
    assert beside.has_them


def test_one_path_named_twice_is_held_once() -> None:
    locks = PathLocks()
    holder = Holder(locks, A, A)
    assert holder.has_them
    holder.let_go.callback(None)
    assert not locks.is_held(A)


def test_a_waiter_that_is_cancelled_leaves_no_lock_behind() -> None:
    locks = PathLocks()
    holder = Holder(locks, A)
    waiter = Holder(locks, B, A)
    waiter.done.addErrback(lambda _: None)
    waiter.done.cancel()
    holder.let_go.callback(None)
    assert not any(map(locks.is_held, (A, B)))
