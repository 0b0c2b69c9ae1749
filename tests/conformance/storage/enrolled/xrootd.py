"""The xrootd helper against an XRootD server."""

from __future__ import annotations

import subprocess
from shutil import chown

from twisted.internet import reactor

from op_worker.storage.helper import StorageHelper, StoragePath, SupportsOwners, SupportsUsers
from op_worker.storage.helpers.xrootd.helper import XROOTD
from tests.conformance.storage.enrolled.nfs import POWERS
from tests.conformance.storage.enrolment import Enrolled
from tests.support.storages.making import made
from tests.support.storages.xrootd import XRootD, xrootd


def make(server: XRootD, name: str) -> StorageHelper:
    return make_at(server, name, "127.0.0.1", server.port)


def make_at(server: XRootD, name: str, host: str, port: int) -> StorageHelper:
    folder = server.data / name
    folder.mkdir(exist_ok=True)
    chown(folder, "xrootd", "xrootd")
    helper: StorageHelper = made(
        XROOTD, reactor, credentials={"credentialsType": "none"}, url=f"root://{host}:{port}//{name}"
    )
    return helper


def read_back(server: XRootD, name: str, path: StoragePath) -> bytes:
    command = ["xrdcp", "--silent", f"{server.url}/{name}/{path}", "-"]
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout


ENROLLED = (
    Enrolled(
        name="xrootd",
        server=xrootd,
        make=make,
        powers=POWERS - {SupportsOwners, SupportsUsers},
        lacks={
            "line breaks in names": "its listings part names by line breaks",
            "long names": "its listings cut names of 255 bytes",
            "odd characters in names": "a question mark begins the options of a request",
        },
        reads_back=read_back,
        address=lambda server: ("127.0.0.1", server.port),
        make_at=make_at,
    ),
)
