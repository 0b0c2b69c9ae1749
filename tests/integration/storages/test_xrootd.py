"""The xrootd helper and what its server does to it."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from shutil import chown
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.task import LoopingCall

from op_worker.storage.helper import StoragePath, StorageUnavailable
from op_worker.storage.helpers.xrootd.helper import XROOTD
from tests.support.storages.making import made_helper
from tests.support.storages.trials import error_of, get, put, until_available, written_while_the_server_dies
from tests.support.storages.xrootd import XRootD, xrootd

pytestmark = pytest.mark.slow
A, B = StoragePath("a"), StoragePath("b")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[XRootD]:
    with xrootd(tmp_path_factory.mktemp("xrootd")) as running:
        yield running


@pytest.fixture
def folder(server: XRootD, request: pytest.FixtureRequest) -> Path:
    """An empty folder that the server serves."""
    made_folder: Path = server.data / request.node.name
    made_folder.mkdir()
    chown(made_folder, "xrootd", "xrootd")
    return made_folder


def helper_of(server: XRootD, base: str, **arguments: str) -> Any:
    url = f"root://127.0.0.1:{server.port}//{base}"
    return made_helper(XROOTD, {"url": url, **arguments}, {"credentialsType": "none"})


@ensureDeferred
async def test_a_path_for_reading_is_read_and_refuses_writes(server: XRootD) -> None:
    (server.data / "read_only/a").write_bytes(b"hello")
    helper = helper_of(server, "read_only")
    assert await get(helper, A) == b"hello"
    assert (await error_of(helper.open_write(B))).errno == errno.EROFS
    assert (await error_of(helper.remove(A))).errno == errno.EROFS
    await helper.close()


@pytest.mark.parametrize(
    "name", ["what?oss.cgroup=x", "two\nlines", "x" * 255], ids=["query", "lines", "long"]
)
@ensureDeferred
async def test_names_that_the_protocol_cannot_say_are_refused(
    server: XRootD, folder: Path, name: str
) -> None:
    helper = helper_of(server, folder.name)
    refused = await error_of(helper.open_write(StoragePath(name)))
    assert refused.errno in (errno.EINVAL, errno.ENAMETOOLONG)
    await put(helper, A, b"1")
    assert (await error_of(helper.rename(A, StoragePath(name)))).errno == refused.errno
    assert list(folder.iterdir()) == [folder / "a"]
    await helper.close()


@ensureDeferred
async def test_modes_of_new_files_are_masked(server: XRootD, folder: Path) -> None:
    helper = helper_of(server, folder.name, fileModeMask="0600", dirModeMask="0700")
    await put(helper, StoragePath("d/a"), b"1")
    assert [(folder / path).stat().st_mode & 0o777 for path in ("d", "d/a")] == [0o700, 0o600]
    await helper.close()


@ensureDeferred
async def test_a_file_without_permission_is_refused(server: XRootD, folder: Path) -> None:
    (folder / "a").write_bytes(b"secret")
    os.chmod(folder / "a", 0o600)  # it is root's, and the server is not
    helper = helper_of(server, folder.name)
    assert (await error_of(helper.open_read(A))).errno == errno.EACCES
    await helper.close()


@ensureDeferred
async def test_the_server_itself_follows_links(server: XRootD, folder: Path) -> None:
    (folder / "file").write_bytes(b"1")
    (folder / "link").symlink_to("file")
    helper = helper_of(server, folder.name)
    assert await get(helper, StoragePath("link")) == b"1"
    await helper.close()


@ensureDeferred
async def test_a_server_that_stands_still_is_waited_for_no_longer_than_the_timeout(
    server: XRootD, folder: Path
) -> None:
    helper = helper_of(server, folder.name, timeout="2000")
    await put(helper, A, b"1")
    turns: list[float] = []
    turning = LoopingCall(lambda: turns.append(time.monotonic()))
    done = turning.start(0.05)
    with server.process.paused():
        late = await error_of(helper.stat(A))
    turning.stop()
    await done
    assert isinstance(late, StorageUnavailable)
    assert late.errno == errno.ETIMEDOUT
    assert max(after - before for before, after in pairwise(turns)) < 1.0
    await until_available(helper)
    assert await get(helper, A) == b"1"
    await helper.close()


@ensureDeferred
async def test_nothing_acknowledged_is_lost_when_the_server_dies_amid_writes(
    server: XRootD, folder: Path
) -> None:
    helper = helper_of(server, folder.name)
    await written_while_the_server_dies(helper, server.process.kill, server.process.start)
    await helper.close()


@ensureDeferred
async def test_a_file_that_was_open_when_the_server_died_is_stale(server: XRootD, folder: Path) -> None:
    helper = helper_of(server, folder.name)
    await put(helper, A, b"hello")
    file = await helper.open_update(A)
    server.process.kill()
    assert (await error_of(file.read(0, 5))).errno in (errno.ESTALE, errno.ENOTCONN)
    server.process.start()
    await until_available(helper)
    assert (await error_of(file.read(0, 5))).errno in (errno.ESTALE, errno.EBADF)
    assert (await error_of(file.write(0, b"J"))).errno in (errno.ESTALE, errno.EBADF)
    await file.close()
    assert await get(helper, A) == b"hello"
    await helper.close()
