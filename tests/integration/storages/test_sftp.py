"""SSH servers in trouble: other keys, refused log-ins, restarts, links, full and read-only disks."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from op_worker.storage.helper import StorageError, StoragePath, StorageUnavailable
from op_worker.storage.helpers.sftp.storage_type import SFTP
from op_worker.storage.types import BadStorageError
from tests.conformance.storage.enrolled.sftp import sftp
from tests.conformance.storage.places import refusal
from tests.support.storages.making import made_helper
from tests.support.storages.sshd import PORT, Sshd, sshd

A = StoragePath("a")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@ensureDeferred
async def test_a_host_that_shows_another_key_is_refused(server: Sshd) -> None:
    other = server.make_key("other_host").with_suffix(".pub").read_text()
    with pytest.raises(StorageError, match="another key than hostKey: SHA256:") as caught:
        await sftp(server, str(server.data), hostKey=other).check()
    assert caught.value.errno == errno.EACCES
    assert not isinstance(caught.value, StorageUnavailable)


@ensureDeferred
async def test_a_host_is_known_by_its_fingerprint_too(server: Sshd) -> None:
    command = ["ssh-keygen", "-l", "-f", str(server.folder / "host_key.pub")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout
    helper = sftp(server, str(server.data), hostKey=printed.split()[1])
    await helper.check()
    await helper.close()


@ensureDeferred
async def test_a_login_that_is_refused_is_no_access(server: Sshd) -> None:
    stranger = server.make_key("stranger").read_text()
    with pytest.raises(StorageError, match="refuses the log-in") as caught:
        await sftp(server, str(server.data), privateKey=stranger).check()
    assert caught.value.errno == errno.EACCES


@pytest.mark.parametrize(
    "changes",
    [{"privateKey": "nonsense"}, {"hostKey": "nonsense"}, {"path": "relative"}, {"hostKey": "ssh-rsa !!"}],
)
def test_parameters_that_cannot_be_are_refused_with_a_sentence(server: Sshd, changes: dict[str, str]) -> None:
    with pytest.raises(BadStorageError, match=r"must|cannot"):
        sftp(server, changes.pop("path", str(server.data)), server.address, PORT, **changes)


def test_a_storage_with_nothing_to_log_in_by_is_refused(server: Sshd) -> None:
    arguments = {"host": "h", "path": "/", "hostKey": server.host_key}
    with pytest.raises(BadStorageError, match="password or a privateKey"):
        made_helper(SFTP, arguments, {"username": "u"})


@ensureDeferred
async def test_a_file_whose_connection_is_lost_is_stale_and_can_be_opened_anew(tmp_path: Path) -> None:
    with sshd(tmp_path) as running:
        helper = sftp(running, str(running.data))
        file = await helper.open_write(A)
        await file.write(0, b"hello")
        await file.sync()
        running.server.kill()
        _kill_sessions(running)
        with pytest.raises(StorageError) as caught:
            await file.read(0, 5)
        assert caught.value.errno in (errno.ESTALE, errno.EIO)
        assert await refusal(file.read(0, 5)) == errno.ESTALE
        with pytest.raises(StorageUnavailable):
            await helper.check()
        await file.close()
        running.server.start()
        again = await helper.open_read(A)
        assert await again.read(0, 10) == b"hello"
        await again.close()
        await helper.close()


@ensureDeferred
async def test_links_that_lead_outside_are_not_followed(server: Sshd) -> None:
    outside, inside = server.folder / "outside", server.data / "links"
    outside.mkdir()
    inside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (inside / "way").symlink_to(outside)
    (inside / "file").symlink_to(outside / "secret")
    helper = sftp(server, str(inside))
    assert await refusal(helper.open_read(StoragePath("way/secret"))) == errno.ELOOP
    assert await refusal(helper.remove(StoragePath("way/secret"))) == errno.ELOOP
    assert await refusal(helper.write_whole(StoragePath("way/new"), b"x")) == errno.ELOOP
    assert await refusal(helper.open_read(StoragePath("file"))) == errno.EINVAL
    assert await refusal(helper.open_write(StoragePath("file"))) == errno.EINVAL
    assert (await helper.stat(StoragePath("file"))).is_other
    assert sorted(each.name for each in outside.iterdir()) == ["secret"]
    await helper.close()


@ensureDeferred
async def test_a_full_disk_and_a_read_only_one_are_told_apart(server: Sshd) -> None:
    place = server.data / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(place)], check=True, timeout=10)
    try:
        helper = sftp(server, str(place))
        file = await helper.open_write(A)
        assert await refusal(file.write(0, bytes(1 << 20))) == errno.ENOSPC
        await file.close()
        await helper.remove(A)
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True, timeout=10)
        assert await refusal(helper.open_write(A)) == errno.EROFS
        await helper.close()
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True, timeout=10)


@ensureDeferred
async def test_a_missing_root_is_unavailable(server: Sshd) -> None:
    helper = sftp(server, str(server.folder / "nowhere"))
    for work in (helper.check(), helper.stat(A), helper.open_read(A), helper.open_write(A), helper.remove(A)):
        with pytest.raises(StorageUnavailable):
            await work
    await helper.close()


def _kill_sessions(running: Sshd) -> None:
    """End the processes of connections to this server, which outlive it."""
    command = ["ss", "-Htnp", "src", running.address]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout
    for pid in {part.split(",")[0] for part in found.split("pid=")[1:]} - {str(os.getpid())}:
        subprocess.run(["kill", "-KILL", pid], check=False, timeout=5)
