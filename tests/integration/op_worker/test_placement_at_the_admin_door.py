"""Policies of placement at the admin door."""

from __future__ import annotations

from typing import Any

from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from cluster_worker.runtime.clock import sleep
from onedata.ids import SpaceId, StorageId
from op_worker.storage.registry import Storages
from tests.integration.op_worker.running import World
from tests.integration.op_worker.test_local_users import local, token

SPACES = "/api/v3/onepanel/provider/spaces"
STORAGES = "/api/v3/onepanel/provider/storages"
RULE = {"name": "*.h5", "expression": "type=ssd & tier<3", "weights": {"a": 2.0}, "prefer": "nothing"}


@ensureDeferred
async def test_a_policy_is_kept_and_wrong_ones_are_refused_with_the_place(world: World) -> None:
    await world.start_provider(world.provider_config(local=local(world)))
    admin, policy = world.admin(), f"{SPACES}/lab/placement"
    assert (await world.provider_client()("GET", policy)).status == 401
    assert (await admin("GET", policy)).body == {"rules": []}
    assert (await admin("GET", f"{SPACES}/none/placement")).error == "notFound"
    put = await admin("PUT", policy, {"rules": [RULE, {}]})
    first, second = put.body["rules"]
    assert first == {**RULE, "otherwise": "next"}
    assert second == {"expression": "anyStorage", "weights": {}, "prefer": "free", "otherwise": "next"}
    for wrong, error in (
        ({"rules": 1}, "badData"),
        ({"rules": [{"minSize": -1}]}, "badData"),
        ({"rules": [{"expression": "type"}]}, "invalidQosExpression"),
    ):
        assert (await admin("PUT", policy, wrong)).error == error
    assert (await admin("GET", policy)).body == put.body


def storages_in(service: Any) -> Storages:
    """Return the storages of a daemon: there is no door yet that adds a storage to a local space."""
    waiting = [service]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Storages):
            return one
        waiting.extend(getattr(one, "services", ()))
    raise AssertionError("no storages")


@ensureDeferred
async def test_a_storage_is_drained_into_another_by_a_job_and_then_takes_nothing_new(world: World) -> None:
    await world.start_provider(world.provider_config(local=local(world)))
    anna, admin = world.provider_client().with_token(token(world, "anna")), world.admin()
    for name in ("a", "b"):
        put = await anna("PUT", f"/cdmi/Lab/{name}", name.encode() * 1000, content_type="text/plain")
        assert put.status == 201
    (world.folder / "second").mkdir()
    arguments = {"type": "posix", "mountPoint": str(world.folder / "second"), "id": "second"}
    assert (await admin("POST", "/api/v3/onepanel/provider/storages", {"two": arguments})).status == 200
    await storages_in(world.services["provider"]).support(SpaceId("lab"), StorageId("second"), 1 << 30)
    begun = await admin("PUT", f"{STORAGES}/local-lab/draining")
    assert (begun.status, begun.body) == (202, {"jobs": ["lab:drain-local-lab"]})
    for _ in range(200):
        job = (await admin("GET", "/api/v3/onepanel/provider/jobs/lab:drain-local-lab")).body
        if job["status"] == "finished":
            break
        await sleep(reactor, 0.05)
    assert (job["slaves"]["done"], job["slaves"]["failed"]) == (2, 0)
    files = [each for each in (world.folder / "second").rglob("*") if each.is_file()]
    assert sorted(each.read_bytes()[:1] for each in files) == [b"a", b"b"]
    assert not [each for each in (world.folder / "data" / "lab").rglob("*") if each.is_file()]
    assert (await anna("GET", "/cdmi/Lab/a")).content == b"a" * 1000
    assert (await admin("DELETE", f"{STORAGES}/local-lab/draining")).status == 204
    assert (await admin("PUT", f"{STORAGES}/none/draining")).error == "notFound"
