"""Files striped over objects of a pool of Ceph, and files that are one object each."""

from __future__ import annotations

from op_worker.storage.helper import StorageHelper, StoragePath
from op_worker.storage.helpers.ceph.helper import CEPH
from op_worker.storage.helpers.cephrados.helper import CEPHRADOS
from tests.conformance.storage.enrolled.cephrados import arguments, credentials
from tests.conformance.storage.enrolled.objects import NO_FOLDERS, OBJECT_POWERS
from tests.conformance.storage.enrolment import Enrolled
from tests.support.storages.ceph import POOL, CephCluster, ceph_cluster
from tests.support.storages.making import made_helper


def striped(cluster: CephCluster, name: str) -> StorageHelper:
    cluster.empty(POOL)
    helper: StorageHelper = made_helper(CEPH, arguments(cluster), credentials(cluster))
    return helper


def single(cluster: CephCluster, name: str) -> StorageHelper:
    cluster.empty(POOL)
    given = {**arguments(cluster), "blockSize": "0"}
    helper: StorageHelper = made_helper(CEPHRADOS, given, credentials(cluster))
    return helper


def read_by_striper(cluster: CephCluster, name: str, path: StoragePath) -> bytes:
    return cluster.read_striped(POOL, path)


def read_object(cluster: CephCluster, name: str, path: StoragePath) -> bytes:
    return cluster.objects_of(POOL)[path]


ENROLLED = (
    Enrolled(
        name="ceph",
        server=ceph_cluster,
        make=striped,
        powers=OBJECT_POWERS,
        lacks=NO_FOLDERS,
        reads_back=read_by_striper,
    ),
    Enrolled(
        name="cephrados, one object a file",
        server=ceph_cluster,
        make=single,
        powers=OBJECT_POWERS,
        lacks={**NO_FOLDERS, "far offsets": "the cluster takes no objects above 128 MiB"},
        reads_back=read_object,
    ),
)
