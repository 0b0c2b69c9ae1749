"""Searching and following changes on two nodes, whatever keeps the metadata."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from attrs import frozen
from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet import reactor

from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.embedded import EmbeddedRedis
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.runtime.pool import BlockingPool
from op_worker.changes.lines import classic, json_line
from op_worker.changes.service import ChangeStreams
from op_worker.changes.stream import Framing
from op_worker.files.model import CreateOptions, MetadataChange, Target
from op_worker.files.service import FileService
from op_worker.search.service import Search, Searching
from op_worker.storage.helpers.posix.helper import PosixHelper
from tests.support.spaces import SPACE, Site, alice, owner, path


@frozen
class Node:
    files: FileService
    searching: Searching

    async def find(self, query: str, **more: Any) -> list[str]:
        page = await self.searching.search(alice, SPACE, Search(query, **more))
        assert page.is_current
        return ["/".join(stat.path) for stat in page.files]


@async_yield_fixture(params=["memory", "redis and posix"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    if request.param == "memory":
        yield Site(clock=cast(Any, reactor))
        return
    server = EmbeddedRedis(reactor, str(tmp_path))
    server.startService()
    engine = RedisEngine(reactor, server.address, RedisConfig())
    engine.startService()
    await engine.wait_ready()
    pool = BlockingPool(cast(Any, reactor), 4)
    pool.startService()
    (tmp_path / "storage").mkdir()
    yield Site(engine, PosixHelper(str(tmp_path / "storage"), pool), cast(Any, reactor), pool)
    pool.stopService()
    await engine.stopService()
    await server.stopService()


@async_yield_fixture
async def nodes(site: Site, tmp_path: Path) -> AsyncIterator[list[Node]]:
    """Two nodes that share a store; each has an index of its own."""
    made = []
    threads = []
    for number in range(2):
        files = await site.process(f"worker{number}@test")
        thread = BlockingPool(cast(Any, reactor), 1)
        folder = tmp_path / f"node{number}"
        spaces = site.zone.supported_spaces
        searching = Searching(files.context, spaces, folder, thread=thread, clock=cast(Any, reactor))
        for service in (files, thread, searching):
            service.startService()
        made.append(Node(files, searching))
        threads.append(thread)
    await made[0].files.space_settings.change_settings(owner, SPACE, search=True)
    await made[1].files.space_settings.change_settings(owner, SPACE, search=True)
    yield made
    for node, thread in zip(made, threads, strict=True):
        await node.searching.stopService()
        thread.stopService()
        await node.files.stopService()


@ensureDeferred
async def test_each_node_finds_what_the_other_just_did(nodes: list[Node]) -> None:
    for number in range(12):
        mine, other = nodes[number % 2], nodes[1 - number % 2]
        name = f"d{number % 3}/f{number}"
        await mine.files.create_file(alice, path(name), CreateOptions(create_parents=True))
        await mine.files.metadata.change(alice, path(name), MetadataChange(set_xattrs={"n": number}))
        assert await other.find(f"xattr.n = {number}") == [name]
        assert await mine.find(f'path ~ "/d{number % 3}/*" and xattr.n >= {number}') == [name]
    target = Target(await nodes[0].files.locate(alice, ("Science", "d0")), ("moved",))
    await nodes[0].files.move(alice, path("d1"), target)
    assert len(await nodes[1].find('path ~ "/d0/moved/*"')) == 4
    await nodes[1].files.remove(alice, path("d0"))
    assert sorted(await nodes[0].find('name ~ "f*"')) == ["d2/f11", "d2/f2", "d2/f5", "d2/f8"]


@ensureDeferred
async def test_a_search_is_continued_on_the_other_node(nodes: list[Node]) -> None:
    for number in range(30):
        await nodes[0].files.create_file(alice, path(f"f{number:02}"), CreateOptions())
    found: list[str] = []
    token = None
    while True:
        search = Search('name ~ "f*"', limit=4, token=token)
        page = await nodes[len(found) // 4 % 2].searching.search(alice, SPACE, search)
        found += [stat.name for stat in page.files]
        token = page.next_token
        if token is None:
            break
    assert found == [f"f{number:02}" for number in range(30)]


@ensureDeferred
async def test_a_stream_is_continued_on_the_other_node_without_gap_or_repeat(nodes: list[Node]) -> None:
    site_zone: Any = nodes[0].files.context.access.zone
    streams = [ChangeStreams(node.files.context, cast(Any, reactor)) for node in nodes]
    assert site_zone
    seen: list[int] = []
    named: set[str] = set()
    expected: set[str] = set()
    for number in range(12):
        stat = await nodes[number % 2].files.create_file(alice, path(f"f{number}"), CreateOptions())
        expected.add(stat.guid.object_id())
        stream = await streams[number % 3 % 2].open(
            owner, SPACE, classic, Framing(json_line), after=seen[-1] if seen else 0, timeout_s=0.05
        )
        while data := await stream.read():
            for line in map(json.loads, data.splitlines()):
                seen.append(line["seq"])
                named.add(line["file_id"])
        stream.close()
    assert seen == sorted(set(seen))
    assert expected <= named


@ensureDeferred
async def test_hard_links_are_found_by_each_name_and_told_as_one_file(nodes: list[Node]) -> None:
    files = nodes[0].files
    stat = await files.create_file(alice, path("first"), CreateOptions())
    await files.metadata.change(alice, path("first"), MetadataChange(set_xattrs={"k": 1}))
    await files.create_directory(alice, path("d"), CreateOptions())
    await files.create_link(alice, path("d/second"), stat.guid, CreateOptions())
    assert await nodes[1].find("xattr.k = 1") == ["first", "d/second"]
    await files.remove(alice, path("first"))
    assert await nodes[1].find("xattr.k = 1") == ["d/second"]
    stream = await ChangeStreams(files.context, cast(Any, reactor)).open(
        owner, SPACE, classic, Framing(json_line), after=0, timeout_s=0.05
    )
    lines = [json.loads(line) for line in (await stream.read()).splitlines()]
    stream.close()
    told = [line for line in lines if line["file_id"] == stat.guid.object_id()]
    assert [(line["file_path"], line["deleted"]) for line in told] == [("/Science/d/second", False)]
    await files.remove(alice, path("d/second"))
    assert await nodes[1].find("has(xattr)") == []
