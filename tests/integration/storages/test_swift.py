"""What is peculiar to files in a container of Swift, against real servers, with both ways to log in."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred
from swiftclient.client import Connection
from twisted.internet import reactor
from twisted.internet.task import deferLater

from op_worker.storage.helper import StorageError, StoragePath, StorageUnavailable
from op_worker.storage.helpers.swift.account import SwiftAccount
from op_worker.storage.helpers.swift.helper import SWIFT
from op_worker.storage.helpers.swift.identity import SwiftUser
from op_worker.storage.helpers.swift.store import SwiftStore
from op_worker.storage.helpers.web.connections import Connections
from op_worker.storage.objects.store import ObjectKey
from tests.support.storages import keystone as identity
from tests.support.storages.making import made_helper
from tests.support.storages.swift import (
    ACCOUNT,
    GUEST,
    GUEST_KEY,
    KEY,
    USER,
    SwiftServers,
    swift_servers,
)

CONTAINER, FILE, OBJECT = "files ż", StoragePath("d/file"), ObjectKey("a/ż?#%+& \n")
LIFE_S = 6
TESTER = SwiftUser(ACCOUNT, USER, KEY)
REACTOR: Any = reactor


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwiftServers]:
    with swift_servers(tmp_path_factory.mktemp("swift")) as running:
        client(running).put_container(CONTAINER)
        yield running


def client(servers: SwiftServers) -> Connection:
    """Swift's own client."""
    return Connection(servers.auth_url, f"{ACCOUNT}:{USER}", KEY, auth_version="1", retries=1)


def store_of(
    auth_url: str, user: SwiftUser = TESTER, container: str = CONTAINER, timeout_s: float = 30.0
) -> SwiftStore:
    account = SwiftAccount(auth_url, user, Connections(REACTOR, 8), REACTOR, timeout_s)
    return SwiftStore(account, container)


@async_yield_fixture
async def store(servers: SwiftServers) -> AsyncIterator[SwiftStore]:
    made = store_of(servers.auth_url)
    yield made
    await made.close()


async def refused(work: Any) -> StorageError:
    with pytest.raises(StorageError) as caught:
        await work
    return caught.value


@pytest.mark.parametrize(
    "user", [SwiftUser(ACCOUNT, USER, "wrong"), SwiftUser("nobody", USER, KEY), SwiftUser(ACCOUNT, "no", KEY)]
)
@ensureDeferred
async def test_wrong_credentials_are_no_access_in_the_words_of_the_server(
    servers: SwiftServers, user: SwiftUser
) -> None:
    store = store_of(servers.auth_url, user)
    error = await refused(store.check())
    assert error.errno == errno.EACCES
    assert not isinstance(error, StorageUnavailable)
    assert "401" in str(error)
    assert "wrong" not in str(error)
    await store.close()


@ensureDeferred
async def test_a_user_who_may_nothing_is_refused(servers: SwiftServers) -> None:
    store = store_of(servers.auth_url, SwiftUser(ACCOUNT, GUEST, GUEST_KEY))
    for work in (store.check(), store.put(OBJECT, b""), store.get(OBJECT, 0, 1), store.list("")):
        assert (await refused(work)).errno == errno.EACCES
    await store.close()


@ensureDeferred
async def test_an_address_where_nobody_logs_in_makes_the_storage_unavailable(servers: SwiftServers) -> None:
    for url in (f"{servers.url}/nowhere", f"http://{servers.address}:1/auth/v1.0"):
        store = store_of(url)
        assert isinstance(await refused(store.check()), StorageUnavailable)
        await store.close()


@ensureDeferred
async def test_a_container_that_vanishes_is_no_missing_file(servers: SwiftServers) -> None:
    ours = client(servers)
    ours.put_container("passing")
    store = store_of(servers.auth_url, container="passing")
    await store.check()
    ours.delete_container("passing")
    many = [ObjectKey(str(number)) for number in range(20)]
    works = [store.check(), store.get(OBJECT, 0, 1), store.put(OBJECT, b""), store.stat(OBJECT)]
    for work in (*works, store.delete(many[:1]), store.delete(many), store.list("")):
        error = await refused(work)
        assert isinstance(error, StorageUnavailable)
        assert "no container passing" in str(error)
    await store.close()


@ensureDeferred
async def test_a_token_that_is_forgotten_by_the_server_is_renewed_in_silence(
    servers: SwiftServers, store: SwiftStore
) -> None:
    await store.put(OBJECT, b"hello")
    servers.forget_tokens()
    assert (await store.get(OBJECT, 1, 3)).data == b"ell"


@ensureDeferred
async def test_ranges_come_with_size_and_tag_and_nothing_comes_from_behind_the_end(store: SwiftStore) -> None:
    tag = await store.put(OBJECT, b"hello")
    piece = await store.get(OBJECT, 3, 10, tag)
    assert (piece.data, piece.size_b, piece.tag) == (b"lo", 5, tag)
    assert (await store.get(OBJECT, 5, 10)).data == b""
    assert (await store.get(OBJECT, 500, 10)).data == b""
    assert (await refused(store.get(OBJECT, 0, 1, "another"))).errno == errno.ESTALE


@ensureDeferred
async def test_an_object_is_made_only_when_it_is_new_where_that_is_asked(store: SwiftStore) -> None:
    await store.delete([OBJECT])
    tag = await store.put_if(OBJECT, b"one", "")
    assert (await refused(store.put_if(OBJECT, b"two", ""))).errno == errno.ESTALE
    assert (await refused(store.put_if(OBJECT, b"two", tag))).errno == errno.ENOTSUP
    assert (await store.get(OBJECT, 0, 9)).data == b"one"


@ensureDeferred
async def test_a_listing_goes_on_where_the_page_before_ended(store: SwiftStore) -> None:
    keys = [ObjectKey(f"page/{letter}/ż") for letter in "abcde"]
    for key in keys:
        await store.put(key, b"x")
    found, start = [], ""
    while True:
        page = await store.list("page/", start, limit=2)
        assert len(page.objects) <= 2
        found += [each.key for each in page.objects]
        if not page.follows:
            break
        start = page.follows
    assert found == keys
    folded = await store.list("page/", delimiter="/", limit=3)
    assert (folded.prefixes, folded.objects) == (["page/a/", "page/b/", "page/c/"], [])
    rest = await store.list("page/", folded.follows, delimiter="/", limit=3)
    assert (rest.prefixes, rest.follows) == (["page/d/", "page/e/"], "")


@pytest.mark.parametrize("number", [3, 30])
@ensureDeferred
async def test_few_and_many_objects_are_removed_and_missing_ones_are_fine(
    store: SwiftStore, number: int
) -> None:
    keys = [ObjectKey(f"gone/ż %/{each}") for each in range(number)]
    for key in keys[1:]:
        await store.put(key, b"x")
    await store.delete(keys)
    assert (await store.list("gone/")).objects == []


@ensureDeferred
async def test_a_container_that_is_full_refuses(servers: SwiftServers) -> None:
    client(servers).put_container("small", {"X-Container-Meta-Quota-Bytes": "100"})
    store = store_of(servers.auth_url, container="small")
    assert (await refused(store.put(OBJECT, bytes(1000)))).errno == errno.EDQUOT
    await store.put(OBJECT, b"little")
    await store.close()


@ensureDeferred
async def test_a_server_that_stands_still_is_a_timeout_and_passes(servers: SwiftServers) -> None:
    store = store_of(servers.auth_url, timeout_s=0.5)
    await store.put(OBJECT, b"x")
    with servers.proxy.paused():
        error = await refused(store.get(OBJECT, 0, 1))
    assert isinstance(error, StorageUnavailable)
    assert error.errno == errno.ETIMEDOUT
    patient = store_of(servers.auth_url)
    assert (await patient.get(OBJECT, 0, 1)).data == b"x"
    await patient.close()
    await store.close()


@ensureDeferred
async def test_a_server_that_was_killed_and_started_again_is_used_again(
    servers: SwiftServers, store: SwiftStore
) -> None:
    await store.put(OBJECT, b"x")
    servers.proxy.kill()
    assert isinstance(await refused(store.get(OBJECT, 0, 1)), StorageUnavailable)
    servers.proxy.start()
    assert (await store.get(OBJECT, 0, 1)).data == b"x"


@ensureDeferred
async def test_blocks_lie_under_keys_that_count_down(servers: SwiftServers) -> None:
    client(servers).put_container("blocks")
    given = {
        "authUrl": servers.auth_url,
        "containerName": "blocks",
        "tenantName": ACCOUNT,
        "blockSize": "1000",
    }
    helper = made_helper(SWIFT, given, {"username": USER, "password": KEY})
    file = await helper.open_write(FILE)
    await file.write(0, b"a" * 1000 + b"b")
    await file.close()
    await helper.close()
    _, rows = client(servers).get_container("blocks")
    assert [(row["name"], row["bytes"]) for row in rows] == [("d/file/999998", 1), ("d/file/999999", 1000)]


@ensureDeferred
async def test_an_object_that_another_client_replaces_while_it_is_open_is_stale(
    servers: SwiftServers,
) -> None:
    client(servers).put_container("single")
    given = {"authUrl": servers.auth_url, "containerName": "single", "tenantName": ACCOUNT, "blockSize": "0"}
    helper = made_helper(SWIFT, given, {"username": USER, "password": KEY})
    await helper.write_whole(FILE, b"ours")
    file = await helper.open_read(FILE)
    client(servers).put_object("single", FILE, b"theirs")
    assert (await refused(file.read(0, 4))).errno == errno.ESTALE
    await file.close()
    await helper.close()


@pytest.mark.slow
@ensureDeferred
async def test_keystone_is_asked_for_a_token_and_again_when_it_expired(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("keystone")
    with (
        identity.keystone(folder / "identity", token_life_s=LIFE_S) as keystone,
        swift_servers(folder / "swift", keystone) as servers,
    ):
        keystone.publish_objects(servers.url)
        user = SwiftUser(identity.PROJECT, identity.USER, identity.PASSWORD)
        keystone.make_container(CONTAINER)
        stores = [store_of(url, user) for url in (keystone.url, keystone.url.removesuffix("/v3"))]
        for store in stores:
            await store.put(OBJECT, b"x")
        await deferLater(REACTOR, LIFE_S + 1)
        for store in stores:
            assert (await store.get(OBJECT, 0, 1)).data == b"x"
            await store.close()
        wrong = store_of(keystone.url, SwiftUser(user.tenant, user.name, "wrong"))
        assert (await refused(wrong.check())).errno == errno.EACCES
        await wrong.close()
