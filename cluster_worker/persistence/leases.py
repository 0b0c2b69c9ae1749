"""Taking leases so that whoever is stopped while he asks for one leaves none behind."""

from __future__ import annotations

from typing import Protocol, TypeVar

from twisted.internet.defer import CancelledError, Deferred

from cluster_worker.persistence.engine import Lease, PersistenceError

T = TypeVar("T")


class Leases(Protocol):
    """What gives leases; an ``Engine`` does."""

    async def acquire(self, name: str, owner: str, ttl_s: float) -> Lease | None:
        """See ``Engine.acquire``."""

    async def release(self, lease: Lease) -> None:
        """See ``Engine.release``."""


async def take(engine: Leases, name: str, owner: str, ttl_s: float) -> Lease | None:
    """Take or renew a lease, as ``Engine.acquire`` does; it is given back when the wait is cancelled.

    The engine may have the request already when who asked is stopped. A lease that nobody knows of would keep
    everybody else waiting until it runs out.
    """
    asking: Deferred[Lease | None] = Deferred.fromCoroutine(engine.acquire(name, owner, ttl_s))
    answered: Deferred[Lease | None] = Deferred()
    asking.addBoth(_passing_on, answered)
    try:
        return await answered  # and not the question itself, which goes on when this is cancelled
    except CancelledError:
        await _give_back(engine, asking)
        raise
    except PersistenceError:
        asking.addErrback(lambda _: None)  # it was told
        raise


async def _give_back(engine: Leases, asking: Deferred[Lease | None]) -> None:
    try:
        lease = await asking
        if lease is not None:
            await engine.release(lease)
    except PersistenceError:
        return  # it runs out by itself


def _passing_on(outcome: T, answered: Deferred[T]) -> T:
    answered.callback(outcome)
    return outcome
