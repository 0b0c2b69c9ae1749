"""Histories of a cluster: lists of events against the effects they must have."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_manager.membership import _TABLE, Membership, Phase
from cluster_manager.membership_events import (
    CheckHealth,
    Effects,
    Event,
    HealthReported,
    NodeLeft,
    NodeRegistered,
    NodeSilent,
    Send,
    StepReported,
    Ticked,
)
from cluster_manager.rules import MembershipRules
from cluster_worker.node.slots import even_table
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.membership_messages import (
    ClusterReady,
    ForceStop,
    InitStep,
    NodeAddress,
    Refused,
    Registered,
    RingUpdate,
)
from cluster_worker.wire.steps import BOOT_STEPS, BootStep

TERM = 100
FIRST = BOOT_STEPS[0]


def address(node: str) -> NodeAddress:
    return NodeAddress(node, f"host-{node}", 5056)


def registers(
    node: str, boot: str = "1", incarnation: Epoch | None = None, app: str = "op"
) -> NodeRegistered:
    return NodeRegistered(address(node), app, f"{node}{boot}", incarnation)


def silent(node: str, boot: str = "1") -> NodeSilent:
    return NodeSilent(node, f"{node}{boot}")


def cluster(worker_num: int, **rules: Any) -> Membership:
    return Membership(MembershipRules(worker_num=worker_num, **{"grace_s": 10.0, **rules}), TERM)


def run(membership: Membership, *events: Event, now: float = 0.0) -> Effects:
    effects: Effects = []
    for event in events:
        effects += membership.handle(event, now)
    return effects


def report(
    membership: Membership, *nodes: str, step: BootStep, error: str | None = None, now: float = 0.0
) -> Effects:
    """Each of ``nodes`` reports the step in the epoch of now."""
    epoch = membership.epoch
    return run(membership, *(StepReported(node, epoch, step.value, error) for node in nodes), now=now)


def ready(*nodes: str, **rules: Any) -> Membership:
    membership = cluster(len(nodes), **rules)
    run(membership, *(registers(node) for node in nodes))
    for step in BOOT_STEPS:
        report(membership, *nodes, step=step)
    run(membership, HealthReported(membership.epoch, None))
    assert membership.phase is Phase.READY
    return membership


def messages(effects: Effects, kind: type[Any]) -> list[tuple[tuple[str, ...], Any]]:
    return [
        (effect.nodes, effect.message)
        for effect in effects
        if isinstance(effect, Send) and isinstance(effect.message, kind)
    ]


def _sent(effects: Effects) -> list[tuple[tuple[str, ...], Any]]:
    return messages(effects, object)


def stops(effects: Effects) -> list[tuple[tuple[str, ...], str]]:
    return [(nodes, message.reason) for nodes, message in messages(effects, ForceStop)]


def ring_of(effects: Effects) -> tuple[tuple[str, ...], RingUpdate]:
    ((receivers, ring),) = messages(effects, RingUpdate)
    return receivers, ring


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


@pytest.mark.parametrize("make", [lambda: ready("a"), lambda: _stepping("a")])
def test_stranger_is_refused_by_a_complete_cluster(make: Any) -> None:
    membership = make()
    assert run(membership, registers("z")) == [
        Send(("z",), Refused(membership.epoch, "the cluster is complete"))
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


def test_restarted_manager_takes_ready_nodes_over_as_they_are() -> None:
    membership = cluster(2)
    incarnation = Epoch(7, 1)
    run(membership, registers("a", incarnation=incarnation))
    effects = run(membership, registers("b", incarnation=incarnation))
    receivers, ring = ring_of(effects)
    assert receivers == ("a", "b") and ring.incarnation == incarnation
    assert messages(effects, ClusterReady) == [(("a", "b"), ClusterReady(membership.epoch))]
    assert membership.phase is Phase.READY and stops(effects) == []


@pytest.mark.parametrize("other", [None, Epoch(8, 1)])
def test_restarted_manager_stops_nodes_that_do_not_fit_together(other: Epoch | None) -> None:
    membership = cluster(2)
    effects = run(membership, registers("a", incarnation=Epoch(7, 1)), registers("b", incarnation=other))
    stopped = ("a",) if other is None else ("a", "b")
    assert stops(effects) == [(stopped, "other nodes of the cluster have started anew")]
    effects = run(membership, *(registers(node, "2") for node in stopped))
    assert messages(effects, InitStep) and membership.phase is Phase.STEPPING


# Another manager's cluster


def test_next_leader_knows_a_ready_cluster_and_takes_its_nodes_as_they_are() -> None:
    first = ready("a", "b")
    second = Membership(MembershipRules(worker_num=2), TERM + 1)
    remembered = first.remembered()
    assert remembered is not None
    second.recall(remembered, 0.0)
    assert second.phase is Phase.READY and second.remembered() == remembered
    effects = run(second, registers("b", incarnation=first.incarnation))
    assert [type(message) for _, message in _sent(effects)] == [Registered, RingUpdate, ClusterReady]
    assert ring_of(effects)[1].incarnation == first.incarnation


def test_nodes_that_the_next_leader_never_hears_of_are_lost_after_the_grace_period() -> None:
    first = ready("a", "b", owners=2)
    second = Membership(MembershipRules(worker_num=2, owners=2, grace_s=10.0), TERM + 1)
    remembered = first.remembered()
    assert remembered is not None
    second.recall(remembered, 100.0)
    run(second, registers("a", incarnation=first.incarnation), now=101.0)
    assert run(second, Ticked(), now=109.9) == []
    assert ring_of(run(second, Ticked(), now=110.1))[1].away == ("b",)


def test_nodes_that_were_away_stay_away_under_the_next_leader() -> None:
    first = ready("a", "b", owners=2)
    run(first, NodeLeft("b"))
    second = Membership(MembershipRules(worker_num=2, owners=2), TERM + 1)
    remembered = first.remembered()
    assert remembered is not None and remembered.left == ("b",)
    second.recall(remembered, 0.0)
    assert second.roster.away == {"b"}


def test_nothing_is_remembered_of_a_cluster_that_is_not_ready() -> None:
    assert cluster(1).remembered() is None and _stepping("a").remembered() is None


# A ready cluster


def test_broken_link_of_a_ready_node_costs_nothing() -> None:
    membership = ready("a", "b")
    incarnation = membership.incarnation
    assert run(membership, silent("a")) == []
    assert membership.roster.silent == {"a"}
    effects = run(membership, registers("a", incarnation=incarnation), now=9.0)
    assert messages(effects, ClusterReady) == [(("a",), ClusterReady(membership.epoch))]
    assert run(membership, Ticked(), now=100.0) == [] and membership.phase is Phase.READY


def test_node_that_missed_becoming_ready_is_told_again() -> None:
    membership = ready("a", "b")
    effects = run(membership, silent("a"), registers("a", incarnation=None))
    assert stops(effects) == [] and messages(effects, ClusterReady)[0][0] == ("a",)


def test_news_of_an_old_link_does_not_make_a_returned_node_silent() -> None:
    membership = ready("a")
    run(membership, NodeSilent("a", "another boot"))
    assert membership.roster.silent == frozenset()


def test_lost_node_tears_a_cluster_with_one_owner_down() -> None:
    membership = ready("a", "b", "c")
    run(membership, silent("b"))
    assert run(membership, Ticked(), now=10.0) == []
    assert stops(run(membership, Ticked(), now=10.1)) == [(("a", "b", "c"), "b lost")]
    assert membership.phase is Phase.GATHERING


def test_restarted_node_with_one_owner_tears_down_and_begins_the_new_boot() -> None:
    membership = ready("a", "b")
    effects = run(membership, registers("b", "2"))
    assert stops(effects) == [(("a",), "b lost")]
    assert membership.roster.nodes == ("b",)
    assert messages(run(membership, registers("a", "2")), InitStep)[0][0] == ("a", "b")


def test_single_node_that_restarts_boots_at_once_again() -> None:
    membership = ready("a")
    effects = run(membership, registers("a", "2"))
    assert stops(effects) == [] and messages(effects, InitStep)[0][0] == ("a",)


def test_lost_node_with_two_owners_is_away_and_the_others_learn_it() -> None:
    membership = ready("a", "b", "c", owners=2)
    run(membership, silent("b"))
    receivers, ring = ring_of(run(membership, Ticked(), now=11.0))
    assert receivers == ("a", "c") and ring.away == ("b",) and ring.owners == 2
    assert run(membership, Ticked(), now=99.0) == []


def test_second_lost_node_with_two_owners_tears_down() -> None:
    membership = ready("a", "b", "c", owners=2)
    run(membership, silent("b"), silent("c"))
    effects = run(membership, Ticked(), now=11.0)
    assert stops(effects) == [(("a", "b", "c"), "b, c lost")]


def recover(membership: Membership, node: str) -> Effects:
    effects: Effects = []
    for step in BOOT_STEPS:
        effects = report(membership, node, step=step)
    return effects


def test_lost_node_recovers_alone_and_all_learn_that_it_is_back() -> None:
    membership = ready("a", "b", owners=2)
    effects = run(membership, registers("b", "2"))
    assert messages(effects, InitStep)[0][0] == ("b",) and stops(effects) == []
    assert membership.roster.away == {"b"}
    effects = recover(membership, "b")
    receivers, ring = ring_of(effects)
    assert receivers == ("a", "b") and ring.away == ()
    assert messages(effects, ClusterReady)[0][0] == ("b",)
    assert membership.roster.away == frozenset()


def test_recovering_node_resumes_its_step_after_a_broken_link() -> None:
    membership = ready("a", "b", owners=2)
    run(membership, registers("b", "2"))
    report(membership, "b", step=FIRST)
    effects = run(membership, silent("b", "2"), registers("b", "2"))
    assert messages(effects, InitStep)[0][1].step == BOOT_STEPS[1].value


def test_failing_recovery_stops_only_that_node() -> None:
    membership = ready("a", "b", owners=2)
    run(membership, registers("b", "2"))
    assert stops(report(membership, "b", step=FIRST, error="no")) == [
        (("b",), "start_default_workers failed: no")
    ]
    assert membership.phase is Phase.READY and membership.roster.away == {"b"}
    run(membership, registers("b", "3"))
    recover(membership, "b")
    assert membership.roster.away == frozenset()


def test_recovery_that_takes_too_long_is_given_up() -> None:
    membership = ready("a", "b", owners=2, step_timeouts_s={FIRST: 60.0})
    run(membership, registers("b", "2"))
    assert stops(run(membership, Ticked(), now=61.0)) == [(("b",), "start_default_workers took too long")]


def test_report_of_a_node_that_does_not_recover_is_ignored() -> None:
    membership = ready("a", "b", owners=2)
    assert report(membership, "a", step=FIRST, error="late") == []


def test_node_that_leaves_is_away_without_tear_down() -> None:
    membership = ready("a", "b")
    receivers, ring = ring_of(run(membership, NodeLeft("b")))
    assert receivers == ("a",) and ring.away == ("b",)
    run(membership, silent("b"))
    assert run(membership, Ticked(), now=1000.0) == []
    run(membership, registers("b", "2"))
    recover(membership, "b")
    assert membership.phase is Phase.READY and membership.roster.away == frozenset()


def test_last_node_that_leaves_ends_the_cluster_quietly() -> None:
    membership = ready("a", "b")
    run(membership, NodeLeft("a"))
    assert run(membership, NodeLeft("b"), silent("b")) == []
    assert membership.phase is Phase.GATHERING and membership.roster.nodes == ()


def test_unknown_node_that_leaves_changes_nothing() -> None:
    membership = ready("a")
    assert run(membership, NodeLeft("z")) == []


# Always


def test_table_has_an_answer_for_every_event_in_every_phase() -> None:
    kinds = {NodeRegistered, NodeSilent, NodeLeft, StepReported, HealthReported, Ticked}
    assert {phase: set(row) for phase, row in _TABLE.items()} == {phase: kinds for phase in Phase}


nodes = st.sampled_from("abc")
boots = st.sampled_from("12")


@given(
    st.integers(1, 3),
    st.integers(1, 2),
    st.lists(
        st.tuples(
            st.sampled_from(["register", "booted", "silent", "left", "report", "fail", "well", "tick"]),
            nodes,
            boots,
        ),
        max_size=60,
    ),
)
def test_any_history_keeps_epochs_growing_and_speaks_only_to_known_nodes(
    worker_num: int, owners: int, history: list[tuple[str, str, str]]
) -> None:
    membership = cluster(worker_num, owners=owners)
    now = 0.0
    for what, node, boot in history:
        before, now = membership.epoch, now + 3.0
        known = {*membership.roster.nodes, node}
        effects = membership.handle(_event(membership, what, node, boot), now)
        assert membership.epoch >= before
        for effect in effects:
            assert set(effect.nodes) <= known
            if isinstance(effect, Send):
                assert before <= effect.message.epoch <= membership.epoch  # type: ignore[attr-defined]
        if membership.phase is not Phase.GATHERING:
            assert len(membership.roster) == worker_num and membership.roster.present


def _event(membership: Membership, what: str, node: str, boot: str) -> Event:
    recovery = membership._recoveries.get(node)
    step = recovery.step if recovery else membership._step
    epoch = recovery.epoch if recovery else membership.epoch
    events: dict[str, Event] = {
        "register": registers(node, boot),
        "booted": registers(node, boot, membership.incarnation),
        "silent": silent(node, boot),
        "left": NodeLeft(node),
        "report": StepReported(node, epoch, step.value, None),
        "fail": StepReported(node, epoch, step.value, "failed"),
        "well": HealthReported(membership.epoch, None),
        "tick": Ticked(),
    }
    return events[what]
