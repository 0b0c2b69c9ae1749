"""The type of storage ``cephrados``."""

from __future__ import annotations

from typing import Any, cast

from op_worker.storage.helper import StorageHelper
from op_worker.storage.helpers.cephrados.library import load_rados
from op_worker.storage.helpers.cephrados.place import ARGUMENTS, BLOCK_SIZE, CREDENTIALS, CephPlace
from op_worker.storage.helpers.cephrados.pool import RadosPool
from op_worker.storage.helpers.cephrados.store import RadosStore
from op_worker.storage.objects.helper import object_helper
from op_worker.storage.parameters import timeout_s
from op_worker.storage.types import HelperSurroundings, Parameters, PathType, StorageType


def _make(parameters: Parameters, surroundings: HelperSurroundings) -> StorageHelper:
    place = CephPlace.of(parameters, timeout_s(parameters))
    pool = RadosPool(load_rados(), place, cast(Any, surroundings.reactor))
    return object_helper(
        RadosStore(pool), parameters.integer(BLOCK_SIZE.name), random_bytes=surroundings.random_bytes
    )


CEPHRADOS = StorageType(
    name="cephrados",
    arguments=(*ARGUMENTS, BLOCK_SIZE),
    credentials=CREDENTIALS,
    make=_make,
    path_types=(PathType.FLAT, PathType.CANONICAL),
    is_object_storage=True,
)
