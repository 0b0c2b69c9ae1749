"""Retention and holds: what has to stay as it is, for everybody, until that ends or is released."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred

from cluster_worker.persistence.engine import Scope
from onedata.errors import Errno, Forbidden, NotFound, Posix, Unauthorized
from onedata.tokens.verify import DataLimits
from op_worker.auth.caller import Caller
from op_worker.files.acl import Ace, AceKind
from op_worker.files.model import CreateOptions, Existing, MetadataChange
from op_worker.files.rights.immutability import DUE, REGISTER
from op_worker.files.rules.retention import ImmutabilityChange, Period
from op_worker.files.service import FileService
from tests.support.spaces import OWNER, SPACE, Site, alice, bob, body, names_in, owner, path, read

NEW = CreateOptions()
DAY_MS = 86_400_000


def holding(*names: str) -> MetadataChange:
    return MetadataChange(immutability=ImmutabilityChange(holds=names))


def retaining(site: Site, *, days: float, autodelete: bool = False) -> MetadataChange:
    """Retain from before now until some days after."""
    now_ms = int(site.now_s * 1000)
    period = Period(now_ms - DAY_MS, now_ms + int(days * DAY_MS))
    return MetadataChange(immutability=ImmutabilityChange(period=period, autodelete=autodelete))


async def make(files: FileService, text: str, metadata: MetadataChange | None = None) -> None:
    """Make a file of Alice's, with the directories above."""
    create = CreateOptions(create_parents=True, existing=Existing.REFUSE)
    await files.replace_content(
        alice, path(text), body(b"data"), expected_b=4, create=create, metadata=metadata
    )


async def refused(work: Awaitable[object], errno: Errno = Errno.EPERM) -> str:
    """Demand that work is refused; return why."""
    with pytest.raises(Posix) as caught:
        await work
    assert caught.value.errno is errno
    return caught.value.reason or ""


async def release_all(files: FileService) -> None:
    page = await files.list_recursive(owner, path(""), limit=99, include_directories=True)
    for text, _ in page.items:
        own, _ = await files.holds.of(owner, path(text))
        if own:
            await files.holds.release(owner, path(text), own)


@async_yield_fixture(autouse=True)
async def nothing_stays(site: Site, files: FileService) -> AsyncIterator[None]:
    """The next test begins with empty spaces, a thousand days later."""
    yield
    await release_all(files)
    site.now_s += 1000 * 86400
    await files.space_settings.change_settings(owner, SPACE, recycle_days=0)


def changes_of(files: FileService, caller: Caller, text: str) -> list[Awaitable[object]]:
    """Everything that would change a file, or take it away."""
    file = path(text)
    return [
        files.write_content(caller, file, 0, body(b"x"), expected_b=1),
        files.append_content(caller, file, body(b"x"), expected_b=1),
        files.replace_content(caller, file, body(b"x"), expected_b=1),
        files.truncate(caller, file, 0),
        files.set_mode(caller, file, 0o600),
        files.set_times(caller, file, 1.0, 1.0),
        files.metadata.change(caller, file, MetadataChange(set_xattrs={"k": 1})),
        files.metadata.change(caller, file, MetadataChange(wishes={"cdmi_data_redundancy": "2"})),
        files.metadata.set_json(caller, file, {}),
        files.acls.set(caller, file, (Ace(AceKind.ALLOW, "OWNER@", 0, 1),)),
        files.move(caller, file, path("elsewhere")),
        files.move(caller, path("other"), file),
        files.copy(caller, path("other"), file),
        files.remove(caller, file),
        files.remove_empty(caller, file),
        files.discard(caller, file),
    ]


@pytest.mark.parametrize("on", ["d/e/f", "d/e", "d"])
@ensureDeferred
async def test_what_is_held_can_be_read_and_not_changed_by_anybody(files: FileService, on: str) -> None:
    await make(files, "d/e/f")
    await make(files, "other")
    await files.metadata.change(alice if on == "d/e/f" else owner, path(on), holding("case 7"))
    for caller in (alice, owner):
        for work in changes_of(files, caller, "d/e/f"):
            assert f"hold case 7 on /{on} forbids" in await refused(work)
        assert await read(files, path("d/e/f"), caller) == b"data"
    assert (await files.stat(alice, path("d/e/f"))).rules.holds == ["case 7"]
    await files.holds.release(owner, path(on), ["case 7"])
    await files.remove(alice, path("d"))
    assert await names_in(files, path("")) == ["other"]


@ensureDeferred
async def test_nothing_is_added_to_a_held_directory_or_taken_from_it(files: FileService) -> None:
    await make(files, "d/f")
    await make(files, "other")
    await files.metadata.change(owner, path("d"), holding("h"))
    other = await files.stat(owner, path("other"))
    for caller in (alice, owner):
        for work in (
            files.create_file(caller, path("d/g"), NEW),
            files.create_directory(caller, path("d/g"), NEW),
            files.create_symlink(caller, path("d/g"), CreateOptions(symlink_target="x")),
            files.create_link(caller, path("d/g"), other.guid, NEW),
            files.move(caller, path("other"), path("d/g")),
            files.copy(caller, path("other"), path("d/g")),
            files.move(caller, path("d"), path("moved")),
            files.remove(caller, path("d")),
        ):
            assert "hold h on /d forbids" in await refused(work)


@pytest.mark.parametrize("days", [0, 7])
@ensureDeferred
async def test_a_tree_that_holds_something_kept_neither_goes_nor_moves(
    files: FileService, site: Site, days: int
) -> None:
    await files.space_settings.change_settings(owner, SPACE, recycle_days=days)
    await make(files, "t/a/b/kept", retaining(site, days=5))
    await make(files, "t/a/free")
    for caller in (alice, owner):
        for text in ("t", "t/a", "t/a/b"):
            for work in (files.remove(caller, path(text)), files.move(caller, path(text), path("gone"))):
                assert f"something in /{text} is under retention or hold" in await refused(work)
    await files.remove(alice, path("t/a/free"))
    assert await read(files, path("t/a/b/kept")) == b"data"
    site.now_s += 5 * 86400
    await files.move(alice, path("t"), path("u"))
    await files.remove(alice, path("u"))
    assert await names_in(files, path("")) == []


@ensureDeferred
async def test_other_trees_go_while_something_is_kept(files: FileService) -> None:
    await make(files, "kept/f", holding("h"))
    await make(files, "free/f")
    await files.move(alice, path("free"), path("moved"))
    await files.remove(alice, path("moved"))
    assert await names_in(files, path("")) == ["kept"]


@ensureDeferred
async def test_every_name_of_a_kept_file_stays(files: FileService) -> None:
    await make(files, "a/f")
    stat = await files.stat(alice, path("a/f"))
    await files.create_directory(alice, path("b"), NEW)
    await files.create_link(alice, path("b/g"), stat.guid, NEW)
    await files.create_directory(alice, path("c"), NEW)
    await files.create_link(alice, path("c/h"), stat.guid, NEW)
    await files.remove(alice, path("a"))  # with the first name
    await files.metadata.change(alice, path("b/g"), holding("h"))
    await refused(files.remove(owner, path("b")))
    await refused(files.remove(owner, path("c")))
    await refused(files.remove(owner, path("c/h")))
    named = await files.stat(owner, path("c/h"))
    await refused(files.create_link(owner, path("i"), named.guid, NEW))
    await files.holds.release(owner, path("c/h"), ["h"])
    await files.remove(owner, path("b"))
    await files.remove(owner, path("c"))


@ensureDeferred
async def test_a_name_in_a_held_directory_keeps_the_file_whatever_it_is_called_elsewhere(
    files: FileService,
) -> None:
    await make(files, "d/f")
    stat = await files.stat(alice, path("d/f"))
    await files.create_link(alice, path("g"), stat.guid, NEW)
    await files.metadata.change(owner, path("d"), holding("h"))
    for work in (
        files.write_content(alice, path("g"), 0, body(b"x"), expected_b=1),
        files.set_mode(alice, path("g"), 0o600),
        files.set_times(alice, path("g"), 1.0, 1.0),
        files.metadata.change(owner, path("g"), MetadataChange(set_xattrs={"k": 1})),
    ):
        assert "hold h on /d forbids" in await refused(work)
    explanation = await files.explanations.explain(alice, path("g"), ["write_object", "delete"])
    assert [verdict.allowed for _, verdict in explanation.operations] == [False, True]
    await files.remove(alice, path("g"))
    assert await read(files, path("d/f")) == b"data"


@ensureDeferred
async def test_a_symbolic_link_under_hold_is_not_replaced(files: FileService) -> None:
    await files.create_symlink(alice, path("l"), CreateOptions(symlink_target="x"))
    await files.metadata.change(alice, path("l"), holding("h"))
    again = CreateOptions(symlink_target="y", existing=Existing.UPDATE)
    await refused(files.create_symlink(owner, path("l"), again))
    assert (await files.stat(owner, path("l"))).symlink_target == "x"


@ensureDeferred
async def test_retention_ends_by_itself_and_is_extended_only(files: FileService, site: Site) -> None:
    await make(files, "f", retaining(site, days=3))
    assert "retention until" in await refused(files.remove(owner, path("f")))
    assert "can be extended only" in await refused(
        files.metadata.change(alice, path("f"), retaining(site, days=2))
    )
    await refused(
        files.metadata.change(alice, path("f"), MetadataChange(immutability=ImmutabilityChange(period=None)))
    )
    await files.metadata.change(alice, path("f"), retaining(site, days=4))
    site.now_s += 3 * 86400
    await refused(files.set_mode(alice, path("f"), 0o600))
    site.now_s += 86400
    await files.set_mode(alice, path("f"), 0o600)
    await files.metadata.change(
        alice, path("f"), MetadataChange(immutability=ImmutabilityChange(period=None))
    )
    assert (await files.stat(alice, path("f"))).rules.is_empty
    assert await site.engine.count(Scope(SPACE), REGISTER) == 0


@ensureDeferred
async def test_a_period_is_extended_together_with_the_same_metadata(files: FileService, site: Site) -> None:
    await make(files, "f", MetadataChange(set_xattrs={"k": 1}))
    await files.metadata.change(alice, path("f"), retaining(site, days=3))
    longer = retaining(site, days=4).immutability
    same = MetadataChange(replace_user_xattrs={"k": 1}, immutability=longer)
    await files.metadata.change(alice, path("f"), same)
    other = MetadataChange(replace_user_xattrs={"k": 2}, immutability=longer)
    assert "forbids write_metadata" in await refused(files.metadata.change(alice, path("f"), other))


@ensureDeferred
async def test_copies_are_free_and_keep_what_was_wished(files: FileService) -> None:
    wish = MetadataChange(wishes={"cdmi_data_redundancy": "2"})
    await make(files, "d/f", wish)
    await files.metadata.change(owner, path("d"), holding("h"))
    await files.copy(alice, path("d"), path("copy"))
    stat = await files.stat(alice, path("copy/f"))
    assert (stat.rules.holds, stat.rules.wishes) == ([], {"cdmi_data_redundancy": "2"})
    await files.remove(alice, path("copy"))


@ensureDeferred
async def test_who_owns_a_file_or_may_by_its_list_retains_and_holds_it(
    files: FileService, site: Site
) -> None:
    await make(files, "f")
    assert await refused(files.metadata.change(bob, path("f"), holding("h")), Errno.EACCES) == (
        "only the owner of /f may write_retention_hold"
    )
    await refused(files.metadata.change(bob, path("f"), retaining(site, days=1)), Errno.EACCES)
    entries = (Ace(AceKind.ALLOW, "GROUP@", 0, 0x200), Ace(AceKind.ALLOW, "OWNER@", 0, 0x7019B))
    await files.acls.set(alice, path("f"), entries)
    await files.metadata.change(bob, path("f"), retaining(site, days=1))
    for caller in (alice, bob):
        await refused(files.metadata.change(caller, path("f"), holding("h")), Errno.EACCES)
    await files.metadata.change(owner, path("f"), holding("h"))


@ensureDeferred
async def test_holds_are_released_by_administrators_of_the_space_only(files: FileService) -> None:
    await make(files, "f", holding("a", "b"))
    assert await files.holds.of(alice, path("f")) == (("a", "b"), ["a", "b"])
    await refused(files.metadata.change(alice, path("f"), holding("a")))
    with pytest.raises(Forbidden):
        await files.holds.release(alice, path("f"), ["a"])
    with pytest.raises(Unauthorized):
        limits = DataLimits(readonly=True, paths=(), object_ids=())
        await files.holds.release(Caller(OWNER, limits), path("f"), ["a"])
    with pytest.raises(NotFound):
        await files.holds.release(owner, path("f"), ["a", "c"])
    await files.holds.release(owner, path("f"), ["a"])
    await refused(files.remove(alice, path("f")))
    await files.holds.release(owner, path("f"), ["b"])
    await files.remove(alice, path("f"))


@ensureDeferred
async def test_what_is_to_go_after_its_retention_goes_then(files: FileService, site: Site) -> None:
    await make(files, "f", retaining(site, days=2, autodelete=True))
    await make(files, "d/inner", retaining(site, days=2, autodelete=True))
    await make(files, "t/x")
    await files.metadata.change(owner, path("t"), retaining(site, days=2, autodelete=True))
    await make(files, "stays", retaining(site, days=2))
    await files.recover(SPACE)
    assert await names_in(files, path("")) == ["d", "f", "stays", "t"]
    site.now_s += 2 * 86400
    later = await site.process("another@test")
    await later.recover(SPACE)
    assert await names_in(later, path("")) == ["d", "stays"]
    assert await names_in(later, path("d")) == []


@ensureDeferred
async def test_what_is_due_and_held_waits_for_the_release(files: FileService, site: Site) -> None:
    await make(files, "f", retaining(site, days=1, autodelete=True))
    await files.metadata.change(alice, path("f"), holding("h"))
    await make(files, "g", retaining(site, days=1, autodelete=True))
    site.now_s += 2 * 86400
    await files.recover(SPACE)
    assert await names_in(files, path("")) == ["f"]
    await files.holds.release(owner, path("f"), ["h"])
    await files.recover(SPACE)
    assert await names_in(files, path("")) == []
    assert await site.engine.count(Scope(SPACE), DUE) == 0


@ensureDeferred
async def test_all_names_of_what_is_due_go(files: FileService, site: Site) -> None:
    await make(files, "f")
    stat = await files.stat(alice, path("f"))
    await files.create_link(alice, path("g"), stat.guid, NEW)
    await files.metadata.change(alice, path("g"), retaining(site, days=1, autodelete=True))
    site.now_s += 2 * 86400
    await files.recover(SPACE)
    assert await names_in(files, path("")) == []
    assert await site.engine.count(Scope(SPACE), DUE) == 0


@ensureDeferred
async def test_what_goes_into_the_bin_then_can_be_restored_and_stays(files: FileService, site: Site) -> None:
    await files.space_settings.change_settings(owner, SPACE, recycle_days=7)
    await make(files, "f", retaining(site, days=1, autodelete=True))
    site.now_s += 2 * 86400
    await files.recover(SPACE)
    [item] = (await files.recycle_bin.items(owner, SPACE, limit=9)).items
    assert item.path == ("f",)
    await files.recover(SPACE)  # forgets that it was to go
    assert await site.engine.count(Scope(SPACE), DUE) == 0
    await files.recycle_bin.restore(owner, SPACE, item.item_id)
    await files.recover(SPACE)
    assert await names_in(files, path("")) == ["f"]
    await files.remove(alice, path("f"))


@ensureDeferred
async def test_an_entry_of_a_list_counts_until_it_expires(files: FileService, site: Site) -> None:
    await make(files, "f")
    ends_ms = int(site.now_s * 1000) + DAY_MS
    acl = (Ace(AceKind.ALLOW, "GROUP@", 0, 1, ends_ms), Ace(AceKind.AUDIT, "EVERYONE@", 0, 0x1F07FF))
    await files.acls.set(alice, path("f"), acl)
    assert await read(files, path("f"), bob) == b"data"
    assert await files.acls.get(owner, path("f")) == acl
    site.now_s += 86400
    assert "no entry of the ACL" in await refused(files.open_content(bob, path("f")), Errno.EACCES)
