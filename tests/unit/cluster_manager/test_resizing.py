"""Draining, undraining and removing nodes of a ready cluster."""

from __future__ import annotations

from collections import Counter

from cluster_manager.membership.events import (
    Accepted,
    Declined,
    DrainAsked,
    Effects,
    Event,
    NodeLeft,
    RemovalAsked,
    Ticked,
    UndrainAsked,
)
from cluster_manager.membership.membership import Membership
from cluster_worker.wire.membership_messages import RingUpdate
from tests.support.memberships import (
    FIRST,
    boot_alone,
    cluster,
    ended,
    messages,
    ready,
    registers,
    ring_of,
    ring_told,
    run,
    silent,
    steps,
    stops,
)


def ask(membership: Membership, event: type[DrainAsked | UndrainAsked | RemovalAsked], node: str) -> Effects:
    return run(membership, event(node, 1))


def answers(effects: Effects) -> list[str]:
    return [
        effect.code if isinstance(effect, Declined) else "accepted"
        for effect in effects
        if isinstance(effect, Accepted | Declined)
    ]


def returns(membership: Membership, node: str) -> Event:
    """The node registers again, as it serves."""
    return registers(node, "1", membership._state.incarnation, ring_told(membership))


def test_draining_node_gives_its_slots_away_and_stays_present() -> None:
    membership = ready("a", "b", "c")
    effects = ask(membership, DrainAsked, "b")
    receivers, ring = ring_of(effects)
    assert receivers == ("a", "b", "c") and (ring.draining, ring.away) == (("b",), ())
    counts = Counter(ring.table)
    assert set(counts) == {"a", "c"} and abs(counts["a"] - counts["c"]) <= 1
    assert answers(effects) == ["accepted"] and membership.standing("b") == "draining"
    assert membership.roster.working == ("a", "c") and membership.roster.present == ("a", "b", "c")


def test_drain_asked_twice_is_accepted_without_news() -> None:
    membership = ready("a", "b")
    ask(membership, DrainAsked, "b")
    assert ask(membership, DrainAsked, "b") == [Accepted(1)]
    ask(membership, UndrainAsked, "b")
    assert ask(membership, UndrainAsked, "b") == [Accepted(1)]


def test_undrained_node_gets_its_share_back() -> None:
    membership = ready("a", "b")
    ask(membership, DrainAsked, "b")
    effects = ask(membership, UndrainAsked, "b")
    counts = Counter(ring_of(effects)[1].table)
    assert counts["a"] == counts["b"] and membership.standing("b") == "serving"


def test_draining_outlasts_a_restart_of_the_node() -> None:
    membership = ready("a", "b")
    ask(membership, DrainAsked, "b")
    run(membership, NodeLeft("b"), registers("b", "2"))
    ring = ring_of(boot_alone(membership, "b"))[1]
    assert ring.draining == ("b",) and set(ring.table) == {"a"}


def test_last_node_that_works_can_neither_be_drained_nor_removed() -> None:
    membership = ready("a", "b")
    run(membership, NodeLeft("b"))
    assert answers(ask(membership, DrainAsked, "a")) == ["lastNode"]
    run(membership, registers("b", "2"))
    boot_alone(membership, "b")
    ask(membership, DrainAsked, "b")
    for event in (DrainAsked, RemovalAsked):
        (declined,) = ask(membership, event, "a")
        assert declined == Declined(1, "lastNode", "no other node works than a")


def test_unknown_and_joining_nodes_cannot_be_drained() -> None:
    membership = ready("a")
    run(membership, registers("b"))
    assert answers(ask(membership, DrainAsked, "z")) == ["noSuchNode"]
    assert answers(ask(membership, UndrainAsked, "z")) == ["noSuchNode"]
    assert answers(ask(membership, RemovalAsked, "z")) == ["noSuchNode"]
    assert answers(ask(membership, DrainAsked, "b")) == ["nodeBusy"]


def test_lost_node_is_drained_for_those_that_are_there() -> None:
    membership = ready("a", "b")
    run(membership, NodeLeft("b"))
    assert set(ring_of(ask(membership, DrainAsked, "b"))[1].table) == {"a"}


def test_removed_node_drains_is_told_to_stop_and_is_gone_when_it_has() -> None:
    membership = ready("a", "b", "c")
    effects = ask(membership, RemovalAsked, "b")
    assert ended(effects) == ["b"] and answers(effects) == ["accepted"]
    assert ring_of(effects)[1].draining == ("b",) and membership.standing("b") == "leaving"
    effects = run(membership, NodeLeft("b"))
    receivers, ring = ring_of(effects)
    assert receivers == ("a", "c") and [node.node for node in ring.nodes] == ["a", "c"]
    assert ring.draining == ring.away == () and stops(effects) == []


def test_removed_node_that_dies_while_it_stops_is_gone_at_once() -> None:
    membership = ready("a", "b")
    ask(membership, RemovalAsked, "b")
    assert [node.node for node in ring_of(run(membership, silent("b")))[1].nodes] == ["a"]


def test_node_that_has_not_heard_that_it_was_removed_is_told_again() -> None:
    membership = ready("a", "b")
    ask(membership, RemovalAsked, "b")
    again = returns(membership, "b")
    assert ended(run(membership, again)) == ["b"]
    run(membership, silent("b"))
    assert ended(run(membership, again)) == ["b"] and membership.roster.nodes == ("a",)


def test_removed_node_cannot_be_undrained() -> None:
    membership = ready("a", "b")
    ask(membership, RemovalAsked, "b")
    assert answers(ask(membership, UndrainAsked, "b")) == ["nodeBusy"]


def test_removal_of_a_lost_node_gives_its_slots_away() -> None:
    membership = ready("a", "b", "c")
    run(membership, NodeLeft("b"))
    ring = ring_of(ask(membership, RemovalAsked, "b"))[1]
    assert set(ring.table) == {"a", "c"} and [node.node for node in ring.nodes] == ["a", "c"]


def test_lost_node_that_was_removed_and_still_runs_has_to_begin_again() -> None:
    membership = ready("a", "b")
    again = returns(membership, "b")
    run(membership, silent("b"))
    run(membership, Ticked(), now=11.0)
    ask(membership, RemovalAsked, "b")
    assert stops(run(membership, again)) == [(("b",), "no member of the cluster any more")]


def test_joining_and_recovering_nodes_can_be_removed() -> None:
    membership = ready("a", "b")
    run(membership, registers("b", "2"), registers("c"))
    for node in ("b", "c"):
        assert ended(ask(membership, RemovalAsked, node)) == [node]
    assert membership.roster.nodes == ("a",) and membership._state.solos == {}


def test_node_that_left_may_join_again() -> None:
    membership = ready("a", "b")
    ask(membership, RemovalAsked, "b")
    run(membership, NodeLeft("b"))
    assert steps(run(membership, registers("b", "2"))) == [(("b",), FIRST.value)]
    assert set(ring_of(boot_alone(membership, "b"))[1].table) == {"a", "b"}


def test_next_manager_remembers_who_drains_and_who_leaves() -> None:
    membership = ready("a", "b", "c")
    ask(membership, DrainAsked, "b")
    ask(membership, RemovalAsked, "c")
    remembered = membership.remembered()
    assert remembered is not None
    following = cluster(3, term=200)
    following.recall(remembered, 0.0)
    assert [following.standing(node) for node in "abc"] == ["serving", "draining", "leaving"]
    assert ended(run(following, returns(membership, "c"))) == ["c"]
    run(following, registers("a", "1", remembered.incarnation))
    effects = run(following, silent("c"))
    assert [node.node for node in messages(effects, RingUpdate)[0][1].nodes] == ["a", "b"]
