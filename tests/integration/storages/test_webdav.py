"""WebDAV servers in trouble: wrong credentials, changes behind our back, vanished roots, restarts."""

from __future__ import annotations

import errno
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from op_worker.storage.helper import StorageError, StoragePath, StorageUnavailable
from op_worker.storage.helpers.webdav.open_files import HELD
from tests.conformance.storage.enrolled.webdav import make_place, webdav
from tests.conformance.storage.places import refusal
from tests.support.storages.apache_dav import apache_dav
from tests.support.storages.nginx_dav import nginx_dav
from tests.support.storages.web_folder import WebFolder

A, B = StoragePath("a"), StoragePath("b")
MIB = 1 << 20
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def apache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebFolder]:
    with apache_dav(tmp_path_factory.mktemp("apache")) as server:
        yield server


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebFolder]:
    with nginx_dav(tmp_path_factory.mktemp("nginx")) as server:
        yield server


async def put(helper: Any, path: str, data: bytes) -> None:
    file = await helper.open_write(StoragePath(path))
    await file.write(0, data)
    await file.close()


@ensureDeferred
async def test_wrong_credentials_are_refused_in_the_words_of_the_server(apache: WebFolder) -> None:
    helper = webdav(apache, make_place(apache, "wrong"), "moddav")
    stranger = helper.for_user({"credentials": "user:wrong"})
    with pytest.raises(StorageError, match="401 Unauthorized") as caught:
        await stranger.check()
    assert caught.value.errno == errno.EACCES
    assert not isinstance(caught.value, StorageUnavailable)
    await helper.check()


@ensureDeferred
async def test_a_read_only_share_gives_reads_and_refuses_writes(apache: WebFolder) -> None:
    (apache.folder / "readonly" / "a").write_bytes(b"hello")
    helper = webdav(apache, f"{apache.url}readonly/", "moddav")
    file = await helper.open_read(A)
    assert await file.read(0, 10) == b"hello"
    assert await refusal(helper.open_write(B)) in (errno.EACCES, errno.EROFS)
    assert await refusal(helper.remove(A)) in (errno.EACCES, errno.EROFS)
    assert await file.read(0, 10) == b"hello"
    await file.close()


@ensureDeferred
async def test_a_file_replaced_behind_our_back_is_stale_and_never_mixed(apache: WebFolder) -> None:
    url = make_place(apache, "replaced")
    helper = webdav(apache, url, "moddav")
    await put(helper, "a", b"a" * 100)
    file = await helper.open_update(A)
    assert await file.read(0, 10) == b"a" * 10
    apache.session.put(f"{url}a", data=b"b" * 101, timeout=10).raise_for_status()
    assert await refusal(file.read(10, 10)) == errno.ESTALE
    assert await refusal(file.write(0, b"c")) == errno.ESTALE
    assert await refusal(file.truncate(1)) == errno.ESTALE
    await file.close()
    assert apache.session.get(f"{url}a", timeout=10).content == b"b" * 101


@ensureDeferred
async def test_a_file_removed_behind_our_back_is_stale_and_not_made_again(apache: WebFolder) -> None:
    url = make_place(apache, "removed")
    helper = webdav(apache, url, "moddav")
    await put(helper, "a", b"a" * 100)
    file = await helper.open_update(A)
    apache.session.delete(f"{url}a", timeout=10).raise_for_status()
    assert await refusal(file.read(0, 10)) == errno.ESTALE
    assert await refusal(file.write(50, b"c")) == errno.ESTALE
    assert await refusal(file.size()) == errno.ESTALE
    await file.close()
    assert await refusal(helper.stat(A)) == errno.ENOENT


@ensureDeferred
async def test_a_vanished_root_is_unavailable_and_nothing_is_said_to_be_missing(apache: WebFolder) -> None:
    helper = webdav(apache, make_place(apache, "vanishing"), "moddav")
    await put(helper, "a", b"hello")
    shutil.move(apache.folder / "vanishing", apache.folder / "elsewhere")
    works = [
        helper.check,
        *(lambda work=work: work(A) for work in (helper.stat, helper.open_read, helper.remove)),
    ]
    for work in (*works, lambda: helper.rename(A, B), lambda: helper.open_write(B)):
        with pytest.raises(StorageUnavailable):
            await work()
    shutil.move(apache.folder / "elsewhere", apache.folder / "vanishing")
    assert (await helper.stat(A)).size_b == 5


@ensureDeferred
async def test_what_was_moved_aside_is_gone_after_the_last_handle(apache: WebFolder) -> None:
    helper = webdav(apache, make_place(apache, "aside"), "moddav")
    await put(helper, "a", b"hello")
    file = await helper.open_read(A)
    await helper.remove(A)
    held = apache.folder / "aside" / HELD
    assert len([each for each in held.rglob("*") if each.is_file()]) == 1
    await file.close()
    assert [each for each in held.rglob("*") if each.is_file()] == []
    await helper.close()
    assert list(held.iterdir()) == []


@ensureDeferred
async def test_a_directory_with_something_in_it_is_never_deleted(apache: WebFolder) -> None:
    helper = webdav(apache, make_place(apache, "full"), "moddav")
    await put(helper, "d/a", b"hello")
    assert await refusal(helper.remove_directory(StoragePath("d"))) == errno.ENOTEMPTY
    assert await refusal(helper.remove(StoragePath("d"))) == errno.EISDIR
    assert (await helper.stat(StoragePath("d/a"))).size_b == 5


@ensureDeferred
async def test_a_server_that_is_down_is_unavailable_and_used_again_when_it_is_back(tmp_path: Path) -> None:
    with apache_dav(tmp_path) as server:
        helper = webdav(server, make_place(server, "down"), "moddav")
        await put(helper, "a", b"hello")
        file = await helper.open_update(A)
        server.server.kill()
        for work in (helper.check(), file.read(0, 1), file.write(0, b"J"), helper.open_write(B)):
            with pytest.raises(StorageUnavailable):
                await work
        server.server.start()
        await file.write(0, b"J")
        assert await file.read(0, 10) == b"Jello"
        await file.close()
        await helper.close()


@ensureDeferred
async def test_a_server_that_is_silent_is_given_up_after_the_timeout(tmp_path: Path) -> None:
    with nginx_dav(tmp_path) as server:
        helper = webdav(server, make_place(server, "silent"), "none", timeout="300")
        await helper.check()
        children = subprocess.run(
            ["pgrep", "-P", str(server.server.pid)], capture_output=True, text=True, check=True, timeout=10
        )
        subprocess.run(["kill", "-STOP", *children.stdout.split()], check=True, timeout=10)
        try:
            with pytest.raises(StorageUnavailable) as caught:
                await helper.check()
            assert caught.value.errno == errno.ETIMEDOUT
        finally:
            subprocess.run(["kill", "-CONT", *children.stdout.split()], check=True, timeout=10)
        await helper.check()
        await helper.close()


@ensureDeferred
async def test_an_upload_that_a_server_finds_too_long_is_told_at_the_latest_by_sync(nginx: WebFolder) -> None:
    helper = webdav(nginx, f"{nginx.url}small/", "none")
    file = await helper.open_write(A)
    try:
        await file.write(0, bytes(500))
        await file.write(500, bytes(MIB))
        await file.sync()
        told = 0
    except StorageError as error:
        told = error.errno
    assert told == errno.EFBIG
    assert await refusal(file.sync()) == errno.EFBIG
    await file.close()
    await helper.remove(A)


@ensureDeferred
async def test_a_limit_for_uploads_cuts_writes_inside_and_refuses_longer_wholes(apache: WebFolder) -> None:
    place = make_place(apache, "limited")
    helper = webdav(apache, place, "moddav", maximumUploadSize="1000")
    data = bytes(range(250)) * 17
    await put(helper, "a", data)
    assert (apache.folder / "limited" / "a").read_bytes() == data
    wholes = webdav(apache, place, "none", maximumUploadSize="1000")
    file = await wholes.open_write(B)
    assert await refusal(file.write(0, data)) == errno.EFBIG
    await file.close()


@ensureDeferred
async def test_a_certificate_that_nobody_vouches_for_is_refused_unless_that_is_wanted(
    apache: WebFolder,
) -> None:
    make_place(apache, "tls")
    url = f"{apache.secure_url}tls/"
    with pytest.raises(StorageUnavailable, match="certificate"):
        await webdav(apache, url, "moddav").check()
    helper = webdav(apache, url, "moddav", verifyServerCertificate="false")
    await put(helper, "a", b"hello" * MIB)
    assert (await helper.stat(A)).size_b == 5 * MIB
    await helper.close()


@ensureDeferred
async def test_files_beyond_the_limit_are_not_sent_anew_to_change_something_inside(nginx: WebFolder) -> None:
    helper = webdav(nginx, make_place(nginx, "large"), "none")
    with open(nginx.folder / "large" / "a", "wb") as file:
        file.truncate(65 * MIB)
    opened = await helper.open_update(A)
    assert await refusal(opened.write(5, b"x")) == errno.ENOTSUP
    assert await refusal(opened.truncate(65 * MIB - 1)) == errno.ERANGE
    await opened.truncate(7)
    assert await opened.size() == 7
    await opened.close()
