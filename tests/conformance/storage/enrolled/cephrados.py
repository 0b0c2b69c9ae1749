"""Files in objects of a pool of Ceph."""

from __future__ import annotations

from collections.abc import Mapping

from op_worker.storage.helper import StorageHelper, StoragePath
from op_worker.storage.helpers.cephrados.helper import CEPHRADOS
from tests.conformance.storage.enrolled.objects import NO_FOLDERS, OBJECT_POWERS
from tests.conformance.storage.enrolment import Enrolled
from tests.support.storages.block_objects import joined
from tests.support.storages.ceph import POOL, CephCluster, ceph_cluster
from tests.support.storages.making import made_helper

BLOCK_B = 1 << 20


def arguments(cluster: CephCluster, pool: str = POOL) -> Mapping[str, str]:
    return {"monitorHostname": cluster.monitors, "clusterName": "ceph", "poolName": pool}


def credentials(cluster: CephCluster, user: str = "test") -> Mapping[str, str]:
    return {"username": user, "key": cluster.key(user)}


def make(cluster: CephCluster, name: str) -> StorageHelper:
    cluster.empty(POOL)
    given = {**arguments(cluster), "blockSize": str(BLOCK_B)}
    helper: StorageHelper = made_helper(CEPHRADOS, given, credentials(cluster))
    return helper


def read_by_rados(cluster: CephCluster, name: str, path: StoragePath) -> bytes:
    return joined(cluster.objects_of(POOL, f"{path}/"), BLOCK_B)


ENROLLED = (
    Enrolled(
        name="cephrados",
        server=ceph_cluster,
        make=make,
        powers=OBJECT_POWERS,
        lacks=NO_FOLDERS,
        reads_back=read_by_rados,
    ),
)
