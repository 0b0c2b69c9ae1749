"""Spaces on Ceph and Swift: what users write through a real provider, the clusters' own clients read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.conformance.storage.enrolled.swift import client
from tests.support.environments import wait_until
from tests.support.storages.block_objects import joined
from tests.support.storages.ceph import POOL, CephCluster, ceph_cluster
from tests.support.storages.provider_on_storages import (
    ProviderOnStorages,
    provider_on_storages,
    random_tree,
)
from tests.support.storages.swift import ACCOUNT, KEY, USER, SwiftServers, swift_servers

pytestmark = pytest.mark.slow

ON_CEPH, ON_SWIFT = "on-ceph", "on-swift"
BLOCK_B = 1 << 20


@pytest.fixture(scope="module")
def ceph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CephCluster]:
    with ceph_cluster(tmp_path_factory.mktemp("ceph")) as running:
        yield running


@pytest.fixture(scope="module")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwiftServers]:
    with swift_servers(tmp_path_factory.mktemp("swift")) as running:
        client(running).put_container(ON_SWIFT)
        yield running


@pytest.fixture(scope="module")
def provider(
    tmp_path_factory: pytest.TempPathFactory, ceph: CephCluster, swift: SwiftServers
) -> Iterator[ProviderOnStorages]:
    common = {"storagePathType": "flat", "blockSize": str(BLOCK_B)}
    with provider_on_storages(tmp_path_factory.mktemp("environment")) as running:
        pool = {"monitorHostname": ceph.monitors, "clusterName": "ceph", "poolName": POOL}
        running.add_space(
            ON_CEPH, {**common, **pool, "type": "cephrados", "username": "test", "key": ceph.key()}
        )
        account = {"authUrl": swift.auth_url, "tenantName": ACCOUNT, "username": USER, "password": KEY}
        running.add_space(ON_SWIFT, {**common, **account, "type": "swift", "containerName": ON_SWIFT})
        yield running


def contents(objects: Mapping[str, bytes]) -> list[bytes]:
    """The contents of files that are in blocks, sorted."""
    blocks: dict[str, dict[str, bytes]] = {}
    for key, data in objects.items():
        base, _, name = key.rpartition("/")
        blocks.setdefault(base, {})[name] = data
    return sorted(joined(each, BLOCK_B) for each in blocks.values())


def on_ceph(ceph: CephCluster) -> list[bytes]:
    return contents(ceph.objects_of(POOL))


def on_swift(swift: SwiftServers) -> list[bytes]:
    ours = client(swift)
    _, rows = ours.get_container(ON_SWIFT, full_listing=True)
    return contents({row["name"]: ours.get_object(ON_SWIFT, row["name"])[1] for row in rows})


def check_tree(provider: ProviderOnStorages, space: str, tree: Mapping[str, bytes]) -> None:
    for folder in sorted({path[:end] for path in tree for end, letter in enumerate(path) if letter == "/"}):
        provider.session.put(provider.url(space, f"{folder}/"), timeout=60)
    for path, data in tree.items():
        provider.put(space, path, data)
    assert {path: provider.get(space, path) for path in tree} == tree


def test_a_tree_written_through_cdmi_is_read_by_ceph_s_own_client(
    provider: ProviderOnStorages, ceph: CephCluster
) -> None:
    tree = random_tree(1)
    check_tree(provider, ON_CEPH, tree)
    assert on_ceph(ceph) == sorted(tree.values())
    for path in tree:
        provider.remove(ON_CEPH, path)
    wait_until(lambda: on_ceph(ceph) == [], 20, "removed files are still there")


def test_a_tree_written_through_cdmi_is_read_by_swift_s_own_client(
    provider: ProviderOnStorages, swift: SwiftServers
) -> None:
    tree = random_tree(2)
    check_tree(provider, ON_SWIFT, tree)
    assert on_swift(swift) == sorted(tree.values())
    for path in tree:
        provider.remove(ON_SWIFT, path)
    wait_until(lambda: on_swift(swift) == [], 20, "removed files are still there")


def test_a_token_that_the_cluster_forgot_is_renewed_behind_a_request(
    provider: ProviderOnStorages, swift: SwiftServers
) -> None:
    provider.put(ON_SWIFT, "before.bin", b"x" * 300_000)
    swift.forget_tokens()
    assert provider.get(ON_SWIFT, "before.bin") == b"x" * 300_000
