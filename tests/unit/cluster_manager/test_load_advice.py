"""Who is told where to work, and when again."""

from __future__ import annotations

from cluster_manager.assignment import MOST_RECEIVERS, NodeLoad, assign
from cluster_manager.load_advice import REPEAT_S, LoadAdvisor
from cluster_worker.wire.epochs import Epoch

EPOCH = Epoch(1, 1)
NODES = ("a", "b")


def advisor() -> LoadAdvisor:
    made = LoadAdvisor(0.5)
    for node in NODES:
        made.heard(node, NodeLoad(10.0, 10.0, 0.0))
    return made


def test_advice_that_stays_the_same_is_not_repeated_at_once() -> None:
    made = advisor()
    assert [node for node, _ in made.advise(NODES, EPOCH, 0.0)] == ["a", "b"]
    assert list(made.advise(NODES, EPOCH, 0.5)) == []
    assert [node for node, _ in made.advise(NODES, EPOCH, REPEAT_S)] == ["a", "b"]


def test_advice_goes_out_again_when_it_changes_or_its_node_has_lost_it() -> None:
    made = advisor()
    list(made.advise(NODES, EPOCH, 0.0))
    made.heard("a", NodeLoad(90.0, 10.0, 0.5))
    ((node, advice),) = made.advise(NODES, EPOCH, 0.5)
    assert node == "a" and advice.should_delegate
    made.forget("b")
    assert "b" in dict(made.advise(NODES, EPOCH, 0.6))
    assert set(dict(made.advise(NODES, EPOCH.next(), 0.7))) == {"a", "b"}


def test_node_that_is_not_overloaded_is_told_of_itself_only() -> None:
    advice = dict(advisor().advise(NODES, EPOCH, 0.0))
    assert advice["a"].frequencies == (("a", 1.0),)


def test_overloaded_node_of_a_large_cluster_is_told_of_the_least_loaded_only() -> None:
    loads = {f"n{number:04}": 1.0 + number / 100 for number in range(1000)} | {"busy": 99.0}
    shares = assign(loads, {}).advice["busy"].shares
    assert len(shares) == MOST_RECEIVERS + 1 and abs(sum(share for _, share in shares) - 1) < 1e-9
    assert {node for node, _ in shares} == {f"n{number:04}" for number in range(MOST_RECEIVERS)} | {"busy"}
