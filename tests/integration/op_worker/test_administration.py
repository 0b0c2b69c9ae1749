"""Storages and supports at the admin door, from their beginning to their end."""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from tests.integration.op_worker.running import Answer, Client, World
from tests.integration.op_worker.test_local_users import local

PANEL = "/api/v3/onepanel/provider"
STORAGES, SPACES = f"{PANEL}/storages", f"{PANEL}/spaces"
MB = 10**6


async def added(world: World, name: str, **more: object) -> Answer:
    folder = world.folder / name
    folder.mkdir(exist_ok=True)
    body = {name: {"type": "posix", "mountPoint": str(folder), "id": name, **more}}
    return await world.admin()("POST", STORAGES, body)


async def in_zone(world: World) -> tuple[Client, str]:
    """Start a zone with anna and a registered provider; return her at the zone, and her token."""
    await world.start_zone()
    anna, token = await world.user("anna")
    await world.start_provider()
    assert (await world.register(anna)).status == 201
    await world.until_connected()
    return anna, token


@ensureDeferred
async def test_storage_is_added_told_changed_and_removed(world: World) -> None:
    await world.start_provider(world.provider_config(local=local(world)))
    admin = world.admin()
    assert (await added(world, "st", qosParameters={"tier": "fast"}, readonly=False)).status == 200
    told = (await admin("GET", f"{STORAGES}/st")).body
    assert told["mountPoint"] == str(world.folder / "st")
    assert told["qosParameters"] == {"tier": "fast"}
    assert (told["importedStorage"], told["draining"], told["lumaFeed"], told["spaces"]) == (
        *(False, False, "auto"),
        [],
    )
    moved = world.folder / "moved"
    moved.mkdir()
    change = {"name": "renamed", "mountPoint": str(moved), "qosParameters": {"tier": "slow"}}
    changed = (await admin("PATCH", f"{STORAGES}/st", change)).body
    assert (changed["name"], changed["mountPoint"]) == ("renamed", str(moved))
    assert changed["qosParameters"] == {"tier": "slow"}
    for wrong, error in (
        ({"mountPoint": str(world.folder / "absent")}, "storageTestFailed"),
        ({"type": "nulldevice"}, "badData"),
        ({"storagePathType": "flat"}, "badData"),
        ({"colour": "red"}, "badData"),
        ({"readonly": True}, "badData"),
    ):
        refused = await admin("PATCH", f"{STORAGES}/st", wrong)
        assert refused.error == error, wrong
    assert (await admin("GET", f"{STORAGES}/st")).body == changed, "what was refused changed nothing"
    assert (await admin("DELETE", f"{STORAGES}/local-lab")).error == "storageInUse"
    assert (await admin("DELETE", f"{STORAGES}/st")).status == 204
    assert (await admin("DELETE", f"{STORAGES}/st")).status == 404
    assert (await admin("GET", STORAGES)).body == {"ids": ["local-lab"]}


@ensureDeferred
async def test_names_and_ids_of_storages_are_not_taken_twice(world: World) -> None:
    await world.start_provider(world.provider_config(local=local(world)))
    assert (await added(world, "st")).status == 200
    assert (await added(world, "st", qosParameters={"a": 1})).status == 200, "it takes the place"
    other = {"st": {"type": "posix", "mountPoint": str(world.folder / "st"), "id": "other"}}
    assert (await world.admin()("POST", STORAGES, other)).error == "badValueIdentifierOccupied"
    kind = {"st": {"type": "nulldevice", "id": "st"}}
    taken = await world.admin()("POST", STORAGES, kind)
    assert taken.error == "alreadyExists"


@ensureDeferred
async def test_storages_of_a_type_of_old_are_not_added_any_more(world: World) -> None:
    await world.start_provider(world.provider_config(local=local(world)))
    place = {"monitorHostname": "m", "clusterName": "ceph", "poolName": "p", "username": "u", "key": "k"}
    refused = await world.admin()("POST", STORAGES, {"old": {"type": "ceph", **place}})
    assert (refused.status, refused.error) == (400, "badData")
    assert (await world.admin()("GET", STORAGES)).body == {"ids": ["local-lab"]}


@ensureDeferred
async def test_support_is_told_resized_and_ended_when_nothing_is_lost(world: World) -> None:
    anna, token = await in_zone(world)
    admin, user = world.admin(), world.provider_client().with_token(token)
    assert (await world.support(anna)).status == 201
    told = (await admin("GET", f"{SPACES}/space1")).body
    assert told["storages"] == [{"id": "st1", "size": 10**9, "used": 0}]
    assert (told["name"], told["isEnding"]) == ("space1", False)
    assert (await user("PUT", "/cdmi/space1/f", bytes(2 * MB), content_type="text/plain")).status == 201
    low = await admin("PATCH", f"{SPACES}/space1", {"size": MB})
    assert (low.error, low.body["error"]["details"]["limit"]) == ("badValueTooLow", 2 * MB)
    assert (await admin("PATCH", f"{SPACES}/space1", {"size": 3 * MB})).body["size"] == 3 * MB
    supports = (await anna("GET", "/api/v3/onezone/spaces/space1")).body["providers"]
    assert supports == {"p1": 3 * MB}, "the zone knows"
    full = await user("PUT", "/cdmi/space1/g", bytes(2 * MB), content_type="text/plain")
    assert full.status in (400, 507), full
    unknown = await admin("PATCH", f"{SPACES}/space1", {"size": 3 * MB, "storageId": "none"})
    assert unknown.error == "badValueIdNotFound"
    assert (await admin("GET", f"{SPACES}/space1/losses")).body == {
        "bytes": 2 * MB,
        "files": 1,
        "isExact": True,
    }
    refused = await admin("DELETE", f"{SPACES}/space1")
    assert refused.error == "badData" and "1 files with 2000000 bytes" in refused.content.decode()
    assert (await user("GET", "/cdmi/space1/f")).status == 200
    assert (await admin("DELETE", f"{SPACES}/space1?force=true")).status == 204
    assert (await admin("GET", f"{SPACES}/space1")).status == 404
    assert (await admin("GET", SPACES)).body == {"ids": []}
    assert (await anna("GET", "/api/v3/onezone/spaces/space1")).body["providers"] == {}
    assert (await admin("DELETE", f"{STORAGES}/st1")).status == 204
    assert (world.folder / "storage" / "space1" / "f").read_bytes() == bytes(2 * MB)


@ensureDeferred
async def test_further_storage_joins_a_support_and_leaves_it(world: World) -> None:
    anna, _ = await in_zone(world)
    admin = world.admin()
    assert (await world.support(anna)).status == 201
    assert (await added(world, "st2")).status == 200
    invite = await anna("POST", "/api/v3/onezone/spaces/space1/providers/token")
    wanted = {"token": invite.body["token"], "size": 5 * MB, "storageId": "st2"}
    assert (await admin("POST", SPACES, wanted)).status == 201
    told = (await admin("GET", f"{SPACES}/space1")).body
    assert [each["id"] for each in told["storages"]] == ["st1", "st2"]
    assert (await admin("PATCH", f"{SPACES}/space1", {"size": 6 * MB, "storageId": "st2"})).status == 200
    assert (await admin("DELETE", f"{SPACES}/space1/storages/none")).error == "badValueIdNotFound"
    assert (await admin("DELETE", f"{SPACES}/space1/storages/st2")).status == 204
    assert (await admin("DELETE", f"{SPACES}/space1/storages/st1")).error == "storageInUse"
    assert (await anna("GET", "/api/v3/onezone/spaces/space1")).body["providers"] == {"p1": 10**9}


@ensureDeferred
async def test_support_of_local_spaces_is_a_matter_of_the_configuration(world: World) -> None:
    await world.start_provider(world.provider_config(local=local(world)))
    admin = world.admin()
    assert (await admin("PATCH", f"{SPACES}/lab", {"size": 10**13})).error == "notSupported"
    assert (await admin("DELETE", f"{SPACES}/lab")).error == "notSupported"
    told = (await admin("GET", f"{SPACES}/lab")).body
    assert told["isEnding"] is False and told["size"] != 10**13, "everything is as it was"
