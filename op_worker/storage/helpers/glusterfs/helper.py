"""The ``glusterfs`` helper: files of a GlusterFS volume, by libgfapi, without a mount."""

from __future__ import annotations

from op_worker.storage.helper import StorageHelper
from op_worker.storage.helpers.glusterfs.libgfapi import libgfapi
from op_worker.storage.helpers.glusterfs.translators import HONEST, parse_options
from op_worker.storage.helpers.glusterfs.volume import Volume, VolumeAddress
from op_worker.storage.helpers.native.helper import NativeUserHelper
from op_worker.storage.helpers.native.pool import NativePool
from op_worker.storage.helpers.native.sessions import User
from op_worker.storage.parameters import timeout_s
from op_worker.storage.types import (
    BadStorageError,
    HelperSurroundings,
    Kind,
    Parameter,
    Parameters,
    StorageType,
)

THREADS = 8


def glusterfs_helper(parameters: Parameters, surroundings: HelperSurroundings) -> StorageHelper:
    """Make a helper. Raises: BadStorageError when the library is missing or a parameter makes no sense."""
    libgfapi()
    folder = [name for name in parameters.text("mountPoint").split("/") if name]
    if any(name in (".", "..") or "\0" in name for name in folder):
        raise BadStorageError("mountPoint is a path inside the volume, without . and ..")
    address = VolumeAddress(
        hostname=parameters.text("hostname"),
        port=parameters.integer("port"),
        transport=parameters.text("transport"),
        volume=parameters.text("volume"),
        folder=folder,
        options=[*HONEST, *parse_options(parameters.text("xlatorOptions"))],
    )
    return NativeUserHelper(
        sessions=Volume(address),
        pool=NativePool(surroundings.reactor, THREADS, timeout_s(parameters), "glusterfs"),
        user=User.of(parameters.credentials),
        credentials=parameters.credentials,
        keeper=None,  # bricks keep removed files that are open
        durability=surroundings.durability,
    )


GLUSTERFS = StorageType(
    name="glusterfs",
    arguments=[
        Parameter(name="volume"),
        Parameter(name="hostname"),
        Parameter(name="port", kind=Kind.INTEGER, default="24007", minimum=1),
        Parameter(name="transport", default="tcp", choices=("tcp", "rdma", "socket")),
        Parameter(name="mountPoint", default=""),
        Parameter(name="xlatorOptions", default=""),
        Parameter(name="blockSize", kind=Kind.INTEGER, is_optional=True),
    ],
    credentials=[
        Parameter(name="uid", kind=Kind.INTEGER, default="0"),
        Parameter(name="gid", kind=Kind.INTEGER, default="0", minimum=-1),
    ],
    make=glusterfs_helper,
    is_posix=True,
)
