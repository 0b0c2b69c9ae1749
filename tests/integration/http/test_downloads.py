"""Downloads by code: from the redirect to the archive, and resuming it."""

from __future__ import annotations

import io
import tarfile
from urllib.parse import urlsplit

import pytest
from pytest_twisted import ensureDeferred

from tests.integration.http.rest_client import SPACE, Reply, RestClient

BIG = bytes(range(256)) * 5000


async def redirected(rest: RestClient, url: str) -> str:
    """Ask for the content of a directory; return the path that the answer leads to."""
    answer = await rest.get(url)
    assert (answer.status, answer.body) == (302, b"")
    location = urlsplit(answer.headers["location"])
    assert location.netloc == "example.org:8443"
    assert location.path.startswith("/download/")
    return location.path


async def download(rest: RestClient, path: str, method: str = "GET", **headers: str) -> Reply:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return await rest.ask_anywhere(method, path, named)


@ensureDeferred
async def test_the_content_of_a_directory_is_an_archive_by_code(rest: RestClient) -> None:
    await rest.create("d/a", b"one")
    await rest.create("d/sub/b", BIG)
    path = await redirected(rest, f"/data/{SPACE}/path/d")
    got = await download(rest, path)
    assert (got.status, got.headers["content-type"]) == (200, "application/x-tar")
    assert got.headers["content-disposition"] == 'attachment; filename="d.tar"'
    assert got.headers["transfer-encoding"] == "chunked"
    with tarfile.open(fileobj=io.BytesIO(got.body)) as archive:
        assert archive.getnames() == ["d", "d/a", "d/sub", "d/sub/b"]
        assert archive.extractfile("d/sub/b").read() == BIG  # type: ignore[union-attr]  # a file
    again = await download(rest, path)
    assert again.body == got.body
    head = await download(rest, path, "HEAD")
    assert (head.status, head.body) == (200, b"")


@ensureDeferred
async def test_an_archive_is_resumed_by_its_range(rest: RestClient) -> None:
    await rest.create("d/a", b"one")
    file_id = await rest.create("d/b", BIG)
    path = await redirected(rest, f"/data/{SPACE}/path/d")
    whole = (await download(rest, path)).body
    for position_b in (0, 700, 5_000, len(whole) - 1):
        part = await download(rest, path, Range=f"bytes={position_b}-")
        assert (part.status, part.body) == (206, whole[position_b:])
        assert part.headers["content-range"] == f"bytes {position_b}-{len(whole) - 1}/{len(whole)}"
        assert part.headers["content-length"] == str(len(part.body))
    for wanted in (f"bytes={len(whole)}-", "bytes=5-9", "bytes=-5", "bytes=1-,5-", "unicorns"):
        refused = await download(rest, path, Range=wanted)
        assert (refused.status, refused.headers["content-range"]) == (416, "bytes */*")
    await rest.put(f"/data/{file_id}/content?append=true", body=b"+")
    refused = await download(rest, path, Range="bytes=5000-")
    assert (refused.status, refused.headers["content-range"], refused.body) == (416, "bytes */*", b"")
    assert (await download(rest, path, Range="bytes=100-")).status == 206


@ensureDeferred
async def test_an_unknown_code_is_refused(rest: RestClient) -> None:
    for code in ("x", "0" * 48, "%00", "żółw".encode().hex()):
        got = await download(rest, f"/download/{code}")
        assert (got.status, got.error) == (400, {"id": "badValueIdNotFound", "key": "code"})
    assert (await download(rest, "/download/")).status == 404
    assert (await download(rest, "/download/x", "POST")).status == 405


@ensureDeferred
async def test_strangers_get_no_code(rest: RestClient) -> None:
    directory = await rest.make_directory("d")
    assert (await rest.get(f"/data/{directory}/content", token="stranger")).status == 403
    assert (await rest.get(f"/data/{directory}/content", token=None)).status == 401


@pytest.mark.parametrize("follow", ["true", "false"])
@ensureDeferred
async def test_a_link_to_a_directory_leads_to_its_archive_when_followed(
    rest: RestClient, follow: str
) -> None:
    await rest.create("d/a", b"one")
    made = await rest.put(f"/data/{SPACE}/path/l?type=SYMLNK&target_file_path=d")
    url = f"/data/{made.json['fileId']}/content?follow_symlinks={follow}"
    if follow == "false":
        assert (await rest.get(url)).body == b"d"
        return
    got = await download(rest, await redirected(rest, url))
    with tarfile.open(fileobj=io.BytesIO(got.body)) as archive:
        assert archive.getnames() == ["d", "d/a"]


@ensureDeferred
async def test_a_single_file_by_code_is_sent_as_content(rest: RestClient) -> None:
    await rest.create("a", b"0123456789")
    code = await rest.issue_code("a")
    got = await download(rest, f"/download/{code}")
    assert (got.status, got.body) == (200, b"0123456789")
    assert got.headers["content-disposition"] == 'attachment; filename="a"'
    part = await download(rest, f"/download/{code}", Range="bytes=2-3")
    assert (part.status, part.body) == (206, b"23")
    assert (await download(rest, f"/download/{code}", If_None_Match=got.headers["etag"])).status == 304
