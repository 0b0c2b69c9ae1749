"""What tells that a cluster does not agree with itself."""

from __future__ import annotations

from tests.faults.order import Lease, double_reigns, strange_owners

NODES = {"worker@a", "worker@b"}


def test_owner_that_is_no_node_of_the_cluster_is_strange() -> None:
    ours = [Lease("sweep", "worker@a/1"), Lease("purge", "worker@b/7")]
    assert list(strange_owners(ours, NODES)) == []
    assert len(list(strange_owners([*ours, Lease("count", "worker@c/1")], NODES))) == 1


def test_term_that_was_led_twice_is_found_across_managers_and_restarts() -> None:
    one, other = "x this manager leads, term 17\n", "y this manager leads, term 18\n"
    assert list(double_reigns({"cm1": one, "cm2": other})) == []
    assert list(double_reigns({"cm1": one + other, "cm2": other})) == ["term 18 was led 2 times"]
    assert list(double_reigns({"cm1": one + one})) == ["term 17 was led 2 times"]
