"""Owned works of three nodes go by the ring: shared about evenly, and moved when the ring changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from attrs import define, evolve, field
from twisted.internet.defer import Deferred

from cluster_worker.node.preference import Preference
from cluster_worker.node.ring import Ring
from cluster_worker.tenure.owned_work import OwnedWork
from cluster_worker.tenure.owned_works import OwnedWorks
from cluster_worker.tenure.tenure import Tenure
from cluster_worker.tenure.works import Works
from tests.support.nodes_and_a_store import Surroundings

KEYS = [f"space{number}" for number in range(60)]
TAKEN_S = 6.0
"""By then every work has an owner, and what the ring has moved has moved."""


@define(eq=False)
class Cluster:
    """Nodes that own works by one ring, and who is at each work now."""

    around: Surroundings
    ring: Ring
    families: dict[str, OwnedWorks] = field(factory=dict)
    sweeps: dict[str, OwnedWork] = field(factory=dict)
    at_work: Counter[str] = field(factory=Counter)
    rounds: list[str] = field(factory=list)

    def on(self, name: str) -> None:
        node = self.around.node(name)
        works = Works(node.engine, f"{name}/1", node.clock, Preference(name, lambda: self.ring))

        async def look_after(key: str, tenure: Tenure) -> None:
            self.at_work[key] += 1
            try:
                await Deferred[None]()
            finally:
                self.at_work[key] -= 1

        async def sweep(tenure: Tenure) -> None:
            self.rounds.append(name)

        self.families[name] = works.each("look", lambda: KEYS, look_after)
        self.sweeps[name] = works.one("sweep", sweep, 2.0)
        for service in (self.families[name], self.sweeps[name]):
            self.around.start(service)

    def pass_time(self, seconds: float) -> None:
        def nobody_is_alone_at_work_with_another() -> None:
            assert max(self.at_work.values(), default=0) <= 1

        self.around.advance(seconds, nobody_is_alone_at_work_with_another)

    def shares(self) -> dict[str, int]:
        """How many works each node owns; every work has an owner."""
        shares = {name: len(family.owned) for name, family in self.families.items()}
        assert sum(shares.values()) == len(KEYS)
        return shares

    def belong(self) -> dict[str, int]:
        """How many works the ring gives to each node."""
        return Counter(str(self.ring.owner(f"look:{key}")) for key in KEYS)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    around = Surroundings()
    found = Cluster(around, Ring.of(("a", "b", "c")))
    for name in ("a", "b", "c"):
        found.on(name)
    found.pass_time(TAKEN_S)
    yield found
    around.end()


def test_three_nodes_share_works_as_the_ring_says(cluster: Cluster) -> None:
    assert cluster.shares() == cluster.belong()
    assert min(cluster.shares().values()) >= len(KEYS) // 6


def test_first_node_that_was_alone_gives_their_share_to_nodes_that_join() -> None:
    cluster = Cluster(Surroundings(), Ring.of(("a",)))
    cluster.on("a")
    cluster.pass_time(TAKEN_S)
    assert cluster.shares() == {"a": len(KEYS)}
    for name in ("b", "c"):
        cluster.on(name)
        cluster.ring = cluster.ring.join(name)
        cluster.pass_time(TAKEN_S)
    assert cluster.shares() == cluster.belong()
    assert min(cluster.shares().values()) >= len(KEYS) // 6
    cluster.around.end()


def test_works_of_a_node_that_leaves_or_drains_go_to_the_others(cluster: Cluster) -> None:
    cluster.ring = evolve(cluster.ring, draining=frozenset({"c"}))
    cluster.pass_time(TAKEN_S)
    assert cluster.shares()["c"] == 0
    assert min(cluster.shares()["a"], cluster.shares()["b"]) >= len(KEYS) // 6
    cluster.ring = cluster.ring.leave("c")
    cluster.pass_time(TAKEN_S)
    assert cluster.shares()["c"] == 0


def test_works_of_a_node_that_dies_go_to_both_others_within_5_s_and_back_when_it_returns(
    cluster: Cluster,
) -> None:
    before = cluster.shares()
    cluster.around.sleep("c")
    cluster.ring = evolve(cluster.ring, away=frozenset({"c"}))
    cluster.around.advance(5.0)
    owned = {name: len(cluster.families[name].owned) for name in ("a", "b")}
    assert sum(owned.values()) == len(KEYS)
    assert all(owned[name] > before[name] for name in owned)
    cluster.around.wake("c")
    cluster.ring = evolve(cluster.ring, away=frozenset())
    cluster.around.advance(TAKEN_S)
    assert cluster.shares() == before


def test_work_in_rounds_is_done_by_the_node_it_belongs_to_alone(cluster: Cluster) -> None:
    home = cluster.ring.owner("sweep")
    cluster.rounds.clear()
    cluster.pass_time(20.0)
    assert set(cluster.rounds) == {home}
    assert len(cluster.rounds) in (9, 10)
