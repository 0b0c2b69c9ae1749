"""Imports over a real store and a real folder: notices, several nodes, users at work, many files."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet import reactor

from benchmarks.importing import grow
from cluster_worker.runtime.clock import sleep, system_wall_clock
from onedata.errors import OnedataError
from op_worker.files.model import CreateOptions, Existing
from op_worker.importing.records import NoticeState, ScanState
from tests.support.folder_changes import change_folder
from tests.support.imported_sites import ImportedSite, ImportingNode, shown_by_folder, shown_by_space
from tests.support.real_sites import redis_and_posix
from tests.support.spaces import SPACE, body, owner, path, read

UPDATE = CreateOptions(existing=Existing.UPDATE, create_parents=True)
LATENCY_S = 1.0


@async_yield_fixture
async def site(tmp_path: Path) -> AsyncIterator[ImportedSite]:
    """A store and a folder."""
    async with redis_and_posix(tmp_path) as real:
        yield ImportedSite(real.engine, tmp_path / "imported", real.clock, real.blocking, system_wall_clock)


async def started(site: ImportedSite, name: str = "worker@test", **options: Any) -> ImportingNode:
    node = await site.node(name, **options)
    node.start()
    return node


async def within(seconds: float, agrees: Callable[[], Any]) -> None:
    """Return when something is so. Raises: AssertionError when it is not in time."""
    end_s = time.monotonic() + seconds
    while not await agrees():
        assert time.monotonic() < end_s, "it takes too long"
        await sleep(cast(Any, reactor), 0.02)


async def is_same(node: ImportingNode, site: ImportedSite) -> bool:
    try:
        return await shown_by_space(node.files) == shown_by_folder(site.folder)
    except OnedataError:
        return False  # it changes while it is looked at


async def noticing(site: ImportedSite) -> ImportingNode:
    """A node that follows notices."""
    node = await started(site, continuous=True, interval_s=3600)

    async def is_on() -> bool:
        info = await node.importing.imports.info(SPACE)
        return info.notices.state is NoticeState.ON and info.scan is not None and info.scan.state.is_over

    await within(15, is_on)
    return node


@ensureDeferred
async def test_changes_on_the_storage_are_seen_within_a_second(site: ImportedSite) -> None:
    node = await noticing(site)
    folder = site.folder
    steps: list[Callable[[], object]] = [
        lambda: (folder / "a").write_bytes(b"first"),
        lambda: (folder / "a").write_bytes(b"another"),
        lambda: (folder / "d" / "e").mkdir(parents=True),
        lambda: (folder / "d" / "e" / "f").write_bytes(b"deep"),
        lambda: (folder / "d").rename(folder / "moved"),
        lambda: (folder / "moved" / "e" / "g").write_bytes(b"in what was moved"),
        lambda: (folder / "moved" / "e" / "g").chmod(0o600),
        lambda: shutil.copytree(folder / "moved", folder / "copy"),
        lambda: (folder / "a").unlink(),
        lambda: shutil.rmtree(folder / "moved"),
    ]
    for step in steps:
        step()
        await within(LATENCY_S, lambda: is_same(node, site))
    await node.stop()


@ensureDeferred
async def test_notices_and_users_at_the_same_time_end_with_what_the_folder_is(site: ImportedSite) -> None:
    node = await noticing(site)
    random = Random(3)
    for round_ in range(6):
        change_folder(site.folder, random, 10)
        for number in range(3):
            data = random.randbytes(9)
            target = path(f"users/{round_}/{number}")
            await node.files.replace_content(owner, target, body(data), expected_b=9, create=UPDATE)
    await within(5, lambda: is_same(node, site))
    await node.stop()


@ensureDeferred
async def test_a_read_of_a_file_that_others_changed_gives_what_it_is_now(site: ImportedSite) -> None:
    node = await started(site)
    for size in (9, 3, 0, 200_000):
        (site.folder / "f").write_bytes(b"1234567")
        await node.scan()
        (site.folder / "f").write_bytes(b"x" * size)
        assert await read(node.files, path("f")) == b"x" * size
    await node.stop()


@ensureDeferred
async def test_one_of_two_nodes_scans_and_the_other_goes_on_when_it_ends(site: ImportedSite) -> None:
    first = await started(site, "one@test")
    second = await started(site, "two@test")
    grow(site.folder, 3000)
    await first.begin_scan()
    await sleep(site.clock, 0.2)
    await first.stop()
    status = await second.until_scanned()
    assert status.state is ScanState.COMPLETED
    assert await is_same(second, site)
    await second.stop()


@ensureDeferred
async def test_a_scan_that_is_stopped_ends_and_the_next_one_completes(site: ImportedSite) -> None:
    node = await started(site)
    grow(site.folder, 20_000)
    await node.begin_scan()
    await sleep(site.clock, 0.3)
    await node.importing.imports.stop_scan(SPACE)
    assert (await node.until_scanned()).state is ScanState.ABORTED
    assert (await node.scan()).state is ScanState.COMPLETED
    await node.stop()


EVERYTHING = 100_000 + 1000 + 10
"""Files and directories that ``grow`` makes of 100 000 files."""


@pytest.mark.slow
@ensureDeferred
async def test_a_hundred_thousand_files_are_imported_in_bounded_memory(site: ImportedSite) -> None:
    node = await started(site)
    grow(site.folder, 100_000)
    counts = (await node.scan()).counts
    assert counts.failed == counts.modified == counts.deleted == 0
    assert counts.created + counts.unmodified >= EVERYTHING, "a job that is done again meets what it made"
    again = (await node.scan()).counts
    assert (again.created, again.modified, again.deleted, again.failed) == (0, 0, 0, 0)
    assert again.unmodified >= EVERYTHING
    await node.stop()
