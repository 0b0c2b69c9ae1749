"""Load advice followed, readiness awaited, component status told."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from cluster_worker.node.advice import choose_node
from cluster_worker.node.load import MachineMeter
from cluster_worker.node.slots import even_table
from cluster_worker.node.state import NodeState
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.membership_messages import LoadAdvice, NodeAddress, RingUpdate

E = Epoch(1, 1)
BUSY = LoadAdvice(E, True, (("a", 0.2), ("b", 0.5), ("c", 0.3)))


@pytest.mark.parametrize(
    ("point", "node"), [(0.0, "a"), (0.19, "a"), (0.2, "b"), (0.69, "b"), (0.71, "c"), (0.9999, "c")]
)
def test_overloaded_node_shares_work_by_frequency(point: float, node: str) -> None:
    assert choose_node(BUSY, "a", point) == node


def test_work_stays_here_without_advice_or_overload() -> None:
    assert choose_node(None, "a", 0.9) == "a"
    assert choose_node(LoadAdvice(E, False, (("b", 1.0),)), "a", 0.9) == "a"
    assert choose_node(LoadAdvice(E, True, ()), "a", 0.9) == "a"


def test_node_manager_is_ok_when_joined_and_ready() -> None:
    state = NodeState(Clock())
    assert state.node_manager_status(booting=True) == "out_of_sync"
    state.joined = True
    assert state.node_manager_status(booting=True) == "ok"
    assert state.node_manager_status(booting=False) == "out_of_sync"
    state.become_ready()
    assert state.node_manager_status(booting=False) == "ok"


def test_dispatcher_needs_advice_that_is_not_too_old() -> None:
    clock = Clock()
    state = NodeState(clock)
    assert state.dispatcher_status() == "error: no_lb_advice_received"
    state.use_advice(BUSY)
    clock.advance(60)
    assert state.dispatcher_status() == "ok"
    clock.advance(1)
    assert state.dispatcher_status() == "out_of_sync"


def test_waiters_for_readiness_are_told_and_may_give_up() -> None:
    state = NodeState(Clock())
    patient, hasty = (Deferred.fromCoroutine(state.until_ready()) for _ in range(2))
    hasty.addErrback(lambda _: None)
    hasty.cancel()
    state.become_ready()
    assert patient.called
    assert Deferred.fromCoroutine(state.until_ready()).called


def test_starting_over_forgets_the_cluster() -> None:
    state = NodeState(Clock())
    nodes = (NodeAddress("a", "h", 1), NodeAddress("b", "h", 2))
    state.use_ring(RingUpdate(E, E, 2, nodes, ("b",), (), even_table("ab")), "a")
    assert (state.ring.nodes, state.ring.owners, state.ring.present) == (("a", "b"), 2, ("a",))
    state.become_ready()
    state.start_over()
    assert not state.ready and state.ring.nodes == ()


def test_machine_load_is_in_per_cent() -> None:
    clock = Clock()
    meter = MachineMeter(clock)
    meter.measure()
    clock.advance(1)
    load = meter.measure()
    assert all(0 <= figure <= 100 for figure in (load.cpu, load.mem, load.net)) and load.mem > 0


def test_those_who_watch_learn_when_the_node_begins_and_ceases_to_drain() -> None:
    state, told = NodeState(Clock()), list[bool]()
    state.watch_draining(told.append)
    nodes = (NodeAddress("a", "h", 1), NodeAddress("b", "h", 2))
    for draining in ((), ("b",), ("a",), ("a", "b"), (), ("a",)):
        state.use_ring(RingUpdate(E, E, 1, nodes, (), draining, even_table("ab")), "a")
    assert told == [True, False, True] and state.is_draining
    state.start_over()
    assert told == [True, False, True, False] and not state.is_draining
