"""Imports at the admin door of a real provider, and what users see of them."""

from __future__ import annotations

from typing import Any, cast

from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from cluster_worker.runtime.clock import sleep
from onedata.ids import StorageId
from op_worker.storage.registry import Storages
from tests.integration.op_worker.running import Client, World
from tests.integration.op_worker.test_local_users import local, token

IMPORT = "/api/v3/onepanel/provider/spaces/lab/storage-import"
REST = "/api/v3/oneprovider"
STORAGE = StorageId("local-lab")


def storages_of(service: Any) -> Storages:
    """Return the storages of a daemon that runs."""
    waiting = [service]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Storages):
            return one
        waiting.extend(getattr(one, "services", ()))
    raise AssertionError("the daemon has no storages")


async def importing(world: World) -> Client:
    """Start a provider whose space lies on an imported storage with one file; return its administrator."""
    await world.start_provider(world.provider_config(local=local(world)))
    (world.folder / "data" / "d").mkdir(parents=True)
    (world.folder / "data" / "d" / "f").write_bytes(b"was here before")
    storages = storages_of(world.services["provider"])
    storage = storages.get(STORAGE)
    assert storage is not None
    await storages.add_storage(evolve(storage.record, is_imported=True))
    return world.admin()


async def ended(admin: Client) -> dict[str, Any]:
    """Return the scan once it has ended."""
    for _ in range(1000):
        scan = (await admin("GET", f"{IMPORT}/info")).body["scan"]
        if scan is not None and scan["stop"] is not None:
            return cast(dict[str, Any], scan)
        await sleep(cast(Any, reactor), 0.02)
    raise AssertionError("the scan does not end")


@ensureDeferred
async def test_an_import_is_chosen_and_followed_and_told_of(world: World) -> None:
    admin = await importing(world)
    assert (await world.provider_client()("GET", IMPORT)).status == 401
    assert (await admin("GET", IMPORT)).error == "notFound"
    chosen = (await admin("PUT", IMPORT, {"mode": "auto", "scanConfig": {"maxDepth": 9}})).body
    assert (chosen["mode"], chosen["scanConfig"]["maxDepth"]) == ("auto", 9)
    assert (await admin("GET", IMPORT)).body == chosen
    scan = await ended(admin)
    assert (scan["status"], scan["createdFiles"], scan["failedFiles"]) == ("completed", 2, 0)
    anna = world.provider_client().with_token(token(world, "anna"))
    assert (await anna("GET", "/cdmi/Lab/d/f")).content == b"was here before"
    (world.folder / "data" / "g").write_bytes(b"came later")
    looked = await admin("POST", f"{IMPORT}/rescan", {"path": "/g"})
    assert looked.body["createdFiles"] == 1
    assert (await anna("GET", "/cdmi/Lab/g")).content == b"came later"
    assert (await admin("POST", f"{IMPORT}/start-scan", {})).status == 202
    assert (await ended(admin))["unmodifiedFiles"] == 3
    charts = (await admin("GET", f"{IMPORT}/statistics?period=hour")).body["values"]
    assert (len(charts["createdFiles"]), sum(charts["createdFiles"])) == (12, 2)
    lines = [entry["message"] for entry in (await admin("GET", f"{IMPORT}/audit")).body["entries"]]
    assert lines[0] == "the scan begins"


@ensureDeferred
async def test_wrong_wishes_for_an_import_are_refused(world: World) -> None:
    admin = await importing(world)
    for body, error in (
        ({"mode": "both"}, "badValueNotAllowed"),
        ({"scanConfig": {"maxDepth": 0}}, "badValueNotInRange"),
        ({"scanConfig": {"syncAcl": True}}, "badData"),
        ({"scanConfig": 5}, "badData"),
    ):
        assert (await admin("PUT", IMPORT, body)).error == error, body
    assert (await admin("PUT", IMPORT, {"mode": "manual"})).status == 200
    assert (await admin("PUT", IMPORT, {"mode": "auto"})).error == "badData"
    assert (await admin("POST", f"{IMPORT}/start-scan", {})).error == "requiresAutoStorageImportMode"
    assert (await admin("POST", f"{IMPORT}/stop-scan", {})).error == "badData"
    assert (await admin("GET", IMPORT.replace("lab", "none"))).error == "notFound"


@ensureDeferred
async def test_a_file_is_registered_over_rest_with_its_metadata(world: World) -> None:
    admin = await importing(world)
    assert (await admin("PUT", IMPORT, {"mode": "manual"})).status == 200
    anna = world.provider_client().with_token(token(world, "anna"))
    body = {
        "spaceId": "lab",
        "storageId": STORAGE,
        "storageFileId": "d/f",
        "destinationPath": "/new/place",
        "mode": "640",
        "xattrs": {"from": "somewhere"},
        "json": {"a": 1},
        "rdf": "PHgvPg==",
    }
    made = await anna("POST", f"{REST}/data/register", body)
    assert made.status == 201
    file_id = made.body["fileId"]
    assert (await anna("GET", f"{REST}/data/{file_id}/content")).content == b"was here before"
    assert (await anna("GET", f"{REST}/data/{file_id}/metadata/xattrs")).body["from"] == "somewhere"
    assert (await anna("POST", f"{REST}/data/register", body)).body["fileId"] == file_id
    bob = world.provider_client().with_token(token(world, "bob"))
    assert (await bob("POST", f"{REST}/data/register", body)).status == 403
    assert (await anna("POST", f"{REST}/data/register", {**body, "rdf": "?"})).error == "badData"
    missing = await anna("POST", f"{REST}/data/register", {**body, "storageFileId": "none"})
    assert (missing.status, missing.error) == (400, "posix")
