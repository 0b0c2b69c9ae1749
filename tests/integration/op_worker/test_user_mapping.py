"""Mappings of users at the admin door, and what users see of them."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from attrs import define, field
from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet import reactor
from twisted.web.resource import Resource
from twisted.web.server import Site

from op_worker.storage.helpers.posix.identity import can_act_as_others
from tests.integration.op_worker.running import Answer, Client, World
from tests.integration.op_worker.test_local_users import local, token

STORAGE = "/api/v3/onepanel/provider/storages/local-lab"
LUMA = f"{STORAGE}/luma"
FEED = f"{LUMA}/local_feed"
USERS = "storage_access/all/onedata_user_to_credentials"
DEFAULTS = "storage_access/posix_compatible/default_credentials/lab"
DISPLAY = "display_credentials/all/default/lab"
OWNER = "storage_import/posix_compatible/uid_to_onedata_user"
REACTOR: Any = reactor
needs_root = pytest.mark.skipif(not can_act_as_others(), reason="only root may act as other users")


@async_yield_fixture
async def admin(world: World) -> AsyncIterator[Client]:
    await world.start_provider(world.provider_config(local=local(world)))
    yield world.admin()


async def put(world: World, name: str) -> Answer:
    anna = world.provider_client().with_token(token(world, "anna"))
    return await anna("PUT", f"/cdmi/Lab/{name}", b"from anna", content_type="text/plain")


async def shown_ids(world: World, name: str) -> tuple[int, int]:
    anna = world.provider_client().with_token(token(world, "anna"))
    file_id = (await anna("POST", f"/api/v3/oneprovider/lookup-file-id/Lab/{name}")).body["fileId"]
    found = (await anna("GET", f"/api/v3/oneprovider/data/{file_id}")).body
    assert (found["displayUid"], found["displayGid"]) == (found["storage_user_id"], found["storage_group_id"])
    return found["displayUid"], found["displayGid"]


def stored_ids(world: World, name: str) -> tuple[int, int]:
    found = (world.folder / "data" / "lab" / name).stat()
    return found.st_uid, found.st_gid


@ensureDeferred
async def test_records_of_a_local_feed_are_kept_shown_changed_and_removed(admin: Client) -> None:
    assert (await admin("GET", f"{LUMA}/config")).body == {"lumaFeed": "auto"}
    refused = await admin("PUT", f"{FEED}/{DEFAULTS}", {"gid": 5})
    assert (refused.status, refused.error) == (400, "badData"), "the feed is not local yet"
    assert (await admin("PUT", f"{LUMA}/config", {"lumaFeed": "local"})).body == {"lumaFeed": "local"}
    hers = {"storageCredentials": {"uid": 5001}, "displayUid": 42}
    made = await admin("POST", f"{FEED}/{USERS}/anna", hers)
    assert (made.status, made.body["displayUid"]) == (201, 42)
    assert (await admin("POST", f"{FEED}/{USERS}/anna", hers)).error == "alreadyExists"
    named = {"onedataUser": {"mappingScheme": "onedataUser", "onedataUserId": "bob"}, "storageUser": hers}
    assert (await admin("POST", f"{FEED}/{USERS}", named)).body == {"onedataUserId": "bob"}
    assert (await admin("PATCH", f"{FEED}/{USERS}/anna", {"displayUid": 43})).status == 204
    kept = (await admin("GET", f"{FEED}/{USERS}/anna")).body
    assert kept == {"storageCredentials": {"uid": "5001"}, "displayUid": 43}
    back = (await admin("GET", f"{LUMA}/db/{OWNER}/5001")).body
    assert back == {"mappingScheme": "onedataUser", "onedataUserId": "bob"}
    assert (await admin("PUT", f"{FEED}/{OWNER}/7", {"mappingScheme": "x"})).error == "badValueNotAllowed"
    assert (await admin("PUT", f"{FEED}/{OWNER}/-7", back)).error == "badValueTooLow"
    assert (await admin("DELETE", f"{FEED}/{USERS}/anna")).status == 204
    assert (await admin("GET", f"{FEED}/{USERS}/anna")).status == 404
    assert (await admin("DELETE", f"{LUMA}/db")).status == 204
    assert (await admin("GET", f"{FEED}/{USERS}/bob")).status == 404
    assert (await admin("GET", f"{FEED}/no/such/table")).status == 404
    assert (await admin("GET", "/api/v3/onepanel/provider/storages/none/luma/config")).status == 404


@needs_root
@ensureDeferred
async def test_users_act_with_the_uid_and_are_shown_with_the_ids_of_the_local_feed(
    world: World, admin: Client
) -> None:
    await admin("PUT", f"{LUMA}/config", {"lumaFeed": "local"})
    assert (await put(world, "early")).status == 403, "nobody is known yet"
    await admin("PUT", f"{FEED}/{USERS}/anna", {"storageCredentials": {"uid": 5001}, "displayUid": 42})
    await admin("PUT", f"{FEED}/{DEFAULTS}", {"gid": 6001})
    await admin("PUT", f"{FEED}/{DISPLAY}", {"gid": 77})
    assert (await put(world, "f")).status == 201
    assert stored_ids(world, "f") == (5001, 6001)
    assert await shown_ids(world, "f") == (42, 77)
    await admin("PUT", f"{LUMA}/config", {"lumaFeed": "auto"})
    uid, gid = await shown_ids(world, "f")
    assert uid >= 100_000 and gid >= 100_000
    assert (await put(world, "g")).status == 201
    assert stored_ids(world, "g") == (uid, gid)
    await admin("PUT", f"{LUMA}/config", {"lumaFeed": "local"})
    assert (await admin("GET", f"{FEED}/{USERS}/anna")).status == 404, "another feed, other tables"


@ensureDeferred
async def test_feed_of_a_storage_of_the_configuration_outlives_a_restart(world: World, admin: Client) -> None:
    await admin("PUT", f"{LUMA}/config", {"lumaFeed": "local"})
    await world.stop("provider")
    await world.start_provider(world.provider_config(local=local(world)))
    assert (await world.admin()("GET", f"{LUMA}/config")).body == {"lumaFeed": "local"}


@ensureDeferred
async def test_wrong_settings_of_a_feed_are_refused(admin: Client) -> None:
    for body, error in (
        ({"lumaFeed": "remote"}, "badValueNotAllowed"),
        ({"lumaFeed": "external"}, "missingRequiredValue"),
        ({"lumaFeed": "external", "lumaFeedUrl": "ftp://x"}, "badData"),
        ({"lumaFeed": "external", "lumaFeedUrl": 5}, "badValueString"),
        ({"lumaFeed": "external", "lumaFeedUrl": "http://x", "lumaFeedApiKey": "a\nb"}, "badData"),
        ({"lumaFeed": "local", "lumaFeedUrl": "http://x"}, "badData"),
    ):
        assert (await admin("PUT", f"{LUMA}/config", body)).error == error, body
    assert (await admin("GET", f"{LUMA}/config")).body == {"lumaFeed": "auto"}


@define
class FeedServer(Resource):
    """A real server of an external feed."""

    answers: dict[str, object] = field(factory=dict)
    tokens: list[str] = field(factory=list)
    isLeaf = True

    def __attrs_post_init__(self) -> None:
        super().__init__()

    def render_POST(self, request: Any) -> bytes:
        self.tokens.append(request.getHeader("X-Auth-Token"))
        asked = json.loads(request.content.read())
        answer = self.answers.get(asked.get("onedataUserId") or asked.get("spaceId"))
        request.setResponseCode(404 if answer is None else 200)
        return json.dumps(answer).encode()


@needs_root
@ensureDeferred
async def test_external_feed_is_asked_when_a_user_first_needs_his_credentials(
    world: World, admin: Client
) -> None:
    server = FeedServer()
    port: Any = REACTOR.listenTCP(0, Site(server), interface="127.0.0.1")
    try:
        url = f"http://127.0.0.1:{port.getHost().port}"
        settings = {"lumaFeed": "external", "lumaFeedUrl": url, "lumaFeedApiKey": "s3cret"}
        shown = (await admin("PUT", f"{LUMA}/config", settings)).body
        assert shown == {**settings, "lumaFeedApiKey": "*****"}
        assert (await put(world, "f")).status == 403
        server.answers["anna"] = {"storageCredentials": {"type": "posix", "uid": "5001"}}
        server.answers["lab"] = {"uid": 1, "gid": 6001}
        assert (await put(world, "f")).status == 201
        assert stored_ids(world, "f") == (5001, 6001)
        assert set(server.tokens) == {"s3cret"}
        assert (await admin("GET", f"{LUMA}/db/{USERS}/anna")).body == {"storageCredentials": {"uid": "5001"}}
    finally:
        await port.stopListening()
    assert (await put(world, "g")).status == 201, "what was answered once is kept"
    assert stored_ids(world, "g") == (5001, 6001)


@needs_root
@ensureDeferred
async def test_files_of_an_earlier_version_stay_readable_and_writable(world: World, admin: Client) -> None:
    assert (await put(world, "f")).status == 201
    os.chown(world.folder / "data" / "lab" / "f", 0, 0)
    bob = world.provider_client().with_token(token(world, "bob"))
    assert (await bob("GET", "/cdmi/Lab/f")).content == b"from anna"
    part = await Client(bob.domain, bob.agent, None, {**bob.headers, "Content-Range": "bytes 0-3/9"})(
        "PUT", "/cdmi/Lab/f", b"FROM", content_type="text/plain"
    )
    assert part.status in (200, 204), part
    assert (await bob("GET", "/cdmi/Lab/f")).content == b"FROM anna"
    assert stored_ids(world, "f")[0] >= 100_000
