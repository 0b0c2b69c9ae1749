"""The memory of small contents never exceeds its limit and drops what was not used longest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from op_worker.files.content.small_contents import SmallContents


def test_kept_content_is_given_back_until_pushed_out() -> None:
    contents = SmallContents(limit_b=10)
    contents.keep(b"a", b"12345")
    contents.keep(b"b", b"12345")
    assert contents.get(b"a") == b"12345"
    contents.keep(b"c", b"12345")
    assert (contents.get(b"a"), contents.get(b"b"), contents.get(b"c")) == (b"12345", None, b"12345")


def test_content_larger_than_the_limit_is_not_kept() -> None:
    contents = SmallContents(limit_b=3)
    contents.keep(b"a", b"1234")
    assert contents.get(b"a") is None


@given(st.lists(st.tuples(st.binary(max_size=1), st.binary(max_size=8))))
def test_what_is_held_is_counted_and_bounded(steps: list[tuple[bytes, bytes]]) -> None:
    contents = SmallContents(limit_b=20)
    for generation, data in steps:
        contents.keep(generation, data)
        assert contents.held_b <= 20
    found = [contents.get(bytes([n])) for n in range(256)]
    assert (
        sum(len(data) for data in found if data is not None) + len(contents.get(b"") or b"")
        == contents.held_b
    )
