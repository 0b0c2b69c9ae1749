"""The nfs helper and what its server does to it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from op_worker.storage.helper import StorageError, StoragePath, StorageUnavailable
from op_worker.storage.helpers.native.open_files import HIDDEN_FOLDER
from op_worker.storage.helpers.nfs.helper import NFS
from op_worker.storage.types import Durability
from tests.support.storages.ganesha import MOUNT_PORT, PORT, Ganesha, ganesha
from tests.support.storages.making import made
from tests.support.storages.trials import error_of, get, put, until_available, written_while_the_server_dies

pytestmark = pytest.mark.slow
A, B = StoragePath("a"), StoragePath("b")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ganesha]:
    with ganesha(tmp_path_factory.mktemp("ganesha")) as running:
        yield running


@pytest.fixture
def folder(server: Ganesha, request: pytest.FixtureRequest) -> Path:
    """An empty folder of the export."""
    made_folder: Path = server.export / request.node.name
    made_folder.mkdir()
    return made_folder


def nfs(server: Ganesha, volume: Path, durability: Durability = Durability.PROCESS, **arguments: str) -> Any:
    host = f"{server.address}:{PORT}:{MOUNT_PORT}"
    return made(NFS, reactor, durability, {}, host=host, volume=str(volume), **arguments)


@ensureDeferred
async def test_an_export_that_there_is_not_makes_the_storage_unavailable_in_the_words_of_the_server(
    server: Ganesha,
) -> None:
    helper = nfs(server, Path("/no/such/export"))
    refused = await error_of(helper.check())
    assert isinstance(refused, StorageUnavailable)
    assert "MNT3ERR" in str(refused)
    assert isinstance(await error_of(helper.stat(A)), StorageUnavailable)
    await helper.close()


@ensureDeferred
async def test_an_export_for_reading_is_read_and_refuses_writes(server: Ganesha) -> None:
    (server.read_only / "a").write_bytes(b"hello")
    helper = nfs(server, server.read_only)
    assert await get(helper, A) == b"hello"
    assert (await error_of(helper.open_write(B))).errno == errno.EROFS
    assert (await error_of(helper.remove(A))).errno == errno.EROFS
    await helper.close()


@ensureDeferred
async def test_a_full_export_says_so_and_keeps_what_was_acknowledged(server: Ganesha) -> None:
    helper = nfs(server, server.small)
    await put(helper, A, b"kept" * 1000)
    assert (await error_of(put(helper, B, bytes(4 << 20)))).errno == errno.ENOSPC
    assert await get(helper, A) == b"kept" * 1000
    await helper.remove(B)
    await helper.close()


@ensureDeferred
async def test_users_act_under_their_own_numbers(server: Ganesha, folder: Path) -> None:
    helper = nfs(server, folder)
    await put(helper, StoragePath("d/x"), b"")
    await helper.set_mode(StoragePath("d"), 0o777)
    mine = StoragePath("d/mine")
    user = helper.for_user({"uid": "1234", "gid": "4321"})
    await put(user, mine, b"mine")
    found = (folder / mine).stat()
    assert (found.st_uid, found.st_gid) == (1234, 4321)
    await helper.set_mode(mine, 0o600)
    other = helper.for_user({"uid": "999", "gid": "999"})
    assert (await error_of(other.open_read(mine))).errno == errno.EACCES
    assert await get(helper, mine) == b"mine"
    await helper.close()


@pytest.mark.parametrize("caching", ["true", "false"])
@ensureDeferred
async def test_a_user_who_may_not_read_a_directory_does_not_see_it_from_the_cache_of_another(
    server: Ganesha, folder: Path, caching: str
) -> None:
    helper = nfs(server, folder, dirCache=caching, connectionPoolSize="1")
    await put(helper, StoragePath("d/secret"), b"1")
    await helper.set_mode(StoragePath("d"), 0o700)
    assert await helper.list_directory(StoragePath("d")) == ["secret"]
    stranger = helper.for_user({"uid": "999", "gid": "999"})
    assert (await error_of(stranger.list_directory(StoragePath("d")))).errno == errno.EACCES
    await helper.close()


@ensureDeferred
async def test_links_that_somebody_planted_are_not_followed(server: Ganesha, folder: Path) -> None:
    helper = nfs(server, folder)
    await put(helper, StoragePath("d/a"), b"1")
    (folder / "out").symlink_to("/etc")
    (folder / "in").symlink_to("d")
    (folder / "file").symlink_to("d/a")
    for path in ("out/passwd", "in/a", "file"):
        for refused in (
            helper.open_read(StoragePath(path)),
            helper.open_write(StoragePath(path)),
            helper.open_update(StoragePath(path)),
        ):
            assert (await error_of(refused)).errno in (errno.ELOOP, errno.ENOTDIR, errno.EINVAL)
    for refused in (
        helper.remove(StoragePath("in/a")),
        helper.rename(StoragePath("in/a"), B),
        helper.rename(StoragePath("d/a"), StoragePath("in/b")),
        helper.make_directory(StoragePath("in/e")),
        helper.list_directory(StoragePath("in")),
        helper.set_mode(StoragePath("in/a"), 0o777),
    ):
        assert (await error_of(refused)).errno in (errno.ELOOP, errno.ENOTDIR)
    assert (await helper.stat(StoragePath("file"))).is_other
    assert await get(helper, StoragePath("d/a")) == b"1"
    await helper.close()


@ensureDeferred
async def test_a_removed_file_that_is_open_is_hidden_and_gone_with_its_last_handle(
    server: Ganesha, folder: Path
) -> None:
    helper = nfs(server, folder)
    await put(helper, A, b"the one opened")
    file = await helper.open_read(A)
    await helper.remove(A)
    assert len(list((folder / HIDDEN_FOLDER).iterdir())) == 1
    assert await helper.list_directory(StoragePath("")) == []
    assert await file.read(0, 100) == b"the one opened"
    await file.close()
    assert list((folder / HIDDEN_FOLDER).iterdir()) == []
    await helper.close()


@ensureDeferred
async def test_a_file_that_another_client_removed_gives_its_bytes_or_estale_and_never_others(
    server: Ganesha, folder: Path
) -> None:
    helper, other = nfs(server, folder), nfs(server, folder)
    await put(helper, A, b"the one opened")
    file = await helper.open_read(A)
    await other.remove(A)
    await put(other, A, b"another file!!")
    try:
        found = await file.read(0, 100)
    except StorageError as error:
        assert error.errno == errno.ESTALE
    else:
        assert found == b"the one opened"
    await file.close()
    await helper.close()
    await other.close()


@ensureDeferred
async def test_what_is_read_ahead_is_not_older_than_what_this_process_wrote(
    server: Ganesha, folder: Path
) -> None:
    helper = nfs(server, folder, readAhead="65536")
    await put(helper, A, b"old" * 10000)
    reader, writer = await helper.open_read(A), await helper.open_update(A)
    assert await reader.read(0, 3) == b"old"
    await writer.write(0, b"new")
    assert await reader.read(0, 6) == b"newold"
    await reader.close()
    await writer.close()
    await helper.close()


@ensureDeferred
async def test_a_server_that_stands_still_is_waited_for_no_longer_than_the_timeout(
    server: Ganesha, folder: Path
) -> None:
    helper = nfs(server, folder, timeout="1000")
    await put(helper, A, b"1")
    with server.process.paused():
        late = await error_of(helper.stat(A))
        assert isinstance(late, StorageUnavailable)
        assert late.errno == errno.ETIMEDOUT
    await until_available(helper)
    assert await get(helper, A) == b"1"
    await helper.close()


@pytest.mark.parametrize("durability", list(Durability))
@ensureDeferred
async def test_nothing_acknowledged_is_lost_when_the_server_dies_amid_writes(
    server: Ganesha, folder: Path, durability: Durability
) -> None:
    helper = nfs(server, folder, durability)
    await written_while_the_server_dies(helper, server.process.kill, server.process.start)
    await helper.close()


@ensureDeferred
async def test_an_open_file_is_used_on_after_the_server_was_started_again(
    server: Ganesha, folder: Path
) -> None:
    helper = nfs(server, folder)
    await put(helper, A, b"hello")
    file = await helper.open_update(A)
    server.process.kill()
    assert isinstance(await error_of(file.read(0, 5)), StorageUnavailable)
    server.process.start()
    await until_available(helper)
    await file.write(0, b"J")
    assert await file.read(0, 5) == b"Jello"
    await file.close()
    await helper.close()


@ensureDeferred
async def test_small_files_are_written_and_read_by_version_4(server: Ganesha) -> None:
    (server.export / "four").write_bytes(b"hello")
    helper = nfs(server, Path("/export"), version="4")
    await helper.check()
    assert await get(helper, StoragePath("four")) == b"hello"
    assert "four" in await helper.list_directory(StoragePath(""))
    await helper.close()
