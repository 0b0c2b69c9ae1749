"""The ring: equal parts, stable owners, successors for nodes that are away."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_worker.node.ring import NO_RING, Ring, label_of

names = st.lists(st.text(alphabet="abcdef", min_size=1, max_size=4), min_size=1, max_size=8, unique=True)


@given(names, st.text(), st.randoms())
def test_owner_does_not_depend_on_the_order_of_nodes(nodes: list[str], key: str, random: object) -> None:
    assert Ring(nodes).owner(key) == Ring(list(reversed(nodes))).owner(key)
    assert Ring(nodes).owner(key) in nodes


@given(names, st.text(), st.integers(1, 5))
def test_responsible_nodes_are_distinct_successors_of_the_owner(
    nodes: list[str], key: str, owners: int
) -> None:
    ring = Ring(nodes, owners)
    responsible = ring.responsible(key)
    start = ring.nodes.index(responsible[0])
    doubled = ring.nodes + ring.nodes
    assert responsible == doubled[start : start + min(owners, len(nodes))]


@given(names, st.text(), st.data())
def test_key_keeps_its_owner_when_other_nodes_go_away(
    nodes: list[str], key: str, data: st.DataObject
) -> None:
    ring = Ring(nodes)
    away = frozenset(data.draw(st.lists(st.sampled_from(nodes)))) - {ring.owner(key) or ""}
    assert Ring(nodes, 1, away).owner(key) == ring.owner(key)


@given(names, st.text())
def test_key_of_a_node_that_is_away_goes_to_its_successor(nodes: list[str], key: str) -> None:
    ring = Ring(nodes, 2)
    owner, *successors = ring.responsible(key)
    left = Ring(nodes, 1, frozenset({owner}))
    assert left.owner(key) == (successors[0] if successors else None)


def test_keys_spread_evenly_over_the_nodes() -> None:
    ring = Ring(("c", "a", "b"))
    counts = Counter(ring.owner(f"key {i}") for i in range(3000))
    assert set(counts) == {"a", "b", "c"} and min(counts.values()) > 900


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("0" * 32 + "ch1a2b", "1a2b"),
        ("0" * 32 + "ext" + "ch1a2b", "1a2b"),
        ("ch1a2", "ch1a2"),
        ("ch1A2B", "ch1A2B"),
        ("x", "x"),
    ],
)
def test_only_the_label_of_a_key_is_hashed(key: str, label: str) -> None:
    assert label_of(key) == label


def test_documents_with_one_label_have_one_owner() -> None:
    ring = Ring([f"node{i}" for i in range(16)])
    assert len({ring.owner(f"{i:032x}ch1a2b") for i in range(50)}) == 1


def test_partition_of_a_known_key_never_changes() -> None:
    # sha1("key") = a62f2225..., the 0xa62f/0x10000 part of the space
    assert Ring(("n0", "n1", "n2", "n3")).owner("key") == "n2"


def test_nobody_is_responsible_without_a_ring() -> None:
    assert NO_RING.owner("key") is None
    assert Ring(("a",), 1, frozenset("a")).responsible("key") == ()
    assert Ring(("a", "b"), 1, frozenset("a")).present == ("b",)
