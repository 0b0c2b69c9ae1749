"""The type of storage ``ceph``, which is kept for storages that there are."""

from __future__ import annotations

from typing import Any, cast

from op_worker.storage.helper import StorageHelper
from op_worker.storage.helpers.ceph.library import StriperLibrary
from op_worker.storage.helpers.ceph.store import THREADS, StripedStore
from op_worker.storage.helpers.ceph.striped_pool import StripedPool
from op_worker.storage.helpers.cephrados.place import ARGUMENTS, CREDENTIALS, CephPlace
from op_worker.storage.objects.helper import object_helper
from op_worker.storage.parameters import timeout_s
from op_worker.storage.types import HelperSurroundings, Parameters, PathType, StorageType


def _make(parameters: Parameters, surroundings: HelperSurroundings) -> StorageHelper:
    pool = StripedPool(StriperLibrary.load(), CephPlace.of(parameters, timeout_s(parameters)))
    store = StripedStore(pool, cast(Any, surroundings.reactor))
    return object_helper(store, 0, transfers=THREADS, random_bytes=surroundings.random_bytes)


CEPH = StorageType(
    name="ceph",
    arguments=ARGUMENTS,
    credentials=CREDENTIALS,
    make=_make,
    path_types=(PathType.FLAT, PathType.CANONICAL),
    is_object_storage=True,
    is_legacy=True,
)
