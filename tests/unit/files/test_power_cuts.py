"""Whatever step a process dies or fails at, the space is as before or as after, and nothing is left over."""

from __future__ import annotations

import errno
from copy import deepcopy
from functools import cache

import pytest

from cluster_worker.persistence.engine import Key, Scope
from onedata.ids import FileGuid, FileUuid, nameless_uuid, trash_uuid
from op_worker.files.acl import Ace, AceKind, Acl
from op_worker.files.model import CreateOptions, Existing, FileType, MetadataChange, Target
from op_worker.files.rights.protection import Protection
from op_worker.files.rules.retention import ImmutabilityChange, Period
from op_worker.files.rules.rules import NO_RULES, Rules
from op_worker.files.service import FileService
from op_worker.files.stored.intents import INTENTS
from op_worker.files.stored.landings import LANDINGS
from op_worker.files.stored.paths import NAMELESS
from op_worker.files.stored.quotas import Quota
from tests.support.accounts import check_counters, check_settled
from tests.support.immediate import now
from tests.support.operation_cuts import Operation, OperationCuts
from tests.support.power_cuts import Trouble
from tests.support.spaces import BOB, OWNER, SPACE, Site, body, flat_site, owner, path, read
from tests.support.store_checker import check_store, stored_files

pytestmark = pytest.mark.slow
UPDATE = CreateOptions(existing=Existing.UPDATE)
PARENTS = CreateOptions(create_parents=True)
BIG = bytes(range(256)) * 2048
BINNED = "in the bin: "
UNNAMED = FileGuid(FileUuid("1" * 32), SPACE)
"""A file without a name, in a space with a bin."""
State = dict[str, tuple[str, bytes, Acl | None, int, Rules]]
LABEL = MetadataChange(set_xattrs={"label": 1}, acl=(Ace(AceKind.ALLOW, "EVERYONE@", 0, 0x7019B),))
ACL: Acl = (Ace(AceKind.ALLOW, "OWNER@", 0, 0x7019B),)
HOLD = MetadataChange(immutability=ImmutabilityChange(holds=["h"]), wishes={"cdmi_value_hash": "SHA256"})
RETAIN = MetadataChange(
    immutability=ImmutabilityChange(period=Period(0, 1_608_640_000_000), label="why", autodelete=True)
)


async def put(files: FileService, text: str, data: bytes) -> None:
    await files.replace_content(owner, path(text), body(data), expected_b=len(data), create=UPDATE)


async def link(files: FileService, original: str, name: str) -> None:
    stat = await files.stat(owner, path(original))
    await files.create_link(owner, path(name), stat.guid, CreateOptions())


async def prepare(files: FileService) -> None:
    """``f``, ``g`` with content, ``h`` with a hole, ``d`` with content below, ``e`` empty, a link ``l``.

    ``held`` is under a hold. ``n`` and ``d/n`` are names of one file; so are ``m`` and ``d/sub/m``, whose
    first name is gone; ``s`` is the last name of a file.
    """
    await put(files, "f", b"content of f")
    await put(files, "g", b"content of g, longer")
    await files.create_file(owner, path("h"), CreateOptions())
    await files.write_content(owner, path("h"), 4, body(b"tail"), expected_b=4)
    await files.create_directory(owner, path("d/sub"), CreateOptions(create_parents=True))
    await put(files, "d/sub/x", b"x")
    await put(files, "d/y", b"yy")
    await files.create_directory(owner, path("e"), CreateOptions())
    await files.create_symlink(owner, path("l"), CreateOptions(symlink_target="f"))
    await put(files, "n", b"two names")
    await link(files, "n", "d/n")
    await put(files, "first", b"no first name")
    await link(files, "first", "m")
    await link(files, "first", "d/sub/m")
    await files.remove(owner, path("first"))
    await put(files, "first", b"its last name")
    await link(files, "first", "s")
    await files.remove(owner, path("first"))
    await put(files, "held", b"held")
    await files.metadata.change(owner, path("held"), HOLD)
    await files.quotas.set_user_quota(owner, SPACE, OWNER, Quota(size_b=1 << 20))
    await files.quotas.set_directory_quota(owner, path("d"), Quota(size_b=1 << 20, files=50))


OPERATIONS: dict[str, Operation] = {
    "set a quota of a directory": lambda files: files.quotas.set_directory_quota(
        owner, path(""), Quota(size_b=5)
    ),
    "set a quota of a user": lambda files: files.quotas.set_user_quota(owner, SPACE, BOB, Quota(size_b=5)),
    "lift a quota of a directory": lambda files: files.quotas.remove_directory_quota(owner, path("d")),
    "lift a quota of a user": lambda files: files.quotas.remove_user_quota(owner, SPACE, OWNER),
    "move a directory out of a quota": lambda files: files.move(owner, path("d/sub"), path("sub")),
    "create empty": lambda files: files.create_file(owner, path("new"), CreateOptions()),
    "create with content": lambda files: put(files, "d/new", b"new content"),
    "create with big content": lambda files: put(files, "new", BIG),
    "replace": lambda files: put(files, "f", b"replaced content"),
    "replace with nothing": lambda files: put(files, "f", b""),
    "replace with big content": lambda files: put(files, "d/y", BIG),
    "write in place": lambda files: files.write_content(owner, path("f"), 20, body(b"end"), expected_b=3),
    "write in a hole": lambda files: files.write_content(owner, path("h"), 0, body(b"abc"), expected_b=3),
    "cut": lambda files: files.truncate(owner, path("g"), 7),
    "extend": lambda files: files.truncate(owner, path("g"), 70),
    "make directory": lambda files: files.create_directory(owner, path("d/z"), CreateOptions()),
    "move file": lambda files: files.move(owner, path("f"), path("d/f")),
    "move file over file": lambda files: files.move(owner, path("f"), path("g")),
    "move file over link": lambda files: files.move(owner, path("f"), path("l")),
    "move link over file": lambda files: files.move(owner, path("l"), path("f")),
    "move directory": lambda files: files.move(owner, path("d"), path("e/d")),
    "move directory over directory": lambda files: files.move(owner, path("d"), path("e")),
    "copy file over file": lambda files: files.copy(owner, path("f"), path("g")),
    "remove file": lambda files: files.remove(owner, path("f")),
    "remove link": lambda files: files.remove(owner, path("l")),
    "remove empty directory": lambda files: files.remove_empty(owner, path("e")),
    "remove tree": lambda files: files.remove(owner, path("d")),
    "link": lambda files: link(files, "f", "d/link"),
    "link an empty file": lambda files: link(files, "h", "link"),
    "link a third name": lambda files: link(files, "m", "e/link"),
    "link a symbolic link": lambda files: link(files, "l", "d/link"),
    "remove the first name": lambda files: files.remove(owner, path("n")),
    "remove a link": lambda files: files.remove(owner, path("d/n")),
    "remove the last name": lambda files: files.remove(owner, path("s")),
    "move a first name": lambda files: files.move(owner, path("n"), path("e/n")),
    "move a hard link": lambda files: files.move(owner, path("m"), path("d/m")),
    "move a hard link over a file": lambda files: files.move(owner, path("m"), path("f")),
    "move a file over a hard link": lambda files: files.move(owner, path("f"), path("d/n")),
    "move a file over a last name": lambda files: files.move(owner, path("f"), path("s")),
    "move a hard link over a last name": lambda files: files.move(owner, path("m"), path("s")),
    "move a symbolic link over a last name": lambda files: files.move(owner, path("l"), path("s")),
    "replace through a hard link": lambda files: put(files, "d/n", b"replaced by its other name"),
    "write through a hard link": lambda files: files.write_content(
        owner, path("m"), 15, body(b"end"), expected_b=3
    ),
    "cut through a hard link": lambda files: files.truncate(owner, path("d/sub/m"), 2),
    "copy over a hard link": lambda files: files.copy(owner, path("f"), path("n")),
    "set a list": lambda files: files.acls.set(owner, path("n"), ACL),
    "replace content and list": lambda files: files.replace_content(
        owner, path("f"), body(b"new"), expected_b=3, metadata=MetadataChange(acl=ACL)
    ),
    "move with metadata": lambda files: files.move(owner, path("f"), path("d/f"), LABEL),
    "move a hard link with metadata": lambda files: files.move(owner, path("m"), path("d/m"), LABEL),
    "copy with metadata": lambda files: files.copy(owner, path("f"), path("d/copy"), LABEL),
    "copy a tree over a directory": lambda files: files.tree_replacing.replace(
        owner, path("d/sub"), path("d"), LABEL
    ),
    "copy a directory over a tree": lambda files: files.tree_replacing.replace(owner, path("e"), path("d")),
    "make the first file without a name": lambda files: nameless(files, b"no name"),
    "hold": lambda files: files.metadata.change(owner, path("d/y"), HOLD),
    "replace and retain": lambda files: files.replace_content(
        owner, path("f"), body(b"new"), expected_b=3, metadata=RETAIN
    ),
    "create and retain": lambda files: files.replace_content(
        owner, path("e/new"), body(b"new"), expected_b=3, create=UPDATE, metadata=RETAIN
    ),
    "release": lambda files: files.holds.release(owner, path("held"), ["h"]),
    "protect": lambda files: files.protection.change(owner, path("e"), Protection.DATA, 0),
}


async def prepare_bin(files: FileService) -> None:
    """Turn the recycle bin on, and put a file, a last name, a link and a directory into it."""
    await files.space_settings.change_settings(owner, SPACE, recycle_days=7)
    await files.create_directory(owner, path("old/tree/sub"), PARENTS)
    await put(files, "old/file", b"recycled")
    await put(files, "old/tree/x", b"x in the bin")
    await link(files, "n", "old/tree/sub/n")
    await files.create_symlink(owner, path("old/l"), CreateOptions(symlink_target="f"))
    for name in ("file", "tree", "l"):
        await files.remove(owner, path(f"old/{name}"))
    await files.move(owner, path("s"), path("old/s"))
    await files.remove(owner, path("old/s"))
    await put(files, "s", b"another")

    await nameless(files, b"nobody's name", UNNAMED)
    await put(files, "due", b"to be removed")
    await files.metadata.change(owner, path("due"), RETAIN)


async def nameless(files: FileService, data: bytes, guid: FileGuid | None = None) -> None:
    """Make a file that has an id only."""
    place = await files.nameless.place(owner, SPACE, guid)
    await files.replace_content(owner, place, body(data), expected_b=len(data), create=CreateOptions())


async def name_taken(files: FileService, text: str) -> None:
    """Take the name of a file away."""
    stat = await files.stat(owner, path(text))
    await files.move(owner, Target(stat.guid), await files.nameless.place(owner, SPACE, stat.guid))


async def nameless_guids(files: FileService) -> list[FileGuid]:
    """Return the files without names, which no listing tells of."""
    found = await files.context.engine.page(Scope(SPACE), Key(nameless_uuid(SPACE)), None, 100, ())
    return [FileGuid(FileUuid(item.key), SPACE) for item in found]


async def restored(files: FileService, name: str, target: str | None = None) -> None:
    item = await in_bin(files, name)
    names = None if target is None else tuple(target.split("/"))
    await files.recycle_bin.restore(owner, SPACE, item, names, PARENTS)


async def purged(files: FileService, name: str) -> None:
    await files.recycle_bin.remove(owner, SPACE, await in_bin(files, name))


async def expired(files: FileService) -> None:
    """Let eight days pass and maintenance come by."""
    site = files._context.wall_clock.__self__  # type: ignore[attr-defined]  # a method of the site
    site.now_s += 8 * 86400
    await files.recover(SPACE)


async def ended(files: FileService) -> None:
    """Let a retention period end, and what is due be looked through."""
    files._context.wall_clock.__self__.now_s += 101 * 86400  # type: ignore[attr-defined]
    await files._maintenance._overdue.sweep(SPACE)


async def in_bin(files: FileService, name: str) -> str:
    page = await files.recycle_bin.items(owner, SPACE, limit=100)
    return next(item.item_id for item in page.items if item.path[-1] == name)


RECYCLING: dict[str, Operation] = {
    "recycle a file": lambda files: files.remove(owner, path("f")),
    "recycle a file with a hole": lambda files: files.remove(owner, path("h")),
    "recycle a symbolic link": lambda files: files.remove(owner, path("l")),
    "recycle a tree": lambda files: files.remove(owner, path("d")),
    "recycle an empty directory": lambda files: files.remove(owner, path("e")),
    "make a file without a name": lambda files: nameless(files, b"no name either"),
    "give a name": lambda files: files.move(owner, Target(UNNAMED), path("d/named")),
    "give a name that another file had": lambda files: files.move(owner, Target(UNNAMED), path("f")),
    "take a name away": lambda files: name_taken(files, "f"),
    "recycle a file without a name": lambda files: files.remove(owner, Target(UNNAMED)),
    "remove a link past the bin": lambda files: files.remove(owner, path("d/n")),
    "restore a file": lambda files: restored(files, "file"),
    "restore a tree elsewhere": lambda files: restored(files, "tree", "e/elsewhere"),
    "restore a symbolic link": lambda files: restored(files, "l"),
    "restore a last name": lambda files: restored(files, "s", "d/restored"),
    "remove a file from the bin": lambda files: purged(files, "file"),
    "remove a tree from the bin": lambda files: purged(files, "tree"),
    "remove a last name from the bin": lambda files: purged(files, "s"),
    "empty the bin": lambda files: files.recycle_bin.empty(owner, SPACE),
}
MAINTENANCE: dict[str, Operation] = {
    "let everything in the bin expire": lambda files: expired(files),
    "remove what is due": lambda files: ended(files),
}
EVERYTHING = OPERATIONS | RECYCLING | MAINTENANCE


async def state_of(files: FileService) -> State:
    """Return everything that a user sees."""
    page = await files.list_recursive(owner, path(""), limit=9999, include_directories=True)
    state: State = {}
    for name, stat in page.items:
        content = await read(files, path(name)) if stat.type is FileType.REG else b""
        state[name] = (stat.type.value, content, stat.acl, stat.protection, stat.rules)
    for guid in await nameless_guids(files):
        content = await read(files, Target(guid))
        state[f"{NAMELESS}/{guid.object_id()}"] = (FileType.REG.value, content, None, 0, NO_RULES)
    for item in (await files.recycle_bin.items(owner, SPACE, limit=100)).items:
        state[BINNED + "/".join(item.path)] = (item.type.value, b"", None, 0, NO_RULES)
    return state


async def check_nothing_left_over(site: Site, state: State) -> None:
    """All that is stored fits together and belongs to the space; no intent, no trash; contents agree."""
    scope = Scope(SPACE)
    assert await site.engine.get_all(scope, INTENTS) == {}
    assert await site.engine.get_all(scope, LANDINGS) == {}
    assert await site.engine.count(scope, Key(trash_uuid(SPACE))) == 0
    checker = await check_store(site)
    stored = await stored_files(site)
    listed = {name for name, (type_, *_) in state.items() if type_ == "REG" and not name.startswith(BINNED)}
    assert set(checker.paths) == listed
    for name, storage_path in checker.paths.items():
        data, kept = state[name][1], stored.get(storage_path, b"")
        if b"\0\0" not in data:  # what the storage has at a hole is nobody's business
            assert data[: len(kept)] == kept[: len(data)]
    await check_counters(site.engine)
    await check_settled(site.engine)


@cache
def _prepared(*, has_bin: bool, is_flat: bool) -> Site:
    site = flat_site() if is_flat else Site()
    files = now(site.process())
    now(prepare(files))
    if has_bin:
        now(prepare_bin(files))
    return site


def cuts(name: str, *, is_flat: bool = False) -> OperationCuts[State]:
    has_bin = name not in OPERATIONS
    return OperationCuts(
        lambda: deepcopy(_prepared(has_bin=has_bin, is_flat=is_flat)),
        EVERYTHING[name],
        state_of,
        check_nothing_left_over,
    )


@pytest.mark.parametrize("name", list(EVERYTHING))
@pytest.mark.parametrize("trouble", [Trouble.CUT_BEFORE, Trouble.CUT_AFTER])
def test_a_process_that_dies_at_any_step_leaves_the_state_before_or_after(
    name: str, trouble: Trouble
) -> None:
    cuts(name).die_at_every_step(trouble)


@pytest.mark.parametrize("name", list(OPERATIONS | RECYCLING))
@pytest.mark.parametrize("trouble", [Trouble.FAIL, Trouble.FAIL_AFTER])
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_an_operation_that_raises_has_changed_nothing_and_leaves_nothing(
    name: str, trouble: Trouble, number: int
) -> None:
    cuts(name).fail_at_every_step(trouble, number)


@pytest.mark.parametrize("name", list(EVERYTHING))
@pytest.mark.parametrize("trouble", [Trouble.CUT_BEFORE, Trouble.CUT_AFTER])
def test_a_process_that_dies_at_any_step_over_a_flat_storage_leaves_the_state_before_or_after(
    name: str, trouble: Trouble
) -> None:
    cuts(name, is_flat=True).die_at_every_step(trouble)


@pytest.mark.parametrize("name", list(OPERATIONS | RECYCLING))
@pytest.mark.parametrize("trouble", [Trouble.FAIL, Trouble.FAIL_AFTER])
def test_an_operation_that_raises_over_a_flat_storage_has_changed_nothing_and_leaves_nothing(
    name: str, trouble: Trouble
) -> None:
    cuts(name, is_flat=True).fail_at_every_step(trouble)
