"""What WebDAV servers list, and how bytes inside a file are written; all of it pure."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from op_worker.storage.helper import StorageError, StoragePath
from op_worker.storage.helpers.webdav.multistatus import Multistatus, Resource
from op_worker.storage.helpers.webdav.open_files import OpenFiles
from op_worker.storage.helpers.webdav.writing_inside import (
    MOST_REWRITTEN_B,
    Kept,
    RangeWrites,
    Segment,
    Zeros,
    pieces,
    range_request,
    resized,
    total,
    written,
)

A = StoragePath("a")
LIST = b"""<?xml version="1.0"?>
<d:multistatus xmlns:d="DAV:" xmlns:o="other:">
 <d:response><d:href>/x/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype></d:prop>
  <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>
 <d:response><d:href>/x/a%20b</d:href>
  <d:propstat><d:prop><d:getcontentlength>7</d:getcontentlength><d:getetag>"t"</d:getetag><d:resourcetype/>
   <d:getlastmodified>Thu, 01 Jan 1970 00:01:00 GMT</d:getlastmodified><o:href>no</o:href></d:prop>
   <d:status>HTTP/1.1 200 OK</d:status></d:propstat>
  <d:propstat><d:prop><d:quota-used-bytes>9</d:quota-used-bytes></d:prop>
   <d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response>
 <d:response><d:href>/x/gone</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>
</d:multistatus>"""


@given(st.lists(st.integers(0, len(LIST)), max_size=6))
def test_a_list_says_the_same_however_it_is_chopped(cuts: list[int]) -> None:
    found: list[Resource] = []
    reader, start = Multistatus(), 0
    for cut in [*sorted(cuts), len(LIST)]:
        found += reader.feed(LIST[start:cut])
        start = cut
    reader.end()
    folder, file = found
    assert (folder.href, folder.is_directory, folder.size_b) == ("/x/", True, 0)
    assert (file.href, file.is_directory, file.size_b, file.mtime_s) == ("/x/a%20b", False, 7, 60)
    assert (file.version.tag, file.used_b) == ('"t"', None)
    assert isinstance(file, Resource)


@pytest.mark.parametrize(
    "text",
    [
        b"<a><b></a>",
        b"not xml",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<?xml version="1.0"?><a xmlns="DAV:"><href>' + b"x" * 100_000 + b"</href></a>",
    ],
)
def test_what_is_no_list_is_an_error(text: bytes) -> None:
    reader = Multistatus()
    with pytest.raises(StorageError) as caught:
        reader.feed(text)
        reader.end()
    assert caught.value.errno == errno.EIO


def test_a_list_that_breaks_off_is_an_error() -> None:
    reader = Multistatus()
    reader.feed(LIST[:-20])
    with pytest.raises(StorageError):
        reader.end()


def test_each_way_of_writing_inside_has_its_request() -> None:
    method, headers = range_request(RangeWrites.SABREDAV, 2, 3)
    assert (method, headers["X-Update-Range"]) == ("PATCH", "bytes=2-4")
    assert range_request(RangeWrites.MODDAV, 2, 3) == ("PUT", {"Content-Range": "bytes 2-4/*"})


@given(st.binary(max_size=50), st.integers(0, 60), st.binary(min_size=1, max_size=30), st.integers(0, 70))
def test_a_file_sent_anew_is_what_writing_and_cutting_in_place_would_leave(
    old: bytes, offset_b: int, data: bytes, size_b: int
) -> None:
    model = bytearray(old) + bytes(max(0, offset_b - len(old)))
    model[offset_b : offset_b + len(data)] = data
    assert _joined(written(A, len(old), offset_b, data), old) == model
    assert _joined(resized(A, len(old), size_b), old) == (old + bytes(size_b))[:size_b]


def _joined(segments: list[Segment] | object, old: bytes) -> bytes:
    whole = b""
    assert isinstance(segments, list)
    for each in segments:
        match each:
            case Kept():
                whole += old[each.offset_b : each.offset_b + each.size_b]
            case Zeros():
                whole += bytes(each.size_b)
            case _:
                whole += each
    assert total(segments) == len(whole)
    return whole


def test_files_over_the_limit_are_not_sent_anew() -> None:
    with pytest.raises(StorageError) as caught:
        written(A, MOST_REWRITTEN_B, 0, b"x" * (MOST_REWRITTEN_B + 1))
    assert caught.value.errno == errno.ENOTSUP
    with pytest.raises(StorageError) as caught:
        resized(A, 2 * MOST_REWRITTEN_B, MOST_REWRITTEN_B + 1)
    assert caught.value.errno == errno.ERANGE


@given(st.binary(max_size=40), st.integers(0, 9))
def test_a_write_is_cut_into_pieces_that_are_not_too_long(data: bytes, most_b: int) -> None:
    cut = list(pieces(100, data, most_b))
    assert b"".join(piece for _, piece in cut) == data
    assert all(not most_b or len(piece) <= most_b for _, piece in cut)
    assert [at for at, _ in cut] == [
        100 + sum(len(piece) for _, piece in cut[:number]) for number in range(len(cut))
    ]


def test_open_files_go_with_their_directories_and_stay_themselves_when_removed() -> None:
    files = OpenFiles("life")
    deep, other = files.enter(StoragePath("d/e/f")), files.enter(StoragePath("de"))
    files.renamed(StoragePath("d"), StoragePath("x"))
    assert (deep.path, other.path) == ("x/e/f", "de")
    files.removed(deep, files.new_held_path())
    again = files.enter(StoragePath("x/e/f"))
    assert again is not deep
    assert not files.leave(again)
    assert files.leave(deep)
    assert not files.leave(other)
    assert files.is_idle
