"""The nfs helper against nfs-ganesha."""

from __future__ import annotations

import subprocess

from twisted.internet import reactor

from op_worker.storage.helper import (
    StorageHelper,
    StoragePath,
    SupportsCapacity,
    SupportsClosing,
    SupportsDirectories,
    SupportsModes,
    SupportsOwners,
    SupportsRename,
    SupportsScanning,
    SupportsUsers,
)
from op_worker.storage.helpers.nfs.helper import NFS
from tests.conformance.storage.enrolment import Enrolled
from tests.support.storages.ganesha import MOUNT_PORT, PORT, Ganesha, ganesha
from tests.support.storages.making import made

POWERS = frozenset(
    {
        SupportsRename,
        SupportsDirectories,
        SupportsModes,
        SupportsOwners,
        SupportsScanning,
        SupportsUsers,
        SupportsCapacity,
        SupportsClosing,
    }
)


def make(server: Ganesha, name: str) -> StorageHelper:
    return make_at(server, name, server.address, PORT)


def make_at(server: Ganesha, name: str, host: str, port: int) -> StorageHelper:
    (server.export / name).mkdir(exist_ok=True)
    volume = str(server.export / name)
    helper: StorageHelper = made(NFS, reactor, host=f"{host}:{port}:{MOUNT_PORT}", volume=volume)
    return helper


def read_back(server: Ganesha, name: str, path: StoragePath) -> bytes:
    url = server.url(server.export / name / path)
    return subprocess.run(["nfs-cat", url], capture_output=True, check=True, timeout=60).stdout


ENROLLED = (
    Enrolled(
        name="nfs",
        server=ganesha,
        make=make,
        powers=POWERS,
        reads_back=read_back,
        address=lambda server: (server.address, PORT),
        make_at=make_at,
    ),
)
