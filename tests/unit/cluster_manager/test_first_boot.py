"""Histories of a cluster that boots: lists of events against the effects they must have."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from cluster_manager.membership.cluster_state import Phase
from cluster_manager.membership.events import (
    CheckHealth,
    Declined,
    DrainAsked,
    HealthReported,
    NodeLeft,
    Send,
    StepReported,
    Ticked,
)
from cluster_manager.membership.membership import Membership
from cluster_worker.node.slots import even_table
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.membership_messages import (
    ClusterReady,
    InitStep,
    Refused,
    Registered,
    RingUpdate,
)
from cluster_worker.wire.steps import BOOT_STEPS
from tests.support.memberships import (
    FIRST,
    TERM,
    address,
    cluster,
    messages,
    registers,
    report,
    ring_of,
    ring_told,
    run,
    silent,
    steps,
    stops,
)

# Booting


def test_boot_of_one_node_goes_through_all_steps_to_ready() -> None:
    membership = cluster(1)
    effects = run(membership, registers("a"))
    assert effects == [
        Send(("a",), Registered(Epoch(TERM, 0))),
        Send(("a",), RingUpdate(Epoch(TERM, 1), Epoch(TERM, 1), 1, (address("a"),), (), (), even_table("a"))),
        Send(("a",), InitStep(Epoch(TERM, 2), FIRST.value)),
    ]
    for counter, step in enumerate(BOOT_STEPS[1:], start=3):
        previous = BOOT_STEPS[BOOT_STEPS.index(step) - 1]
        assert report(membership, "a", step=previous) == [
            Send(("a",), InitStep(Epoch(TERM, counter), step.value))
        ]
    assert report(membership, "a", step=BOOT_STEPS[-1]) == [CheckHealth(("a",), Epoch(TERM, 8))]
    assert run(membership, HealthReported(Epoch(TERM, 8), None)) == [
        Send(("a",), ClusterReady(Epoch(TERM, 9)))
    ]
    assert membership.phase is Phase.READY


def test_boot_of_three_waits_for_all_in_every_step() -> None:
    membership = cluster(3)
    assert messages(run(membership, registers("c"), registers("a")), InitStep) == []
    receivers, ring = ring_of(run(membership, registers("b")))
    assert receivers == ("a", "b", "c") and [node.node for node in ring.nodes] == ["a", "b", "c"]
    for step in BOOT_STEPS:
        assert report(membership, "a", "b", step=step) == []
        assert report(membership, "b", step=step) == []  # twice does not count twice
        assert len(report(membership, "c", step=step)) == 1
    assert membership.phase is Phase.CHECKING


def test_missing_worker_keeps_the_others_waiting_without_limit() -> None:
    membership = cluster(2)
    run(membership, registers("a"))
    assert run(membership, Ticked(), now=1e9) == []
    assert membership.phase is Phase.GATHERING


def test_node_that_goes_before_the_boot_is_only_forgotten() -> None:
    membership = cluster(2)
    run(membership, registers("a"), silent("a"))
    assert messages(run(membership, registers("b")), InitStep) == []
    run(membership, NodeLeft("b"))
    assert len(membership.roster) == 0


def test_failing_step_stops_all_and_a_new_boot_works() -> None:
    membership = cluster(2)
    run(membership, registers("a"), registers("b"))
    report(membership, "a", step=FIRST)
    assert stops(report(membership, "b", step=FIRST, error="disk full")) == [
        (("a", "b"), "start_default_workers failed on b: disk full")
    ]
    assert membership.phase is Phase.GATHERING and membership.roster.nodes == ()
    effects = run(membership, registers("b", "2"), registers("a", "2"))
    assert messages(effects, InitStep)[0][0] == ("a", "b")


def test_step_that_takes_too_long_names_the_late_node() -> None:
    membership = cluster(2, step_timeouts_s={FIRST: 60.0})
    run(membership, registers("a"), registers("b"))
    report(membership, "a", step=FIRST)
    assert run(membership, Ticked(), now=60.0) == []
    assert stops(run(membership, Ticked(), now=60.1)) == [
        (("a", "b"), "start_default_workers took too long on b")
    ]


def test_report_of_another_step_or_epoch_is_ignored() -> None:
    membership = cluster(1)
    run(membership, registers("a"))
    stale = Epoch(TERM, membership.epoch.counter - 1)
    ignored = run(
        membership,
        StepReported("a", stale, FIRST.value, None),
        StepReported("a", membership.epoch, "start_listeners", "broken"),
        StepReported("z", membership.epoch, FIRST.value, None),
    )
    assert ignored == [] and membership.phase is Phase.STEPPING


def test_unhealthy_cluster_is_asked_again_until_the_time_is_over() -> None:
    membership = cluster(1, ready_timeout_s=120.0)
    run(membership, registers("a"))
    for step in BOOT_STEPS:
        report(membership, "a", step=step)
    epoch = membership.epoch
    assert run(membership, HealthReported(epoch, "fslogic_worker of a: error: x")) == []
    assert run(membership, Ticked(), now=1.0) == [CheckHealth(("a",), epoch)]
    assert stops(run(membership, Ticked(), now=121.0)) == [
        (("a",), "cluster_ready took too long: fslogic_worker of a: error: x")
    ]


def test_health_of_an_earlier_check_does_not_make_ready() -> None:
    membership = cluster(1)
    run(membership, registers("a"))
    for step in BOOT_STEPS:
        report(membership, "a", step=step)
    assert run(membership, HealthReported(Epoch(TERM, 1), None)) == []
    assert membership.phase is Phase.CHECKING


# Losing and coming back while booting


def test_broken_link_while_booting_gets_the_step_again() -> None:
    membership = cluster(2)
    run(membership, registers("a"), registers("b"))
    assert run(membership, silent("a")) == []
    effects = run(membership, registers("a"), now=5.0)
    assert [type(effect.message) for effect in effects if isinstance(effect, Send)] == [
        Registered,
        RingUpdate,
        InitStep,
    ]
    assert run(membership, Ticked(), now=20.0) == []


def test_node_gone_while_booting_tears_down_after_the_grace() -> None:
    membership = cluster(2)
    run(membership, registers("a"), registers("b"), silent("a"))
    assert run(membership, Ticked(), now=10.0) == []
    assert stops(run(membership, Ticked(), now=10.1)) == [
        (("a", "b"), "a was lost while the cluster was booting")
    ]


def test_node_restarted_while_booting_tears_down_at_once_and_waits() -> None:
    membership = cluster(2)
    run(membership, registers("a"), registers("b"))
    effects = run(membership, registers("a", "2"))
    assert stops(effects) == [(("b",), "a started anew while the cluster was booting")]
    assert membership.roster.nodes == ("a",) and membership.phase is Phase.GATHERING


def test_node_that_leaves_while_booting_tears_down() -> None:
    membership = cluster(2)
    run(membership, registers("a"), registers("b"))
    assert stops(run(membership, NodeLeft("b"))) == [(("a",), "b left while the cluster was booting")]


def test_stranger_has_to_wait_until_the_cluster_has_booted() -> None:
    membership = _stepping("a")
    assert run(membership, registers("z")) == [
        Send(("z",), Refused(membership.epoch, "the cluster is booting"))
    ]


def test_node_that_serves_ends_a_boot_that_has_begun_without_it() -> None:
    membership = _stepping("a")
    effects = run(membership, registers("z", incarnation=Epoch(7, 1)))
    assert stops(effects) == [(("a",), "z serves since an earlier boot")]
    assert messages(effects, ClusterReady)[0][0] == ("z",) and membership.phase is Phase.READY


def test_operator_has_to_wait_until_the_cluster_has_booted() -> None:
    assert run(cluster(1), DrainAsked("a", 7)) == [Declined(7, "clusterNotReady", "the cluster is gathering")]
    assert run(_stepping("a"), DrainAsked("a", 7)) == [
        Declined(7, "clusterNotReady", "the cluster is stepping")
    ]


def _stepping(node: str) -> Membership:
    membership = cluster(1)
    run(membership, registers(node))
    return membership


def test_node_of_another_application_is_refused() -> None:
    membership = cluster(2)
    run(membership, registers("a"))
    ((_, refused),) = messages(run(membership, registers("b", app="oz")), Refused)
    assert refused.reason == "this is a cluster of op, not oz"


# A manager that starts again


SERVED = Epoch(7, 1)


def served(*nodes: str, **changes: Any) -> RingUpdate:
    """The ring that an earlier manager has told ``nodes``."""
    ring = RingUpdate(Epoch(7, 9), SERVED, 1, tuple(map(address, nodes)), (), (), even_table(nodes))
    return evolve(ring, **changes)


def test_restarted_manager_takes_ready_nodes_over_as_they_are() -> None:
    membership, ring = cluster(2), served("a", "b")
    assert messages(run(membership, registers("a", "1", SERVED, ring)), ClusterReady) == []
    effects = run(membership, registers("b", "1", SERVED, ring))
    receivers, told = ring_of(effects)
    assert receivers == ("a", "b") and (told.incarnation, told.table) == (SERVED, ring.table)
    assert messages(effects, ClusterReady) == [(("a", "b"), ClusterReady(membership.epoch))]
    assert membership.phase is Phase.READY and stops(effects) == []


def test_restarted_manager_waits_for_missing_nodes_no_longer_than_the_grace() -> None:
    membership, ring = cluster(3), served("a", "b", "c")
    run(membership, registers("a", "1", SERVED, ring), registers("b", "1", SERVED, ring))
    assert run(membership, Ticked(), now=10.0) == []
    effects = run(membership, Ticked(), now=10.1)
    receivers, told = ring_of(effects)
    assert receivers == ("a", "b") and told.away == ("c",) and told.table == ring.table
    effects = run(membership, registers("c", "1", SERVED, ring), now=60.0)
    assert ring_of(effects)[1].away == () and stops(effects) == []


def test_restarted_manager_does_not_wait_for_nodes_known_to_be_away() -> None:
    membership = cluster(2)
    effects = run(membership, registers("a", "1", SERVED, served("a", "b", away=("b",))))
    assert ring_of(effects)[1].away == ("b",) and membership.phase is Phase.READY


def test_restarted_manager_believes_the_newest_ring() -> None:
    membership = cluster(2)
    older, newer = served("a", "b"), served("a", "b", "c", epoch=Epoch(7, 12), draining=("a",))
    newer = evolve(newer, table=even_table("bc"))
    run(membership, registers("a", "1", SERVED, older))
    run(membership, registers("b", "1", SERVED, newer), registers("c", "1", SERVED, older))
    told = ring_told(membership)
    assert (told.draining, told.away, told.table) == (("a",), (), newer.table)


def test_node_that_has_started_anew_meanwhile_boots_beside_those_that_serve() -> None:
    membership, ring = cluster(2), served("a", "b")
    assert steps(run(membership, registers("b", "2"))) == []
    effects = run(membership, registers("a", "1", SERVED, ring))
    assert stops(effects) == [] and messages(effects, ClusterReady)[0][0] == ("a",)
    assert steps(effects) == [(("b",), FIRST.value)] and membership.standing("b") == "recovering"


def test_fresh_nodes_boot_when_the_one_that_served_is_gone() -> None:
    membership = cluster(2)
    run(membership, registers("a", "1", SERVED, served("a", "b", "z")), registers("b"), registers("c"))
    assert membership.phase is Phase.GATHERING
    assert steps(run(membership, silent("a"))) == [(("b", "c"), FIRST.value)]


def test_node_of_an_older_boot_starts_over_when_a_newer_is_taken_over() -> None:
    membership, later = cluster(2), Epoch(8, 1)
    run(membership, registers("a", "1", SERVED, served("a", "b")))
    ring = served("a", "b", incarnation=later)
    effects = run(membership, registers("b", "1", later, ring))
    assert stops(effects) == [(("a",), "it has no part in the cluster that serves")]
    assert membership.standing("a") == "away" and membership.standing("b") == "serving"
    effects = run(membership, registers("a", "2"))
    assert steps(effects) == [(("a",), FIRST.value)]


def test_node_without_a_ring_is_taken_over_alone() -> None:
    membership = cluster(2)
    run(membership, registers("a", "1", SERVED, served("a", incarnation=Epoch(6, 6))))
    assert membership.phase is Phase.READY
    assert set(ring_told(membership).table) == {"a"} and membership.roster.nodes == ("a",)
