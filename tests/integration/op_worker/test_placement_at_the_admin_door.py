"""Policies of placement at the admin door."""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from tests.integration.op_worker.running import World
from tests.integration.op_worker.test_local_users import local

SPACES = "/api/v3/onepanel/provider/spaces"
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
