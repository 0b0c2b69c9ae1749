"""The block algebra against a bitmap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from op_worker.files.stored import blocks
from op_worker.files.stored.blocks import Block, Blocks

raw_blocks = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)), max_size=8)
normal_blocks = raw_blocks.map(blocks.consolidate)


def bitmap(found: list[Block] | Blocks) -> set[int]:
    return {byte for offset, size in found for byte in range(offset, offset + size)}


@given(raw_blocks)
def test_consolidating_keeps_the_bytes_in_normal_form(raw: list[Block]) -> None:
    found = blocks.consolidate(raw)
    assert bitmap(found) == bitmap(raw)
    assert blocks.is_normal(found)
    assert blocks.consolidate(found) == found


@given(normal_blocks, normal_blocks)
def test_merging_is_the_union(left: Blocks, right: Blocks) -> None:
    found = blocks.merge(left, right)
    assert bitmap(found) == bitmap(left) | bitmap(right)
    assert blocks.is_normal(found)


@given(normal_blocks, normal_blocks)
def test_subtracting_leaves_what_the_other_lacks(left: Blocks, right: Blocks) -> None:
    found = blocks.subtract(left, right)
    assert bitmap(found) == bitmap(left) - bitmap(right)
    assert blocks.is_normal(found)


@given(normal_blocks, st.integers(0, 60))
def test_cutting_leaves_the_bytes_below(found: Blocks, size_b: int) -> None:
    rest = blocks.cut(found, size_b)
    assert bitmap(rest) == {byte for byte in bitmap(found) if byte < size_b}
    assert blocks.is_normal(rest)


@given(normal_blocks)
def test_bounds_and_total_agree_with_the_bytes(found: Blocks) -> None:
    bytes_ = bitmap(found)
    assert blocks.total(found) == len(bytes_)
    assert blocks.lower(found) == min(bytes_, default=0)
    assert blocks.upper(found) == max(bytes_, default=-1) + 1


@given(normal_blocks, st.integers(0, 50), st.integers(0, 30))
def test_pieces_cover_the_range_and_tell_what_is_held(found: Blocks, offset_b: int, size_b: int) -> None:
    at, held = offset_b, set()
    for piece in blocks.pieces(found, offset_b, size_b):
        assert piece.offset_b == at
        assert piece.size_b > 0
        at += piece.size_b
        if piece.held:
            held |= set(range(piece.offset_b, at))
    assert at == offset_b + size_b
    assert held == bitmap(found) & set(range(offset_b, offset_b + size_b))


def test_the_list_of_an_empty_file_is_empty() -> None:
    assert blocks.whole(0) == ()
    assert blocks.whole(3) == ((0, 3),)
    assert not blocks.is_normal(((0, 2), (2, 3)))
