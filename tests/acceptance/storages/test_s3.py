"""A space on S3: what users write through the doors of a real provider, the storage's own client reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.support.environments import wait_until
from tests.support.storages.block_objects import joined
from tests.support.storages.provider_on_storages import (
    ProviderOnStorages,
    provider_on_storages,
    random_tree,
)
from tests.support.storages.radosgw import ACCESS_KEY, SECRET_KEY, Radosgw, radosgw

pytestmark = pytest.mark.slow

SPACE, CANONICAL = "objects", "canonical"
BLOCK_B = 1 << 20


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Radosgw]:
    with radosgw(tmp_path_factory.mktemp("radosgw")) as running:
        yield running


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory, gateway: Radosgw) -> Iterator[ProviderOnStorages]:
    shared = {
        "type": "s3",
        "hostname": gateway.url,
        "accessKey": ACCESS_KEY,
        "secretKey": SECRET_KEY,
    }
    with provider_on_storages(tmp_path_factory.mktemp("environment")) as running:
        for name, path_type, block_b in ((SPACE, "flat", BLOCK_B), (CANONICAL, "canonical", 0)):
            gateway.make_bucket(name)
            more = {"bucketName": name, "storagePathType": path_type, "blockSize": str(block_b)}
            running.add_space(name, {**shared, **more})
        yield running


def stored(gateway: Radosgw, bucket: str) -> Mapping[str, bytes]:
    """The objects of a bucket, as the storage's own client reads them."""
    client = gateway.client()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [row["Key"] for page in pages for row in page.get("Contents", [])]
    return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def files_in_blocks(objects: Mapping[str, bytes]) -> list[bytes]:
    """The contents of files, sorted."""
    blocks: dict[str, dict[str, bytes]] = {}
    for key, data in objects.items():
        base, _, name = key.rpartition("/")
        blocks.setdefault(base, {})[name] = data
    return sorted(joined(each, BLOCK_B) for each in blocks.values())


def put_all(provider: ProviderOnStorages, space: str, tree: Mapping[str, bytes]) -> None:
    for path in sorted({path.rpartition("/")[0] for path in tree if "/" in path}):
        for depth in range(path.count("/") + 1):
            folder = "/".join(path.split("/")[: depth + 1])
            provider.session.put(provider.url(space, f"{folder}/"), timeout=60)
    for path, data in tree.items():
        provider.put(space, path, data)


def test_a_tree_that_is_written_through_cdmi_is_read_by_the_storage_s_own_client(
    provider: ProviderOnStorages, gateway: Radosgw
) -> None:
    tree = random_tree(1)
    put_all(provider, SPACE, tree)
    assert {path: provider.get(SPACE, path) for path in tree} == tree
    assert files_in_blocks(stored(gateway, SPACE)) == sorted(tree.values())
    removed = sorted(tree)[::2]
    for path in removed:
        provider.remove(SPACE, path)
    kept = sorted(data for path, data in tree.items() if path not in removed)
    wait_until(lambda: files_in_blocks(stored(gateway, SPACE)) == kept, 20, "removed files are still there")


def test_files_of_a_canonical_storage_lie_under_their_names(
    provider: ProviderOnStorages, gateway: Radosgw
) -> None:
    tree = random_tree(2, 400_000)
    put_all(provider, CANONICAL, tree)
    assert {path: provider.get(CANONICAL, path) for path in tree} == tree
    assert stored(gateway, CANONICAL) == {f"{CANONICAL}/{path}": data for path, data in tree.items()}


def test_parts_are_written_and_read_where_they_belong(provider: ProviderOnStorages) -> None:
    url, size_b = provider.url(SPACE, "parts.bin"), 2 * BLOCK_B + 77
    provider.put(SPACE, "parts.bin", bytes(size_b))
    part = b"x" * (BLOCK_B + 9)
    sent = {"Content-Range": f"bytes {BLOCK_B - 5}-{BLOCK_B + len(part) - 6}/{size_b}"}
    assert provider.session.put(url, data=part, headers=sent, timeout=60).status_code == 204
    expected = bytes(BLOCK_B - 5) + part + bytes(size_b - BLOCK_B + 5 - len(part))
    assert provider.get(SPACE, "parts.bin") == expected
    some = provider.session.get(url, headers={"Range": f"bytes={BLOCK_B - 7}-{BLOCK_B}"}, timeout=60)
    assert some.content == expected[BLOCK_B - 7 : BLOCK_B + 1]


def test_a_server_that_is_away_is_told_and_used_again_when_it_is_back(
    provider: ProviderOnStorages, gateway: Radosgw
) -> None:
    provider.put(SPACE, "before.bin", b"x" * 500_000)
    gateway.process.kill()
    answer = provider.session.put(provider.url(SPACE, "while.bin"), data=b"y" * 500_000, timeout=120)
    assert answer.status_code == 503
    gateway.process.start()
    assert provider.get(SPACE, "before.bin") == b"x" * 500_000
    provider.put(SPACE, "while.bin", b"y" * 500_000)
    assert provider.get(SPACE, "while.bin") == b"y" * 500_000
