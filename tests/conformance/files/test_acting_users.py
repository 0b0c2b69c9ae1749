"""What users do with files on a posix storage is done under their uid and the gid of the space."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred

from onedata.errors import Errno, Posix
from op_worker.files.content.growing import Grown
from op_worker.files.model import CreateOptions
from op_worker.files.stored.paths import INODES, STAGING
from op_worker.mapping.entries import SpaceIds, StorageUser, Table
from op_worker.mapping.numbers import automatic_id
from op_worker.storage.helpers.posix.identity import can_act_as_others
from tests.support.keyed_storage import KEYED, KeyedHelper
from tests.support.mapped_site import MappedSite, mapped_site
from tests.support.spaces import ALICE, BOB, SPACE, STORAGE, alice, bob, body, path, read

needs_root = pytest.mark.skipif(not can_act_as_others(), reason="only root may act as other users")
GID = automatic_id(SPACE)
NEW = CreateOptions(create_parents=True)


@async_yield_fixture
async def site(tmp_path: Path) -> AsyncIterator[MappedSite]:
    site = await mapped_site(tmp_path / "storage")
    yield site
    await site.files.stopService()


async def put(site: MappedSite, text: str, data: bytes) -> None:
    await site.files.replace_content(alice, path(text), body(data), expected_b=None, create=NEW)


def ids(site: MappedSite, name: str) -> tuple[int, int]:
    """Whose a file is on the storage."""
    found = (site.folder / SPACE / name).stat()
    return found.st_uid, found.st_gid


@needs_root
@ensureDeferred
async def test_file_written_whole_is_its_writers_and_its_spaces(site: MappedSite) -> None:
    for size_b in (3, 400_000):
        await put(site, f"d/{size_b}", bytes(size_b))
        assert ids(site, f"d/{size_b}") == (automatic_id(ALICE), GID)
        assert await read(site.files, path(f"d/{size_b}"), bob) == bytes(size_b)


@needs_root
@ensureDeferred
async def test_file_made_empty_is_its_makers(site: MappedSite) -> None:
    await site.files.create_file(alice, path("f"), NEW)
    assert ids(site, "f") == (automatic_id(ALICE), GID)


@needs_root
@ensureDeferred
async def test_file_stays_its_owners_when_another_replaces_or_changes_its_content(site: MappedSite) -> None:
    await put(site, "f", b"hers")
    await site.files.replace_content(bob, path("f"), body(b"his"), expected_b=None)
    assert ids(site, "f") == (automatic_id(ALICE), GID)
    await site.files.write_content(bob, path("f"), 1, body(b"at once"), expected_b=None)
    await site.files.append_content(bob, path("f"), body(b"!"), expected_b=None)
    assert await read(site.files, path("f"), alice) == b"hat once!"
    assert ids(site, "f") == (automatic_id(ALICE), GID)


@needs_root
@ensureDeferred
async def test_copies_are_those_who_made_them(site: MappedSite) -> None:
    await put(site, "d/f", b"hers")
    await site.files.copy(bob, path("d"), path("e"))
    assert ids(site, "e/f") == (automatic_id(BOB), GID)


@needs_root
@ensureDeferred
async def test_upload_in_parts_becomes_a_file_of_who_finishes_it(site: MappedSite) -> None:
    growing = site.files.growing
    storage_id = await growing.begin(bob, path("f"), NEW, 5)
    file = await growing.open(SPACE, storage_id, "upload")
    await file.write(0, b"parts")
    await file.close()
    await growing.place(bob, path("f"), NEW, Grown(storage_id, "upload", 5, b""), [])
    assert ids(site, "f") == (automatic_id(BOB), GID)


@needs_root
@ensureDeferred
async def test_what_the_storage_forbids_a_user_is_refused_with_eacces(site: MappedSite) -> None:
    await put(site, "f", bytes(100_000))
    (site.folder / SPACE / "f").chmod(0o600)
    assert await read(site.files, path("f"), alice) == bytes(100_000)
    for work in (
        site.files.open_content(bob, path("f")),
        site.files.write_content(bob, path("f"), 0, body(b"x"), expected_b=None),
    ):
        with pytest.raises(Posix) as refused:
            await work
        assert refused.value.errno is Errno.EACCES


@needs_root
@ensureDeferred
async def test_file_of_an_earlier_version_is_handed_over_when_it_is_first_written(site: MappedSite) -> None:
    await put(site, "f", b"hers")
    os.chown(site.folder / SPACE / "f", 0, 0)
    await site.files.append_content(bob, path("f"), body(b" and his"), expected_b=None)
    assert ids(site, "f") == (automatic_id(ALICE), GID)
    assert await read(site.files, path("f"), bob) == b"hers and his"


@needs_root
@ensureDeferred
async def test_file_of_somebody_else_on_the_storage_is_not_taken_over(site: MappedSite) -> None:
    await put(site, "f", b"hers")
    os.chown(site.folder / SPACE / "f", 5, 5)
    with pytest.raises(Posix) as refused:
        await site.files.append_content(alice, path("f"), body(b"x"), expected_b=None)
    assert refused.value.errno is Errno.EACCES
    assert ids(site, "f") == (5, 5)


@needs_root
@ensureDeferred
async def test_folders_of_the_system_are_shared_with_the_group_of_the_space(site: MappedSite) -> None:
    await put(site, "f", b"")
    for name in ("", STAGING, INODES):
        found = (site.folder / SPACE / name).stat()
        assert (found.st_gid, found.st_mode & 0o7777) == (GID, 0o2775)


@needs_root
@ensureDeferred
async def test_local_feed_gives_each_user_his_uid_and_the_space_its_gid(tmp_path: Path) -> None:
    site = await mapped_site(tmp_path / "storage", {"feed": "local", "tables": "t"})
    tables = site.mapping.table_set(site.record)
    assert tables is not None
    await site.mapping.tables.put(tables, Table.USERS, ALICE, StorageUser(credentials={"uid": "77"}))
    await site.mapping.tables.put(tables, Table.DEFAULTS, SPACE, SpaceIds(gid=88))
    await put(site, "f", b"hers")
    assert ids(site, "f") == (77, 88)
    await site.files.stopService()


@needs_root
@ensureDeferred
async def test_without_defaults_of_the_feed_the_group_is_that_of_the_mount_point(tmp_path: Path) -> None:
    site = await mapped_site(tmp_path / "storage", {"feed": "local"})
    os.chown(site.folder, 70, 99)
    tables = site.mapping.table_set(site.record)
    assert tables is not None
    await site.mapping.tables.put(tables, Table.USERS, ALICE, StorageUser(credentials={"uid": "77"}))
    await put(site, "f", b"hers")
    assert ids(site, "f") == (77, 99)
    await site.files.stopService()


@needs_root
@ensureDeferred
async def test_user_whom_the_feed_does_not_know_is_refused_and_loses_nothing(tmp_path: Path) -> None:
    site = await mapped_site(tmp_path / "storage", {"feed": "local"})
    for work in (
        site.files.replace_content(alice, path("f"), body(b"x"), expected_b=None, create=NEW),
        site.files.create_file(alice, path("f"), NEW),
    ):
        with pytest.raises(Posix) as refused:
            await work
        assert refused.value.errno is Errno.EACCES
    made = await site.files.create_directory(alice, path("d"), NEW)
    assert made.is_directory, "what needs no storage is no matter of the mapping"
    await site.files.stopService()


@ensureDeferred
async def test_on_other_storages_all_act_as_the_administrator_with_the_automatic_feed(tmp_path: Path) -> None:
    credentials = {"user": "admin", "key": "k"}
    site = await mapped_site(tmp_path / "s", type_=KEYED, credentials=credentials)
    await put(site, "f", b"hers")
    assert await read(site.files, path("f"), bob) == b"hers"
    await site.files.stopService()


@ensureDeferred
async def test_on_other_storages_a_feed_gives_each_user_credentials(tmp_path: Path) -> None:
    credentials = {"user": "admin", "key": "k"}
    site = await mapped_site(tmp_path / "s", {"feed": "external"}, type_=KEYED, credentials=credentials)
    site.feed.answers[Table.USERS, ALICE] = {"storageCredentials": {"user": "alice", "key": "a"}}
    storage = site.storages.get(STORAGE)
    assert storage is not None
    acting = site.files.context.acting
    view = await acting.storage_for(ALICE, SPACE, storage)
    assert isinstance(view.inner, KeyedHelper)
    assert (view.inner.user, view.record) == ("alice", storage.record)
    assert await acting.storage_for(ALICE, SPACE, storage) is view, "it is made once"
    with pytest.raises(Posix) as refused:
        await site.files.replace_content(bob, path("f"), body(b"x"), expected_b=None, create=NEW)
    assert refused.value.errno is Errno.EACCES
    await site.files.stopService()


@ensureDeferred
async def test_changed_credentials_count_from_the_next_use_on(tmp_path: Path) -> None:
    site = await mapped_site(
        tmp_path / "s", {"feed": "local"}, type_=KEYED, credentials={"user": "admin", "key": "k"}
    )
    storage, tables = site.storages.get(STORAGE), site.mapping.table_set(site.record)
    assert storage is not None and tables is not None
    seen = []
    for user in ("one", "two"):
        entry = StorageUser(credentials={"user": user, "key": "k"})
        await site.mapping.tables.put(tables, Table.USERS, ALICE, entry)
        await site.mapping.forget()
        view = await site.files.context.acting.storage_for(ALICE, SPACE, storage)
        seen.append(getattr(view.inner, "user", None))
    assert seen == ["one", "two"]
    await site.files.stopService()
