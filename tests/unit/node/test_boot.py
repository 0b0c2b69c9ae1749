"""A node's boot: what the manager says against what the node has reached."""

from __future__ import annotations

from cluster_worker.node.boot import (
    BecomeReady,
    EndProcess,
    Joined,
    NodeBoot,
    Report,
    Restart,
    RunStep,
    TryLater,
    UseAdvice,
    UseRing,
)
from cluster_worker.wire.epochs import NO_EPOCH, Epoch, EpochGate
from cluster_worker.wire.link_messages import Ping
from cluster_worker.wire.membership_messages import (
    ClusterReady,
    ForceStop,
    InitStep,
    LoadAdvice,
    Refused,
    Registered,
    RegisterNode,
    RingUpdate,
    StepReport,
)
from cluster_worker.wire.operator_messages import StopNode
from cluster_worker.wire.steps import BootStep

FIRST, SECOND = BootStep.START_DEFAULT_WORKERS, BootStep.PREPARE_FOR_CUSTOM_WORKERS
RING = RingUpdate(Epoch(1, 1), Epoch(1, 1), 1, (), (), (), ())


def boot() -> NodeBoot:
    return NodeBoot(EpochGate())


def init(step: BootStep, counter: int) -> InitStep:
    return InitStep(Epoch(1, counter), step.value)


def test_whole_boot_runs_each_step_once_and_becomes_ready() -> None:
    node = boot()
    assert node.registration("h", 1) == RegisterNode("h", 1, NO_EPOCH, None)
    assert node.on_manager(Registered(Epoch(1, 0))) == [Joined()]
    assert node.on_manager(RING) == [UseRing(RING)]
    for counter, step in enumerate(BootStep, start=2):
        assert node.on_manager(init(step, counter)) == [RunStep(step)]
        assert node.on_step_ended(step, None) == [Report(StepReport(Epoch(1, counter), step.value, None))]
    assert node.on_manager(ClusterReady(Epoch(1, 9))) == [BecomeReady()]
    registration = node.registration("h", 1)
    assert node.ready and (registration.incarnation, registration.ring) == (Epoch(1, 1), RING)


def test_step_that_was_done_is_reported_again_and_not_run_again() -> None:
    node = boot()
    node.on_manager(init(FIRST, 2))
    node.on_step_ended(FIRST, None)
    assert node.on_manager(init(FIRST, 3)) == [Report(StepReport(Epoch(1, 3), FIRST.value, None))]


def test_step_that_runs_is_reported_with_the_latest_epoch_it_was_asked_in() -> None:
    node = boot()
    node.on_manager(init(FIRST, 2))
    assert node.on_manager(init(FIRST, 4)) == []
    assert node.on_step_ended(FIRST, "broken") == [Report(StepReport(Epoch(1, 4), FIRST.value, "broken"))]


def test_other_step_does_not_begin_while_one_runs() -> None:
    node = boot()
    node.on_manager(init(FIRST, 2))
    assert node.on_manager(init(SECOND, 3)) == []


def test_step_of_a_newer_release_is_reported_as_unknown() -> None:
    assert boot().on_manager(InitStep(Epoch(1, 1), "dance")) == [
        Report(StepReport(Epoch(1, 1), "dance", "'dance' is not a step"))
    ]


def test_orders_of_an_overtaken_epoch_change_nothing() -> None:
    node = boot()
    node.on_manager(Registered(Epoch(2, 5)))
    for stale in (init(FIRST, 9), ForceStop(Epoch(2, 4), "old"), ClusterReady(Epoch(1, 99)), RING):
        assert node.on_manager(stale) == []
    assert not node.ready


def test_overtaken_epochs_stay_overtaken_after_a_restart() -> None:
    gate = EpochGate()
    assert NodeBoot(gate).on_manager(ForceStop(Epoch(3, 0), "torn down")) == [Restart("torn down")]
    assert NodeBoot(gate).on_manager(init(FIRST, 1)) == []
    assert NodeBoot(gate).registration("h", 1).latest == Epoch(3, 0)


def test_becoming_ready_twice_is_told_once() -> None:
    node = boot()
    node.on_manager(RING)
    assert node.on_manager(ClusterReady(Epoch(1, 2))) == [BecomeReady()]
    assert node.on_manager(ClusterReady(Epoch(2, 2))) == []


def test_refusal_advice_and_foreign_messages_are_passed_on_or_ignored() -> None:
    node = boot()
    advice = LoadAdvice(Epoch(1, 1), False, ())
    assert node.on_manager(Refused(Epoch(1, 1), "full")) == [TryLater("full")]
    assert node.on_manager(advice) == [UseAdvice(advice)]
    assert node.on_manager(Ping()) == []


def test_node_that_was_removed_ends_its_process() -> None:
    assert boot().on_manager(StopNode(Epoch(1, 5), "removed")) == [EndProcess("removed")]
