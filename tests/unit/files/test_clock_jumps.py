"""A wall clock that jumps, back or far ahead, costs nothing: files stay, and what is kept is kept."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from op_worker.files.model import CreateOptions, Existing
from op_worker.files.service import FileService
from tests.support.spaces import SPACE, Site, body, names_in, owner, path, read
from tests.support.store_checker import check_store

DAY_S = 86_400.0
YEAR_S = 365 * DAY_S
JUMPS = [-40 * YEAR_S, -60.0, 0.0, 60.0, 40 * YEAR_S, -1_700_000_000.0]
UPDATE = CreateOptions(existing=Existing.UPDATE)


async def put(files: FileService, name: str, data: bytes) -> None:
    await files.replace_content(owner, path(name), body(data), expected_b=len(data), create=UPDATE)


@pytest.mark.parametrize("jump_s", JUMPS)
@ensureDeferred
async def test_every_operation_goes_on_after_a_jump(jump_s: float) -> None:
    site = Site()
    files = await site.process()
    await put(files, "before", b"one")
    page = await files.list_children(owner, path(""), limit=1)
    site.now_s += jump_s
    await put(files, "before", b"two")
    await put(files, "after", b"three")
    await files.append_content(owner, path("after"), body(b" four"), expected_b=5)
    await files.move(owner, path("before"), path("moved"))
    await files.set_times(owner, path("moved"), 0.0, None)
    assert await read(files, path("moved")) == b"two"
    assert await read(files, path("after")) == b"three four"
    stat = await files.stat(owner, path("moved"))
    assert stat.ctime_s == pytest.approx(site.now_s, abs=5)
    later = await files.list_children(owner, path(""), limit=9, token=page.next_token)
    assert {item.name for item in later.items} <= {"after", "moved"}
    again = await site.process()
    await again.recover(SPACE)
    assert await names_in(again, path("")) == ["after", "moved"]
    await check_store(site)


@pytest.mark.parametrize("jump_s", [-40 * YEAR_S, -60.0, 60.0, DAY_S / 2])
@ensureDeferred
async def test_what_is_in_the_recycle_bin_outlives_a_jump_that_does_not_reach_its_end(jump_s: float) -> None:
    site = Site()
    files = await site.process()
    await files.space_settings.change_settings(owner, SPACE, recycle_days=1.0)
    await put(files, "f", b"kept")
    await files.remove(owner, path("f"))
    site.now_s += jump_s
    await files.recover(SPACE)
    (item,) = (await files.recycle_bin.items(owner, SPACE, limit=9)).items
    await files.recycle_bin.restore(owner, SPACE, item.item_id, None, CreateOptions())
    assert await read(files, path("f")) == b"kept"
    await check_store(site)
