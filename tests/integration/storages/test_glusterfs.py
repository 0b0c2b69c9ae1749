"""The glusterfs helper and what its servers do to it."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from op_worker.storage.helper import StoragePath, StorageUnavailable
from op_worker.storage.helpers.glusterfs.helper import GLUSTERFS
from tests.conformance.storage.enrolled.glusterfs import MountedVolume, mounted_volume
from tests.support.storages.glusterd import VOLUME
from tests.support.storages.making import made_helper
from tests.support.storages.trials import error_of, get, put, until_available, written_while_the_server_dies

pytestmark = pytest.mark.slow
A, B = StoragePath("a"), StoragePath("b")


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MountedVolume]:
    with mounted_volume(tmp_path_factory.mktemp("glusterd")) as running:
        yield running


@pytest.fixture
def folder(volume: MountedVolume, request: pytest.FixtureRequest) -> str:
    """An empty folder of the volume."""
    name: str = request.node.name
    (volume.mount / name).mkdir()
    return name


def glusterfs(volume: MountedVolume, folder: str, other: Mapping[str, str] = MappingProxyType({})) -> Any:
    place = {"volume": VOLUME, "hostname": volume.server.address, "mountPoint": folder}
    return made_helper(GLUSTERFS, {**place, **other}, {})


@pytest.mark.parametrize(
    "wrong", [{"volume": "none"}, {"mountPoint": "/no/where"}, {"hostname": "127.7.7.7"}, {"port": "1"}]
)
@ensureDeferred
async def test_what_there_is_not_makes_the_storage_unavailable(
    volume: MountedVolume, wrong: dict[str, str]
) -> None:
    helper = glusterfs(volume, "", wrong)
    assert isinstance(await error_of(helper.check()), StorageUnavailable)
    assert isinstance(await error_of(helper.stat(A)), StorageUnavailable)
    await helper.close()


@ensureDeferred
async def test_what_is_acknowledged_has_reached_the_brick(volume: MountedVolume, folder: str) -> None:
    helper = glusterfs(volume, folder)
    file = await helper.open_write(A)
    await file.write(0, b"hello")
    assert (volume.server.brick / folder / "a").read_bytes() == b"hello"
    await file.close()
    await helper.close()


@ensureDeferred
async def test_users_act_under_their_own_numbers_and_in_no_group_of_ours(
    volume: MountedVolume, folder: str
) -> None:
    helper = glusterfs(volume, folder)
    await put(helper, StoragePath("d/ours"), b"ours")
    await helper.set_mode(StoragePath("d/ours"), 0o660)
    await helper.set_mode(StoragePath("d"), 0o777)
    user = helper.for_user({"uid": "1234", "gid": "4321"})
    await put(user, StoragePath("d/mine"), b"mine")
    found = (volume.mount / folder / "d/mine").stat()
    assert (found.st_uid, found.st_gid) == (1234, 4321)
    assert (await error_of(user.open_read(StoragePath("d/ours")))).errno == errno.EACCES
    await helper.close()


@ensureDeferred
async def test_links_that_somebody_planted_are_not_followed(volume: MountedVolume, folder: str) -> None:
    helper = glusterfs(volume, folder)
    await put(helper, StoragePath("d/a"), b"1")
    for name, target in (("out", "/"), ("in", "d"), ("file", "d/a"), ("up", "..")):
        (volume.mount / folder / name).symlink_to(target)
    for path in ("out/a", "in/a", "file", "up/a"):
        for refused in (
            helper.open_read(StoragePath(path)),
            helper.open_write(StoragePath(path)),
            helper.set_mode(StoragePath(path), 0o777),
        ):
            assert (await error_of(refused)).errno in (errno.ELOOP, errno.ENOTDIR)
    assert (await error_of(helper.rename(StoragePath("d/a"), StoragePath("in/b")))).errno == errno.ENOTDIR
    assert (await error_of(helper.list_directory(StoragePath("in")))).errno == errno.ENOTDIR
    assert (await helper.stat(StoragePath("file"))).is_other
    await helper.close()


@ensureDeferred
async def test_a_volume_for_reading_is_read_and_refuses_writes(volume: MountedVolume, folder: str) -> None:
    (volume.mount / folder / "a").write_bytes(b"hello")
    helper = glusterfs(volume, folder)
    volume.server.gluster("volume", "set", VOLUME, "features.read-only", "on")
    try:
        reading = glusterfs(volume, folder)
        assert await get(reading, A) == b"hello"
        assert (await error_of(reading.open_write(B))).errno == errno.EROFS
        await reading.close()
    finally:
        volume.server.gluster("volume", "set", VOLUME, "features.read-only", "off")
    await until_available(helper)
    await helper.close()


@ensureDeferred
async def test_nothing_acknowledged_is_lost_when_the_brick_dies_amid_writes(
    volume: MountedVolume, folder: str
) -> None:
    helper = glusterfs(volume, folder)
    await written_while_the_server_dies(helper, volume.server.kill_brick, volume.server.start_brick)
    await helper.close()
