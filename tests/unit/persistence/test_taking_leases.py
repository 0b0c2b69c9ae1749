"""Taking a lease from a store that answers later, or not at all."""

from __future__ import annotations

import gc

import pytest
from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import capturedLogs
from twisted.python.failure import Failure

from cluster_worker.persistence.engine import Lease, PersistenceUnavailable
from cluster_worker.persistence.leases import take

LEASE = Lease("work", "us", 7)


@define
class SlowStore:
    """Gives leases when the test says so."""

    answer: Deferred[Lease | None] = field(factory=Deferred)
    released: list[Lease] = field(factory=list)

    async def acquire(self, name: str, owner: str, ttl_s: float) -> Lease | None:
        return await self.answer

    async def release(self, lease: Lease) -> None:
        self.released.append(lease)


def taking(store: SlowStore) -> Deferred[Lease | None]:
    return Deferred.fromCoroutine(take(store, "work", "us", 3.0))


def failure_of(asked: Deferred[Lease | None]) -> type[BaseException] | None:
    found: list[type[BaseException] | None] = []

    def note(failure: Failure) -> None:
        found.append(failure.type)

    asked.addErrback(note)
    return found[0] if found else None


def test_lease_that_is_granted_later_is_returned() -> None:
    store = SlowStore()
    asked = taking(store)
    store.answer.callback(LEASE)
    found: list[Lease | None] = []
    asked.addCallback(found.append)
    assert found == [LEASE]


def test_store_that_fails_later_is_told_as_its_own_error_and_nothing_is_left_unhandled() -> None:
    store = SlowStore()
    with capturedLogs() as events:
        asked = taking(store)
        store.answer.errback(PersistenceUnavailable("away"))
        assert failure_of(asked) is PersistenceUnavailable
        del asked, store
        gc.collect()
    assert not [event for event in events if "log_failure" in event]


@pytest.mark.parametrize("granted", [LEASE, None])
def test_lease_that_comes_after_the_wait_was_cancelled_is_given_back(granted: Lease | None) -> None:
    store = SlowStore()
    asked = taking(store)
    asked.cancel()
    assert store.released == []
    store.answer.callback(granted)
    assert store.released == ([] if granted is None else [granted])
    assert failure_of(asked) is CancelledError


def test_store_that_fails_after_the_wait_was_cancelled_is_not_asked_to_give_back() -> None:
    store = SlowStore()
    asked = taking(store)
    asked.cancel()
    store.answer.errback(PersistenceUnavailable("away"))
    assert store.released == []
    assert failure_of(asked) is CancelledError
