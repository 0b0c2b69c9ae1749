"""What a manager tells of its cluster; the shares of clients; when a request of an operator is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cluster_manager.assignment import shares_of_clients
from cluster_manager.console.rendering import as_lines
from cluster_manager.console.waiting import progress
from cluster_manager.sightings import Sightings
from cluster_manager.status_report import KnownManager, report
from cluster_worker.wire.membership_messages import Heartbeat

THIS = KnownManager("cm2@b", "b:5055", "https://b:5057")
LEADER = KnownManager("cm1@a", "a:5055", "https://a:5057")


def node(**facts: Any) -> Mapping[str, Any]:
    return {"name": "worker@a", "state": "serving", "slots": 7, "queues": {}, **facts}


def test_standby_tells_its_role_the_leader_and_nothing_of_the_cluster() -> None:
    told = report(THIS, "1.0", LEADER, {}, None)
    assert told["manager"] == {
        "name": "cm2@b",
        "address": "b:5055",
        "url": "https://b:5057",
        "role": "standby",
        "release": "1.0",
        "refusals": {},
    }
    assert told["leader"] == {"name": "cm1@a", "address": "a:5055", "url": "https://a:5057"}
    assert told["cluster"] is None and told["nodes"] == []
    assert list(as_lines(told)) == [
        "cm2@b is a standby and knows nothing of the nodes",
        "leader cm1@a https://a:5057",
    ]


def test_standby_that_knows_no_leader_says_so() -> None:
    assert list(as_lines(report(THIS, "", None, {}, None)))[-1] == "no leader is known"


def test_what_a_node_said_before_it_registered_again_is_kept() -> None:
    seen = Sightings()
    seen.greeted("a", "1")
    seen.heard("a", Heartbeat(1.0, 2.0, 3.0, ()), 10.0)
    seen.greeted("a", "2")
    assert (seen.of("a").release, seen.of("a").at) == ("2", 10.0)
    assert seen.of("b").heartbeat is None


def test_nodes_that_are_not_overloaded_get_the_same_share_of_clients() -> None:
    assert shares_of_clients({"a": 0.1, "b": 29.0}) == {"a": 0.5, "b": 0.5}


def test_overloaded_node_gets_as_much_less_as_it_is_busier() -> None:
    assert shares_of_clients({"a": 20.0, "b": 80.0}) == pytest.approx({"a": 0.8, "b": 0.2})


def test_without_nodes_there_are_no_shares() -> None:
    assert shares_of_clients({}) == {}


@pytest.mark.parametrize(
    ("what", "facts", "is_done"),
    [
        ("drain", {"state": "draining", "slots": 0}, True),
        ("drain", {"state": "draining", "slots": 0, "queues": {"calls": 2}}, False),
        ("drain", {"state": "draining", "slots": 3}, False),
        ("drain", {"state": "serving"}, False),
        ("undrain", {"state": "serving"}, True),
        ("undrain", {"state": "recovering"}, False),
        ("leave", {"state": "leaving", "slots": 0}, False),
    ],
)
def test_request_is_done_when_the_node_has_become_what_it_was_to(
    what: str, facts: Mapping[str, Any], is_done: bool
) -> None:
    assert progress({"nodes": [node(**facts)]}, "worker@a", what)[0] is is_done


def test_leaving_is_done_when_the_node_is_no_member() -> None:
    assert progress({"nodes": []}, "worker@a", "leave") == (True, "no member of the cluster any more")
    assert not progress({"nodes": []}, "worker@a", "drain")[0]
