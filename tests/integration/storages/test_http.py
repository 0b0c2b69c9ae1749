"""Web servers in trouble: no ranges, changed files, other certificates, servers that are down."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from op_worker.storage.helper import StoragePath, StorageUnavailable
from tests.conformance.storage.enrolled.http import http
from tests.conformance.storage.places import refusal
from tests.support.storages.nginx_files import nginx_files
from tests.support.storages.web_folder import WebFolder

A = StoragePath("a")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebFolder]:
    with nginx_files(tmp_path_factory.mktemp("nginx")) as running:
        yield running


@ensureDeferred
async def test_everything_that_would_change_a_file_is_read_only(server: WebFolder) -> None:
    (server.folder / "a").write_bytes(b"hello")
    helper = http(server.url)
    file = await helper.open_read(A)
    for work in (
        helper.open_write(A),
        helper.open_update(A),
        helper.remove(A),
        file.write(0, b"x"),
        file.truncate(0),
    ):
        assert await refusal(work) == errno.EROFS
    assert (server.folder / "a").read_bytes() == b"hello"


@ensureDeferred
async def test_a_server_without_ranges_is_told_and_small_files_are_read_all_the_same(
    server: WebFolder,
) -> None:
    (server.folder / "rangeless" / "a").write_bytes(b"hello" * 1000)
    helper = http(f"{server.url}rangeless/")
    file = await helper.open_read(A)
    assert await refusal(file.read(10, 10)) == errno.ENOTSUP
    assert await refusal(file.read(0, 10)) == errno.ENOTSUP
    assert await file.read(0, 10_000) == b"hello" * 1000
    await helper.close()


@ensureDeferred
async def test_a_file_that_changes_while_open_is_stale(server: WebFolder) -> None:
    (server.folder / "changing").write_bytes(b"a" * 100)
    helper = http(server.url)
    file = await helper.open_read(StoragePath("changing"))
    (server.folder / "new").write_bytes(b"b" * 100)
    os.utime(server.folder / "new", (1, 1))
    (server.folder / "new").rename(server.folder / "changing")
    assert await refusal(file.read(0, 10)) == errno.ESTALE
    (server.folder / "changing").unlink()
    assert await refusal(file.read(0, 10)) == errno.ESTALE


@ensureDeferred
async def test_redirects_are_followed(server: WebFolder) -> None:
    (server.folder / "b").write_bytes(b"moved")
    helper = http(f"{server.url}moved/")
    file = await helper.open_read(StoragePath("b"))
    assert await file.read(0, 10) == b"moved"


@ensureDeferred
async def test_an_answer_below_500_tells_that_a_server_is_there(server: WebFolder, tmp_path: Path) -> None:
    await http(server.url).check()
    with nginx_files(tmp_path) as other:
        helper = http(other.url)
        await helper.check()
        other.server.kill()
        with pytest.raises(StorageUnavailable):
            await helper.check()


@ensureDeferred
async def test_a_certificate_that_nobody_vouches_for_is_refused_unless_that_is_wanted(
    server: WebFolder,
) -> None:
    (server.folder / "c").write_bytes(b"hello")
    with pytest.raises(StorageUnavailable, match="certificate"):
        await http(server.secure_url).check()
    helper = http(server.secure_url, verifyServerCertificate="false")
    assert (await helper.stat(StoragePath("c"))).size_b == 5


@ensureDeferred
async def test_connections_are_given_up_after_so_many_requests(server: WebFolder) -> None:
    (server.folder / "d").write_bytes(b"hello")
    helper = http(server.url, maxRequestsPerSession="3")
    for _ in range(10):
        assert (await helper.stat(StoragePath("d"))).size_b == 5
    await helper.close()
