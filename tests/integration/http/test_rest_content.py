"""Content of files over REST: upload, download, ranges, offsets."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from tests.integration.http.rest_client import SPACE, SPACE_ROOT, RestClient

OCTETS = {"Content_Type": "application/octet-stream"}
TEN = b"0123456789"


@ensureDeferred
async def test_what_was_put_is_what_is_got(rest: RestClient) -> None:
    content = bytes(range(256)) * 5000
    file_id = await rest.create("folder/data.bin", content)
    got = await rest.get(f"/data/{file_id}/content")
    assert (got.status, got.body) == (200, content)
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-length"] == str(len(content))
    assert got.headers["content-disposition"] == 'attachment; filename="data.bin"'
    assert got.headers["access-control-allow-origin"] == "*"


@ensureDeferred
async def test_a_put_replaces_the_whole_content(rest: RestClient) -> None:
    file_id = await rest.create("a", TEN)
    put = await rest.put(f"/data/{file_id}/content", body=b"short", **OCTETS)
    assert (put.status, put.body) == (204, b"")
    assert (await rest.get(f"/data/{file_id}/content")).body == b"short"


@ensureDeferred
async def test_an_offset_writes_in_place_and_leaves_holes(rest: RestClient) -> None:
    file_id = await rest.create("a", TEN)
    assert (await rest.put(f"/data/{file_id}/content?offset=3", body=b"abc", **OCTETS)).status == 204
    assert (await rest.get(f"/data/{file_id}/content")).body == b"012abc6789"
    await rest.put(f"/data/{file_id}/content?offset=12", body=b"x", **OCTETS)
    assert (await rest.get(f"/data/{file_id}/content")).body == b"012abc6789\0\0x"


@ensureDeferred
async def test_a_negative_offset_is_refused(rest: RestClient) -> None:
    file_id = await rest.create("a", TEN)
    put = await rest.put(f"/data/{file_id}/content?offset=-1", body=b"abc", **OCTETS)
    assert (put.status, put.error) == (400, {"id": "badValueTooLow", "key": "offset", "limit": 0})


@ensureDeferred
async def test_an_empty_put_labelled_json_truncates(rest: RestClient) -> None:
    file_id = await rest.create("a", TEN)
    put = await rest.put(f"/data/{file_id}/content", body=b"", Content_Type="application/json")
    assert put.status == 204
    assert (await rest.get(f"/data/{file_id}/content")).body == b""


@ensureDeferred
async def test_a_body_without_a_media_type_is_taken_as_content(rest: RestClient) -> None:
    file_id = await rest.create("a")
    assert (await rest.put(f"/data/{file_id}/content", body=TEN)).status == 204
    assert (await rest.get(f"/data/{file_id}/content")).body == TEN


@ensureDeferred
async def test_a_body_labelled_json_is_an_unsupported_media_type(rest: RestClient) -> None:
    file_id = await rest.create("a", TEN)
    put = await rest.put(f"/data/{file_id}/content", body=b"{}", Content_Type="application/json")
    assert (put.status, put.body) == (415, b"")
    assert (await rest.get(f"/data/{file_id}/content")).body == TEN


@pytest.mark.parametrize(
    ("header", "content_range", "body"),
    [
        ("bytes=2-4", "bytes 2-4/10", b"234"),
        ("bytes=7-", "bytes 7-9/10", b"789"),
        ("bytes=-2", "bytes 8-9/10", b"89"),
        ("bytes=8-99", "bytes 8-9/10", b"89"),
    ],
)
@ensureDeferred
async def test_a_range_is_answered_206(
    rest: RestClient, header: str, content_range: str, body: bytes
) -> None:
    file_id = await rest.create("a", TEN)
    got = await rest.get(f"/data/{file_id}/content", Range=header)
    assert (got.status, got.headers["content-range"], got.body) == (206, content_range, body)


@ensureDeferred
async def test_several_ranges_come_in_parts(rest: RestClient) -> None:
    file_id = await rest.create("a", TEN)
    got = await rest.get(f"/data/{file_id}/content", Range="bytes=0-1,5-6")
    kind, _, boundary = got.headers["content-type"].partition("; boundary=")
    assert (got.status, kind) == (206, "multipart/byteranges")
    parts = got.body.split(b"--" + boundary.encode())
    assert [part.strip().partition(b"\r\n\r\n")[2] for part in parts[1:-1]] == [b"01", b"56"]
    assert b"Content-Range: bytes 5-6/10" in parts[2]
    assert parts[-1] == b"--\r\n"


@pytest.mark.parametrize("header", ["unicorns", "bytes:5-10", "bytes=10-5", "bytes=-5-", "bytes=10-"])
@ensureDeferred
async def test_a_range_that_cannot_be_is_answered_416(rest: RestClient, header: str) -> None:
    file_id = await rest.create("a", TEN)
    got = await rest.get(f"/data/{file_id}/content", Range=header)
    assert (got.status, got.headers["content-range"], got.body) == (416, "bytes */10", b"")


@ensureDeferred
async def test_head_tells_the_size_without_the_content(rest: RestClient) -> None:
    file_id = await rest.create("a", TEN)
    got = await rest.ask("HEAD", f"/data/{file_id}/content")
    assert (got.status, got.headers["content-length"], got.body) == (200, "10", b"")


@ensureDeferred
async def test_a_directory_cannot_be_written_as_a_file(rest: RestClient) -> None:
    put = await rest.put(f"/data/{SPACE_ROOT}/content", body=b"x", **OCTETS)
    assert (put.status, put.error) == (400, {"id": "posix", "errno": "eisdir"})


@ensureDeferred
async def test_a_symbolic_link_gives_its_target_or_itself(rest: RestClient) -> None:
    await rest.create("real", TEN)
    made = await rest.put(f"/data/{SPACE}/path/link?type=SYMLNK&target_file_path=real")
    link_id = made.json["fileId"]
    assert (await rest.get(f"/data/{link_id}/content")).body == TEN
    assert (await rest.get(f"/data/{link_id}/content?follow_symlinks=false")).body == b"real"
    assert (await rest.get(f"/data/{link_id}/symlink_value")).body == b"real"


@ensureDeferred
async def test_the_value_of_what_is_no_link_is_posix_einval(rest: RestClient) -> None:
    file_id = await rest.create("a", TEN)
    assert (await rest.get(f"/data/{file_id}/symlink_value")).error == {"id": "posix", "errno": "einval"}


@ensureDeferred
async def test_content_at_a_path_is_read_and_removed(rest: RestClient) -> None:
    await rest.create("x/y z/č\n", TEN)
    path = f"/data/{SPACE}/path/x/y%20z/%C4%8D%0A"
    assert (await rest.get(path)).body == TEN
    assert (await rest.delete(path)).status == 204
    assert (await rest.get(path)).error == {"id": "posix", "errno": "enoent"}
