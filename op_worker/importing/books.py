"""What is kept while a storage is looked at: counts, charts and the audit go along with other commits."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, evolve, field

from cluster_worker.persistence.engine import Batch, Engine, PreconditionFailed, Put, Scope, Step
from cluster_worker.runtime.clock import WallClock
from cluster_worker.runtime.randomness import RandomBytes
from op_worker.importing import audit
from op_worker.importing.charts import Charts
from op_worker.importing.records import AUDIT, IMPORT, NOTICES, SCAN, NoticeStatus, ScanStatus, charts_of
from op_worker.importing.tallying import NOTHING, Counts, Tally

KEPT_EVERY_S = 1.0
_TRIM_EVERY = 500


@define(eq=False)
class Book:
    """The counts of one who looks: the scan, or whoever follows notices.

    What was counted since the last ``steps`` is lost when the node dies; whoever goes on counts again what
    he looks at again.

    Attributes:
        tally: what looks count in.
        queue_length: how much is known to wait.
        failing: why jobs failed, by their numbers; those that succeed at another try leave it.
    """

    writer: str
    status: ScanStatus | NoticeStatus
    charts: Charts
    _wall_clock: WallClock
    _random_bytes: RandomBytes
    tally: Tally = field(factory=Tally)
    queue_length: int = 0
    failing: dict[int, str] = field(factory=dict)
    _charted: Counts = NOTHING
    _kept_s: float = 0.0
    _written: int = 0

    @classmethod
    async def read(
        cls, writer: str, engine: Engine, scope: Scope, wall_clock: WallClock, random_bytes: RandomBytes
    ) -> Book:
        """Go on with what is stored. Raises: PersistenceUnavailable."""
        found = await engine.get(scope, IMPORT, [writer, charts_of(writer)])
        charts = Charts.decode(found[charts_of(writer)].data) if charts_of(writer) in found else Charts()
        data = found[writer].data if writer in found else None
        status: ScanStatus | NoticeStatus
        if writer == SCAN:
            status = ScanStatus() if data is None else ScanStatus.decode(data)
        else:
            assert writer == NOTICES
            status = NoticeStatus() if data is None else NoticeStatus.decode(data)
        book = cls(writer, status, charts, wall_clock, random_bytes, Tally(counts=status.counts))
        book._charted = status.counts
        return book

    @property
    def is_due(self) -> bool:
        """Whether what was counted should be kept now."""
        return self._wall_clock() - self._kept_s >= KEPT_EVERY_S

    def steps(self) -> list[Step]:
        """Return the steps that keep what was counted so far."""
        now_s = self._kept_s = self._wall_clock()
        counts, before = self.tally.counts, self._charted
        news = Counts(
            max(0, counts.created - before.created),
            max(0, counts.modified - before.modified),
            max(0, counts.deleted - before.deleted),
        )
        self.charts.add(news, self.queue_length, now_s)
        self._charted = counts
        self.status = evolve(self.status, counts=counts)
        if isinstance(self.status, ScanStatus):
            self.status = evolve(self.status, postponed=self.tally.postponed)
        lines = self.tally.take_lines()
        self._written += len(lines)
        mark = audit.new_mark(self._random_bytes(8))
        return [
            Put(IMPORT, self.writer, self.status.encode()),
            Put(IMPORT, charts_of(self.writer), self.charts.encode()),
            *audit.written(lines, now_s, mark),
        ]

    def begin_counting(self) -> None:
        """Count from nothing again."""
        self.tally.counts = self._charted = NOTHING
        self.tally.postponed = 0

    def fails(self, job: int, reason: str) -> None:
        """Keep why a job fails."""
        self.failing[job] = reason
        self.tally.note(f"the scan fails: {reason}")

    def is_long(self) -> bool:
        """Whether so much was added to the audit that it may be too long; true once."""
        is_long = self._written >= _TRIM_EVERY
        self._written = 0 if is_long else self._written
        return is_long


async def trim(engine: Engine, scope: Scope) -> None:
    """Forget the oldest lines of an audit that is too long. Raises: PersistenceUnavailable."""
    count = await engine.count(scope, AUDIT)
    while count > audit.MOST_LINES:
        oldest = [item.entry for item in await engine.page(scope, AUDIT, None, audit.TRIMMED_AT_ONCE, ())]
        steps: Sequence[Step] = audit.outdated(oldest, count)
        try:
            await engine.commit(scope, Batch(steps))
        except PreconditionFailed:
            return  # another one forgets them
        count -= len(steps)
