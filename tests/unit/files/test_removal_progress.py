"""The progress of a removal can be seen, and survives restarts."""

from __future__ import annotations

from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred

from cluster_worker.persistence.engine import Key
from op_worker.files.model import CreateOptions, Existing
from op_worker.files.removing.removals import Progress, Removing
from op_worker.files.service import FileService
from op_worker.storage.helper import StoragePath
from op_worker.storage.helpers.memory import MemoryHelper
from tests.support.power_cuts import bury
from tests.support.spaces import ALICE, OWNER, SPACE, Site, alice, bob, body, owner, path
from tests.support.store_checker import check_store

UPDATE = CreateOptions(existing=Existing.UPDATE, create_parents=True)
COUNT = 250


class StallingHelper(MemoryHelper):
    """Removes so many files, then waits for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 10**9

    async def remove(self, path: StoragePath) -> None:
        self.left -= 1
        if self.left < 0:
            forever: Deferred[None] = Deferred()
            bury(forever)
            await forever
        await super().remove(path)


async def removed_tree(site: Site, *, before_it_stalls: int) -> FileService:
    """Remove a tree of 250 files of 2 bytes; the purge stalls on the way."""
    files = await site.process()
    for number in range(COUNT):
        target = path(f"a/tree/{number % 2}/{number}")
        await files.replace_content(alice, target, body(b"12"), expected_b=2, create=UPDATE)
    helper = site.helper
    assert isinstance(helper, StallingHelper)
    helper.left = before_it_stalls
    await files.remove(alice, path("a/tree"))
    return files


@ensureDeferred
async def test_progress_is_shown_while_a_tree_is_purged() -> None:
    site = Site(helper=StallingHelper())
    files = await removed_tree(site, before_it_stalls=130)
    (shown,) = await files.removals.of(owner, SPACE)
    assert (shown.path, shown.removed_by) == ("a/tree", ALICE)
    assert abs(shown.since_s - site.now_s) < 10
    assert (shown.files, shown.directories, shown.given_back_b) == (125, 1, 250)
    assert await files.removals.of(alice, SPACE) == [shown]
    assert await files.removals.of(bob, SPACE) == []


@ensureDeferred
async def test_progress_goes_on_after_a_restart_where_it_was() -> None:
    site = Site(helper=StallingHelper())
    bury(await removed_tree(site, before_it_stalls=130))
    later = await site.process()
    (before,) = await later.removals.of(owner, SPACE)
    assert 0 < before.files < COUNT
    helper = site.helper
    assert isinstance(helper, StallingHelper)
    helper.left = 110
    await later.recover(SPACE)
    (after,) = await later.removals.of(owner, SPACE)
    assert before.files < after.files < COUNT
    assert after.given_back_b == 2 * after.files
    bury(later)
    last = await site.process()
    helper.left = 10**9
    await last.recover(SPACE)
    assert await last.removals.of(owner, SPACE) == []
    assert (await check_store(site)).paths == {}


def test_a_tree_removed_by_an_older_version_is_purged_without_progress() -> None:
    progress = Progress.of(Key("t"), None)
    assert progress.counted(1, 1, 1) == []
    assert progress.ended() == []


def test_a_removal_keeps_what_newer_versions_append() -> None:
    record = Removing("a/b", OWNER, 5, 1, 2, 3, ("new",))
    assert Removing.decode(record.encode()) == record
