"""The ``nfs`` helper: files of an NFS export, by libnfs, without a mount of the operating system."""

from __future__ import annotations

from op_worker.storage.helper import StorageHelper
from op_worker.storage.helpers.native.helper import NativeUserHelper
from op_worker.storage.helpers.native.keeping import Keeper
from op_worker.storage.helpers.native.pool import NativePool
from op_worker.storage.helpers.native.sessions import User
from op_worker.storage.helpers.nfs.address import ExportAddress
from op_worker.storage.helpers.nfs.connections import NfsConnections
from op_worker.storage.helpers.nfs.context import ConnectionSettings, NfsContext
from op_worker.storage.helpers.nfs.libnfs import libnfs
from op_worker.storage.parameters import timeout_s
from op_worker.storage.types import Durability, HelperSurroundings, Kind, Parameter, Parameters, StorageType

_LATER = 1.25
"""Our own limit comes after that of libnfs, which knows better what went wrong."""


def nfs_helper(parameters: Parameters, surroundings: HelperSurroundings) -> StorageHelper:
    """Make a helper. Raises: BadStorageError when the library is missing or a parameter makes no sense."""
    libnfs()
    limit_s = timeout_s(parameters)
    address = ExportAddress.parse(parameters.text("host"), parameters.text("volume"))
    version = parameters.integer("version")
    settings = ConnectionSettings(
        version=version,
        timeout_ms=int(limit_s * 1000),
        read_ahead_b=parameters.integer("readAhead"),
        syn_count=parameters.integer("tcpSyncnt"),
        caches_directories=parameters.boolean("dirCache"),
        retries=parameters.integer("autoReconnect"),
    )
    # the state of an open file of version 4 belongs to the connection
    size = 1 if version == 4 else parameters.integer("connectionPoolSize")
    return NativeUserHelper(
        sessions=NfsConnections(
            lambda user: NfsContext(address, settings, user), surroundings.durability is Durability.POWER
        ),
        pool=NativePool(surroundings.reactor, size, limit_s * _LATER, "nfs"),
        user=User.of(parameters.credentials),
        credentials=parameters.credentials,
        keeper=Keeper(surroundings.random_bytes),
        durability=surroundings.durability,
    )


NFS = StorageType(
    name="nfs",
    arguments=[
        Parameter(name="version", kind=Kind.INTEGER, default="3", choices=("3", "4")),
        Parameter(name="host"),
        Parameter(name="volume"),
        Parameter(name="readAhead", kind=Kind.INTEGER, default="0"),
        Parameter(name="tcpSyncnt", kind=Kind.INTEGER, default="0"),
        Parameter(name="dirCache", kind=Kind.BOOLEAN, default="true"),
        Parameter(name="autoReconnect", kind=Kind.INTEGER, default="1", minimum=-1),
        Parameter(name="connectionPoolSize", kind=Kind.INTEGER, default="10", minimum=1),
    ],
    credentials=[
        Parameter(name="uid", kind=Kind.INTEGER, default="0"),
        Parameter(name="gid", kind=Kind.INTEGER, default="0", minimum=-1),
    ],
    make=nfs_helper,
    is_posix=True,
)
