"""One check of one space: the order of its parts, what it found, and what it repaired."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from attrs import define, field

from cluster_worker.persistence.engine import (
    Add,
    Batch,
    Key,
    PreconditionFailed,
    Put,
    Scope,
    Step,
)
from onedata.ids import SpaceId
from op_worker.files.stored.intents import INTENTS, Intent
from op_worker.fsck.feed_pass import FeedPass
from op_worker.fsck.findings import Code, Finding
from op_worker.fsck.looks import Looks
from op_worker.fsck.mend import Mend
from op_worker.fsck.places import PURGING_PREFIX, roots
from op_worker.fsck.registers import surplus_entries
from op_worker.fsck.report import MOST_FINDINGS, Options, Report
from op_worker.fsck.rules import judge_counters
from op_worker.fsck.storage_walk import StorageWalk
from op_worker.fsck.tally import Tally
from op_worker.fsck.tools import Tools
from op_worker.fsck.walk import PAGE, Walk
from op_worker.storage.supports import Support

OLD_S = 3600
FSCK = Key("fsck")
"""The document of a space that says how often counters were repaired."""
REPAIRS = "repairs"
_TRIES = 5
Tell = Callable[[str, int, int], None]
"""Is told the part of the check, how much of it is done, and of how much; 0 when that is not known."""


@define(eq=False)
class Check:
    """Checks a space while it is used. Every method may raise PersistenceError and StorageError."""

    _tools: Tools
    _space_id: SpaceId
    _options: Options
    _tell: Tell = field(default=lambda phase, done, total: None)
    _met: set[tuple[str, ...]] = field(factory=set, init=False)

    async def run(self) -> Report:
        """Look at everything; repair what was asked for as it is found."""
        report, tally = Report(self._space_id), Tally()
        looks = Looks.of(self._tools, self._space_id, self._support, self._options)
        try:
            await self._run(_Round(self, report, looks), tally)
        finally:
            tally.close()
        return report

    @property
    def _support(self) -> Support | None:
        """The support whose storage is looked at."""
        return self._tools.storages.for_space(self._space_id) if self._options.has_storage else None

    async def _run(self, round_: _Round, tally: Tally) -> None:
        tools, space_id = self._tools, self._space_id
        support = self._support
        storage_id = None if support is None else support.storage.storage_id
        repairs = (await tools.engine.get(Scope(space_id), FSCK, [REPAIRS])).get(REPAIRS)
        feed = FeedPass(tools.engine, tools.blocking, tally, space_id, tools.clock)
        begun = await feed.begin()
        walk = Walk(tools.engine, tools.blocking, tally, space_id, storage_id)
        round_.enter("names", 0)
        await walk.begin()
        await walk.go_on(round_.suspect, round_.progress)
        round_.enter("feed", await tools.blocking.run(tally.reached_count))
        while await feed.catch_up(round_.suspect, round_.progress, begun):
            await walk.go_on(round_.suspect, round_.progress)
        await self._compare_keys(
            round_, lambda after: tally.unreached(after, begun, PAGE), Code.ORPHANED_FILE, walk.begin_at
        )
        await walk.go_on(round_.suspect, round_.progress)
        await self._compare_keys(round_, lambda after: tally.unfiled(after, PAGE), Code.UNANNOUNCED, feed.add)
        await self._compare_lists(round_)
        await self._compare_counters(round_, tally, feed, 0 if repairs is None else repairs.revision)
        if support is not None:
            count = await tools.blocking.run(tally.placed_count)
            storage = StorageWalk(support.storage, tools.blocking, tally, space_id)
            round_.enter("contents", count)
            await storage.missing(round_.suspect, round_.progress, contents=self._options.contents)
            if support.storage.record.is_imported:
                return  # what nobody knows of yet is imported by the next scan
            round_.enter("storage", count)
            await storage.unknown(round_.suspect, round_.progress)

    async def _compare_lists(self, round_: _Round) -> None:
        """Look at registers, shares and intents."""
        engine, scope = self._tools.engine, Scope(self._space_id)
        async for finding in surplus_entries(engine, scope):
            await round_.suspect(finding)
        async for finding in round_.looks.shares.suspects():
            await round_.suspect(finding)
        old_s = self._tools.wall_clock() - OLD_S
        for document in (await engine.get_all(scope, INTENTS)).values():
            intent = Intent.decode(document.data)
            if intent.since_s < old_s:
                await round_.suspect(Finding(Code.OLD_INTENT, intent.uuid, intent.target, intent.operation))

    async def _compare_keys(
        self,
        round_: _Round,
        page_after: Callable[[str], Sequence[str]],
        code: Code,
        go_into: Callable[[Key], Awaitable[None]],
    ) -> None:
        """Tell files that only one of the walk and the feed knows; ``go_into`` makes the other know them."""
        after, own = "", {one.key for one in roots(self._space_id)}
        while keys := await self._tools.blocking.run(page_after, after):
            after = keys[-1]
            for key in keys:
                if key not in own and not key.startswith(PURGING_PREFIX):
                    if await round_.suspect(Finding(code, key)):
                        await go_into(Key(key))

    async def _compare_counters(self, round_: _Round, tally: Tally, feed: FeedPass, repairs: int) -> None:
        stored = await feed.counters(round_.suspect, round_.progress)
        if stored is None:
            round_.report.is_settled = False
            return
        sums = await self._tools.blocking.run(tally.sums)
        for finding in judge_counters(stored, sums):
            steps: list[Step] = [Put(FSCK, REPAIRS, b"", expect=repairs), Add(finding.key, finding.due)]
            if await round_.note(finding, Mend(steps=steps)):
                repairs += 1


@define(eq=False)
class _Round:
    """What is done with every suspect: another look, a note, a repair."""

    _check: Check
    report: Report
    looks: Looks

    _phase: str = field(default="", init=False)
    _done: int = field(default=0, init=False)
    _total: int = field(default=0, init=False)

    def enter(self, phase: str, total: int) -> None:
        """Begin another part of the check."""
        self._phase, self._done, self._total = phase, 0, total

    def progress(self, count: int) -> None:
        """Tell that so many more were looked at."""
        self.report.looked_at += count
        self._done += count
        self._check._tell(self._phase, self._done, max(self._total, self._done) if self._total else 0)

    async def suspect(self, finding: Finding) -> bool:
        """Look again at a suspect; note it when it is guilty, and repair it when that was asked for."""
        if finding.identity in self._check._met:
            return True
        options = self._check._options
        wants = self._wants(finding)
        for _ in range(_TRIES):
            mend = await self.looks.look(finding, is_repaired=wants, deletes_orphans=options.deletes_orphans)
            if mend is None:
                return False
            try:
                await self.note(finding, mend)
            except PreconditionFailed:
                continue
            return True
        await self.note(finding, Mend())
        return True

    async def note(self, finding: Finding, mend: Mend) -> bool:
        """Repair what was asked for, and keep the finding; whether it was repaired.

        Raises: PreconditionFailed when what the repair rests on changed meanwhile.
        """
        is_repaired = self._wants(finding) and await self._apply(mend)
        report, met = self.report, self._check._met
        report.counts[finding.code] += 1
        report.repaired[finding.code] += is_repaired
        if len(report.findings) < MOST_FINDINGS:
            met.add(finding.identity)
            report.findings.append(finding)
        return is_repaired

    def _wants(self, finding: Finding) -> bool:
        return finding.code in self._check._options.repairs and not self._check._options.is_trial

    async def _apply(self, mend: Mend) -> bool:
        tools, space_id = self._check._tools, self._check._space_id
        if mend.is_settling:
            return not await tools.journal.settle_all(space_id)
        if mend.removes is not None:
            support = tools.storages.for_space(space_id)
            if support is not None:
                await support.storage.helper.remove(mend.removes)
            return support is not None
        if not mend.steps:
            return False
        await tools.engine.commit(Scope(space_id), Batch(mend.steps, mend.announce))
        if mend.settles is not None:
            await tools.journal.pass_by(space_id, mend.settles)
        return True
