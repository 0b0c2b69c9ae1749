"""Multi-part bodies are taken apart wherever they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred

from cluster_worker.runtime.streams import ByteStream, read_all
from onedata.errors import MalformedData
from op_worker.http.cdmi.bodies.multipart import Parts, first_file
from op_worker.http.cdmi.requests.negotiation import MediaType, parse_media_type
from tests.support.immediate import now
from tests.support.pieces import Pieces

MIXED = parse_media_type('multipart/mixed; boundary="a b"')
FORM = parse_media_type("multipart/form-data; boundary=XX")


async def taken_apart(content_type: MediaType | None, stream: ByteStream) -> list[bytes]:
    parts = Parts(content_type, stream)
    found = []
    while (part := await parts.next()) is not None:
        found.append(await read_all(part, 1 << 20) or b"")
        assert await part.read() == b""
    assert await parts.next() is None
    return found


@given(
    st.lists(st.binary(max_size=30).filter(lambda data: b"\r\n--a b" not in b"\r\n" + data), min_size=1),
    st.integers(1, 50),
)
def test_parts_come_out_as_they_went_in(datas: list[bytes], size: int) -> None:
    raw = b"".join(b"--a b\r\nContent-Type: a/b\r\n\r\n%b\r\n" % data for data in datas) + b"--a b--"
    assert now(taken_apart(MIXED, Pieces(b"preamble\r\n" + raw + b"\r\nepilogue", size))) == datas


@ensureDeferred
async def test_part_that_nobody_reads_is_skipped() -> None:
    raw = b"--a b\r\n\r\nfirst\r\n--a b\r\nX-Y: z\r\n\r\nsecond\r\n--a b--\r\n"
    for size in (1, 8, 1000):
        parts = Parts(MIXED, Pieces(raw, size))
        first = await parts.next()
        second = await parts.next()
        assert first is not None and await first.read() == b""
        assert second is not None and second.headers == {"X-Y": "z"} and second.content_type is None
        assert await read_all(second, 10) == b"second"


FILE = (
    b'--XX\r\nContent-Disposition: form-data; name="note"\r\n\r\nignored\r\n'
    b'--XX\r\nContent-Disposition: form-data; name="up"; filename="C:\\dir\\my %22file%22.txt"\r\n'
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nthe content\r\n"
    b'--XX\r\nContent-Disposition: form-data; name="other"; filename="b"\r\n\r\nx\r\n'
)


@ensureDeferred
async def test_first_file_of_a_form_is_found() -> None:
    for size in (1, 9, 1000):
        file = await first_file(FORM, Pieces(FILE + b"--XX--\r\n", size))
        assert (file.field, file.name) == ("up", 'my "file".txt')
        assert file.content_type is not None and file.content_type.says_utf8
        assert await read_all(file.stream, 100) == b"the content"


@ensureDeferred
async def test_form_without_a_file_or_without_an_end_is_malformed() -> None:
    for raw in (
        b"",
        b"x",
        b"--XX--\r\n",
        b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--XX--',
    ):
        with pytest.raises(MalformedData):
            await first_file(FORM, Pieces(raw, 7))
    file = await first_file(FORM, Pieces(FILE, 7))
    with pytest.raises(MalformedData):
        await read_all(file.stream, 100)
    with pytest.raises(MalformedData):
        await first_file(parse_media_type("multipart/form-data"), Pieces(FILE, 7))
