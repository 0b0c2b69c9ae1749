"""Whatever call a node dies at, queues that are filled get everything, and everything once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from attrs import evolve, frozen
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred

from cluster_worker.persistence.engine import PersistenceError, Scope
from onedata.errors import OnedataError
from onedata.ids import FileGuid
from op_worker.files.model import CreateOptions
from op_worker.files.service import FileService
from op_worker.queue_services.querying import Stopped
from op_worker.queue_services.service import QueueServices
from tests.support.power_cuts import Fuse, FusedEngine, FusedHelper, Trouble, bury
from tests.support.queue_services import begin_notification, begin_query, make_services, values_of
from tests.support.spaces import SPACE, Site, body, owner, path
from tests.support.turns import new_fence, take_turn

pytestmark = pytest.mark.slow

SCOPE = Scope(SPACE)
NAMES = [f"f{at}" for at in range(6)]
Work = Callable[[QueueServices, FileGuid], Awaitable[object]]


@frozen
class Life:
    """A node that may die."""

    files: FileService
    services: QueueServices


async def life(site: Site, fuse: Fuse | None = None) -> Life:
    if fuse is not None:
        site = evolve(site, engine=FusedEngine(site.engine, fuse), helper=FusedHelper(site.helper, fuse))
    files = await site.process()
    return Life(files, make_services(site, files))


async def write(files: FileService, name: str) -> None:
    await files.replace_content(owner, path(name), body(b"x"), expected_b=1, create=CreateOptions())


async def walk(services: QueueServices, queue: FileGuid) -> None:
    entry = await services.entry(queue)
    assert entry is not None
    await services._querying.run(SCOPE, entry, await new_fence(services._engine, SCOPE, "query"))


async def catch_up(services: QueueServices, queue: FileGuid) -> None:
    await take_turn(services._engine, services._position, SCOPE)
    assert await services.reader.feed.catch_up(SCOPE)


async def dies_at(site: Site, at: int, trouble: Trouble, queue: FileGuid, work: Work) -> bool:
    """Let a node work until it dies, or a call of it fails; tell whether it came to that."""
    fuse = Fuse(trouble, -1)
    node = await life(site, fuse)
    fuse.calls, fuse.at = 0, at
    ended: Deferred[object] = Deferred.fromCoroutine(_tried(node.services, queue, work))
    if fuse.is_dead:
        bury(ended)
    else:
        await ended
    return fuse.has_blown


async def _tried(services: QueueServices, queue: FileGuid, work: Work) -> None:
    with suppress(OnedataError, PersistenceError, Stopped):
        await work(services, queue)


@pytest.mark.parametrize("trouble", list(Trouble))
@ensureDeferred
async def test_a_query_is_answered_once_whatever_call_its_node_dies_at(
    trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("op_worker.queue_services.querying.PAGE", 2)
    at, has_died = 0, True
    while has_died:
        site = Site()
        node = await life(site)
        for name in NAMES:
            await write(node.files, name)
        queue = await begin_query(node.services, node.files, [{"objectName": "starts f"}])
        has_died = await dies_at(site, at, trouble, queue, walk)
        after = await life(site)
        await after.files.recover(SPACE)
        await walk(after.services, queue)
        found = [value["objectName"] for value in await values_of(after.files, queue)]
        assert found == NAMES, (at, trouble)
        at += 1
    assert at > 50


@pytest.mark.parametrize("trouble", list(Trouble))
@ensureDeferred
async def test_everything_is_told_once_whatever_call_the_node_dies_at(
    trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("op_worker.queue_services.notifying.AT_ONCE", 4)
    at, has_died = 0, True
    while has_died:
        site = Site()
        node = await life(site)
        await write(node.files, "old")
        queue = await begin_notification(node.services, node.files, [{"objectName": "starts f"}])
        for name in NAMES:
            await write(node.files, name)
        has_died = await dies_at(site, at, trouble, queue, catch_up)
        after = await life(site)
        await after.files.recover(SPACE)
        await catch_up(after.services, queue)
        found = [value["objectName"] for value in await values_of(after.files, queue)]
        assert found == NAMES, (at, trouble)
        at += 1
    assert at > 50
