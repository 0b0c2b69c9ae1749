"""Files in objects of a container of Swift."""

from __future__ import annotations

from collections.abc import Mapping

from swiftclient.client import Connection

from op_worker.storage.helper import StorageHelper, StoragePath, SupportsScanning
from op_worker.storage.helpers.swift.helper import SWIFT
from tests.conformance.storage.enrolled.objects import NO_FOLDERS, OBJECT_POWERS, WHOLE_IN_MEMORY
from tests.conformance.storage.enrolment import Enrolled
from tests.support.storages.block_objects import joined
from tests.support.storages.making import made_helper
from tests.support.storages.swift import ACCOUNT, KEY, PROXY_PORT, USER, SwiftServers, swift_servers

BLOCK_B = 1 << 20


def client(servers: SwiftServers) -> Connection:
    """Swift's own client."""
    return Connection(servers.auth_url, f"{ACCOUNT}:{USER}", KEY, auth_version="1", retries=1)


def helper_at(auth_url: str, name: str, block_size_b: int) -> StorageHelper:
    given: Mapping[str, str] = {
        "authUrl": auth_url,
        "containerName": name,
        "tenantName": ACCOUNT,
        "blockSize": str(block_size_b),
    }
    helper: StorageHelper = made_helper(SWIFT, given, {"username": USER, "password": KEY})
    return helper


def in_blocks(servers: SwiftServers, name: str) -> StorageHelper:
    client(servers).put_container(name)
    return helper_at(servers.auth_url, name, BLOCK_B)


def in_blocks_at(servers: SwiftServers, name: str, host: str, port: int) -> StorageHelper:
    client(servers).put_container(name)
    return helper_at(f"http://{host}:{port}/auth/v1.0", name, BLOCK_B)


def in_single_objects(servers: SwiftServers, name: str) -> StorageHelper:
    client(servers).put_container(name)
    return helper_at(servers.auth_url, name, 0)


def read_blocks(servers: SwiftServers, name: str, path: StoragePath) -> bytes:
    ours = client(servers)
    _, rows = ours.get_container(name, prefix=f"{path}/", full_listing=True)
    objects = {row["name"]: ours.get_object(name, row["name"])[1] for row in rows}
    return joined({key.rpartition("/")[2]: data for key, data in objects.items()}, BLOCK_B)


def read_object(servers: SwiftServers, name: str, path: StoragePath) -> bytes:
    content: bytes = client(servers).get_object(name, path)[1]
    return content


ENROLLED = (
    Enrolled(
        name="swift",
        server=swift_servers,
        make=in_blocks,
        powers=OBJECT_POWERS,
        lacks=NO_FOLDERS,
        reads_back=read_blocks,
        address=lambda servers: (servers.address, PROXY_PORT),
        make_at=in_blocks_at,
    ),
    Enrolled(
        name="swift, one object a file",
        server=swift_servers,
        make=in_single_objects,
        powers=OBJECT_POWERS | {SupportsScanning},
        lacks={
            **NO_FOLDERS,
            **WHOLE_IN_MEMORY,
            "long directories": "a Swift on one disk makes a hundred objects in a second",
        },
        reads_back=read_object,
    ),
)
