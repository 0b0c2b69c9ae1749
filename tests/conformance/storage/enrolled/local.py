"""Helpers that need no server: files of this machine, of this process, and nowhere at all."""

from __future__ import annotations

from pathlib import Path

from twisted.internet import reactor

from cluster_worker.runtime.pool import BlockingPool, Inline
from op_worker.storage.helper import (
    StorageHelper,
    StoragePath,
    SupportsDirectories,
    SupportsModes,
    SupportsOpenWithFirst,
    SupportsOwners,
    SupportsRename,
    SupportsScanning,
    SupportsUsers,
    SupportsWholeWrites,
)
from op_worker.storage.helpers.memory import MemoryHelper
from op_worker.storage.helpers.nulldevice.helper import NullHelper
from op_worker.storage.helpers.posix.helper import PosixHelper
from op_worker.storage.helpers.posix.identity import can_act_as_others
from tests.conformance.storage.enrolment import Enrolled, no_server

POSIX_POWERS = frozenset(
    {
        SupportsRename,
        SupportsDirectories,
        SupportsOpenWithFirst,
        SupportsWholeWrites,
        SupportsModes,
        SupportsOwners,
        SupportsScanning,
        SupportsUsers,
    }
)
POSIX_LACKS = {} if can_act_as_others() else {"owners": "only root may give files away"}
MEMORY_POWERS = frozenset({SupportsRename, SupportsDirectories, SupportsWholeWrites})
THREADS = BlockingPool(reactor, 4, "conformance")  # type: ignore[arg-type]  # the module stands for the reactor
"""Threads are started at the first use and end with the process."""


def folder_of(server: Path, name: str) -> Path:
    """The folder of a place, made when missing."""
    folder = server / name
    folder.mkdir(exist_ok=True)
    return folder


def posix(server: Path, name: str) -> StorageHelper:
    return PosixHelper(str(folder_of(server, name)), Inline())


def posix_on_threads(server: Path, name: str) -> StorageHelper:
    return PosixHelper(str(folder_of(server, name)), THREADS)


def read_from_folder(server: Path, name: str, path: StoragePath) -> bytes:
    return (server / name / path).read_bytes()


ENROLLED = (
    Enrolled(
        name="posix",
        server=no_server,
        make=posix,
        powers=POSIX_POWERS,
        lacks=POSIX_LACKS,
        reads_back=read_from_folder,
    ),
    Enrolled(
        name="posix on threads",
        server=no_server,
        make=posix_on_threads,
        powers=POSIX_POWERS,
        lacks=POSIX_LACKS,
        reads_back=read_from_folder,
    ),
    Enrolled(
        name="memory",
        server=no_server,
        make=lambda server, name: MemoryHelper(),
        powers=MEMORY_POWERS,
        lacks={"far offsets": "holes take memory as bytes do"},
    ),
    Enrolled(
        name="nulldevice",
        server=no_server,
        make=lambda server, name: NullHelper(),
        powers=MEMORY_POWERS,
        lacks={
            "keeping": "it drops what is written",
            "refusing paths": "every path is a file",
            "cancelling": "nothing it does takes any time",
        },
    ),
)
