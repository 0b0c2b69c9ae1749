"""Files behind OpenSSH."""

from __future__ import annotations

from typing import Any, cast

from op_worker.storage.helper import (
    StorageHelper,
    StoragePath,
    SupportsCapacity,
    SupportsClosing,
    SupportsDirectories,
    SupportsModes,
    SupportsOpenWithFirst,
    SupportsOwners,
    SupportsRename,
    SupportsScanning,
    SupportsUsers,
    SupportsWholeWrites,
)
from op_worker.storage.helpers.sftp.storage_type import SFTP
from tests.conformance.storage.enrolment import Enrolled
from tests.support.storages.making import made_helper
from tests.support.storages.sshd import PORT, Sshd, sshd


def sftp(server: Sshd, path: str, host: str = "", port: int = PORT, **changes: str) -> Any:
    """Make a helper as the registry does, for the root at ``path`` of the machine."""
    place = {"host": host or server.address, "port": str(port), "path": path, "hostKey": server.host_key}
    credentials = {"username": server.user, "privateKey": server.private_key}
    arguments = {**place, **{name: value for name, value in changes.items() if name not in credentials}}
    credentials |= {name: value for name, value in changes.items() if name in credentials}
    return made_helper(SFTP, arguments, credentials)


def make(server: Sshd, name: str) -> StorageHelper:
    return make_at(server, name, server.address, PORT)


def make_at(server: Sshd, name: str, host: str, port: int) -> StorageHelper:
    folder = server.data / name
    folder.mkdir(exist_ok=True)
    return cast(StorageHelper, sftp(server, str(folder), host, port))


def read_back(server: Sshd, name: str, path: StoragePath) -> bytes:
    return (server.data / name / path).read_bytes()


ENROLLED = (
    Enrolled(
        name="sftp on OpenSSH",
        server=sshd,
        make=make,
        powers=frozenset(
            {
                SupportsRename,
                SupportsDirectories,
                SupportsWholeWrites,
                SupportsModes,
                SupportsOpenWithFirst,
                SupportsOwners,
                SupportsScanning,
                SupportsUsers,
                SupportsCapacity,
                SupportsClosing,
            }
        ),
        reads_back=read_back,
        address=lambda server: (server.address, PORT),
        make_at=make_at,
    ),
)
