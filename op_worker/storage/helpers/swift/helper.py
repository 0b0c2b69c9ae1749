"""The type of storage ``swift``."""

from __future__ import annotations

from op_worker.storage.helper import StorageHelper
from op_worker.storage.helpers.swift.account import SwiftAccount
from op_worker.storage.helpers.swift.identity import SwiftUser
from op_worker.storage.helpers.swift.store import SwiftStore
from op_worker.storage.helpers.web.connections import Connections
from op_worker.storage.objects.helper import object_helper
from op_worker.storage.parameters import timeout_s
from op_worker.storage.types import (
    HelperSurroundings,
    Kind,
    Parameter,
    Parameters,
    PathType,
    StorageType,
)

CONNECTIONS = 25
_BLOCK_SIZE = Parameter(name="blockSize", kind=Kind.INTEGER, default="10485760", is_fixed=True)


def _make(parameters: Parameters, surroundings: HelperSurroundings) -> StorageHelper:
    user = SwiftUser(parameters.text("tenantName"), parameters.text("username"), parameters.text("password"))
    account = SwiftAccount(
        parameters.text("authUrl"),
        user,
        Connections(surroundings.reactor, CONNECTIONS),
        surroundings.reactor,
        timeout_s(parameters),
    )
    return object_helper(
        SwiftStore(account, parameters.text("containerName")),
        parameters.integer(_BLOCK_SIZE.name),
        random_bytes=surroundings.random_bytes,
    )


SWIFT = StorageType(
    name="swift",
    arguments=(
        Parameter(name="authUrl"),
        Parameter(name="containerName"),
        Parameter(name="tenantName"),
        _BLOCK_SIZE,
    ),
    credentials=(Parameter(name="username"), Parameter(name="password", is_secret=True)),
    make=_make,
    path_types=(PathType.FLAT, PathType.CANONICAL),
    is_object_storage=True,
)
