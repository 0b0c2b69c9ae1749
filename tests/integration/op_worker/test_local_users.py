"""A provider whose users and spaces come from its configuration."""

from __future__ import annotations

import shutil

from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.logger import capturedLogs

from op_worker.config import LocalSection, LocalSpace, LocalUser
from tests.integration.op_worker.running import World


def local(world: World) -> LocalSection:
    (world.folder / "data").mkdir(exist_ok=True)
    return LocalSection(
        users={"anna": LocalUser(full_name="Anna Adams"), "bob": LocalUser(), "eve": LocalUser()},
        spaces={
            "lab": LocalSpace(name="Lab", owner="anna", members=("bob",), storage=str(world.folder / "data"))
        },
    )


def token(world: World, user: str) -> str:
    return (world.folder / "provider" / "tokens" / user).read_text().strip()


@ensureDeferred
async def test_local_users_share_a_space_without_any_zone(world: World) -> None:
    await world.start_provider(world.provider_config(local=local(world)))
    anna, bob, eve = (
        world.provider_client().with_token(token(world, user)) for user in ("anna", "bob", "eve")
    )
    assert (await anna("PUT", "/cdmi/Lab/x.txt", b"from anna", content_type="text/plain")).status == 201
    assert (await bob("GET", "/cdmi/Lab/x.txt")).content == b"from anna"
    assert (await eve("GET", "/cdmi/Lab/x.txt")).status == 404
    assert (world.folder / "data" / "lab" / "x.txt").read_bytes() == b"from anna"
    assert (await world.admin()("POST", "/api/v3/onepanel/provider", {})).status == 400


@ensureDeferred
async def test_a_file_is_shared_with_everybody(world: World) -> None:
    await world.start_provider(world.provider_config(local=local(world)))
    anna = world.provider_client().with_token(token(world, "anna"))
    assert (await anna("PUT", "/cdmi/Lab/x.txt", b"from anna", content_type="text/plain")).status == 201
    file_id = (await anna("POST", "/api/v3/oneprovider/lookup-file-id/Lab/x.txt")).body["fileId"]
    terms = {"name": "For all", "rootFileId": file_id, "password": "open sesame"}
    share_id = (await anna("POST", "/api/v3/oneprovider/shares", terms)).body["shareId"]
    share = (await anna("GET", f"/api/v3/oneprovider/shares/{share_id}")).body
    root = share["rootFileId"]
    assert (await anna("GET", f"/cdmi/cdmi_objectid/{root}")).status == 403
    anybody = world.provider_client()
    assert (await anybody("GET", f"/share/{share_id}")).status == 401
    knowing = evolve(anybody, headers={"X-Share-Password": "open sesame"})
    assert (await knowing("GET", f"/share/{share_id}")).content == b"from anna"
    at = f"/api/v3/oneprovider/data/{root}/content"
    assert (await knowing("GET", at)).content == b"from anna"
    assert (await anybody("GET", f"/api/v3/oneprovider/shares/{share_id}/public")).body["hasPassword"]


@ensureDeferred
async def test_local_tokens_stay_the_same_over_restarts(world: World) -> None:
    await world.start_provider(world.provider_config(local=local(world)))
    before = token(world, "anna")
    await world.stop("provider")
    await world.start_provider(world.provider_config(local=local(world)))
    assert token(world, "anna") == before
    answer = await world.provider_client().with_token(before)("GET", "/api/v3/oneprovider/spaces")
    assert [space["name"] for space in answer.body] == ["Lab"]


@ensureDeferred
async def test_provider_starts_although_a_storage_folder_is_missing(world: World) -> None:
    config = world.provider_config(local=local(world))
    await world.start_provider(config)
    user = world.provider_client().with_token(token(world, "anna"))
    assert (await user("PUT", "/cdmi/Lab/x.txt", b"x", content_type="text/plain")).status == 201
    await world.stop("provider")
    shutil.move(world.folder / "data", world.folder / "elsewhere")
    with capturedLogs() as logs:
        await world.start_provider(config)
    assert [log for log in logs if "without its storage" in (log.get("log_format") or "")]
    refused = await user("GET", "/cdmi/Lab/x.txt")
    assert refused.status == 503
    shutil.move(world.folder / "elsewhere", world.folder / "data")
    while (found := await user("GET", "/cdmi/Lab/x.txt")).status == 503:
        await deferLater(reactor, 0.5)  # it is looked at again every 5 s
    assert found.content == b"x"
