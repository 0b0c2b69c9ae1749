"""Background jobs at the admin door."""

from __future__ import annotations

from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from cluster_worker.runtime.clock import sleep
from op_worker.config import ZoneSection
from tests.integration.op_worker.running import World
from tests.integration.op_worker.test_local_users import local, token

JOBS = "/api/v3/onepanel/provider/jobs"


@ensureDeferred
async def test_jobs_are_listed_and_wrong_requests_get_typed_errors(world: World) -> None:
    await world.start_provider(world.provider_config(zone=ZoneSection()))
    assert (await world.provider_client()("GET", JOBS)).status == 401
    admin = world.admin()
    empty = await admin("GET", f"{JOBS}?status=finished&pool=tree-deletion&group=g&limit=5")
    assert (empty.status, empty.body) == (200, {"jobs": [], "nextPageToken": None})
    assert (await admin("GET", f"{JOBS}?status=lost")).error == "badValueNotAllowed"
    assert (await admin("GET", f"{JOBS}?limit=0")).error == "badValueNotInRange"
    for path in (f"{JOBS}/space:none", f"{JOBS}/none", f"{JOBS}/space:none/audit"):
        assert (await admin("GET", path)).error == "notFound"
    assert (await admin("GET", f"{JOBS}/space:none/audit?after=x")).error == "badValueInteger"
    assert (await admin("DELETE", f"{JOBS}/space:none")).error == "notFound"


@ensureDeferred
async def test_removed_tree_is_purged_by_a_job_that_is_shown_and_cannot_be_cancelled(world: World) -> None:
    await world.start_provider(world.provider_config(local=local(world)))
    anna, admin = world.provider_client().with_token(token(world, "anna")), world.admin()
    for name in ("a", "b"):
        for folder in (name, f"{name}/x"):
            assert (await anna("PUT", f"/cdmi/Lab/{folder}/")).status == 201
        put = await anna("PUT", f"/cdmi/Lab/{name}/x/y.txt", b"text", content_type="text/plain")
        assert put.status == 201
        file_id = (await anna("POST", f"/api/v3/oneprovider/lookup-file-id/Lab/{name}")).body["fileId"]
        assert (await anna("DELETE", f"/api/v3/oneprovider/data/{file_id}")).status == 204
    for _ in range(100):
        done = (await admin("GET", f"{JOBS}?status=finished")).body["jobs"]
        if done and not list((world.folder / "data" / "lab").rglob("y.txt")):
            break
        await sleep(reactor, 0.05)
    assert [job["id"] for job in done] == ["lab:trash"]
    job = (await admin("GET", f"{JOBS}/lab:trash")).body
    assert (job["pool"], job["group"], job["cancelling"]) == ("tree-deletion", "lab", False)
    assert job["slaves"]["failed"] == 0
    audit = (await admin("GET", f"{JOBS}/lab:trash/audit?limit=2")).body
    assert [entry["number"] for entry in audit["entries"]] == [0, 1]
    assert (await admin("GET", f"{JOBS}/lab:trash/audit?after={audit['nextAfter']}")).body["entries"]
    assert (await admin("DELETE", f"{JOBS}/lab:trash")).error == "forbidden"
