"""Files in objects of S3 servers: Ceph's gateway, and Swift's."""

from __future__ import annotations

from typing import Any

from op_worker.storage.helper import StorageHelper, StoragePath
from op_worker.storage.helpers.s3.helper import S3
from tests.conformance.storage.enrolled.objects import (
    NO_FOLDERS,
    OBJECT_POWERS,
    SINGLE_OBJECT_POWERS,
    WHOLE_IN_MEMORY,
)
from tests.conformance.storage.enrolment import Enrolled
from tests.support.storages.block_objects import joined
from tests.support.storages.making import made_helper
from tests.support.storages.radosgw import ACCESS_KEY, SECRET_KEY, Radosgw, radosgw
from tests.support.storages.s3_client import s3_client
from tests.support.storages.swift import ACCOUNT, KEY, PROXY_PORT, USER, SwiftServers, swift_servers

BLOCK_B = 1 << 20
_RADOSGW_KEYS = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
_SWIFT_KEYS = {"accessKey": f"{ACCOUNT}:{USER}", "secretKey": KEY}


def helper_at(
    url: str, bucket: str, block_size_b: int = BLOCK_B, keys: dict[str, str] | None = None, **more: str
) -> Any:
    """Return the helper of a storage in a bucket."""
    given = {"hostname": url, "bucketName": bucket, "blockSize": str(block_size_b), **more}
    return made_helper(S3, given, keys or _RADOSGW_KEYS)


def in_blocks(gateway: Radosgw, name: str) -> StorageHelper:
    gateway.make_bucket(name)
    helper: StorageHelper = helper_at(gateway.url, name)
    return helper


def in_single_objects(gateway: Radosgw, name: str) -> StorageHelper:
    gateway.make_bucket(name)
    helper: StorageHelper = helper_at(gateway.url, f"{name}/a folder/of it", 0)
    return helper


def in_blocks_by_swift(servers: SwiftServers, name: str) -> StorageHelper:
    swift_client(servers).create_bucket(Bucket=name)
    helper: StorageHelper = helper_at(servers.url, name, keys=_SWIFT_KEYS)
    return helper


def swift_client(servers: SwiftServers) -> Any:
    return s3_client(servers.url, f"{ACCOUNT}:{USER}", KEY)


def blocks_by(client: Any, bucket: str, path: StoragePath) -> bytes:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{path}/")
    keys = [row["Key"] for page in pages for row in page["Contents"]]
    objects = {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
    return joined({key.rpartition("/")[2]: data for key, data in objects.items()}, BLOCK_B)


def object_by(client: Any, bucket: str, key: str) -> bytes:
    content: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


ENROLLED = (
    Enrolled(
        name="s3",
        server=radosgw,
        make=in_blocks,
        powers=OBJECT_POWERS,
        lacks=NO_FOLDERS,
        reads_back=lambda gateway, name, path: blocks_by(gateway.client(), name, path),
        address=lambda gateway: (gateway.address, gateway.port),
        make_at=lambda gateway, name, host, port: helper_at(f"http://{host}:{port}", name),
    ),
    Enrolled(
        name="s3, one object a file",
        server=radosgw,
        make=in_single_objects,
        powers=SINGLE_OBJECT_POWERS,
        lacks={
            **NO_FOLDERS,
            **WHOLE_IN_MEMORY,
            "long directories": "a gateway with one object server makes a hundred objects in a second",
        },
        reads_back=lambda gateway, name, path: object_by(gateway.client(), name, f"a folder/of it/{path}"),
    ),
    Enrolled(
        name="s3 of swift",
        server=swift_servers,
        make=in_blocks_by_swift,
        powers=OBJECT_POWERS,
        lacks=NO_FOLDERS,
        reads_back=lambda servers, name, path: blocks_by(swift_client(servers), name, path),
        address=lambda servers: (servers.address, PROXY_PORT),
    ),
)
