"""Queues that the provider fills, over every pair of engine and storage."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet import reactor

from cluster_worker.runtime.clock import sleep
from onedata.errors import Posix, Unauthorized
from op_worker.files.model import CreateOptions, MetadataChange, Target
from op_worker.files.service import FileService
from op_worker.queue_services.service import QueueServices
from tests.support.queue_services import (
    begin_notification,
    begin_query,
    make_services,
    status_of,
    until_status,
    until_values,
    values_of,
)
from tests.support.spaces import Site, alice, bob, body, owner, path

MAKE = CreateOptions()


@async_yield_fixture
async def services(site: Site, files: FileService) -> AsyncIterator[QueueServices]:
    service = make_services(site, files)
    service.startService()
    yield service
    await service.stopService()


async def write(files: FileService, name: str, data: bytes = b"x") -> None:
    await files.replace_content(alice, path(name), body(data), expected_b=None, create=MAKE)


async def mkdir(files: FileService, name: str) -> None:
    await files.create_directory(alice, path(name), CreateOptions())


def told(values: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(value["cdmi_event"].removeprefix("cdmi_"), value.get("objectName", "")) for value in values]


@ensureDeferred
async def test_a_query_finds_what_is_in_its_scope_and_is_current_then(
    files: FileService, services: QueueServices
) -> None:
    await mkdir(files, "dir")
    for name in ("dir/a.txt", "dir/b.dat", "c.txt"):
        await write(files, name)
    await files.metadata.change(alice, path("dir/a.txt"), MetadataChange(set_xattrs={"colour": "red"}))
    queue = await begin_query(services, files, [{"objectName": "ends .txt"}])
    await until_status(services, queue)
    assert await values_of(files, queue) == [{"objectName": "c.txt"}, {"objectName": "a.txt"}]
    coloured = await begin_query(services, files, [{"metadata": {"colour": "== red"}}], name="other")
    await until_status(services, coloured)
    assert await values_of(files, coloured) == [{"objectName": "a.txt"}]
