"""Groups from both ends, members of clusters, tokens of providers, zone privileges."""

from __future__ import annotations

from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.memory import MemoryEngine
from tests.integration.oz_worker.running_zone import RunningZone, start_zone


@ensureDeferred
async def test_group_lives_from_creation_to_deletion(zone: RunningZone) -> None:
    anna = await zone.user("anna")
    made = await anna("POST", "/user/groups", {"name": "Team A", "type": "unit"})
    group = str(made.header("Location")).rpartition("/")[2]
    shown = (await anna("GET", f"/groups/{group}")).body
    assert shown["type"] == "unit" and shown["creator"] == {"type": "user", "id": "anna"}
    assert (await anna("PATCH", f"/groups/{group}", {"name": "Team B"})).status == 204
    assert (await anna("PATCH", f"/groups/{group}", {"type": "gang"})).error == "badValueNotAllowed"
    assert (await anna("PATCH", f"/groups/{group}", {})).error == "missingAtLeastOneValue"
    assert (await anna("GET", f"/user/groups/{group}")).body["name"] == "Team B"
    assert (await anna("DELETE", f"/groups/{group}")).status == 204
    assert (await anna("GET", "/user/groups")).body == {"groups": []}


@ensureDeferred
async def test_children_and_parents_are_made_in_place(zone: RunningZone) -> None:
    anna = await zone.user("anna")
    await zone.client("POST", "/dev/groups", {"groupId": "g", "creatorId": "anna"})
    child = await anna("POST", "/groups/g/children", {"name": "Child"})
    child_id = str(child.header("Location")).rpartition("/")[2]
    assert (await anna("GET", "/groups/g/children")).body == {"children": [child_id]}
    assert (await anna("GET", f"/groups/g/children/{child_id}/privileges")).body == {
        "privileges": ["group_view"]
    }
    parent = await anna("POST", "/groups/g/parents", {"name": "Parent"})
    parent_id = str(parent.header("Location")).rpartition("/")[2]
    assert (await anna("GET", "/groups/g/parents")).body == {"parents": [parent_id]}
    assert (await anna("GET", f"/groups/{child_id}/effective_parents")).body["parents"] == sorted(
        ["g", parent_id]
    )
    assert (await anna("DELETE", f"/groups/g/parents/{parent_id}")).status == 204
    assert (await anna("DELETE", f"/groups/g/children/{child_id}")).status == 204


@ensureDeferred
async def test_privileges_of_members_are_granted_and_revoked(zone: RunningZone) -> None:
    anna, bob = await zone.user("anna"), await zone.user("bob")
    await zone.client("POST", "/dev/groups", {"groupId": "g", "creatorId": "anna", "users": ["bob"]})
    path = "/groups/g/users/bob/privileges"
    change = {"grant": ["group_add_user", "group_update"], "revoke": ["group_update"]}
    assert (await anna("PATCH", path, change)).status == 204
    assert (await bob("GET", path)).body == {"privileges": ["group_add_user", "group_view"]}
    assert (await bob("PATCH", path, change)).status == 403
    assert (await anna("PATCH", path, {"grant": ["space_view"]})).error == "badValueListNotAllowed"
    assert (await anna("GET", "/groups/g/users/nobody")).status == 404
    assert (await anna("DELETE", "/groups/g/users/bob")).status == 204
    assert (await bob("GET", "/groups/g")).status == 403


@ensureDeferred
async def test_cluster_admits_members_by_token(zone: RunningZone) -> None:
    anna, bob = await zone.user("anna"), await zone.user("bob")
    provider = await zone.provider(anna)
    invite = (await provider("POST", "/clusters/krk/users/token")).body["token"]
    assert (await bob("POST", "/user/clusters/join", {"token": invite})).status == 201
    assert (await bob("GET", "/user/clusters")).body == {"clusters": ["krk"]}
    assert (await bob("GET", "/providers/krk")).body["name"] == "krk"
    assert (await bob("GET", "/clusters/krk/effective_users")).body == {"users": ["anna", "bob"]}
    assert (await zone.client("GET", "/providers/krk")).status == 401


@ensureDeferred
async def test_provider_has_tokens_but_keeps_its_root_token(zone: RunningZone) -> None:
    provider = await zone.provider(await zone.user("anna"))
    made = await provider("POST", "/provider/tokens/named", {"name": "spare"})
    assert made.status == 201
    tokens = (await provider("GET", "/provider/tokens/named")).body["tokens"]
    root = next(token for token in tokens if token != made.body["tokenId"])
    assert (await provider("DELETE", f"/tokens/named/{root}")).status == 403
    assert (await provider("DELETE", "/provider/tokens/named")).status == 204
    assert (await provider("GET", "/provider/tokens/named")).body == {"tokens": [root]}
    assert (await provider("GET", "/user")).status == 403


@ensureDeferred
async def test_provider_proves_its_identity_to_others(zone: RunningZone) -> None:
    provider = await zone.provider(await zone.user("anna"))
    kind = {"type": {"identityToken": {}}, "name": "identity"}
    token = (await provider("POST", "/provider/tokens/named", kind)).body["token"]
    path = "/provider/public/verify_provider_identity"
    assert (await zone.client("POST", path, {"providerId": "krk", "token": token})).status == 204
    wrong = await zone.client("POST", path, {"providerId": "par", "token": token})
    assert wrong.error == "tokenInvalid"
    verified = await zone.client("POST", "/tokens/verify_identity_token", {"token": token})
    assert verified.body["subject"] == {"type": "oneprovider", "id": "krk"}


@ensureDeferred
async def test_zone_privileges_open_administration(zone: RunningZone) -> None:
    running = await start_zone(MemoryEngine(IReactorTime(reactor)), dev_mode=False)
    admin = running.client.basic("admin")
    body = {"username": "helper", "password": "long enough"}
    made = str((await admin("POST", "/users", body)).header("Location")).rpartition("/")[2]
    helper = running.client.basic("helper", "long enough")
    assert (await helper("GET", "/spaces")).status == 403
    grant = {"grant": ["oz_spaces_list", "oz_spaces_create"]}
    assert (await admin("PATCH", f"/users/{made}/privileges", grant)).status == 204
    assert (await helper("POST", "/spaces", {"name": "Nobodys"})).status == 201
    assert len((await helper("GET", "/spaces")).body["spaces"]) == 1
    assert (await helper("GET", "/user/effective_privileges")).body["privileges"] == sorted(grant["grant"])
    assert (await admin("GET", "/groups/admins")).body["name"] == "Admins"
    assert (await admin("DELETE", "/groups/admins")).error == "protectedGroup"
    reset = {"newPassword": "another one"}
    assert (await admin("PATCH", f"/users/{made}/basic_auth", reset)).status == 204
    assert (await running.client.basic("helper", "another one")("GET", "/user")).status == 200
    off = {"basicAuthEnabled": False}
    assert (await admin("PATCH", f"/users/{made}/basic_auth", off)).status == 204
    answer = await running.client.basic("helper", "another one")("GET", "/user")
    assert answer.auth_error == "basicAuthDisabled"
    assert (await admin("DELETE", f"/users/{made}")).status == 204
    await running.stop()


@ensureDeferred
async def test_aliases_of_spaces_are_private_names(zone: RunningZone) -> None:
    anna = await zone.user("anna")
    space = await zone.space(anna)
    path = f"/user/spaces/{space}/alias"
    assert (await anna("GET", path)).status == 404
    assert (await anna("PUT", path, {"alias": "mine"})).status == 204
    assert (await anna("GET", path)).body == {"alias": "mine"}
    assert (await anna("DELETE", path)).status == 204
    assert (await anna("PUT", "/user/spaces/other/alias", {"alias": "x"})).status == 404
