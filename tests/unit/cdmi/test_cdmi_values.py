"""Values on their way into JSON."""

from __future__ import annotations

import base64
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred

from cluster_worker.runtime.streams import StreamBroken
from onedata.ids import FileGuid, FileUuid, ProviderId, SpaceId, UserId
from op_worker.files.model import FileStat, FileType
from op_worker.http.cdmi.bodies.members import Encoding
from op_worker.http.cdmi.representations.values import (
    PIECE_B,
    Base64Encoder,
    Utf8Encoder,
    ValueStream,
    around,
    encoded_length_b,
    is_json,
    is_text,
)


class MemoryReader:
    """A content reader over bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.stat = FileStat(
            guid=FileGuid(FileUuid("u"), SpaceId("s")),
            parent=None,
            name="f",
            path=("f",),
            space_name="S",
            type=FileType.REG,
            mode=0,
            owner=UserId("o"),
            provider_id=ProviderId("p"),
            created_s=0,
            atime_s=0,
            mtime_s=0,
            ctime_s=0,
            size_b=len(data),
        )

    async def read(self, offset_b: int, size_b: int) -> bytes:
        assert size_b <= 1 << 20
        return self._data[offset_b : offset_b + size_b]

    async def close(self) -> None:
        pass


async def collect(stream: ValueStream) -> bytes:
    pieces = []
    while piece := await stream.read():
        pieces.append(piece)
    return b"".join(pieces)


def stream_of(data: bytes, offset_b: int, size_b: int, encoding: Encoding) -> ValueStream:
    return ValueStream(b'{"value":"', MemoryReader(data), offset_b, size_b, encoding, b'"}')


BIG = bytes(range(256)) * (PIECE_B // 256 * 2 + 5)
TEXT = ('\u017c\u00f3\u0142w"\\\n\x00\U0001f600' * 120000).encode()


@ensureDeferred
async def test_big_binary_value_is_one_base64_string() -> None:
    raw = await collect(stream_of(BIG, 5, len(BIG) - 5, Encoding.BASE64))
    assert base64.b64decode(json.loads(raw)["value"]) == BIG[5:]
    length = encoded_length_b(Encoding.BASE64, len(BIG) - 5)
    assert length is not None and len(raw) == length + len(b'{"value":""}')


@ensureDeferred
async def test_big_text_is_cut_between_characters_nowhere() -> None:
    assert len(TEXT) > 2 * PIECE_B
    raw = await collect(stream_of(TEXT, 0, len(TEXT), Encoding.UTF8))
    assert json.loads(raw)["value"] == TEXT.decode()
    assert encoded_length_b(Encoding.UTF8, 10) is None


@ensureDeferred
async def test_value_that_shrinks_meanwhile_breaks_the_stream() -> None:
    with pytest.raises(StreamBroken):
        await collect(stream_of(b"abc", 0, 9, Encoding.BASE64))


@ensureDeferred
async def test_value_that_ceases_to_be_text_breaks_the_stream() -> None:
    with pytest.raises(StreamBroken):
        await collect(stream_of(b"abc\xff", 0, 4, Encoding.UTF8))


@ensureDeferred
async def test_text_is_told_from_other_bytes() -> None:
    assert await is_text(MemoryReader(TEXT), len(TEXT))
    assert await is_text(MemoryReader(b""), 0)
    assert not await is_text(MemoryReader(BIG), len(BIG))
    assert not await is_text(MemoryReader(TEXT[:-1]), len(TEXT) - 1)


@ensureDeferred
async def test_json_is_told_from_other_bytes() -> None:
    long = json.dumps([{"a": n, "b": "\u017c"} for n in range(60000)], ensure_ascii=False).encode()
    assert len(long) > PIECE_B
    for good in (long, b" null ", b"-1.5", b'"a"', b"{}"):
        assert await is_json(MemoryReader(good), len(good))
    bom, deep = b"\xef\xbb\xbf1", b"[" * 100 + b"]" * 100
    for bad in (long[:-1], long + b"]", b"", b"1 2", b'1,"x":2', b"NaN", b'"\xff"', b'"\\ud800"', bom, deep):
        assert not await is_json(MemoryReader(bad), len(bad))


@ensureDeferred
async def test_big_json_value_stands_in_its_place_as_it_is() -> None:
    data = json.dumps([list(range(9))] * 60000, indent=1).encode()
    before, after = around(Encoding.JSON)
    stream = ValueStream(b'{"value":' + before, MemoryReader(data), 0, len(data), Encoding.JSON, after + b"}")
    raw = await collect(stream)
    assert raw == b'{"value":' + data + b"}"
    assert encoded_length_b(Encoding.JSON, len(data)) == len(data)


@given(st.text(st.characters(codec="utf-8")), st.lists(st.integers(0, 60), max_size=4))
def test_text_survives_any_split_into_pieces(text: str, cuts: list[int]) -> None:
    data, encoder = text.encode(), Utf8Encoder()
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(bounds)]
    out = b"".join(encoder.encode(piece, is_last=n == len(pieces) - 1) for n, piece in enumerate(pieces))
    assert json.loads(b'"' + out + b'"') == text


@given(st.binary(max_size=99))
def test_base64_of_pieces_divisible_by_three_joins_up(data: bytes) -> None:
    pieces = [data[at : at + 3] for at in range(0, len(data), 3)]
    assert b"".join(Base64Encoder().encode(piece, is_last=False) for piece in pieces) == base64.b64encode(
        data
    )
