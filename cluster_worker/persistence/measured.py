"""An engine whose requests are timed and whose refusals are counted; the same interface, one floor more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import (
    Batch,
    Change,
    Committed,
    Document,
    Engine,
    Key,
    Lease,
    OutcomeUnknown,
    PersistenceError,
    PersistenceUnavailable,
    PreconditionFailed,
    Resolved,
    Scope,
    Seq,
)
from cluster_worker.runtime.metrics import Histogram

R = TypeVar("R")
Answer = Coroutine[Any, Any, R]


@runtime_checkable
class CountsConnections(Protocol):
    """An engine whose store is another process."""

    connections_made: int


class StoreMetrics(Collector):
    """What was counted of the requests to a store.

    Args:
        engine: whose connections are told.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._durations: dict[str, Histogram] = {}
        self._failures: Counter[str] = Counter()

    def timed(self, operation: str, took_s: float) -> None:
        """Count a request, however it ended."""
        durations = self._durations.get(operation)
        if durations is None:
            durations = self._durations[operation] = Histogram()
        durations.add(took_s)

    def failed(self, error: PersistenceError) -> None:
        """Count a request that did not succeed."""
        self._failures[_kind(error)] += 1

    def collect(self) -> Iterable[Metric]:
        durations = HistogramMetricFamily(
            "onedata_store_request_seconds",
            "Requests to the store, with waiting for it.",
            labels=["operation"],
        )
        for operation, counted in self._durations.items():
            counted.put_into(durations, [operation])
        yield durations
        failures = CounterMetricFamily(
            "onedata_store_requests_failed",
            "Requests that did not succeed: a precondition did not hold (somebody was faster), the store was"
            " unavailable, or went away before it answered a commit (unknown).",
            labels=["reason"],
        )
        for reason in ("precondition", "unavailable", "unknown", "error"):
            failures.add_metric([reason], self._failures[reason])
        yield failures
        made = self._engine.connections_made if isinstance(self._engine, CountsConnections) else 0
        yield CounterMetricFamily(
            "onedata_store_connections", "Connections to the store that came up, also again.", value=made
        )


class MeasuredEngine:
    """See ``Engine``; every request goes to ``engine`` and is counted in ``metrics``."""

    def __init__(self, engine: Engine, metrics: StoreMetrics, clock: IReactorTime) -> None:
        self._engine, self._metrics, self._clock = engine, metrics, clock

    async def _timed(self, operation: str, answer: Awaitable[R]) -> R:
        began_s = self._clock.seconds()
        try:
            return await answer
        except PersistenceError as error:
            self._metrics.failed(error)
            raise
        finally:
            self._metrics.timed(operation, self._clock.seconds() - began_s)

    def commit(self, scope: Scope, batch: Batch) -> Answer[Committed]:
        return self._timed("commit", self._engine.commit(scope, batch))

    def get(self, scope: Scope, key: Key, fields: Sequence[str]) -> Answer[Mapping[str, Document]]:
        return self._timed("get", self._engine.get(scope, key, fields))

    def get_all(self, scope: Scope, key: Key) -> Answer[Mapping[str, Document]]:
        return self._timed("get_all", self._engine.get_all(scope, key))

    def get_many(
        self, scope: Scope, keys: Sequence[Key], fields: Sequence[str], most_b: int | None = None
    ) -> Answer[Sequence[Mapping[str, Document]]]:
        return self._timed("get_many", self._engine.get_many(scope, keys, fields, most_b))

    def resolve(
        self,
        scope: Scope,
        root: Key,
        names: Sequence[bytes],
        fields: Sequence[str],
        last: Sequence[str] = (),
    ) -> Answer[Sequence[Resolved]]:
        return self._timed("resolve", self._engine.resolve(scope, root, names, fields, last))

    def ancestors(
        self,
        scope: Scope,
        key: Key,
        parent_field: str,
        fields: Sequence[str],
        limit: int = 512,
        first: Sequence[str] = (),
    ) -> Answer[Sequence[tuple[Key, Mapping[str, Document]]]]:
        found = self._engine.ancestors(scope, key, parent_field, fields, limit, first)
        return self._timed("ancestors", found)

    def lookup(self, scope: Scope, directory: Key, name: bytes) -> Answer[bytes | None]:
        return self._timed("lookup", self._engine.lookup(scope, directory, name))

    def page(
        self, scope: Scope, directory: Key, after: bytes | None, limit: int, fields: Sequence[str]
    ) -> Answer[Sequence[Resolved]]:
        return self._timed("page", self._engine.page(scope, directory, after, limit, fields))

    def page_from(
        self,
        scope: Scope,
        directory: Key,
        start: bytes | None,
        offset: int,
        limit: int,
        fields: Sequence[str],
    ) -> Answer[Sequence[Resolved]]:
        found = self._engine.page_from(scope, directory, start, offset, limit, fields)
        return self._timed("page_from", found)

    def count(self, scope: Scope, directory: Key) -> Answer[int]:
        return self._timed("count", self._engine.count(scope, directory))

    def counters(self, scope: Scope) -> Answer[Mapping[str, int]]:
        return self._timed("counters", self._engine.counters(scope))

    def changes(self, scope: Scope, after: Seq, limit: int) -> Answer[Sequence[Change]]:
        return self._timed("changes", self._engine.changes(scope, after, limit))

    def last_seq(self, scope: Scope) -> Answer[Seq]:
        return self._timed("last_seq", self._engine.last_seq(scope))

    def forget(self, scope: Scope, entries: Sequence[Change]) -> Answer[None]:
        return self._timed("forget", self._engine.forget(scope, entries))

    def watch(self, listener: Callable[[Scope], None]) -> Callable[[], None]:
        return self._engine.watch(listener)

    def scopes(self) -> Answer[Sequence[Scope]]:
        return self._timed("scopes", self._engine.scopes())

    def acquire(self, name: str, owner: str, ttl_s: float) -> Answer[Lease | None]:
        return self._timed("acquire", self._engine.acquire(name, owner, ttl_s))

    def release(self, lease: Lease) -> Answer[None]:
        return self._timed("release", self._engine.release(lease))


def _kind(error: PersistenceError) -> str:
    match error:
        case PreconditionFailed():
            return "precondition"
        case OutcomeUnknown():
            return "unknown"
        case PersistenceUnavailable():
            return "unavailable"
        case _:
            return "error"
