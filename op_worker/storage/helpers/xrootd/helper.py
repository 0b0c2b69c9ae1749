"""The ``xrootd`` helper: files of an XRootD server, by its own client library."""

from __future__ import annotations

from op_worker.storage.helper import StorageHelper
from op_worker.storage.helpers.native.helper import NativeHelper
from op_worker.storage.helpers.native.pool import NativePool
from op_worker.storage.helpers.native.sessions import User
from op_worker.storage.helpers.xrootd.address import XrootdAddress
from op_worker.storage.helpers.xrootd.client import client, log_in_as
from op_worker.storage.helpers.xrootd.session import XrootdSessions
from op_worker.storage.parameters import timeout_s
from op_worker.storage.types import HelperSurroundings, Kind, Parameter, Parameters, StorageType

THREADS = 8
_NOBODY = User(-1, -1)
_LATER = 1.25
"""Our own limit comes after that of the library, which knows better what went wrong."""


def xrootd_helper(parameters: Parameters, surroundings: HelperSurroundings) -> StorageHelper:
    """Make a helper. Raises: BadStorageError when the library is missing or a parameter makes no sense."""
    limit_s = timeout_s(parameters)
    address = XrootdAddress.parse(parameters.text("url"))
    log_in_as(parameters.credentials)
    client()
    return NativeHelper(
        sessions=XrootdSessions(
            address,
            max(1, round(limit_s)),
            int(parameters.text("fileModeMask"), 8),
            int(parameters.text("dirModeMask"), 8),
        ),
        pool=NativePool(surroundings.reactor, THREADS, limit_s * _LATER, "xrootd"),
        user=_NOBODY,
        credentials=parameters.credentials,
        keeper=None,  # the server keeps removed files that are open
        durability=surroundings.durability,
    )


XROOTD = StorageType(
    name="xrootd",
    arguments=[
        Parameter(name="url"),
        Parameter(name="fileModeMask", kind=Kind.OCTAL, default="0664"),
        Parameter(name="dirModeMask", kind=Kind.OCTAL, default="0775"),
    ],
    credentials=[
        Parameter(name="credentialsType", choices=("none", "pwd")),
        Parameter(name="credentials", is_secret=True, unless=("credentialsType", "none")),
    ],
    make=xrootd_helper,
    extra="xrootd",
)
