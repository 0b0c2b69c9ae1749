"""Keyed locks serve waiters in order and forget idle keys."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred

from cluster_worker.runtime.locks import KeyedLocks


def start(locks: KeyedLocks, key: str, label: str, seen: list[str]) -> tuple[Deferred[None], Deferred[None]]:
    """Take ``key``, note ``label``, and hold until the first returned Deferred fires."""
    gate: Deferred[None] = Deferred()

    async def work() -> None:
        async with locks.hold(key):
            seen.append(label)
            await gate

    return gate, Deferred.fromCoroutine(work())


def test_waiters_of_one_key_run_one_after_another_in_order() -> None:
    locks, seen = KeyedLocks(), list[str]()
    first, _ = start(locks, "k", "first", seen)
    second, _ = start(locks, "k", "second", seen)
    start(locks, "k", "third", seen)
    assert seen == ["first"]
    first.callback(None)
    assert seen == ["first", "second"]
    second.callback(None)
    assert seen == ["first", "second", "third"]


def test_different_keys_do_not_wait_for_each_other() -> None:
    locks, seen = KeyedLocks(), list[str]()
    start(locks, "a", "a", seen)
    start(locks, "b", "b", seen)
    assert seen == ["a", "b"]


def test_a_key_that_nobody_holds_is_forgotten() -> None:
    locks = KeyedLocks()
    gate, _ = start(locks, "k", "x", [])
    assert locks.is_held("k")
    gate.callback(None)
    assert not locks.is_held("k")


def test_a_cancelled_waiter_gives_its_turn_to_the_next() -> None:
    locks, seen = KeyedLocks(), list[str]()
    first, _ = start(locks, "k", "first", seen)
    _, impatient = start(locks, "k", "impatient", seen)
    start(locks, "k", "patient", seen)
    failures: list[object] = []
    impatient.addErrback(lambda failure: failures.append(failure.trap(CancelledError)))
    impatient.cancel()
    first.callback(None)
    assert seen == ["first", "patient"]
    assert len(failures) == 1


def test_a_thousand_waiters_that_give_the_key_back_at_once_all_have_their_turn() -> None:
    locks, seen = KeyedLocks(), list[int]()

    async def work(number: int) -> None:
        async with locks.hold("k"):
            seen.append(number)

    gate, _ = start(locks, "k", "first", [])
    for number in range(1000):
        Deferred.fromCoroutine(work(number))
    gate.callback(None)
    assert seen == list(range(1000))
    assert not locks.is_held("k")
