"""Quotas and statistics, whatever keeps the metadata and the bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet import reactor

from cluster_worker.persistence.engine import Scope
from cluster_worker.runtime.clock import sleep
from onedata.errors import DirStatsDisabledForSpace, DirStatsNotReady, Errno, Posix
from onedata.ids import space_root_uuid
from op_worker.files.model import CreateOptions, Existing, Target
from op_worker.files.service import FileService
from op_worker.files.stored.quotas import Quota
from op_worker.statistics.counts import FILES, at
from op_worker.statistics.history import PRESENT, Totals, totals_key
from op_worker.statistics.service import DirectorySizes, Span, StatisticsService, make_statistics
from op_worker.statistics.states import FIELD, STATE, Phase, State
from tests.support.real_sites import redis_and_posix
from tests.support.spaces import ALICE, SPACE, STORAGE, Site, alice, body, owner, path

ROOT_TOTALS = totals_key(space_root_uuid(SPACE))
UPDATE = CreateOptions(existing=Existing.UPDATE, create_parents=True)


@async_yield_fixture(params=["memory", "redis"])
async def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """Metadata and bytes of an empty space."""
    if request.param == "memory":
        yield Site(clock=reactor)
        return
    async with redis_and_posix(tmp_path_factory.mktemp("site")) as real:
        yield real


@async_yield_fixture
async def files(site: Site) -> AsyncIterator[FileService]:
    """A file service over an empty space."""
    service = await site.process()
    yield service
    await service.stopService()


@async_yield_fixture
async def statistics(site: Site, files: FileService) -> AsyncIterator[StatisticsService]:
    """Statistics that are kept, of a space that has them switched on."""
    made = make_statistics(
        site.engine,
        files,
        files._context.storages,
        clock=site.clock,
        wall_clock=site.wall_clock,
    )
    made.startService()
    await files.space_settings.change_settings(owner, SPACE, statistics=True)
    yield made
    await made.stopService()


async def put(files: FileService, text: str, data: bytes) -> None:
    await files.replace_content(alice, path(text), body(data), expected_b=len(data), create=UPDATE)


async def refused(errno: Errno, work: Awaitable[object]) -> None:
    with pytest.raises(Posix) as caught:
        await work
    assert caught.value.errno is errno


async def sizes(statistics: StatisticsService, text: str) -> DirectorySizes:
    """Ask until statistics are complete."""
    for _ in range(200):
        try:
            return await statistics.answers.sizes(owner, path(text))
        except DirStatsNotReady:
            await sleep(reactor, 0.02)
    raise AssertionError("statistics never became complete")


async def settled(files: FileService) -> None:
    """Wait for walks that charge files anew."""
    while (await files.quotas.usage(owner, SPACE)).recharges:
        await sleep(reactor, 0.01)


@ensureDeferred
async def test_quotas_count_refuse_and_follow_what_moves(files: FileService) -> None:
    await put(files, "d/x", b"12345")
    await put(files, "e/sub/y", b"123")
    await files.quotas.set_directory_quota(owner, path("d"), Quota(size_b=10, files=3))
    await files.quotas.set_user_quota(owner, SPACE, ALICE, Quota(size_b=12))
    await settled(files)
    await refused(Errno.EDQUOT, put(files, "d/z", b"123456"))
    await refused(Errno.EDQUOT, put(files, "z", b"12345"))
    await files.move(owner, path("e/sub"), path("d/sub"))
    await settled(files)
    usage = await files.quotas.directory_quota(owner, path("d"))
    assert (usage.used_b, usage.used_files) == (8, 2)
    assert (await files.quotas.user_quota(owner, SPACE, ALICE)).used_b == 8
    await files.quotas.remove_directory_quota(owner, path("d"))
    await files.quotas.remove_user_quota(owner, SPACE, ALICE)
    await settled(files)
    counters = await files._context.engine.counters(Scope(SPACE))
    assert {value for name, value in counters.items() if name.startswith("charged")} == {0}


@ensureDeferred
async def test_statistics_follow_files_and_directories(
    files: FileService, statistics: StatisticsService
) -> None:
    await put(files, "d/x", b"12345")
    await put(files, "d/e/y", b"123")
    await put(files, "z", b"1")
    assert await sizes(statistics, "") == DirectorySizes(9, 9, {STORAGE: 9})
    assert await sizes(statistics, "d") == DirectorySizes(8, 8, {STORAGE: 8})
    await files.move(owner, path("d/e"), path("e"))
    assert await sizes(statistics, "d") == DirectorySizes(5, 5, {STORAGE: 5})
    await files.truncate(owner, path("e/y"), 10)
    assert await sizes(statistics, "e") == DirectorySizes(10, 10, {STORAGE: 3})
    stat = await files.stat(owner, path("d/x"))
    await files.create_link(owner, path("e/link"), stat.guid, CreateOptions())
    assert await sizes(statistics, "e") == DirectorySizes(10, 15, {STORAGE: 3})
    await files.remove(owner, path("d"))
    for _ in range(200):  # until it is purged, the first name of the linked file counts in the trash
        if await sizes(statistics, "") == DirectorySizes(16, 16, {STORAGE: 9}):
            return
        await sleep(reactor, 0.02)
    raise AssertionError("the remaining name of the file never counted for it")


@ensureDeferred
async def test_files_without_names_count_in_the_space_and_their_directory_does_not(
    site: Site, files: FileService, statistics: StatisticsService
) -> None:
    await put(files, "d/x", b"12345")
    place = await files.nameless.place(alice, SPACE)
    stat, _ = await files.replace_content(alice, place, body(b"123"), expected_b=3, create=CreateOptions())
    assert await sizes(statistics, "") == DirectorySizes(8, 8, {STORAGE: 8})
    totals = Totals.decode((await site.engine.get(Scope(SPACE), ROOT_TOTALS, [PRESENT]))[PRESENT].data)
    assert totals.counts[:2] == (2, 1)
    await files.move(alice, Target(stat.guid), path("d/named"))
    assert await sizes(statistics, "d") == DirectorySizes(8, 8, {STORAGE: 8})


@ensureDeferred
async def test_what_waits_in_the_trash_is_known(files: FileService, statistics: StatisticsService) -> None:
    for number in range(30):
        await put(files, f"d/{number}", b"1")
    await sizes(statistics, "")
    await files.remove(owner, path("d"))
    await sizes(statistics, "")
    for _ in range(200):
        waiting = await statistics.answers.waiting_for_purge(SPACE)
        assert waiting is not None
        if at(waiting, FILES) == 0:
            return
        await sleep(reactor, 0.02)
    raise AssertionError("the trash was never empty")


@ensureDeferred
async def test_switching_off_removes_everything_that_statistics_left(
    site: Site, files: FileService, statistics: StatisticsService
) -> None:
    await put(files, "d/x", b"12345")
    await sizes(statistics, "")
    await files.space_settings.change_settings(owner, SPACE, statistics=False)
    with pytest.raises(DirStatsDisabledForSpace):
        await statistics.answers.layout(owner, path(""))
    scope = Scope(SPACE)
    for _ in range(500):
        state = State.decode((await site.engine.get(scope, STATE, [FIELD])).get(FIELD))
        if state.phase is Phase.DISABLED:
            break
        await sleep(reactor, 0.02)
    await files.space_settings.change_settings(owner, SPACE, statistics=True)
    assert await sizes(statistics, "") == DirectorySizes(5, 5, {STORAGE: 5})
    layout = {"virtual_size": ["minute"]}
    slice_ = await statistics.answers.slice(owner, path(""), layout, Span())
    assert [one.value for one in slice_["virtual_size"]["minute"]] == [5]
