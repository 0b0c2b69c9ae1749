"""Whatever nodes sleep, lag or lose the store: tokens of what is written only grow, and somebody goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_worker.persistence.engine import Batch, Committed, Engine, Key, Put, Scope
from cluster_worker.runtime.clock import sleep
from cluster_worker.tenure.owned_work import OwnedWork
from cluster_worker.tenure.tenure import Tenure
from cluster_worker.tenure.timing import TenureTimes
from tests.support.nodes_and_a_store import STEP_S, Node, Surroundings

SCOPE, LINE = Scope("s"), Key("line")
TIMES = TenureTimes()
NAMES = ("a", "b", "c")
QUIET_S = 12.0


@define(eq=False)
class Scribes:
    """Nodes that write their token all the time they think that they own the work."""

    around: Surroundings = field(factory=Surroundings)
    written: list[int] = field(factory=list)
    works: dict[str, OwnedWork] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        commit = self.around.store.commit

        async def noting(scope: Scope, batch: Batch) -> Committed:
            done = await commit(scope, batch)
            self.written.extend(
                int(step.data) for step in batch.steps if isinstance(step, Put) and step.key == LINE
            )
            return done

        self.around.store.commit = noting  # type: ignore[method-assign]  # what the nodes' engines call
        for name in NAMES:
            self.works[name] = self._work_of(self.around.node(name))
            self.around.start(self.works[name])

    def _work_of(self, node: Node) -> OwnedWork:
        engine: Engine = node.engine

        async def work(tenure: Tenure) -> None:
            fence = await tenure.fence(SCOPE)
            while True:
                await fence.commit(engine, Batch([Put(LINE, "token", str(tenure.token).encode())]))
                await sleep(node.clock, 0.2)

        return OwnedWork(engine, "w", node.name, work, clock=node.clock, times=TIMES)

    def look(self) -> None:
        """Of the nodes that are awake, one at most believes that it is the owner."""
        holders = [
            name
            for name, work in self.works.items()
            if name not in self.around.asleep and work.tenure is not None and work.tenure.holds()
        ]
        assert len(holders) <= 1

    def advance(self, duration_s: float) -> None:
        self.around.advance(duration_s, self.look)


names = st.sampled_from(NAMES)
lags = st.sampled_from([0.0, 0.1, 0.7, 0.9, 2.0])
events = st.one_of(
    st.builds(lambda for_s: lambda scribes: scribes.advance(for_s), st.floats(STEP_S, 4.0)),
    st.builds(lambda name: lambda scribes: scribes.around.sleep(name), names),
    st.builds(lambda name: lambda scribes: scribes.around.wake(name), names),
    st.builds(
        lambda name, lag_s: lambda scribes: lag(scribes, name, lag_s),
        names,
        st.sampled_from([0.0, 0.1, 0.7, 2.0]),
    ),
    st.builds(lambda name, away: lambda scribes: cut(scribes, name, away), names, st.booleans()),
)


def lag(scribes: Scribes, name: str, lag_s: float) -> None:
    """Requests of a node, and their answers, take so long from now on."""
    scribes.around.node(name).engine.lag_s = lag_s


def cut(scribes: Scribes, name: str, is_away: bool) -> None:
    """The node loses the store, or reaches it again."""
    scribes.around.node(name).engine.is_away = is_away


@pytest.mark.slow()
@settings(max_examples=60)
@given(st.lists(events, max_size=25))
def test_tokens_of_what_is_written_only_grow_and_work_goes_on(
    history: list[Callable[[Scribes], None]],
) -> None:
    scribes = Scribes()
    for event in history:
        event(scribes)
    assert scribes.written == sorted(scribes.written)
    for name in NAMES[1:]:
        scribes.around.wake(name)
        lag(scribes, name, 0.0)
        cut(scribes, name, is_away=False)
    scribes.around.sleep(NAMES[0])  # one node may be dead, the others go on
    scribes.advance(QUIET_S)
    before = len(scribes.written)
    scribes.advance(1.0)
    assert len(scribes.written) > before
    assert scribes.written == sorted(scribes.written)
    scribes.around.end()
