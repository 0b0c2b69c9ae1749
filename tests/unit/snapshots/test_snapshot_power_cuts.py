"""Whatever step a node dies at, no unfinished tree is taken for a finished one, and nothing stays."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from copy import deepcopy
from functools import cache

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from cluster_worker.persistence.engine import Key, Scope
from cluster_worker.runtime.streams import BytesStream
from onedata.errors import OnedataError
from onedata.ids import trash_uuid
from op_worker.files.content.restoring import Description
from op_worker.files.model import CreateOptions, FileType
from op_worker.files.service import FileService
from op_worker.files.stored.detached import DETACHED
from op_worker.files.stored.intents import INTENTS
from op_worker.snapshots.service import Snapshots
from tests.support.accounts import check_counters, check_settled
from tests.support.immediate import now
from tests.support.operation_cuts import troubled
from tests.support.power_cuts import Fuse, Trouble, bury
from tests.support.spaces import SPACE, Site, body, owner, path, read
from tests.support.store_checker import check_store, stored_files

pytestmark = pytest.mark.slow

SHOWN = "c/cdmi_snapshots/s"
State = tuple[str, dict[str, bytes]]
Operation = Callable[[FileService, Snapshots], Awaitable[object]]


async def put(files: FileService, text: str, data: bytes) -> None:
    create = CreateOptions(create_parents=True)
    await files.replace_content(owner, path(text), body(data), expected_b=len(data), create=create)


async def restore(files: FileService, snapshots: Snapshots) -> None:
    """Make a tree of descriptions."""
    tree, top = await files.restoring.begin(owner, path("restored"), Description(name="", type=FileType.DIR))
    try:
        inner = await files.restoring.add_directory(tree, top, Description(name="d", type=FileType.DIR))
        small, large = Description(name="f", type=FileType.REG), Description(name="g", type=FileType.REG)
        await files.restoring.add_file(tree, inner, small, BytesStream(b"small"))
        await files.restoring.add_file(tree, top, large, BytesStream(b"large" * 100_000))
        await files.restoring.finish(owner, tree, path("restored"))
    except OnedataError:
        await files.restoring.give_up(tree)
        raise


OPERATIONS: dict[str, Operation] = {
    "take": lambda files, snapshots: snapshots.take(owner, path("c"), "s"),
    "take anew": lambda files, snapshots: snapshots.take(owner, path("c"), "s"),
    "remove": lambda files, snapshots: snapshots.remove(owner, path(SHOWN)),
    "remove with its directory": lambda files, snapshots: files.remove(owner, path("c")),
    "restore": restore,
}


@cache
def _prepared(*, has_snapshot: bool) -> Site:
    site = Site()
    files = now(site.process())
    now(put(files, "c/f", b"first"))
    now(put(files, "c/d/g", b"x" * 300_000))
    if has_snapshot:
        assert now(Snapshots(files, clock=site.clock).take(owner, path("c"), "s"))
        now(put(files, "c/h", b"later"))
    return site


def prepared(name: str) -> Site:
    return deepcopy(_prepared(has_snapshot=name != "take"))


async def state_of(files: FileService, site: Site) -> State:
    """Return whether the snapshot is complete, and everything in the space; of an unfinished one nothing."""
    snapshots = Snapshots(files, clock=site.clock)
    page = await files.list_recursive(owner, path(""), limit=999, include_directories=True)
    told, found = "absent", {}
    for name, stat in page.items:
        if name == SHOWN:
            status = await snapshots.status(stat)
            told = "complete" if status.is_complete else status.error or "made"
        found[name] = await read(files, path(name)) if stat.type is FileType.REG else b""
    return told, found


async def check_nothing_left_over(site: Site, state: State) -> None:
    scope = Scope(SPACE)
    assert await site.engine.get_all(scope, INTENTS) == {}
    for directory in (Key(trash_uuid(SPACE)), DETACHED):
        assert await site.engine.count(scope, directory) == 0
    checker, stored = await check_store(site), await stored_files(site)
    for name, storage_path in checker.paths.items():
        assert stored.get(storage_path, b"") == state[1][name]
    await check_counters(site.engine)
    await check_settled(site.engine)


def before_and_after(name: str) -> tuple[State, State]:
    site = prepared(name)
    files = now(site.process())
    before = now(state_of(files, site))
    now(OPERATIONS[name](files, Snapshots(files, clock=site.clock)))
    after = now(state_of(files, site))
    now(check_nothing_left_over(site, after))
    return before, after


def settled(state: State) -> State:
    """Return a state without what an interrupted snapshot leaves to be told."""
    told, found = state
    if told == "interrupted" and not any(name.startswith(SHOWN + "/") for name in found):
        told, found = "absent", {name: data for name, data in found.items() if name != SHOWN}
    told = "complete" if told == "interrupted" else told
    if not any(name.startswith("c/cdmi_snapshots/") for name in found):
        found = {name: data for name, data in found.items() if name != "c/cdmi_snapshots"}
    return told, found


@pytest.mark.parametrize("name", list(OPERATIONS))
@pytest.mark.parametrize("trouble", [Trouble.CUT_BEFORE, Trouble.CUT_AFTER])
def test_a_node_that_dies_at_any_step_leaves_the_state_before_or_after(name: str, trouble: Trouble) -> None:
    before, after = before_and_after(name)
    seen: set[str] = set()
    for step in range(300):
        site, fuse = prepared(name), Fuse(trouble)
        files = troubled(site, fuse)
        snapshots = Snapshots(files, clock=site.clock)
        fuse.at = step
        work: Deferred[object] = Deferred.fromCoroutine(OPERATIONS[name](files, snapshots))  # type: ignore[arg-type]
        bury(work, files, snapshots)
        if not fuse.has_blown:
            break
        survivor = now(site.process())
        seen_first = now(state_of(survivor, site))
        now(survivor.recover(SPACE))
        state = now(state_of(survivor, site))
        assert seen_first == state, f"step {step}: recovery changed what users see"
        assert settled(state) in (settled(before), settled(after)), f"step {step}"
        now(check_nothing_left_over(site, state))
        seen.add(state[0])
        if name.startswith("take"):
            assert now(Snapshots(survivor, clock=site.clock).take(owner, path("c"), "s"))
            assert now(state_of(survivor, site)) == after
    else:
        pytest.fail("the operation does not end")
    if name.startswith("take"):
        assert seen == {before[0], "interrupted", "complete"}


@pytest.mark.parametrize("name", list(OPERATIONS))
@pytest.mark.parametrize("trouble", [Trouble.FAIL, Trouble.FAIL_AFTER])
def test_an_operation_that_raises_has_changed_nothing_and_leaves_nothing(name: str, trouble: Trouble) -> None:
    before, after = before_and_after(name)
    for step in range(300):
        site, fuse = prepared(name), Fuse(trouble)
        files = troubled(site, fuse)
        snapshots = Snapshots(files, clock=site.clock)
        fuse.at = step
        outcome: list[object] = []
        Deferred.fromCoroutine(OPERATIONS[name](files, snapshots)).addBoth(outcome.append)  # type: ignore[arg-type]
        assert isinstance(site.clock, Clock)
        for _ in range(40):
            site.clock.advance(1)
        assert outcome, "the operation hangs"
        if not fuse.has_blown:
            break
        state = now(state_of(files, site))
        if isinstance(outcome[0], Failure):
            assert outcome[0].check(OnedataError) is not None, outcome[0]
            ends = (before, after) if trouble is Trouble.FAIL_AFTER else (before,)
            allowed = [settled(end) for end in ends]
            assert settled(state) in allowed, f"step {step}"
        else:
            assert state == after, f"step {step}"
        bury(snapshots.stopService(), files.stopService())
        later = now(site.process())
        now(later.recover(SPACE))
        now(check_nothing_left_over(site, now(state_of(later, site))))
    else:
        pytest.fail("the operation does not end")
