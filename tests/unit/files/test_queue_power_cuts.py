"""Whatever step a process dies or fails at while it works on queues, they are as before or as after."""

from __future__ import annotations

from copy import deepcopy
from functools import cache

import pytest

from cluster_worker.persistence.engine import Key, Scope
from onedata.ids import trash_uuid
from op_worker.files.model import CreateOptions, Existing, FileType, MetadataChange
from op_worker.files.queues.values import NewValue
from op_worker.files.service import FileService
from op_worker.files.stored.intents import INTENTS
from op_worker.files.stored.quotas import Quota
from tests.support.accounts import check_counters, check_settled
from tests.support.immediate import now
from tests.support.operation_cuts import Operation, OperationCuts
from tests.support.power_cuts import Trouble
from tests.support.spaces import SPACE, Site, body, owner, path, read
from tests.support.store_checker import check_store, stored_files

pytestmark = pytest.mark.slow
UPDATE = CreateOptions(existing=Existing.UPDATE)
BIG = bytes(range(256)) * 2048
State = dict[str, object]


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


async def check_nothing_left_over(site: Site, state: State) -> None:
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
    now(prepare(now(site.process())))
    return site


def cuts(name: str) -> OperationCuts[State]:
    return OperationCuts(lambda: deepcopy(_prepared()), OPERATIONS[name], state_of, check_nothing_left_over)


@pytest.mark.parametrize("name", list(OPERATIONS))
@pytest.mark.parametrize("trouble", [Trouble.CUT_BEFORE, Trouble.CUT_AFTER])
def test_a_process_that_dies_at_any_step_leaves_queues_as_before_or_as_after(
    name: str, trouble: Trouble
) -> None:
    cuts(name).die_at_every_step(trouble)


@pytest.mark.parametrize("name", list(OPERATIONS))
@pytest.mark.parametrize("trouble", [Trouble.FAIL, Trouble.FAIL_AFTER])
def test_an_operation_on_queues_that_raises_has_changed_nothing(name: str, trouble: Trouble) -> None:
    cuts(name).fail_at_every_step(trouble)
