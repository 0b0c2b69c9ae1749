"""The Range header and its answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from op_worker.http.content import attachment
from op_worker.http.ranges import MOST_RANGES, ByteRange, RangeNotSatisfiableError, multipart, parse_ranges


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", [(0, 0)]),
        ("bytes=2-5", [(2, 5)]),
        ("bytes=5-", [(5, 9)]),
        ("bytes=-3", [(7, 9)]),
        ("bytes=-30", [(0, 9)]),
        ("bytes=8-100", [(8, 9)]),
        ("Bytes = 1-2 , 4-4", [(1, 2), (4, 4)]),
    ],
)
def test_ranges_are_clamped_to_the_file(header: str, expected: list[tuple[int, int]]) -> None:
    assert [(part.first, part.last) for part in parse_ranges(header, 10)] == expected


@pytest.mark.parametrize(
    "header",
    [
        *(
            "unicorns",
            "bytes:5-10",
            "bytes=10-5",
            "bytes=-5-",
            "bytes=10-",
            "bytes=10-20",
            "bytes=",
            "bytes=-",
        ),
        *(
            "bytes=a-b",
            "bytes=0-1,20-30",
            "bytes=-0",
            "lines=0-1",
            "bytes=0-1;2-3",
            "bytes=-",
            "bytes=\u0660-\u0663",
        ),
        *("bytes=" + "9" * 30 + "-", "bytes=" + ",".join(["0-0"] * (MOST_RANGES + 1))),
    ],
)
def test_malformed_and_unsatisfiable_ranges_are_refused(header: str) -> None:
    with pytest.raises(RangeNotSatisfiableError):
        parse_ranges(header, 10)


@pytest.mark.parametrize("header", ["bytes=0-0", "bytes=0-", "bytes=-1", "bytes=-0"])
def test_no_range_of_an_empty_file_is_satisfiable(header: str) -> None:
    with pytest.raises(RangeNotSatisfiableError):
        parse_ranges(header, 0)


@given(st.text(max_size=30), st.integers(0, 100))
def test_any_header_gives_ranges_inside_the_file_or_is_refused(header: str, size_b: int) -> None:
    try:
        parts = parse_ranges("bytes=" + header, size_b)
    except RangeNotSatisfiableError:
        return
    assert all(0 <= part.first <= part.last < size_b for part in parts)


def test_a_multipart_body_has_the_announced_length() -> None:
    parts = [ByteRange(0, 1), ByteRange(5, 9)]
    layout = multipart(parts, 10, b"text/plain", b"mark")
    content = b"0123456789"
    body = b"".join(
        head + content[part.first : part.last + 1] for head, part in zip(layout.heads, parts, strict=True)
    )
    assert len(body + layout.tail) == layout.length_b
    assert body + layout.tail == (
        b"\r\n--mark\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01"
        b"\r\n--mark\r\nContent-Type: text/plain\r\nContent-Range: bytes 5-9/10\r\n\r\n56789"
        b"\r\n--mark--\r\n"
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", b'attachment; filename="a.txt"'),
        ('q"\\', b'attachment; filename="q\\"\\\\"'),
        (" ", b'attachment; filename="_"'),
        ("a\r\nX: y", b'attachment; filename="a__X: y"'),
        ("č", b"attachment; filename=\"_\"; filename*=UTF-8''%C4%8D"),
    ],
)
def test_file_names_cannot_leave_their_header(name: str, expected: bytes) -> None:
    assert attachment(name) == expected
