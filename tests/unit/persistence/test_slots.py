"""Which node has which key: hash slots, what nodes say of the cluster, and what they know together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_worker.persistence.slots import (
    SLOTS,
    Claim,
    Place,
    SlotMap,
    View,
    key_slot,
    merge_views,
    read_nodes,
)

A, B, C = Place("10.0.0.1", 1), Place("10.0.0.2", 2), Place("10.0.0.3", 3)


@pytest.mark.parametrize(
    ("key", "slot"),
    [(b"123456789", 12739), (b"foo", 12182), (b"{foo}bar", 12182), (b"x{foo}{bar}", 12182), (b"", 0)],
)
def test_slot_is_the_checksum_of_what_stands_in_the_first_braces(key: bytes, slot: int) -> None:
    assert key_slot(key) == slot


def test_empty_and_open_braces_are_part_of_the_key() -> None:
    assert key_slot(b"{}foo") != key_slot(b"foo")
    assert key_slot(b"{foo") != key_slot(b"foo")


@given(st.text(min_size=1).filter(lambda text: not set("{}") & set(text)), st.binary())
def test_all_keys_of_a_scope_share_a_slot(scope: str, rest: bytes) -> None:
    prefix = b"{%b}:" % scope.encode("utf-8", "surrogatepass")
    assert key_slot(prefix + rest) == key_slot(prefix)
    assert 0 <= key_slot(prefix) < SLOTS


NODES = b"""\
aa 10.0.0.1:1@101 myself,master - 0 0 3 connected 0-9 12 [14->-bb]
bb 10.0.0.2:2@102,,shard-id=x master - 0 0 4 connected 13-16383
cc 10.0.0.3:3@103 slave bb 0 0 4 connected
dd 10.0.0.4:4@104 master,noaddr - 0 0 1 disconnected 10-11
ee 10.0.0.5:5@105 handshake - 0 0 0 connected
"""


def test_owners_and_replicas_are_read_from_what_a_node_says() -> None:
    view = read_nodes(NODES, "host")
    assert view == View((Claim(3, A, ((0, 9), (12, 12))), Claim(4, B, ((13, 16383),))), frozenset({A, B, C}))
    slots = merge_views([view])
    assert (slots.owners[0], slots.owners[10], slots.owners[12], slots.owners[13]) == (A, None, A, B)
    assert slots.primaries == {A, B}
    assert not slots.is_whole


def test_node_that_does_not_know_its_address_has_the_one_it_was_asked_at() -> None:
    view = read_nodes(b"aa :7@107 myself,master - 0 0 0 connected 0-16383\n", "10.0.0.9")
    assert view.nodes == {Place("10.0.0.9", 7)}
    assert merge_views([view]).is_whole


def test_host_name_of_a_node_is_preferred_to_its_address() -> None:
    view = read_nodes(b"aa 10.0.0.1:7@107,node.test,tls-port=0 myself,master - 0 0 0 connected 0\n", "x")
    assert view.nodes == {Place("node.test", 7)}


@pytest.mark.parametrize(
    "text", [b"hello", b"aa 1:2@3 master - 0 0 x connected 1", b"aa 1:2@3 master - 0 0 1 connected 9-99999"]
)
def test_answer_that_is_no_view_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        read_nodes(text, "host")


def test_slot_belongs_to_who_claims_it_with_the_greatest_epoch_in_any_order() -> None:
    before = View((Claim(1, A, ((0, 16383),)),), frozenset({A, B}))
    after = View((Claim(2, B, ((0, 16383),)),), frozenset({B}))
    for views in ([before, after], [after, before]):
        slots = merge_views(views)
        assert slots.primaries == {B}
        assert slots.nodes == {A, B}


def test_map_of_nobody_has_no_owners() -> None:
    assert merge_views([]) == SlotMap()
    assert SlotMap().primaries == frozenset()
