"""Histories of a ready cluster: nodes are lost, come back, start anew and join, and nobody else notices."""

from __future__ import annotations

from collections import Counter

import pytest

from cluster_manager.membership.cluster_state import Phase
from cluster_manager.membership.events import NodeLeft, NodeSilent, StepReported, Ticked
from cluster_manager.membership.membership import Membership
from cluster_manager.membership.remembered import Remembered
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.fields import Fields
from cluster_worker.wire.membership_messages import ClusterReady, RingUpdate
from cluster_worker.wire.slot_table import SLOTS
from cluster_worker.wire.steps import BOOT_STEPS, BootStep
from tests.support.memberships import (
    FIRST,
    boot_alone,
    cluster,
    messages,
    ready,
    registers,
    report,
    ring_of,
    ring_told,
    run,
    silent,
    steps,
    stops,
)


def incarnation(membership: Membership) -> Epoch:
    return membership._state.incarnation


def lost(membership: Membership, *nodes: str, boot: str = "1", now: float = 0.0) -> None:
    """The links of ``nodes`` end, and the grace period after it."""
    run(membership, *(silent(node, boot) for node in nodes), now=now)
    run(membership, Ticked(), now=now + 11.0)


def test_broken_link_of_a_ready_node_costs_nothing() -> None:
    membership = ready("a", "b")
    assert run(membership, silent("a")) == []
    assert membership.roster.silent == {"a"}
    effects = run(membership, registers("a", "1", incarnation(membership)), now=9.0)
    assert messages(effects, ClusterReady) == [(("a",), ClusterReady(membership.epoch))]
    assert run(membership, Ticked(), now=100.0) == [] and membership.phase is Phase.READY


def test_node_that_missed_becoming_ready_is_told_again() -> None:
    membership = ready("a", "b")
    effects = run(membership, silent("a"), registers("a"))
    assert stops(effects) == [] and messages(effects, ClusterReady)[0][0] == ("a",)


def test_news_of_an_old_link_does_not_make_a_returned_node_silent() -> None:
    membership = ready("a")
    run(membership, NodeSilent("a", "another boot"))
    assert membership.roster.silent == frozenset()


# Losing


@pytest.mark.parametrize("owners", [1, 2])
def test_lost_node_is_away_and_the_others_learn_it(owners: int) -> None:
    membership = ready("a", "b", "c", owners=owners)
    table = ring_told(membership).table
    run(membership, silent("b"))
    assert run(membership, Ticked(), now=10.0) == []
    effects = run(membership, Ticked(), now=10.1)
    receivers, ring = ring_of(effects)
    assert receivers == ("a", "c") and ring.away == ("b",) and stops(effects) == []
    assert ring.table == table and ring.owners == owners
    assert run(membership, Ticked(), now=99.0) == []


def test_one_node_goes_on_when_all_others_are_lost_at_once() -> None:
    membership = ready("a", "b", "c")
    run(membership, silent("b"), silent("c"))
    effects = run(membership, Ticked(), now=11.0)
    assert stops(effects) == [] and membership.phase is Phase.READY
    assert membership.roster.present == ("a",)


def test_cluster_waits_when_all_are_lost_and_goes_on_with_who_comes_back() -> None:
    membership = ready("a", "b")
    lost(membership, "a", "b")
    assert membership.roster.present == () and membership.phase is Phase.READY
    effects = run(membership, registers("b", "1", incarnation(membership)), now=500.0)
    receivers, ring = ring_of(effects)
    assert receivers == ("b",) and ring.away == ("a",)
    assert messages(effects, ClusterReady)[0][0] == ("b",) and stops(effects) == []


def test_single_node_that_restarts_boots_at_once_again() -> None:
    membership = ready("a")
    effects = run(membership, registers("a", "2"))
    assert stops(effects) == [] and steps(effects) == [(("a",), FIRST.value)]
    assert messages(boot_alone(membership, "a"), ClusterReady)[0][0] == ("a",)


def test_node_that_stops_on_purpose_is_away_at_once() -> None:
    membership = ready("a", "b")
    receivers, ring = ring_of(run(membership, NodeLeft("b")))
    assert receivers == ("a",) and ring.away == ("b",)
    assert run(membership, silent("b")) == run(membership, Ticked(), now=1000.0) == []
    run(membership, registers("b", "2"))
    boot_alone(membership, "b")
    assert membership.roster.away == set()


def test_last_node_that_stops_leaves_a_cluster_that_waits() -> None:
    membership = ready("a", "b")
    run(membership, NodeLeft("a"))
    assert run(membership, NodeLeft("b"), silent("b")) == []
    assert membership.phase is Phase.READY and membership.roster.present == ()
    assert steps(run(membership, registers("a", "2"))) == [(("a",), FIRST.value)]


def test_unknown_node_that_stops_changes_nothing() -> None:
    assert run(ready("a"), NodeLeft("z"), silent("z")) == []


# Recovering


def test_restarted_node_recovers_alone_and_all_learn_that_it_is_back() -> None:
    membership = ready("a", "b")
    table = ring_told(membership).table
    effects = run(membership, registers("b", "2"))
    assert steps(effects) == [(("b",), FIRST.value)] and stops(effects) == []
    assert [nodes for nodes, ring in messages(effects, RingUpdate) if ring.away] == [("a",), ("b",)]
    assert membership.standing("b") == "recovering"
    effects = boot_alone(membership, "b")
    receivers, ring = ring_of(effects)
    assert receivers == ("a", "b") and ring.away == () and ring.table == table
    assert messages(effects, ClusterReady)[0][0] == ("b",) and membership.standing("b") == "serving"


def test_recovering_node_resumes_its_step_after_a_broken_link() -> None:
    membership = ready("a", "b")
    run(membership, registers("b", "2"))
    report(membership, "b", step=FIRST)
    effects = run(membership, silent("b", "2"), registers("b", "2"))
    assert steps(effects) == [(("b",), BOOT_STEPS[1].value)]
    assert stops(run(membership, Ticked(), now=20.0)) == []


def test_recovering_node_that_starts_anew_begins_again() -> None:
    membership = ready("a", "b")
    run(membership, registers("b", "2"))
    report(membership, "b", step=FIRST)
    assert steps(run(membership, registers("b", "3"))) == [(("b",), FIRST.value)]


def test_recovering_node_that_is_lost_is_only_away() -> None:
    membership = ready("a", "b")
    run(membership, registers("b", "2"))
    lost(membership, "b", boot="2")
    assert membership.standing("b") == "away" and membership.roster.present == ("a",)
    assert report(membership, "b", step=FIRST) == []


def test_recovery_goes_on_when_the_last_that_served_is_lost() -> None:
    membership = ready("a", "b")
    run(membership, registers("b", "2"))
    lost(membership, "a")
    effects = boot_alone(membership, "b", now=12.0)
    assert messages(effects, ClusterReady)[0][0] == ("b",)
    assert ring_of(effects)[1].away == ("a",)


def test_failing_recovery_stops_only_that_node() -> None:
    membership = ready("a", "b")
    run(membership, registers("b", "2"))
    assert stops(report(membership, "b", step=FIRST, error="no")) == [
        (("b",), "start_default_workers failed: no")
    ]
    assert membership.phase is Phase.READY and membership.standing("b") == "away"
    run(membership, registers("b", "3"))
    boot_alone(membership, "b")
    assert membership.standing("b") == "serving"


def test_recovery_that_takes_too_long_is_given_up() -> None:
    membership = ready("a", "b", step_timeouts_s={FIRST: 60.0})
    run(membership, registers("b", "2"))
    assert stops(run(membership, Ticked(), now=61.0)) == [(("b",), "start_default_workers took too long")]


def test_only_one_of_those_that_boot_alone_upgrades_at_a_time() -> None:
    membership = ready("a", "b")
    run(membership, registers("a", "2"), registers("b", "2"))
    told = {node: solo.epoch for node, solo in membership._state.solos.items()}
    for step in BOOT_STEPS[: BOOT_STEPS.index(BootStep.UPGRADE_CLUSTER)]:
        for node in ("a", "b"):
            run(membership, StepReported(node, told[node] or Epoch(0), step.value, None))
        told = {node: solo.epoch for node, solo in membership._state.solos.items()}
    upgrade, last = BootStep.UPGRADE_CLUSTER, BOOT_STEPS[-1]
    assert told["a"] is not None and told["b"] is None
    assert run(membership, Ticked(), now=1.0) == []
    assert steps(report(membership, "a", step=upgrade)) == [(("a",), last.value)]
    assert steps(run(membership, Ticked(), now=2.0)) == [(("b",), upgrade.value)]


def test_report_of_a_node_that_does_not_boot_is_ignored() -> None:
    assert report(ready("a", "b"), "a", step=FIRST, error="late") == []


def test_node_that_serves_in_another_boot_of_the_cluster_starts_over() -> None:
    membership = ready("a", "b")
    reason = "it serves in another boot of the cluster"
    assert stops(run(membership, registers("z", "1", Epoch(3, 1)))) == [(("z",), reason)]
    assert stops(run(membership, registers("b", "9", Epoch(3, 1)))) == [(("b",), reason)]
    assert membership.standing("b") == "away" and "z" not in membership.roster


# Joining


def test_stranger_joins_a_ready_cluster_and_takes_only_its_share() -> None:
    membership = ready("a", "b")
    before = ring_told(membership)
    effects = run(membership, registers("c"))
    receivers, ring = ring_of(effects)
    assert receivers == ("c",) and ring.away == ("c",) and ring.table == before.table
    assert steps(effects) == [(("c",), FIRST.value)] and membership.standing("c") == "joining"
    effects = boot_alone(membership, "c")
    receivers, ring = ring_of(effects)
    assert receivers == ("a", "b", "c") and ring.away == ()
    moved = [new for old, new in zip(before.table, ring.table, strict=True) if old != new]
    assert Counter(moved) == {"c": SLOTS // 3}
    assert messages(effects, ClusterReady)[0][0] == ("c",) and membership.standing("c") == "serving"


def test_two_strangers_join_at_the_same_time() -> None:
    membership = ready("a")
    run(membership, registers("b"), registers("c"))
    for node in ("b", "c"):
        boot_alone(membership, node)
    counts = Counter(ring_told(membership).table)
    assert set(counts) == set("abc") and max(counts.values()) - min(counts.values()) <= 1


def test_stranger_that_fails_to_join_or_is_lost_is_no_member() -> None:
    membership = ready("a")
    run(membership, registers("b"), registers("c"), registers("d"))
    epoch = membership._state.solos["b"].epoch
    assert epoch is not None
    assert stops(run(membership, StepReported("b", epoch, FIRST.value, "no")))[0][0] == ("b",)
    lost(membership, "c")
    run(membership, NodeLeft("d"))
    assert membership.roster.nodes == ("a",) and membership._state.solos == {}
    assert set(ring_told(membership).table) == {"a"}


def test_stranger_joins_while_others_are_lost() -> None:
    membership = ready("a", "b")
    run(membership, registers("c"))
    lost(membership, "a", "b")
    effects = boot_alone(membership, "c", now=12.0)
    receivers, ring = ring_of(effects)
    assert receivers == ("c",) and ring.away == ("a", "b") and set(ring.table) == set("abc")


def test_node_of_another_application_does_not_join() -> None:
    assert messages(run(ready("a"), registers("z", app="oz")), RingUpdate) == []


# Another manager goes on


def test_next_manager_goes_on_with_what_is_remembered() -> None:
    membership = ready("a", "b", "c")
    lost(membership, "c")
    run(membership, registers("d"))
    remembered = membership.remembered()
    assert remembered is not None
    following = cluster(3, term=200)
    following.recall(Remembered.decode(Fields(remembered.encode())), 0.0)
    assert following.remembered() == remembered
    assert following.roster.nodes == ("a", "b", "c") and following.roster.present == ("a", "b")
    effects = run(following, registers("a", "1", remembered.incarnation))
    assert messages(effects, ClusterReady)[0][0] == ("a",) and following.epoch.term == 200
    assert ring_of(run(following, Ticked(), now=11.0))[1].away == ("b", "c")
    assert steps(run(following, registers("d"), now=12.0)) == [(("d",), FIRST.value)]


def test_nothing_is_remembered_before_the_cluster_is_ready() -> None:
    membership = cluster(1)
    run(membership, registers("a"))
    assert membership.remembered() is None
