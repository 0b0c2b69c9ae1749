"""Wherever a process dies while it shares, unshares or sweeps: record, list and file tell the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from cluster_worker.persistence.engine import Scope
from onedata.ids import ShareId
from op_worker.files.granting.sharing import Terms
from op_worker.files.model import CreateOptions
from op_worker.files.service import FileService
from op_worker.files.stored.share_records import KEPT_S, SHARES, Share
from tests.support.immediate import now
from tests.support.power_cuts import Fuse, FusedEngine, Trouble, bury
from tests.support.spaces import SPACE, Site, owner, path
from tests.support.store_checker import check_store

Act = Callable[[FileService, Share], Awaitable[object]]


async def share(files: FileService, terms: Terms) -> Share:
    root = (await files.stat(owner, path("f"))).guid
    return await files.sharing.add(owner, root, terms)


OPERATIONS: dict[str, tuple[Act, int]] = {
    "share": (lambda files, _: share(files, Terms(name="Second")), 1),
    "unshare": (lambda files, one: files.sharing.remove(owner, one.share_id), -1),
    "change": (lambda files, one: files.sharing.change(owner, one.share_id, name="Other"), 0),
    "remove the file": (lambda files, _: files.remove(owner, path("f")), 0),
    "sweep": (lambda files, _: files.sharing.sweep(SPACE), -1),
}


async def prepare(site: Site) -> Share:
    """A file ``f`` with one share, which ended long ago."""
    files = await site.process()
    await files.create_file(owner, path("f"), CreateOptions())
    made = await share(files, Terms(name="First", expires_s=int(site.now_s) + 100))
    site.now_s += 200
    await files.sharing.sweep(SPACE)
    site.now_s += 2 * KEPT_S
    return made


async def shares_of(site: Site) -> set[str]:
    """Return the shares that there are, and demand that all documents tell the same."""
    files = await site.process()
    listed = {
        entry.entry.name.decode() for entry in await site.engine.page(Scope(SPACE), SHARES, None, 99, ())
    }
    names = (await files.list_children(owner, path(""), limit=9)).items
    if names:
        assert {one for stat in names for one in stat.shares} == listed
    for one in listed:
        assert await files.sharing.find(ShareId(one)) is not None
    await files.recover(SPACE)
    await check_store(site)
    return listed


@pytest.mark.parametrize("name", list(OPERATIONS))
@pytest.mark.parametrize("trouble", list(Trouble))
def test_a_share_is_whole_or_not_there_at_all(name: str, trouble: Trouble) -> None:
    act, change = OPERATIONS[name]
    for step in range(50):
        site, fuse = Site(), Fuse(trouble)
        made: Share = now(prepare(site))
        wired = evolve(site, engine=FusedEngine(site.engine, fuse))
        files: FileService = now(wired.process())
        fuse.calls, fuse.at = 0, step
        outcome: list[object] = []
        work = Deferred.fromCoroutine(act(files, made)).addBoth(outcome.append)  # type: ignore[arg-type]
        assert isinstance(site.clock, Clock)
        site.clock.pump([1.0] * 10)
        bury(work, files)
        if not fuse.has_blown:
            break
        assert len(now(shares_of(site))) in (1, 1 + change), f"step {step}"
        assert outcome or trouble in (Trouble.CUT_BEFORE, Trouble.CUT_AFTER)
    else:
        pytest.fail("the operation does not end")
    assert step > 0
    assert len(now(shares_of(site))) == 1 + change
