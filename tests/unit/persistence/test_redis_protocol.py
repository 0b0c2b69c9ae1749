"""RESP without I/O."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_worker.persistence.resp import BadReply, ReplyError, ReplyReader, encode_command

replies = st.recursive(
    st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.binary(max_size=30)),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=12,
)


def encode_reply(reply: Any) -> bytes:
    """Write a reply as a server does."""
    if reply is None:
        return b"$-1\r\n"
    if isinstance(reply, int):
        return b":%d\r\n" % reply
    if isinstance(reply, list):
        return b"*%d\r\n" % len(reply) + b"".join(map(encode_reply, reply))
    return b"$%d\r\n%b\r\n" % (len(reply), reply)


@given(st.lists(replies, max_size=6), st.lists(st.integers(1, 9), max_size=30))
def test_replies_survive_any_split_of_the_stream(sent: list[Any], sizes: list[int]) -> None:
    stream = b"".join(map(encode_reply, sent))
    reader = ReplyReader()
    received: list[Any] = []
    for size in sizes:
        received += reader.feed(stream[:size])
        stream = stream[size:]
    received += reader.feed(stream)
    assert received == sent


@given(st.binary(max_size=60))
def test_any_bytes_are_replies_or_refused(data: bytes) -> None:
    try:
        ReplyReader().feed(data)
    except BadReply:
        pass


def test_status_and_error_are_told_apart() -> None:
    status, error = ReplyReader().feed(b"+OK\r\n-NOSCRIPT No matching script\r\n")
    assert status == b"OK"
    assert isinstance(error, ReplyError)
    assert error.code == "NOSCRIPT"


def test_null_list_is_none_like_a_null_string() -> None:
    assert ReplyReader().feed(b"*-1\r\n*0\r\n") == [None, []]


@pytest.mark.parametrize(
    "data",
    [
        b"$5000\r\n",
        b"*1\r\n$5000\r\n",
        b"?what\r\n",
        b":12a\r\n",
        b"$x\r\n",
        b"*99999999\r\n",
        b"*1\r\n" * 20,
        b"+" + b"a" * 70_000,
    ],
)
def test_hostile_reply_is_refused_before_it_is_buffered(data: bytes) -> None:
    with pytest.raises(BadReply):
        ReplyReader(max_b=1000).feed(data)


def test_large_reply_in_many_pieces_comes_whole() -> None:
    reader = ReplyReader()
    data = b"x" * 1_000_000
    stream = encode_reply([data, 7])
    received = [one for at in range(0, len(stream), 4096) for one in reader.feed(stream[at : at + 4096])]
    assert received == [[data, 7]]


def test_command_is_a_list_of_bulk_strings() -> None:
    assert encode_command((b"GET", b"a b")) == b"*2\r\n$3\r\nGET\r\n$3\r\na b\r\n"
