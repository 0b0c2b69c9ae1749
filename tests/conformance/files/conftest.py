"""A file service over each pair of engine and storage; each test begins with empty spaces."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pytest_twisted import async_yield_fixture

from cluster_worker.persistence.engine import Key, Scope
from cluster_worker.runtime.clock import sleep
from onedata.ids import space_root_guid, trash_uuid
from op_worker.files.model import Target
from op_worker.files.service import FileService
from tests.support.real_sites import redis_and_posix
from tests.support.spaces import OTHER_SPACE, SPACE, Site, double_site, flat_site, owner


@async_yield_fixture(params=["memory", "flat memory", "two storages", "redis and posix"], scope="module")
async def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """Metadata and bytes; each test has an empty space of its own through ``files``."""
    if request.param == "memory":
        yield Site()
        return
    if request.param == "flat memory":
        yield flat_site()
        return
    if request.param == "two storages":
        yield double_site()
        return
    async with redis_and_posix(tmp_path_factory.mktemp("site")) as real:
        yield real


@async_yield_fixture
async def files(site: Site) -> AsyncIterator[FileService]:
    """A file service over an empty space."""
    service = await site.process()
    for space in (SPACE, OTHER_SPACE):
        page = await service.list_children(owner, Target(space_root_guid(space)), limit=1000)
        for stat in page.items:
            await service.remove(owner, Target(stat.guid))
        await service.recover(space)  # goes on with what an earlier service left in the trash
        while await site.engine.count(Scope(space), Key(trash_uuid(space))):
            await sleep(site.clock, 0.01)
    yield service
    await service.stopService()
