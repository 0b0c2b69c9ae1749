"""The settings of a space: stored, remembered for a moment, changed by several at once."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock

from cluster_worker.persistence.engine import Batch, PreconditionFailed, Put, Scope
from cluster_worker.persistence.memory import MemoryEngine
from onedata.errors import Forbidden, Unauthorized
from onedata.tokens.verify import DataLimits
from op_worker.auth.caller import Caller
from op_worker.files.settings import FRESH_S, SETTINGS, AccessTimes, Settings, SpaceSettings
from tests.support.spaces import OWNER, SPACE, Site, alice, owner, stranger

SCOPE = Scope(SPACE)


@ensureDeferred
async def test_a_space_that_nobody_set_up_has_the_defaults() -> None:
    assert await Settings(MemoryEngine(), Clock()).of(SPACE) == SpaceSettings()


@ensureDeferred
async def test_changes_keep_what_they_do_not_name_and_are_announced() -> None:
    engine, clock = MemoryEngine(), Clock()
    settings = Settings(engine, clock)
    await settings.change(SPACE, recycle_days=2.5)
    await settings.change(SPACE, access_times=AccessTimes.RELATIVE)
    expected = SpaceSettings(recycle_days=2.5, access_times=AccessTimes.RELATIVE)
    assert await settings.of(SPACE) == await Settings(engine, clock).of(SPACE) == expected
    assert [change.key for change in await engine.changes(SCOPE, 0, 9)] == [SETTINGS]  # type: ignore[arg-type]


@ensureDeferred
async def test_another_node_sees_a_change_within_a_second() -> None:
    engine, clock = MemoryEngine(), Clock()
    one, other = Settings(engine, clock), Settings(engine, clock)
    assert (await other.of(SPACE)).recycle_days == 0
    await one.change(SPACE, recycle_days=1)
    assert (await other.of(SPACE)).recycle_days == 0
    clock.advance(FRESH_S)
    assert (await other.of(SPACE)).recycle_days == 1


@ensureDeferred
async def test_settings_of_a_newer_version_are_read_as_far_as_they_are_known() -> None:
    engine = MemoryEngine()
    data = b'{"recycle_days": 3, "from the future": true}'
    await engine.commit(SCOPE, Batch([Put(SETTINGS, "s", data)]))
    assert await Settings(engine, Clock()).of(SPACE) == SpaceSettings(recycle_days=3)


@ensureDeferred
async def test_of_two_changes_at_once_none_is_lost() -> None:
    site = Site()
    files = await site.process()
    commit = site.engine.commit

    async def late(scope: Scope, batch: Batch) -> object:
        site.engine.commit = commit  # type: ignore[method-assign]
        await files.space_settings.change_settings(owner, SPACE, recycle_days=1)
        return await commit(scope, batch)

    site.engine.commit = late  # type: ignore[method-assign,assignment]
    changed = await files.space_settings.change_settings(owner, SPACE, search=True)
    assert changed == SpaceSettings(recycle_days=1, search=True)
    assert await files.space_settings.settings(alice, SPACE) == changed


@ensureDeferred
async def test_a_change_on_old_settings_is_refused_by_the_store() -> None:
    engine = MemoryEngine()
    settings = Settings(engine, Clock())
    get = engine.get

    async def stale(*args: object) -> object:
        found = await get(*args)  # type: ignore[arg-type]
        await engine.commit(SCOPE, Batch([Put(SETTINGS, "s", b"{}")]))
        return found

    engine.get = stale  # type: ignore[method-assign,assignment]
    with pytest.raises(PreconditionFailed):
        await settings.change(SPACE, search=True)


@ensureDeferred
async def test_members_look_and_those_with_space_update_change() -> None:
    files = await Site().process()
    assert await files.space_settings.settings(alice, SPACE) == SpaceSettings()
    with pytest.raises(Forbidden):
        await files.space_settings.change_settings(alice, SPACE, search=True)
    with pytest.raises(Forbidden):
        await files.space_settings.settings(stranger, SPACE)
    with pytest.raises(Unauthorized):
        reading = Caller(OWNER, DataLimits(True, (), ()))
        await files.space_settings.change_settings(reading, SPACE, search=True)
