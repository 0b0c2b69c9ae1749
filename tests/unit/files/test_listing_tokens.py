"""Tokens that continue listings, and pages of short lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import Errno, Posix
from op_worker.files.listing.listing import Start, page_of
from op_worker.files.listing.tokens import Position, listing_id, name_of_token, page_token

LISTING = listing_id("node", "a/", "*.txt")


@given(st.binary(max_size=255))
def test_page_tokens_bring_the_name_back(name: bytes) -> None:
    assert name_of_token(page_token("dir", name), "dir") == name


@given(st.text(max_size=30), st.booleans())
def test_positions_come_back_from_their_token(path: str, is_passed: bool) -> None:
    position = Position(LISTING, path, is_passed)
    assert Position.of_token(position.token(), LISTING) == position


BAD = ["", "!", "ż", "AAAA", "W10", "bnVsbA", page_token("dir", b"a")[:-1] + "*"]


@pytest.mark.parametrize("token", [*BAD, page_token("dir", b"a")])
def test_bad_recursive_tokens_are_einval(token: str) -> None:
    with pytest.raises(Posix) as refused:
        Position.of_token(token, LISTING)
    assert refused.value.errno is Errno.EINVAL


@pytest.mark.parametrize("token", [*BAD, Position(LISTING, "a").token(), page_token("di", b"r\0a")])
def test_bad_page_tokens_are_einval(token: str) -> None:
    with pytest.raises(Posix) as refused:
        Start(token=token).place("dir")
    assert refused.value.errno is Errno.EINVAL


@pytest.mark.parametrize(
    "other",
    [("other", "a/", "*.txt"), ("node", "a", "*.txt"), ("node", "a/", "*.tx"), ("node", "a/*.txt", None)],
)
def test_a_token_of_another_listing_is_refused(other: tuple[str, str, str | None]) -> None:
    with pytest.raises(Posix):
        Position.of_token(Position(listing_id(*other), "a").token(), LISTING)


names = st.binary(min_size=1, max_size=3).filter(lambda name: b"\0" not in name)


@given(st.sets(names, max_size=12), st.integers(1, 5))
def test_short_lists_are_paged_without_gaps(names: set[bytes], limit: int) -> None:
    items = [(name, name.hex()) for name in sorted(names)]
    found: list[tuple[bytes, str]] = []
    start, is_last = Start(), False
    while not is_last:
        page, is_last = page_of(items, limit, start.place("dir"))
        found += page
        start = Start(token=page_token("dir", page[-1][0])) if page else start
    assert found == items
