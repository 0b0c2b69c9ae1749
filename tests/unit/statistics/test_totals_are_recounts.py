"""Whatever happens in a space, its statistics are those of a recount as soon as the feed is read."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from attrs import define, evolve, field
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from cluster_worker.feeds.position import SharedPosition
from cluster_worker.persistence.engine import PersistenceError, Scope
from cluster_worker.persistence.memory import MemoryEngine
from onedata.errors import Posix
from op_worker.files.model import CreateOptions, Existing
from op_worker.files.service import FileService
from op_worker.files.settings import Settings
from op_worker.statistics.consumer import READER, StatisticsConsumer
from tests.support.power_cuts import Fuse, FusedEngine, Trouble, bury
from tests.support.spaces import SPACE, STORAGE, Site, body, owner, path
from tests.support.statistics import check_totals
from tests.support.turns import take_turn

UPDATE = CreateOptions(existing=Existing.UPDATE, create_parents=True)
SCOPE = Scope(SPACE)


def outcome(work: Awaitable[object]) -> Any:
    """Return the result of work that waits for nothing, or the error that it is allowed to raise."""
    results: list[object] = []
    Deferred.fromCoroutine(work).addBoth(results.append)  # type: ignore[arg-type]  # a coroutine
    (result,) = results
    if isinstance(result, Failure):
        if isinstance(result.value, Posix | PersistenceError):
            return result.value
        result.raiseException()
    return result


@define(eq=False)
class Reader:
    """A node's consumer that reads as many changes as it is told."""

    site: Site
    name: str
    fuse: Fuse = field(factory=Fuse)
    position: SharedPosition = field(init=False)
    consumer: StatisticsConsumer = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.site = evolve(self.site, engine=FusedEngine(self.site.engine, self.fuse))
        engine, clock = self.site.engine, self.site.clock
        self.position = SharedPosition(engine, READER)
        self.consumer = StatisticsConsumer(
            engine,
            Settings(engine, clock),
            self.position,
            lambda _: STORAGE,
            self.site.wall_clock,
        )

    async def take_over(self) -> None:
        """Read from now on; the other node does not know yet."""
        await take_turn(self.site.engine, self.position, SCOPE)

    async def read(self, limit: int, times: int = 1) -> bool:
        """Consume some batches, if it is our turn as far as we know; tell whether there is more."""
        for _ in range(times):
            position = await self.consumer.position(SCOPE)
            if position is None:
                return False
            changes = await self.site.engine.changes(SCOPE, position, limit)
            if not changes:
                return False
            await self.consumer.consume(SCOPE, changes)
        return True


paths = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4).map("/".join)


class Statistics(RuleBasedStateMachine):
    """Files change, two nodes read in small batches, die at any call, and take over from each other."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.site = Site(engine=MemoryEngine(self.clock), clock=self.clock)
        self.files: FileService = outcome(self.site.process())
        outcome(self.files.space_settings.change_settings(owner, SPACE, statistics=True))
        self.readers = [Reader(self.site, name) for name in ("one", "two")]

    @rule(name=paths)
    def make_directory(self, name: str) -> None:
        outcome(self.files.create_directory(owner, path(name), CreateOptions(create_parents=True)))

    @rule(name=paths, content=st.binary(max_size=9))
    def put(self, name: str, content: bytes) -> None:
        work = self.files.replace_content(
            owner, path(name), body(content), expected_b=len(content), create=UPDATE
        )
        outcome(work)

    @rule(name=paths, offset_b=st.integers(0, 20))
    def write(self, name: str, offset_b: int) -> None:
        outcome(self.files.write_content(owner, path(name), offset_b, body(b"xyz"), expected_b=3))

    @rule(name=paths)
    def link(self, name: str) -> None:
        outcome(self.files.create_symlink(owner, path(name), CreateOptions(symlink_target="x")))

    @rule(source=paths, goal=paths)
    def link_hard(self, source: str, goal: str) -> None:
        stat = outcome(self.files.stat(owner, path(source)))
        if not isinstance(stat, Exception):
            outcome(self.files.create_link(owner, path(goal), stat.guid, CreateOptions()))

    @rule(source=paths, goal=paths)
    def move(self, source: str, goal: str) -> None:
        outcome(self.files.move(owner, path(source), path(goal)))

    @rule(name=paths)
    def remove(self, name: str) -> None:
        outcome(self.files.remove(owner, path(name)))

    @rule(which=st.integers(0, 1))
    def take_over(self, which: int) -> None:
        outcome(self.readers[which].take_over())

    @rule(which=st.integers(0, 1), limit=st.integers(1, 4), times=st.integers(1, 3))
    def read(self, which: int, limit: int, times: int) -> None:
        outcome(self.readers[which].read(limit, times))

    @rule(which=st.integers(0, 1), limit=st.integers(1, 4), at=st.integers(0, 12))
    def die(self, which: int, limit: int, at: int) -> None:
        reader = self.readers[which]
        reader.fuse.trouble, reader.fuse.calls, reader.fuse.at = Trouble.CUT_AFTER, 0, at
        bury(Deferred.fromCoroutine(reader.read(limit, 9)), reader)
        self.readers[which] = Reader(self.site, reader.name)
        outcome(self.readers[which].take_over())

    @rule(which=st.integers(0, 1), limit=st.integers(1, 4), at=st.integers(0, 12))
    def lose_an_answer(self, which: int, limit: int, at: int) -> None:
        reader = self.readers[which]
        reader.fuse.trouble, reader.fuse.calls, reader.fuse.at = Trouble.FAIL_AFTER, 0, at
        outcome(reader.read(limit, 3))
        reader.fuse.at = -1

    @rule(s=st.sampled_from([1, 20, 100, 4000]))
    def wait(self, s: float) -> None:
        self.clock.advance(s)
        self.site.now_s += s

    @rule(which=st.integers(0, 1))
    def read_up_and_compare(self, which: int) -> None:
        outcome(self.readers[which].take_over())
        for _ in range(20):
            if outcome(self.readers[which].read(500)) is False:
                break
        outcome(check_totals(self.site.engine))

    def teardown(self) -> None:
        self.read_up_and_compare(0)


TestStatistics = Statistics.TestCase
TestStatistics.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
