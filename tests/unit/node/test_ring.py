"""The ring: stable slots, balanced tables that move little, and who steps in for nodes that are away."""

from __future__ import annotations

from collections import Counter

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from cluster_worker.node.ring import NO_RING, Ring
from cluster_worker.node.slots import even_table, label_of, slot_of, with_node, without_node
from cluster_worker.wire.slot_table import SLOTS, Table

names = st.lists(st.text(alphabet="abcdef", min_size=1, max_size=4), min_size=1, max_size=8, unique=True)


def imbalance(table: Table) -> int:
    owned = Counter(table).values()
    return max(owned) - min(owned) if owned else 0


def moved(before: Table, after: Table) -> list[tuple[str, str]]:
    """From whom to whom, for each slot that changed its owner."""
    return [(old, new) for old, new in zip(before, after, strict=True) if old != new]


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("0" * 32 + "ch1a2b", "1a2b"),
        ("0" * 32 + "ext" + "ch1a2b", "1a2b"),
        ("ch1a2b", "1a2b"),
        ("ch1a2", "ch1a2"),
        ("ch1A2B", "ch1A2B"),
        ("ch1a2b\n", "ch1a2b\n"),
        ("x", "x"),
        ("", ""),
    ],
)
def test_only_the_label_of_a_key_is_hashed(key: str, label: str) -> None:
    assert label_of(key) == label


def test_slot_of_a_known_key_never_changes() -> None:
    assert (slot_of("key"), slot_of("0" * 32 + "ch1a2b")) == (11177, 13770)


def test_documents_with_one_label_have_one_owner() -> None:
    ring = Ring.of([f"node{i}" for i in range(16)])
    assert len({ring.owner(f"{i:032x}ch1a2b") for i in range(50)}) == 1


def test_keys_spread_evenly_over_the_nodes() -> None:
    ring = Ring.of(("c", "a", "b"))
    for keys in ([f"key {i}" for i in range(3000)], [f"{i:032x}ch{i * 21:04x}" for i in range(3000)]):
        counts = Counter(ring.owner(key) for key in keys)
        assert set(counts) == {"a", "b", "c"} and min(counts.values()) > 900


@given(names, st.text(), st.randoms())
def test_owner_does_not_depend_on_the_order_of_nodes(nodes: list[str], key: str, random: object) -> None:
    assert Ring.of(nodes) == Ring.of(list(reversed(nodes)))
    assert Ring.of(nodes).owner(key) in nodes


@given(names)
def test_node_that_joins_takes_only_its_share_and_nobody_else_gets_anything(nodes: list[str]) -> None:
    before = Ring.of(nodes[1:])
    after = before.join(nodes[0])
    assert set(after.table) == set(nodes) and imbalance(after.table) <= 1
    if before.table:
        moves = moved(before.table, after.table)
        assert len(moves) == SLOTS // len(nodes) and {new for _, new in moves} == {nodes[0]}
        assert imbalance(before.table) <= 1


@given(names)
def test_node_that_leaves_gives_only_its_own_slots_away_evenly(nodes: list[str]) -> None:
    before = Ring.of(nodes)
    after = before.leave(nodes[0])
    assert after.nodes == tuple(sorted(nodes[1:])) and set(after.table) == set(nodes[1:])
    assert imbalance(after.table) <= 1
    if after.table:
        assert {old for old, _ in moved(before.table, after.table)} == {nodes[0]}


@pytest.mark.slow
@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcdefg")), max_size=12))
def test_any_joins_and_leaves_keep_the_table_balanced(changes: list[tuple[bool, str]]) -> None:
    members, table = {"z"}, even_table("z")
    for joins, node in changes:
        if joins:
            members.add(node)
            table = with_node(table, node)
        else:
            members.discard(node)
            table = without_node(table, node)
        assert set(table) == members and len(table) == SLOTS and imbalance(table) <= 1


def test_node_that_is_in_the_table_joins_without_effect() -> None:
    table = even_table("ab")
    assert with_node(table, "a") == table
    assert without_node(table, "c") == table


@given(names, st.text(), st.integers(1, 5))
def test_responsible_nodes_are_distinct_and_begin_with_the_owner(
    nodes: list[str], key: str, owners: int
) -> None:
    ring = Ring.of(nodes, owners)
    responsible = ring.responsible(key)
    assert responsible[0] == ring.owner(key) == ring.table[slot_of(key)]
    assert len(set(responsible)) == len(responsible) == min(owners, len(nodes))


@given(names, st.text(), st.data())
def test_key_keeps_its_owner_when_other_nodes_go_away(
    nodes: list[str], key: str, data: st.DataObject
) -> None:
    ring = Ring.of(nodes)
    away = frozenset(data.draw(st.lists(st.sampled_from(nodes)))) - {ring.owner(key) or ""}
    assert evolve(ring, away=away).owner(key) == ring.owner(key)


@given(names, st.text(), st.data())
def test_key_moves_to_the_next_responsible_node_that_is_not_away(
    nodes: list[str], key: str, data: st.DataObject
) -> None:
    ring = Ring.of(nodes, len(nodes))
    away = frozenset(data.draw(st.lists(st.sampled_from(nodes))))
    expected = [node for node in ring.responsible(key) if node not in away]
    assert list(evolve(ring, away=away).responsible(key)) == expected
    assert evolve(ring, away=away, owners=1).owner(key) == next(iter(expected), None)


def test_slots_of_a_node_that_is_away_are_served_by_all_others() -> None:
    ring = Ring.of("abcde")
    away = evolve(ring, away=frozenset("a"))
    keys = [key for key in (f"key {i}" for i in range(5000)) if ring.owner(key) == "a"]
    shares = Counter(away.owner(key) for key in keys)
    assert set(shares) == set("bcde") and min(shares.values()) > len(keys) / 4 * 0.8


def test_draining_node_steps_in_only_when_no_other_is_there() -> None:
    table = without_node(even_table("abc"), "a")
    ring = Ring(nodes="abc", table=table, away=frozenset("b"), draining=frozenset("a"))
    keys = [f"key {i}" for i in range(100)]
    assert {ring.owner(key) for key in keys} == {"c"}
    assert {evolve(ring, away=frozenset("bc")).owner(key) for key in keys} == {"a"}


def test_nobody_is_responsible_without_a_ring() -> None:
    assert NO_RING.owner("key") is None
    assert evolve(Ring.of("a"), away=frozenset("a")).responsible("key") == ()
    assert evolve(Ring.of("ab"), away=frozenset("a")).present == ("b",)
