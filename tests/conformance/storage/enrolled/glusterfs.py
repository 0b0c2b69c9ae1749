"""The glusterfs helper against glusterd with a brick of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from op_worker.storage.helper import StorageHelper, StoragePath
from op_worker.storage.helpers.glusterfs.helper import GLUSTERFS
from tests.conformance.storage.enrolled.nfs import POWERS
from tests.conformance.storage.enrolment import Enrolled
from tests.support.storages.glusterd import VOLUME, Glusterd, glusterd
from tests.support.storages.making import made_helper


@frozen
class MountedVolume:
    """A server, and its volume as the system's own client shows it."""

    server: Glusterd
    mount: Path


@contextmanager
def mounted_volume(folder: Path) -> Iterator[MountedVolume]:
    with glusterd(folder) as server, server.mounted() as mount:
        yield MountedVolume(server, mount)


def make(volume: MountedVolume, name: str) -> StorageHelper:
    (volume.mount / name).mkdir(exist_ok=True)
    place = {"volume": VOLUME, "hostname": volume.server.address, "mountPoint": f"/{name}"}
    helper: StorageHelper = made_helper(GLUSTERFS, place, {})
    return helper


def read_back(volume: MountedVolume, name: str, path: StoragePath) -> bytes:
    return (volume.mount / name / path).read_bytes()


ENROLLED = (
    Enrolled(name="glusterfs", server=mounted_volume, make=make, powers=POWERS, reads_back=read_back),
)
