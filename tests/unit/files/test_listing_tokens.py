"""Tokens that continue listings, and pages of short lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import Errno, Posix
from op_worker.files.listing import Start, page_of
from op_worker.files.tokens import Position, name_of_token, page_token


@given(st.binary(min_size=1, max_size=255))
def test_page_tokens_bring_the_name_back(name: bytes) -> None:
    assert name_of_token(page_token(name)) == name


@given(st.text(max_size=30), st.booleans())
def test_positions_come_back_from_their_token(path: str, is_passed: bool) -> None:
    position = Position("node", path, is_passed)
    assert Position.of_token(position.token(), "node") == position


@pytest.mark.parametrize("token", ["", "!", "ż", "AAAA", "W10", "bnVsbA", page_token(b"a")[:-1] + "*"])
def test_bad_tokens_are_einval(token: str) -> None:
    with pytest.raises(Posix) as refused:
        Position.of_token(token, "node")
    assert refused.value.errno is Errno.EINVAL


def test_a_token_of_another_directory_is_refused() -> None:
    with pytest.raises(Posix):
        Position.of_token(Position("other", "a").token(), "node")


@given(st.lists(st.binary(min_size=1, max_size=3), unique=True, max_size=12), st.integers(1, 5))
def test_short_lists_are_paged_without_gaps(names: list[bytes], limit: int) -> None:
    items = [(name, name) for name in sorted(names)]
    found: list[bytes] = []
    start = Start()
    while True:
        page = page_of(items, limit, start)
        found += page.items
        if page.is_last:
            break
        start = Start(token=page.next_token)
    assert found == sorted(names)
