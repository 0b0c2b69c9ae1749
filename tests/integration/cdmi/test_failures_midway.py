"""What fails half-way leaves nothing behind, and what is opened is closed."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from cluster_worker.runtime.clock import sleep
from onedata.errors import Errno, Posix
from op_worker.files.content.copying import Copying
from op_worker.files.metadata.metadata import Metadata
from op_worker.files.model import ContentReader, CreateOptions, Follow, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.representations.values import PIECE_B
from tests.integration.cdmi.callers import CALLERS
from tests.integration.cdmi.client import Client

F = "/cdmi/Science/f"


async def no_room(*arguments: object) -> None:
    raise Posix(Errno.ENOSPC)


@ensureDeferred
async def test_container_whose_metadata_cannot_be_stored_is_not_made(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Metadata, "change", no_room)
    reply = await client.cdmi("PUT", F + "/", {"metadata": {"a": 1}})
    assert (reply.status, reply.errno) == (400, "enospc")
    assert (await client.cdmi("GET", F + "/")).status == 404


@ensureDeferred
async def test_object_with_a_gap_whose_properties_cannot_be_stored_is_not_made(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Metadata, "change", no_room)
    reply = await client.cdmi("PUT", F + "?value:2-2", {"value": "YQ=="})
    assert (reply.status, reply.errno) == (400, "enospc")
    assert (await client.cdmi("GET", F)).status == 404


@ensureDeferred
async def test_client_that_leaves_during_a_ranged_create_leaves_nothing(client: Client) -> None:
    head = f"PUT {F} HTTP/1.1\r\nHost: h\r\nX-Auth-Token: owner\r\nContent-Range: bytes 2-9/*\r\n"
    await client.leave(head.encode() + b"Content-Length: 8\r\n\r\nabc")
    assert (await client.cdmi("GET", F)).status == 404


@pytest.mark.parametrize("is_replacing", [False, True])
@ensureDeferred
async def test_a_copy_of_a_container_whose_client_leaves_is_whole_in_the_end_and_leaves_nothing_else(
    client: Client, monkeypatch: pytest.MonkeyPatch, is_replacing: bool
) -> None:
    for path, body in (("d/", {}), ("d/e/", {}), ("d/e/f", {"value": "x"})):
        assert (await client.cdmi("PUT", f"/cdmi/Science/{path}", body)).status == 201
    if is_replacing:
        await client.cdmi("PUT", "/cdmi/Science/copy/", {})
        await client.cdmi("PUT", "/cdmi/Science/copy/old", {"value": "old"})
    opened: Deferred[None] = Deferred()
    real = Copying._copy_below

    async def held_up(self: Copying, *arguments: Any, **options: Any) -> None:
        await opened
        await real(self, *arguments, **options)

    monkeypatch.setattr(Copying, "_copy_below", held_up)
    order = '{"copy": "/Science/d/"}'
    head = "PUT /cdmi/Science/copy/ HTTP/1.1\r\nHost: h\r\nX-Auth-Token: owner\r\n"
    cdmi = "Content-Type: application/cdmi-container\r\nX-CDMI-Specification-Version: 1.1.1\r\n"
    await client.leave(f"{head}{cdmi}Content-Length: {len(order)}\r\n\r\n{order}".encode())
    before = await client.cdmi("GET", "/cdmi/Science/copy/?children")
    assert before.json == {"children": ["old"] if is_replacing else []}
    opened.callback(None)
    for _ in range(200):
        if (await client.cdmi("GET", "/cdmi/Science/copy/e/f?value")).json == {"value": "x"}:
            break
        await sleep(reactor, 0.01)
    assert (await client.cdmi("GET", "/cdmi/Science/copy/?children")).json == {"children": ["e/"]}
    assert (await client.cdmi("GET", "/cdmi/Science/?children")).json == {"children": ["copy/", "d/"]}


@ensureDeferred
async def test_symbolic_links_count_as_missing_and_keep_their_names(
    client: Client, files: FileService
) -> None:
    caller = CALLERS["owner"]
    await client.send("PUT", "/cdmi/Science/d/")
    await client.send("PUT", "/cdmi/Science/d/target", b"x")
    space = await files.find_space(caller, "Science")
    await files.create_symlink(caller, Target(space, ("f",)), CreateOptions(symlink_target="d"))
    for path in (F, F + "/"):
        for method in ("GET", "DELETE"):
            assert (await client.cdmi(method, path)).status == 404
        taken = await client.cdmi("PUT", path, {})
        assert (taken.status, taken.errno) == (400, "eexist")
    plain = await client.send("PUT", F, b"x")
    assert plain.status == 400
    assert (await client.cdmi("PUT", "/cdmi/Science/g", {"copy": "/Science/f"})).errno == "enoent"
    assert (await client.send("GET", F + "/target")).body == b"x"


@ensureDeferred
async def test_every_opened_file_is_closed_again(
    client: Client, files: FileService, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[ContentReader] = []
    closed: list[ContentReader] = []
    real_open = files.open_content

    async def open_content(
        caller: object, target: Target, follow: Follow = Follow.YES, *, custom: bool = False
    ) -> ContentReader:
        reader = await real_open(CALLERS["owner"], target, follow, custom=custom)
        real_close = reader.close

        async def close() -> None:
            closed.append(reader)
            await real_close()

        monkeypatch.setattr(reader, "close", close)
        opened.append(reader)
        return reader

    monkeypatch.setattr(files, "open_content", open_content)
    await client.send("PUT", F, b"\xff" * (PIECE_B + 1))
    for headers in ({}, {"Range": "bytes=0-1,3-4"}, {"Range": "bytes=9-1"}, {"Accept": "image/png"}):
        await client.send("GET", F, headers=headers)
        await client.cdmi("GET", F, headers=headers)
    for query in ("", "?valuerange", "?value:0-1", "?valuetransferencoding"):
        await client.cdmi("HEAD", F + query)
        await client.cdmi("GET", F + query)

    async def broken(*_: object, **__: object) -> dict[str, object]:
        raise Posix(Errno.EIO)

    await client.cdmi("PUT", F, {"metadata": {"a": 1}})
    monkeypatch.setattr(Locator, "readable", broken)
    assert (await client.cdmi("GET", F)).errno == "eio"
    assert len(opened) == 17
    assert {id(reader) for reader in closed} == {id(reader) for reader in opened}
