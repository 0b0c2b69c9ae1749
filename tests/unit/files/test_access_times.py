"""Access times: noted by reads, written down in batches, dropped when that is hard."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import define
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock

from cluster_worker.persistence.engine import PersistenceUnavailable
from op_worker.files.content.access_times import FLUSH_S, is_due
from op_worker.files.model import CreateOptions
from op_worker.files.service import FileService
from op_worker.files.settings import AccessTimes
from op_worker.files.stored.documents import Times
from tests.support.spaces import SPACE, Site, body, owner, path, read

NEW = CreateOptions()
DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("atime", "mtime", "ctime", "now", "due"),
    [
        (5, 5, 5, 9, True),
        (6, 5, 5, 9, False),
        (6, 5, 6, 9, True),
        (6, 7, 5, 9, True),
        (6, 5, 5, 6 + DAY_MS, True),
        (6, 5, 5, 5 + DAY_MS, False),
        (6, 5, 5, 1, False),
    ],
)
def test_a_read_is_due_after_a_change_or_a_day(
    atime: int, mtime: int, ctime: int, now: int, due: bool
) -> None:
    assert is_due(Times(atime, mtime, ctime), now) is due


@define
class NoCommits:
    """An engine that refuses commits while it is away."""

    engine: Any
    is_away: bool = False
    refused: int = 0

    def __getattr__(self, name: str) -> Any:
        if self.is_away and name == "commit":
            self.refused += 1
            raise PersistenceUnavailable("away")
        return getattr(self.engine, name)


async def started(site: Site, chosen: AccessTimes = AccessTimes.RELATIVE) -> FileService:
    files = await site.process()
    files.startService()
    await files.space_settings.change_settings(owner, SPACE, access_times=chosen)
    await files.replace_content(owner, path("f"), body(b"1"), expected_b=1, create=NEW)
    return files


def pass_time(site: Site, seconds: float) -> None:
    assert isinstance(site.clock, Clock)
    site.clock.advance(seconds)


@ensureDeferred
async def test_a_read_changes_the_access_time_within_eight_seconds_and_no_other_time() -> None:
    site = Site()
    files = await started(site)
    before = await files.stat(owner, path("f"))
    await read(files, path("f"))
    assert await files.stat(owner, path("f")) == before
    pass_time(site, FLUSH_S)
    after = await files.stat(owner, path("f"))
    assert after.atime_s > before.atime_s
    assert (after.mtime_s, after.ctime_s) == (before.mtime_s, before.ctime_s)
    await read(files, path("f"))
    pass_time(site, FLUSH_S)
    assert await files.stat(owner, path("f")) == after  # read after its last change already
    await files.stopService()


@ensureDeferred
async def test_reads_leave_no_trace_where_the_space_did_not_ask_for_it() -> None:
    site = Site()
    files = await started(site, AccessTimes.NEVER)
    before = await files.stat(owner, path("f"))
    await read(files, path("f"))
    pass_time(site, FLUSH_S)
    await files.stopService()
    assert await files.stat(owner, path("f")) == before


@ensureDeferred
async def test_what_was_noted_is_written_down_before_the_service_stops() -> None:
    site = Site()
    files = await started(site)
    before = await files.stat(owner, path("f"))
    await read(files, path("f"))
    await files.stopService()
    assert (await files.stat(owner, path("f"))).atime_s > before.atime_s
    assert site.clock.getDelayedCalls() == []


@ensureDeferred
async def test_a_file_that_changed_or_went_meanwhile_keeps_its_times_and_the_others_get_theirs() -> None:
    site = Site()
    files = await started(site)
    for name in ("g", "h"):
        await files.replace_content(owner, path(name), body(b"1"), expected_b=1, create=NEW)
    before = {name: (await files.stat(owner, path(name))).atime_s for name in "fgh"}
    for name in "fgh":
        await read(files, path(name))
    await files.remove(owner, path("f"))
    commit = site.engine.commit

    async def late(scope, batch):  # type: ignore[no-untyped-def]  # as an engine
        site.engine.commit = commit  # type: ignore[method-assign]
        await files.set_mode(owner, path("g"), 0o600)
        return await commit(scope, batch)

    site.engine.commit = late  # type: ignore[method-assign]
    pass_time(site, FLUSH_S)
    assert (await files.stat(owner, path("g"))).atime_s == before["g"]
    assert (await files.stat(owner, path("h"))).atime_s > before["h"]
    await files.stopService()


@ensureDeferred
async def test_a_store_that_is_away_costs_access_times_and_nothing_else() -> None:
    site = Site()
    store = NoCommits(site.engine)
    site.engine = store
    files = await started(site)
    before = await files.stat(owner, path("f"))
    await read(files, path("f"))
    store.is_away = True
    pass_time(site, FLUSH_S)
    store.is_away = False
    assert store.refused
    assert await files.stat(owner, path("f")) == before
    await read(files, path("f"))
    pass_time(site, FLUSH_S)
    assert (await files.stat(owner, path("f"))).atime_s > before.atime_s
    await files.stopService()


@ensureDeferred
async def test_many_notes_are_written_down_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("op_worker.files.content.access_times.MOST_NOTES", 2)
    site = Site()
    files = await started(site)
    await files.replace_content(owner, path("g"), body(b"1"), expected_b=1, create=NEW)
    before = (await files.stat(owner, path("g"))).atime_s
    await read(files, path("f"))
    await read(files, path("g"))
    assert (await files.stat(owner, path("g"))).atime_s > before
    await files.stopService()
