"""The table of storage types."""

from __future__ import annotations

from collections.abc import Mapping

from op_worker.storage.helpers.ceph.helper import CEPH
from op_worker.storage.helpers.cephrados.helper import CEPHRADOS
from op_worker.storage.helpers.glusterfs.helper import GLUSTERFS
from op_worker.storage.helpers.http.helper import HTTP
from op_worker.storage.helpers.memory import MEMORY
from op_worker.storage.helpers.nfs.helper import NFS
from op_worker.storage.helpers.nulldevice.helper import NULLDEVICE
from op_worker.storage.helpers.posix.helper import POSIX
from op_worker.storage.helpers.s3.helper import S3
from op_worker.storage.helpers.sftp.storage_type import SFTP
from op_worker.storage.helpers.swift.helper import SWIFT
from op_worker.storage.helpers.webdav.helper import WEBDAV
from op_worker.storage.helpers.xrootd.helper import XROOTD
from op_worker.storage.types import StorageType

TYPES: Mapping[str, StorageType] = {
    each.name: each
    for each in (
        *(POSIX, NFS, GLUSTERFS, XROOTD, WEBDAV, HTTP, SFTP),
        *(S3, SWIFT, CEPHRADOS, CEPH),
        *(NULLDEVICE, MEMORY),
    )
}
"""Every type of storage that can be added."""
