"""Where totals and contributions are kept: reading what a batch of changes touches, and writing it back."""

from __future__ import annotations

from collections.abc import Collection, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred, FirstError, gatherResults

from cluster_worker.persistence.engine import Delete, Document, Engine, Key, Put, Scope, Step
from op_worker.statistics.contributions import Contribution, bucket_of, by_bucket, decode_all
from op_worker.statistics.counts import NOTHING
from op_worker.statistics.history import METRICS, PRESENT, Metric, Totals, totals_key, with_window
from op_worker.statistics.ledger import Ledger, parents

T = TypeVar("T")
MOST_REMEMBERED = 50_000
"""The most directories that are remembered from batch to batch."""


@define(eq=False)
class Books:
    """The statistics of one space, as long as this node alone writes them.

    What is remembered of directories is true while every commit of ours succeeds; drop the books when one
    does not.
    """

    engine: Engine
    scope: Scope
    root: Key
    _directories: dict[Key, Contribution | None] = field(factory=dict)
    _totals: dict[Key, Totals | None] = field(factory=dict)

    @property
    def remembered(self) -> int:
        """How many directories are remembered."""
        return len(self._directories)

    async def open(self, keys: Collection[Key]) -> Ledger:
        """Return a ledger that knows these keys and everything above them."""
        ledger = Ledger(self.root)
        await self.load(ledger, keys)
        return ledger

    async def load(self, ledger: Ledger, keys: Collection[Key]) -> None:
        """Let a ledger know keys, the directories above them, and the totals of all those directories."""
        wanted = set(keys)
        while wanted := {key for key in wanted if key not in ledger.known}:
            found = {key: self._directories[key] for key in wanted if key in self._directories}
            found.update(await self._contributions([key for key in wanted if key not in found]))
            ledger.known.update(found)
            wanted = parents(found)
        await self._load_totals(ledger)

    async def steps(self, ledger: Ledger, now_s: int) -> list[Step]:
        """Return the steps that store what a finished ledger changed."""
        steps: list[Step] = []
        for key in ledger.changed:
            new = ledger.known.get(key)
            if new is not None:
                steps.append(Put(bucket_of(key), key, new.encode()))
                continue
            steps.append(Delete(bucket_of(key), key))
            if self._totals.get(key) is not None:
                steps.append(Delete(totals_key(key)))
        moved = [key for key in ledger.deltas if ledger.known.get(key) is not None]
        closed = await self._closed(moved, now_s)
        for key in moved:
            old, delta = self._totals.get(key), ledger.deltas[key]
            new_totals = Totals.begin(now_s, delta) if old is None else old.changed(now_s, delta)
            steps.append(Put(totals_key(key), PRESENT, new_totals.encode()))
            steps.extend(_close(key, old, now_s, closed.get(key, {})))
            self._totals[key] = new_totals
        self._remember(ledger)
        return steps

    def _remember(self, ledger: Ledger) -> None:
        for key, one in ledger.known.items():
            if one is not None and one.is_directory:
                self._directories[key] = one
            else:
                self._directories.pop(key, None)
                self._totals.pop(key, None)

    async def _contributions(self, keys: Sequence[Key]) -> dict[Key, Contribution | None]:
        found: dict[Key, Contribution | None] = dict.fromkeys(keys)
        asked = [self.engine.get(self.scope, bucket, fields) for bucket, fields in by_bucket(keys).items()]
        for documents in await together(asked):
            found.update({Key(key): one for key, one in decode_all(documents).items()})
        return found

    async def _load_totals(self, ledger: Ledger) -> None:
        directories = [key for key, one in ledger.known.items() if one is not None and one.is_directory]
        missing = [key for key in directories if key not in self._totals]
        if missing:
            found = await self.engine.get_many(self.scope, [totals_key(key) for key in missing], [PRESENT])
            for key, documents in zip(missing, found, strict=True):
                stored = documents.get(PRESENT)
                self._totals[key] = None if stored is None else Totals.decode(stored.data)
        for key in directories:
            totals = self._totals[key]
            ledger.totals[key] = NOTHING if totals is None else totals.counts

    async def _closed(self, keys: Sequence[Key], now_s: int) -> Mapping[Key, Mapping[str, Document]]:
        """Return the closed windows of those directories in which further ones are closing."""
        closing = [key for key in keys if (old := self._totals.get(key)) is not None and old.closing(now_s)]
        if not closing:
            return {}
        names = [metric.name for metric in METRICS]
        found = await self.engine.get_many(self.scope, [totals_key(key) for key in closing], names)
        return dict(zip(closing, found, strict=True))


def _close(key: Key, old: Totals | None, now_s: int, stored: Mapping[str, Document]) -> list[Step]:
    if old is None:
        return []
    return [
        Put(totals_key(key), metric.name, with_window(_data(stored, metric), metric, old.open_window(metric)))
        for metric in old.closing(now_s)
    ]


def _data(stored: Mapping[str, Document], metric: Metric) -> bytes | None:
    found = stored.get(metric.name)
    return None if found is None else found.data


async def together(work: Sequence[Coroutine[Any, Any, T]]) -> Sequence[T]:
    """Wait for requests that travel together; raise what the first failed one raised."""
    asked = [Deferred.fromCoroutine(one) for one in work]
    try:
        answers: Sequence[T] = await gatherResults(asked, consumeErrors=True)
    except FirstError as failed:
        failed.subFailure.raiseException()
    return answers
