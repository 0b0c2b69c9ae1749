"""Users, groups, spaces, their members and privileges, providers, and bad requests."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.memory import MemoryEngine
from oz_worker.throttle import ThrottleLimits
from tests.integration.oz_worker.running_zone import DOMAIN, PASSWORD, RunningZone, start_zone


def engine() -> MemoryEngine:
    return MemoryEngine(IReactorTime(reactor))


@ensureDeferred
async def test_new_zone_has_an_administrator_with_the_given_password() -> None:
    zone = await start_zone(engine(), dev_mode=False)
    admin = zone.client.basic("admin")
    body = {"username": "anna", "password": "long enough", "fullName": "Anna Adams"}
    made = await admin("POST", "/users", body)
    assert made.status == 201
    user_id = str(made.header("Location")).rpartition("/")[2]
    shown = (await zone.client.basic("anna", "long enough")("GET", "/user")).body
    assert shown["userId"] == user_id and shown["basicAuthEnabled"] is True
    assert (await admin("POST", "/users", body)).error == "badValueIdentifierOccupied"
    await zone.stop()


@ensureDeferred
async def test_set_up_routes_exist_only_in_dev_mode() -> None:
    zone = await start_zone(engine(), dev_mode=False)
    for path in ("/dev/users", "/dev/spaces", "/dev/groups"):
        assert (await zone.client("POST", path, {})).status == 404
    assert (await zone.client("POST", "/providers/dev", {})).status in (404, 405)
    await zone.stop()


@ensureDeferred
async def test_wrong_password_is_told_and_throttled_with_retry_after() -> None:
    limits = ThrottleLimits(free_per_user=2, first_lock_s=30.0)
    zone = await start_zone(engine(), login=limits)
    await zone.user("anna")
    wrong = zone.client.basic("anna", "wrong password")
    for _ in range(2):
        answer = await wrong("GET", "/user")
        assert (answer.status, answer.auth_error) == (401, "badBasicCredentials")
        assert answer.header("Retry-After") is None
    locked = await wrong("GET", "/user")
    assert locked.auth_error == "badBasicCredentials" and locked.header("Retry-After") == "30"
    right = await zone.client.basic("anna", PASSWORD)("GET", "/user")
    assert right.status == 401 and right.header("Retry-After") is not None
    await zone.stop()


@ensureDeferred
async def test_unknown_user_looks_like_a_wrong_password(zone: RunningZone) -> None:
    answer = await zone.client.basic("nobody")("GET", "/user")
    assert (answer.status, answer.auth_error) == (401, "badBasicCredentials")


@ensureDeferred
async def test_user_changes_names_and_password(zone: RunningZone) -> None:
    anna = await zone.user("anna")
    await zone.user("bob")
    assert (await anna("PATCH", "/user", {"fullName": "Anna B.", "username": "ab"})).status == 204
    assert (await anna("GET", "/user")).body["fullName"] == "Anna B."
    assert (await anna("PATCH", "/user", {"username": "bob"})).error == "badValueIdentifierOccupied"
    wrong = await anna("PATCH", "/user/password", {"oldPassword": "no", "newPassword": "next password"})
    assert (wrong.status, wrong.auth_error) == (401, "badBasicCredentials")
    body = {"oldPassword": PASSWORD, "newPassword": "next password"}
    assert (await anna("PATCH", "/user/password", body)).status == 204
    assert (await zone.client.basic("ab", "next password")("GET", "/user")).status == 200
    assert (await zone.client.basic("ab", PASSWORD)("GET", "/user")).status == 401


@ensureDeferred
async def test_creator_of_a_space_owns_it_with_all_privileges(zone: RunningZone) -> None:
    anna = await zone.user("anna")
    answer = await anna("POST", "/user/spaces", {"name": "Science"})
    space = str(answer.header("Location")).rpartition("/")[2]
    assert answer.header("Location") == f"https://{DOMAIN}/api/v3/onezone/user/spaces/{space}"
    assert (await anna("GET", f"/spaces/{space}/owners")).body == {"users": ["anna"]}
    held = (await anna("GET", f"/spaces/{space}/users/anna/privileges")).body["privileges"]
    assert "space_delete" in held
    assert (await anna("GET", f"/user/spaces/{space}")).body["name"] == "Science"
    assert (await anna("GET", "/user/effective_spaces")).body == {"spaces": [space]}


@ensureDeferred
async def test_last_owner_stays_while_there_are_others(zone: RunningZone) -> None:
    anna, bob = await zone.user("anna"), await zone.user("bob")
    space = await zone.space(anna)
    await zone.client("POST", "/dev/users/bob/space_admin", {"spaceId": space})
    assert (await anna("DELETE", f"/user/spaces/{space}")).error == "cannotRemoveLastOwner"
    assert (await bob("DELETE", f"/spaces/{space}/users/anna")).status == 403
    assert (await anna("PUT", f"/spaces/{space}/owners/bob")).status == 204
    assert (await anna("PUT", f"/spaces/{space}/owners/bob")).status == 409
    assert (await anna("DELETE", f"/user/spaces/{space}")).status == 204
    assert (await anna("GET", f"/spaces/{space}")).status == 403


@ensureDeferred
async def test_nested_group_gives_its_members_the_space(zone: RunningZone) -> None:
    anna, bob = await zone.user("anna"), await zone.user("bob")
    inner = str((await bob("POST", "/user/groups", {"name": "Inner"})).header("Location")).rpartition("/")[2]
    outer = str((await anna("POST", "/user/groups", {"name": "Outer"})).header("Location")).rpartition("/")[2]
    invite = (await anna("POST", f"/groups/{outer}/children/token")).body["token"]
    assert (await bob("POST", f"/groups/{inner}/parents/join", {"token": invite})).status == 201
    made = await anna("POST", f"/groups/{outer}/spaces", {"name": "Shared"})
    space = str(made.header("Location")).rpartition("/")[2]
    assert (await bob("GET", "/user/effective_spaces")).body == {"spaces": [space]}
    assert (await bob("GET", "/user/spaces")).body == {"spaces": []}
    path = f"/spaces/{space}/effective_users/bob/membership"
    assert (await bob("GET", path)).body == {"intermediaries": [{"type": "group", "id": outer}]}
    assert (await bob("DELETE", f"/user/spaces/{space}")).status == 404
    assert set((await bob("GET", "/user/effective_groups")).body["groups"]) == {inner, outer}


@ensureDeferred
async def test_group_cannot_be_nested_in_itself_at_any_depth(zone: RunningZone) -> None:
    anna = await zone.user("anna")
    for group in ("g1", "g2"):
        await zone.client("POST", "/dev/groups", {"groupId": group, "creatorId": "anna"})
    assert (await anna("PUT", "/groups/g1/children/g2")).status == 201
    assert (await anna("PUT", "/groups/g1/children/g1")).error == "cannotAddRelationToSelf"
    assert (await anna("PUT", "/groups/g2/children/g1")).error == "relationAlreadyExists"


@ensureDeferred
async def test_strangers_learn_of_existence_but_get_nothing(zone: RunningZone) -> None:
    anna, bob = await zone.user("anna"), await zone.user("bob")
    space = await zone.space(anna)
    assert (await bob("GET", f"/spaces/{space}")).status == 403
    assert (await bob("GET", "/spaces/unknown")).status == 404
    assert (await zone.client("GET", "/spaces/unknown")).status == 404
    assert (await zone.client("GET", f"/spaces/{space}")).status == 401
    assert (await bob("PATCH", f"/spaces/{space}", {"name": ""})).status == 403
    assert (await bob("GET", "/users")).status == 403
    assert (await bob("PUT", f"/spaces/{space}/users/bob")).status == 403


@ensureDeferred
async def test_deleted_user_leaves_nothing_behind(zone: RunningZone) -> None:
    anna, bob = await zone.user("anna"), await zone.user("bob")
    space = await zone.space(anna)
    await zone.client("POST", "/dev/users/bob/space_admin", {"spaceId": space})
    assert (await bob("DELETE", "/user")).status == 204
    assert (await bob("GET", "/user")).status == 401
    assert (await anna("GET", f"/spaces/{space}/users")).body == {"users": ["anna"]}
    again = {"userId": "bob", "username": "bob", "fullName": "Bob", "password": PASSWORD}
    assert (await zone.client("POST", "/dev/users", again)).status == 204


@ensureDeferred
async def test_provider_registers_and_publishes_itself(zone: RunningZone) -> None:
    anna = await zone.user("anna")
    order = {
        "name": "registration",
        "type": {"inviteToken": {"inviteType": "registerOneprovider", "adminUserId": "anna"}},
    }
    token = (await anna("POST", "/user/tokens/named", order)).body["token"]
    body = {
        "token": token,
        "name": "Cracow",
        "adminEmail": "admin@example.org",
        "subdomainDelegation": False,
        "domain": "krk.example.org:8443",
        "latitude": 50.0,
    }
    answer = await zone.client("POST", "/providers", body)
    assert answer.status == 200 and answer.header("Location") is None
    assert answer.body["macaroon"] == answer.body["providerRootToken"]
    provider = zone.client.token(answer.body["providerRootToken"])
    provider_id = answer.body["providerId"]
    shown = (await provider("GET", "/provider")).body
    assert shown["domain"] == "krk.example.org:8443" and shown["clusterId"] == provider_id
    version = {"workerVersion": {"release": "21.02.8"}}
    assert (await provider("PATCH", f"/clusters/{provider_id}", version)).status == 204
    cluster = (await anna("GET", f"/clusters/{provider_id}")).body
    assert cluster["workerVersion"] == {"release": "21.02.8", "build": "unknown", "gui": "unknown"}
    assert (await anna("GET", f"/clusters/{provider_id}/users")).body == {"users": ["anna"]}


@ensureDeferred
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"token": "nonsense"}, "badValueToken"),
        ({"name": "-"}, "badValueName"),
        ({"adminEmail": "nobody"}, "badValueEmail"),
        ({"subdomainDelegation": "false"}, "badValueBoolean"),
        ({"domain": "UPPER.example.org"}, "badValueDomain"),
        ({"domain": None}, "missingRequiredValue"),
        ({"latitude": 91}, "badValueNotInRange"),
        ({"subdomainDelegation": True}, "subdomainDelegationNotSupported"),
    ],
)
async def test_bad_registrations_get_typed_errors(
    zone: RunningZone, change: dict[str, object], error: str
) -> None:
    anna = await zone.user("anna")
    token = (await anna("POST", "/user/clusters/provider_registration_token")).body["token"]
    body = {
        "token": token,
        "name": "Cracow",
        "adminEmail": "admin@example.org",
        "subdomainDelegation": False,
        "domain": "krk.example.org",
        **change,
    }
    answer = await zone.client("POST", "/providers", body)
    assert (answer.status, answer.error) == (400, error)


@ensureDeferred
async def test_bad_bodies_and_methods_get_documented_answers(zone: RunningZone) -> None:
    anna = await zone.user("anna")
    json_type = {"Content-Type": "application/json"}
    broken = await anna.send("POST", "/user/spaces", b"{", json_type)
    assert (broken.status, broken.error) == (400, "malformedData")
    array = await anna.send("POST", "/user/spaces", b"[]", json_type)
    assert array.error == "malformedData"
    text = await anna.send("POST", "/user/spaces", b"name=x", {"Content-Type": "text/plain"})
    assert text.status == 415
    assert (await anna("POST", "/user/spaces")).error == "missingRequiredValue"
    assert (await anna("POST", "/user/spaces", {"name": "x" * 129})).error == "badValueName"
    assert (await anna("POST", "/user/spaces", {"name": 5})).error == "badValueString"
    assert (await anna("PUT", "/user/spaces", {})).status == 405
    assert (await anna("GET", "/no/such/route")).status == 404
    assert (await anna("GET", "/spaces/%ff")).status in (400, 404)
    surrogate = await anna.send("POST", "/user/spaces", b'{"name":"\\ud800x"}', json_type)
    assert surrogate.status == 400


@ensureDeferred
async def test_public_facts_need_no_credentials(zone: RunningZone) -> None:
    configuration = (await zone.client("GET", "/configuration")).body
    assert configuration["version"] == "21.02.8" and configuration["domain"] == DOMAIN
    assert (await zone.client("GET", "/health")).body == {"status": "healthy"}
    assert "space_view" in (await zone.client("GET", "/spaces/privileges")).body["member"]
    assert (await zone.client("GET", "/provider/public/check_my_ip")).body == "127.0.0.1"
    assert (await zone.client("GET", "/provider/public/get_current_time")).body["timeMillis"] > 1e12
    answer = await zone.client("GET", "/configuration")
    assert answer.header("Access-Control-Allow-Origin") == "*"


@ensureDeferred
async def test_set_up_of_an_environment_takes_chosen_ids(zone: RunningZone) -> None:
    anna, bob = await zone.user("anna"), await zone.user("bob")
    group = {"groupId": "g1", "name": "Group 1", "creatorId": "bob", "users": ["bob"], "groups": []}
    assert (await zone.client("POST", "/dev/groups", group)).status == 204
    space = {"spaceId": "s1", "name": "Space 1", "creatorId": "anna", "users": ["anna"], "groups": ["g1"]}
    assert (await zone.client("POST", "/dev/spaces", space)).status == 204
    assert (await anna("GET", "/spaces/s1/owners")).body == {"users": ["anna"]}
    held = (await bob("GET", "/spaces/s1/effective_users/bob/privileges")).body["privileges"]
    assert "space_write_data" in held and "space_delete" not in held
    assert (await zone.client("POST", "/dev/users/bob/space_admin", {"spaceId": "s1"})).status == 204
    assert (await bob("PATCH", "/spaces/s1", {"name": "Renamed"})).status == 204
    assert (await zone.client("POST", "/dev/spaces", space)).error == "alreadyExists"
