"""Whatever step a process dies or fails at while it works on queues, they are as before or as after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from copy import deepcopy
from functools import cache

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from cluster_worker.persistence.engine import Key, Scope
from onedata.errors import OnedataError
from onedata.ids import trash_uuid
from op_worker.files.model import CreateOptions, Existing, FileType, MetadataChange
from op_worker.files.queues.values import NewValue
from op_worker.files.service import FileService
from op_worker.files.stored.intents import INTENTS
from op_worker.files.stored.quotas import Quota
from tests.support.accounts import check_counters, check_settled
from tests.support.power_cuts import Fuse, Trouble, bury
from tests.support.spaces import SPACE, Site, body, owner, path, read
from tests.support.store_checker import check_store, stored_files
from tests.unit.files.test_power_cuts import let_time_pass, now, now_or_never, troubled

pytestmark = pytest.mark.slow
UPDATE = CreateOptions(existing=Existing.UPDATE)
BIG = bytes(range(256)) * 2048
State = dict[str, object]
Operation = Callable[[FileService], Awaitable[object]]


def new(*values: bytes) -> list[NewValue]:
    return [NewValue(body(value), len(value)) for value in values]


async def put(files: FileService, name: str, data: bytes) -> None:
    await files.replace_content(owner, path(name), body(data), expected_b=len(data), create=UPDATE)


async def prepare(files: FileService) -> None:
    """Queues ``q`` with a gap and ``p`` with a quota, an object ``f``, one with two names ``g`` and ``h``."""
    await files.queues.create(owner, path("q"))
    await files.queues.enqueue(owner, path("q"), new(b"first", b"gone", b"third", b"fourth"))
    await files.remove(owner, path("q/0000000000000001"))
    await files.queues.create(owner, path("p"))
    await files.queues.enqueue(owner, path("p"), new(b"other"))
    await files.quotas.set_directory_quota(owner, path("p"), Quota(size_b=1 << 20, files=50))
    await put(files, "f", b"an object")
    await put(files, "g", b"two names")
    original = (await files.stat(owner, path("g"))).guid
    await files.create_link(owner, path("h"), original, CreateOptions())


OPERATIONS: dict[str, Operation] = {
    "create": lambda files: files.queues.create(
        owner, path("new"), metadata=MetadataChange(set_xattrs={"colour": "red"})
    ),
    "enqueue one": lambda files: files.queues.enqueue(owner, path("q"), new(b"fifth")),
    "enqueue several": lambda files: files.queues.enqueue(owner, path("p"), new(b"a", b"", BIG)),
    "dequeue one": lambda files: files.queues.dequeue(owner, path("q")),
    "dequeue several": lambda files: files.queues.dequeue(owner, path("q"), 2),
    "dequeue a range": lambda files: files.queues.dequeue_range(owner, path("q"), 0, 2),
    "copy an object in": lambda files: files.queues.copy_object(owner, path("f"), path("q")),
    "move an object in": lambda files: files.queues.move_object(owner, path("f"), path("p")),
    "move a name in": lambda files: files.queues.move_object(owner, path("h"), path("q")),
    "copy values": lambda files: files.queues.copy_values(owner, path("q"), 2, path("p")),
    "move values": lambda files: files.queues.move_values(owner, path("q"), 2, path("p")),
    "move values to the end": lambda files: files.queues.move_values(owner, path("q"), 2, path("q")),
    "join": lambda files: files.queues.join(owner, path("q"), path("joined"), create=UPDATE),
    "copy a queue": lambda files: files.copy(owner, path("q"), path("copy")),
    "move a queue": lambda files: files.move(owner, path("q"), path("moved")),
    "remove a queue": lambda files: files.remove(owner, path("q")),
}


async def state_of(files: FileService) -> State:
    """Return everything that a user sees."""
    page = await files.list_recursive(owner, path(""), limit=999, include_directories=True)
    state: State = {}
    for name, stat in page.items:
        content = await read(files, path(name)) if stat.type is FileType.REG else b""
        state[name] = (stat.is_queue, content, stat.hardlinks)
        if stat.is_queue:
            view = await files.queues.view(owner, path(name))
            state[f"{name}: values"] = (view.lowest, view.highest)
    return state


async def check_nothing_left_over(site: Site) -> None:
    """All that is stored fits together, and nothing is pending."""
    assert await site.engine.get_all(Scope(SPACE), INTENTS) == {}
    assert await site.engine.count(Scope(SPACE), Key(trash_uuid(SPACE))) == 0
    checker = await check_store(site)
    assert set(checker.paths.values()) == set(await stored_files(site))
    await check_counters(site.engine)
    await check_settled(site.engine)


@cache
def _prepared() -> Site:
    site = Site()
    files: FileService = now(site.process())  # type: ignore[assignment]
    now(prepare(files))
    return site


def before_and_after(name: str) -> tuple[State, State]:
    """Return what a user sees before and after the undisturbed operation."""
    site = deepcopy(_prepared())
    files: FileService = now(site.process())  # type: ignore[assignment]
    before = now(state_of(files))
    now(OPERATIONS[name](files))
    after = now(state_of(files))
    now(check_nothing_left_over(site))
    return before, after  # type: ignore[return-value]


@pytest.mark.parametrize("name", list(OPERATIONS))
@pytest.mark.parametrize("trouble", [Trouble.CUT_BEFORE, Trouble.CUT_AFTER])
def test_a_process_that_dies_at_any_step_leaves_queues_as_before_or_as_after(
    name: str, trouble: Trouble
) -> None:
    before, after = before_and_after(name)
    seen = set()
    for step in range(200):
        site, fuse = deepcopy(_prepared()), Fuse(trouble)
        files = troubled(site, fuse)
        fuse.at = step
        work: Deferred[object] = Deferred.fromCoroutine(OPERATIONS[name](files))  # type: ignore[arg-type]
        bury(work, files)
        if not fuse.has_blown:
            break
        survivor: FileService = now(site.process())  # type: ignore[assignment]
        seen_first = now(state_of(survivor))
        now(survivor.recover(SPACE))
        state = now(state_of(survivor))
        assert state in (before, after), f"step {step}"
        assert seen_first == state, f"step {step}: recovery changed what users see"
        now(check_nothing_left_over(site))
        seen.add(state == before)
    else:
        pytest.fail("the operation does not end")
    assert True in seen, "no step was reached"


@pytest.mark.parametrize("name", list(OPERATIONS))
@pytest.mark.parametrize("trouble", [Trouble.FAIL, Trouble.FAIL_AFTER])
def test_an_operation_on_queues_that_raises_has_changed_nothing(name: str, trouble: Trouble) -> None:
    before, after = before_and_after(name)
    for step in range(200):
        site, fuse = deepcopy(_prepared()), Fuse(trouble)
        files = troubled(site, fuse)
        fuse.at = step
        outcome: list[object] = []
        Deferred.fromCoroutine(OPERATIONS[name](files)).addBoth(outcome.append)  # type: ignore[arg-type]
        let_time_pass(site, outcome)
        if not fuse.has_blown:
            break
        state = now(state_of(files))
        if isinstance(outcome[0], Failure):
            assert outcome[0].check(OnedataError) is not None, outcome[0]
            allowed = (before, after) if trouble is Trouble.FAIL_AFTER else (before,)
            assert state in allowed, f"step {step}"
        else:
            assert state == after, f"step {step}"
        now(files.recover(SPACE))
        later: FileService = now(site.process())  # type: ignore[assignment]
        now(later.recover(SPACE))
        assert now(state_of(later)) == state
        now(check_nothing_left_over(site))
        bury(now_or_never(files.stopService()))
    else:
        pytest.fail("the operation does not end")
