"""Access control lists of files, whatever keeps the metadata and the bytes."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from cluster_worker.persistence.engine import Key, Scope
from onedata.errors import Errno, Posix
from onedata.ids import space_root_guid
from op_worker.files.acl import Ace, AceFlag, AceKind, Acl
from op_worker.files.model import REMOVED, CreateOptions, Existing, FileStat, MetadataChange, Target
from op_worker.files.rights.permissions import Operation as O  # noqa: N817 - short for the tables
from op_worker.files.service import FileService
from tests.support.spaces import (
    ALICE,
    BOB,
    OTHER_SPACE,
    SPACE,
    STRANGER,
    TEAM,
    Site,
    alice,
    bob,
    body,
    names_in,
    owner,
    path,
    read,
    reader,
)

NEW = CreateOptions()
ALL = int(O.READ_OBJECT | O.WRITE_OBJECT | O.READ_METADATA | O.WRITE_METADATA | O.READ_ATTRIBUTES)
ALL |= int(O.WRITE_ATTRIBUTES | O.DELETE | O.READ_ACL | O.WRITE_ACL)
GROUP, FILES, DIRECTORIES = AceFlag.IDENTIFIER_GROUP, AceFlag.FILE_INHERIT, AceFlag.DIRECTORY_INHERIT


def allow(who: str, mask: int, flags: int = 0) -> Ace:
    return Ace(AceKind.ALLOW, who, int(flags), int(mask))


def deny(who: str, mask: int, flags: int = 0) -> Ace:
    return Ace(AceKind.DENY, who, int(flags), int(mask))


async def refused(work: Awaitable[object], errno: Errno = Errno.EACCES) -> str:
    """Demand that work is refused; return why."""
    with pytest.raises(Posix) as caught:
        await work
    assert caught.value.errno is errno
    return caught.value.reason or caught.value.hint or ""


async def make(files: FileService, text: str, data: bytes = b"data") -> FileStat:
    """Make a file of Alice's."""
    stat, _ = await files.replace_content(alice, path(text), body(data), expected_b=len(data), create=NEW)
    return stat


async def acl_of(files: FileService, text: str) -> Acl | None:
    return (await files.stat(owner, path(text))).acl


@ensureDeferred
async def test_a_list_decides_instead_of_the_mode_and_removing_it_brings_the_mode_back(
    files: FileService,
) -> None:
    await make(files, "f")
    stat = await files.acls.set(alice, path("f"), (allow(ALICE, ALL),))
    assert stat.acl == (allow(ALICE, ALL),) and stat.mode == 0o664
    assert await read(files, path("f"), alice) == b"data"
    assert "no entry of the ACL of /f allows read_object" in await refused(read(files, path("f"), bob))
    assert await files.acls.get(alice, path("f")) == (allow(ALICE, ALL),)
    assert (await files.acls.set(alice, path("f"), ())).acl is None
    assert await read(files, path("f"), bob) == b"data"


@ensureDeferred
async def test_a_mode_removes_the_list(files: FileService) -> None:
    await make(files, "f")
    await files.acls.set(alice, path("f"), (allow(ALICE, ALL),))
    stat = await files.set_mode(alice, path("f"), 0o640)
    assert (stat.acl, stat.mode) == (None, 0o640)
    assert await read(files, path("f"), bob) == b"data"


@ensureDeferred
async def test_setting_and_reading_a_list_need_their_bits_and_nothing_else(files: FileService) -> None:
    await make(files, "f")
    await refused(files.acls.set(bob, path("f"), (allow(BOB, ALL),)))
    await files.acls.set(alice, path("f"), (allow(BOB, O.WRITE_ACL),))
    await refused(files.acls.get(bob, path("f")))
    await refused(files.acls.set(alice, path("f"), ()))
    assert "only" not in await refused(files.set_mode(alice, path("f"), 0o600))
    await files.acls.set(bob, path("f"), (allow(BOB, O.READ_ACL),))
    assert await files.acls.get(bob, path("f")) == (allow(BOB, O.READ_ACL),)


@ensureDeferred
async def test_only_an_owner_of_the_space_opens_a_file_that_everybody_is_locked_out_of(
    files: FileService,
) -> None:
    await make(files, "f")
    await files.acls.set(alice, path("f"), (deny("EVERYONE@", ALL),))
    for caller in (alice, bob):
        await refused(read(files, path("f"), caller))
        await refused(files.acls.set(caller, path("f"), ()))
    await files.acls.set(owner, path("f"), ())
    assert await read(files, path("f"), alice) == b"data"


@ensureDeferred
async def test_groups_are_those_that_the_user_is_effectively_in(files: FileService) -> None:
    await make(files, "f")
    await files.acls.set(alice, path("f"), (allow(TEAM, O.READ_OBJECT, GROUP),))
    assert await read(files, path("f"), bob) == b"data"
    await refused(read(files, path("f"), alice))


@ensureDeferred
async def test_a_privilege_is_needed_whatever_the_list_says(files: FileService) -> None:
    await make(files, "f")
    await files.acls.set(alice, path("f"), (allow("EVERYONE@", ALL),))
    assert await read(files, path("f"), reader) == b"data"
    write = files.write_content(reader, path("f"), 0, body(b"x"), expected_b=1)
    assert await refused(write) == "privilege space_write_data is missing"


@ensureDeferred
async def test_a_list_of_a_directory_above_decides_who_passes(files: FileService) -> None:
    await files.create_directory(alice, path("d"), NEW)
    await files.create_directory(alice, path("d/e"), NEW)
    await make(files, "d/e/f")
    everything = allow(ALICE, 0x701FF)
    await files.acls.set(alice, path("d"), (deny(BOB, O.TRAVERSE), allow("GROUP@", O.TRAVERSE), everything))
    reason = await refused(read(files, path("d/e/f"), bob))
    assert reason == f"entry 1 of the ACL of /d denies traverse: DENY {BOB} traverse"
    assert await read(files, path("d/e/f"), reader) == b"data"
    await refused(files.stat(bob, path("d/e/missing")))


@ensureDeferred
async def test_attributes_are_shown_to_whom_may_pass(files: FileService) -> None:
    await make(files, "f")
    await files.acls.set(alice, path("f"), (deny("EVERYONE@", ALL),))
    assert (await files.stat(bob, path("f"))).size_b == 4


@ensureDeferred
async def test_new_files_inherit_what_their_directory_hands_on(files: FileService) -> None:
    await files.create_directory(alice, path("d"), NEW)
    mine = allow("OWNER@", 0x701FF, FILES | DIRECTORIES)
    await files.acls.set(alice, path("d"), (mine, allow(BOB, O.READ_OBJECT, FILES | AceFlag.INHERIT_ONLY)))
    await make(files, "d/f")
    await files.create_directory(alice, path("d/e"), NEW)
    await make(files, "d/e/g")
    await files.create_symlink(alice, path("d/l"), CreateOptions(symlink_target="f"))
    expected = (
        allow("OWNER@", 0x7019B, AceFlag.INHERITED),
        allow(BOB, O.READ_OBJECT, AceFlag.INHERITED),
    )
    for text in ("d/f", "d/e/g", "d/l"):
        assert await acl_of(files, text) == expected
    assert await acl_of(files, "d/e") == (
        allow("OWNER@", 0x701FF, FILES | DIRECTORIES | AceFlag.INHERITED),
        allow(BOB, O.READ_OBJECT, FILES | AceFlag.INHERIT_ONLY | AceFlag.INHERITED),
    )
    assert await read(files, path("d/f"), alice) == b"data"


@ensureDeferred
async def test_missing_directories_on_the_way_inherit_too(files: FileService) -> None:
    await files.create_directory(alice, path("d"), NEW)
    await files.acls.set(alice, path("d"), (allow("OWNER@", 0x701FF, FILES | DIRECTORIES),))
    await files.create_file(alice, path("d/a/b/f"), CreateOptions(create_parents=True))
    for text in ("d/a", "d/a/b", "d/a/b/f"):
        assert await acl_of(files, text) is not None


@ensureDeferred
async def test_a_list_given_at_creation_takes_the_place_of_what_is_inherited(files: FileService) -> None:
    await files.create_directory(alice, path("d"), NEW)
    await files.acls.set(alice, path("d"), (allow("OWNER@", 0x701FF, FILES),))
    given = (allow("GROUP@", O.READ_OBJECT),)
    await files.create_file(alice, path("d/f"), CreateOptions(acl=given))
    assert await acl_of(files, "d/f") == given
    wrong = CreateOptions(acl=(allow(STRANGER, O.READ_OBJECT),))
    await refused(files.create_file(alice, path("d/g"), wrong), Errno.EINVAL)
    assert await names_in(files, path("d")) == ["f"]


@ensureDeferred
async def test_copies_keep_the_list_and_moves_take_it_along(files: FileService) -> None:
    await files.create_directory(alice, path("d"), NEW)
    await make(files, "d/f")
    acl = (allow("OWNER@", ALL), allow(BOB, O.READ_OBJECT | O.READ_METADATA))
    on_directory = (allow("GROUP@", 0x701FF),)
    await files.acls.set(alice, path("d"), on_directory)
    await files.acls.set(alice, path("d/f"), acl)
    await files.copy(alice, path("d"), path("c"))
    await files.move(alice, path("d"), path("m"))
    other = Target(space_root_guid(OTHER_SPACE), ("c",))
    await files.copy(alice, path("c/f"), other)
    assert (await acl_of(files, "c"), await acl_of(files, "m")) == (on_directory, on_directory)
    assert (await acl_of(files, "c/f"), await acl_of(files, "m/f")) == (acl, acl)
    assert (await files.stat(owner, other)).acl == acl
    await refused(files.copy(bob, path("m/f"), path("x")))  # without READ_ACL it could not be kept


@ensureDeferred
async def test_content_and_list_change_in_one_commit(files: FileService) -> None:
    await make(files, "f")
    change = MetadataChange(acl=(allow("OWNER@", ALL),), set_xattrs={"k": 1})
    await files.replace_content(alice, path("f"), body(b"new"), expected_b=3, metadata=change)
    assert await acl_of(files, "f") == (allow("OWNER@", ALL),)
    assert (await files.metadata.xattrs(alice, path("f")))["k"] == 1
    await refused(files.metadata.change(bob, path("f"), MetadataChange(acl=REMOVED)))
    await files.metadata.change(alice, path("f"), MetadataChange(acl=REMOVED))
    assert await acl_of(files, "f") is None


@ensureDeferred
async def test_the_feed_tells_of_a_new_list(site: Site, files: FileService) -> None:
    stat = await make(files, "f")
    before = await site.engine.last_seq(Scope(SPACE))
    await files.acls.set(alice, path("f"), (allow("OWNER@", ALL),))
    news = await site.engine.changes(Scope(SPACE), before, 9)
    assert [change.key for change in news] == [Key(stat.guid.uuid)]


@pytest.mark.parametrize(
    ("acl", "errno", "reason"),
    [
        ((allow(STRANGER, 1),), Errno.EINVAL, f"the space has no user {STRANGER}"),
        ((allow(TEAM, 1),), Errno.EINVAL, f"the space has no user {TEAM}"),
        ((allow(ALICE, 1, GROUP),), Errno.EINVAL, f"the space has no group {ALICE}"),
        ((allow("NOBODY@", 1),), Errno.EINVAL, "the space has no user NOBODY@"),
        ((allow(ALICE, 1), allow(ALICE, 0x40)), Errno.EINVAL, "entry 2 of the ACL: the mask bits 0x40"),
        ((allow(ALICE, 0x800),), Errno.EINVAL, "the mask bits 0x800 mean nothing"),
        ((allow(ALICE, 1, 0x10),), Errno.EINVAL, "unknown flags 0x10"),
        ((allow(ALICE, 1, FILES),), Errno.EINVAL, "only directories"),
        ((allow(ALICE, 1),) * 1025, Errno.E2BIG, "up to 1024 entries"),
        ((allow(ALICE, 1),) * 10_000, Errno.E2BIG, "this one has 10000"),
    ],
)
@ensureDeferred
async def test_a_wrong_list_is_refused_in_words_and_changes_nothing(
    files: FileService, acl: Acl, errno: Errno, reason: str
) -> None:
    await make(files, "f")
    assert reason in await refused(files.acls.set(alice, path("f"), acl), errno)
    assert await acl_of(files, "f") is None


@ensureDeferred
async def test_a_list_of_the_greatest_length_is_kept_in_its_order(files: FileService) -> None:
    await make(files, "f")
    acl = (*(deny(BOB, 1 << number % 2) for number in range(1023)), allow("OWNER@", ALL))
    await files.acls.set(alice, path("f"), acl)
    assert await files.acls.get(alice, path("f")) == acl
    assert await read(files, path("f"), alice) == b"data"


@ensureDeferred
async def test_who_left_the_space_may_stay_in_a_list(site: Site, files: FileService) -> None:
    await make(files, "f")
    acl = (allow(BOB, O.READ_OBJECT), allow("OWNER@", ALL))
    await files.acls.set(alice, path("f"), acl)
    before = await site.zone.space(SPACE)
    assert before is not None
    left = {user: held for user, held in before.user_privileges.items() if user != BOB}
    site.zone.put_space(evolve(before, user_privileges=left))
    try:
        await files.acls.set(alice, path("f"), (acl[1], acl[0]))
        await refused(files.acls.set(alice, path("f"), (allow(STRANGER, 1),)), Errno.EINVAL)
    finally:
        site.zone.put_space(before)


@ensureDeferred
async def test_the_root_of_a_space_has_no_list(files: FileService) -> None:
    for caller in (owner, alice):
        with pytest.raises(Posix):
            await files.acls.set(caller, path(""), (allow("GROUP@", 0x701FF),))
    assert (await files.stat(owner, path(""))).acl is None


@ensureDeferred
async def test_updating_an_existing_file_replaces_its_list_only_by_a_mode(files: FileService) -> None:
    await make(files, "f")
    await files.acls.set(alice, path("f"), (allow("OWNER@", ALL),))
    update = CreateOptions(existing=Existing.UPDATE)
    assert (await files.create_file(alice, path("f"), update)).acl is not None
    assert (await files.create_file(alice, path("f"), evolve(update, mode=0o640))).acl is None


@ensureDeferred
async def test_owners_set_times_of_files_that_they_may_not_write(files: FileService) -> None:
    await make(files, "f")
    await files.set_mode(alice, path("f"), 0o444)
    assert (await files.set_times(alice, path("f"), None, 5.0)).mtime_s == 5.0
    await refused(files.set_times(bob, path("f"), None, 6.0))
    await files.set_mode(alice, path("f"), 0o464)
    assert (await files.set_times(bob, path("f"), None, 7.0)).mtime_s == 7.0
    await files.acls.set(alice, path("f"), (allow(BOB, O.WRITE_ATTRIBUTES),))
    assert (await files.set_times(bob, path("f"), None, 8.0)).mtime_s == 8.0
    assert (await files.set_times(alice, path("f"), None, 9.0)).mtime_s == 9.0


@ensureDeferred
async def test_a_directory_is_moved_without_a_look_into_it_and_removed_with_one(files: FileService) -> None:
    await files.create_directory(alice, path("d"), NEW)
    await files.acls.set(alice, path("d"), (allow("OWNER@", 0x701FE),))
    await files.move(alice, path("d"), path("e"))
    await refused(files.remove(alice, path("e")))
    await files.acls.set(alice, path("e"), (allow("OWNER@", 0x701FF),))
    await files.remove(alice, path("e"))


@ensureDeferred
async def test_hard_links_share_the_list_of_their_file(files: FileService) -> None:
    stat = await make(files, "f")
    await files.create_link(alice, path("g"), stat.guid, NEW)
    await files.acls.set(alice, path("g"), (allow("OWNER@", ALL),))
    await refused(read(files, path("f"), bob))
    assert await acl_of(files, "f") == (allow("OWNER@", ALL),)


@ensureDeferred
async def test_a_list_set_meanwhile_is_not_lost_by_a_change_of_metadata(files: FileService) -> None:
    await make(files, "f")
    await gatherResults(
        [
            Deferred.fromCoroutine(work)
            for work in (
                files.acls.set(alice, path("f"), (allow("OWNER@", ALL),)),
                files.metadata.change(alice, path("f"), MetadataChange(set_xattrs={"k": 1})),
                files.set_times(alice, path("f"), 1.0, 1.0),
            )
        ],
        consumeErrors=True,
    )
    assert await acl_of(files, "f") == (allow("OWNER@", ALL),)
    assert await files.metadata.xattrs(alice, path("f")) == {"k": 1}


@ensureDeferred
async def test_users_and_groups_are_shown_with_their_names(site: Site, files: FileService) -> None:
    await make(files, "f")
    acl = (allow(BOB, 1), allow(TEAM, 1, GROUP), allow("OWNER@", ALL))
    await files.acls.set(alice, path("f"), acl)
    shown = await files.acls.as_xattr(alice, path("f"))
    identifiers = [entry["identifier"] for entry in shown["cdmi_acl"]]  # type: ignore[index, union-attr, call-overload]  # JSON
    assert identifiers == [f"{BOB}#{BOB}", f"Team#{TEAM}", "OWNER@"]
