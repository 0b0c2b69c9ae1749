"""The channel of providers: handshake, resources, pushes, supports, tokens."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from onedata.graphsync import ErrorResponse, HandshakeResponse, NosubPush, UpdateType
from onedata.tokens.subjects import Subject, SubjectKind
from tests.integration.oz_worker.graph_client import GraphClient, connect, dial
from tests.integration.oz_worker.running_zone import Client, RunningZone

ROOT = "X-Auth-Token"
GIB = 1 << 30


async def supported(zone: RunningZone, user: Client) -> tuple[str, Client, GraphClient]:
    """A space of ``user`` with the support of provider ``krk``, which is connected."""
    space = await zone.space(user)
    provider = await zone.provider(user)
    channel = await connect(zone.port, provider.auth[ROOT])
    token = (await user("POST", f"/spaces/{space}/providers/token")).body["token"]
    response = await channel.graph("storage.disk1.support", "create", {"token": token, "size": GIB})
    assert response.data == {"spaceId": space}
    return space, provider, channel


@ensureDeferred
async def test_handshake_tells_the_provider_who_it_is(zone: RunningZone) -> None:
    provider = await zone.provider(await zone.user("anna"))
    channel = await dial(zone.port)
    response = await channel.handshake(provider.auth[ROOT])
    assert isinstance(response, HandshakeResponse)
    assert response.identity == Subject(SubjectKind.ONEPROVIDER, "krk")
    assert response.attributes is not None and response.attributes["serviceVersion"] == "21.02.8"
    await channel.hang_up()


@ensureDeferred
async def test_handshake_with_a_token_of_a_user_is_refused_and_ends(zone: RunningZone) -> None:
    user = await zone.user("anna")
    channel = await dial(zone.port)
    response = await channel.handshake(user.auth[ROOT])
    assert isinstance(response, ErrorResponse) and response.error.id == "forbidden"
    await channel.closed


@ensureDeferred
async def test_request_before_the_handshake_is_refused_and_ends(zone: RunningZone) -> None:
    channel = await dial(zone.port)
    assert await channel.refused("provider.krk.instance") == "expectedHandshakeMessage"
    await channel.closed


@ensureDeferred
async def test_garbage_is_answered_and_the_channel_goes_on(zone: RunningZone) -> None:
    provider = await zone.provider(await zone.user("anna"))
    channel = await connect(zone.port, provider.auth[ROOT])
    assert (await channel.ask_text("{nonsense")).error.id == "badMessage"
    assert (await channel.read("provider.krk.instance"))["name"] == "krk"
    await channel.hang_up()


@ensureDeferred
async def test_connected_provider_is_online_with_its_published_version(zone: RunningZone) -> None:
    user = await zone.user("anna")
    _, provider, channel = await supported(zone, user)
    await channel.graph("provider.krk.instance", "update", {"version": "21.02.8"})
    body = {"token": user.auth[ROOT]}
    scope = (await zone.client("POST", "/tokens/infer_access_token_scope", body)).body["dataAccessScope"]
    assert scope["providers"]["krk"] == {
        "name": "krk",
        "domain": "krk.example.org",
        "version": "21.02.8",
        "online": True,
    }
    await channel.hang_up()
    assert (await provider("GET", "/provider")).body["online"] is False


@ensureDeferred
async def test_space_resource_shows_members_and_supports(zone: RunningZone) -> None:
    user = await zone.user("anna")
    space, _, channel = await supported(zone, user)
    resource = await channel.read(f"space.{space}.instance")
    assert resource["gri"] == f"space.{space}.instance:private"
    assert resource["owners"] == ["anna"]
    assert "space_delete" in resource["effectiveUsers"]["anna"]
    assert resource["providers"] == {"krk": GIB}
    assert resource["providerDomains"] == {"krk": "krk.example.org"}
    await channel.hang_up()


@ensureDeferred
async def test_new_member_is_pushed_with_a_greater_revision(zone: RunningZone) -> None:
    anna, bob = await zone.user("anna"), await zone.user("bob")
    space, _, channel = await supported(zone, anna)
    before = await channel.read(f"space.{space}.instance")
    await channel.read("provider.krk.instance")
    invite = (await anna("POST", f"/spaces/{space}/users/token")).body["token"]
    assert (await bob("POST", "/user/spaces/join", {"token": invite})).status == 201
    push = await channel.push_of(f"space.{space}.instance:private")
    assert "bob" in push.data["effectiveUsers"] and push.data["revision"] > before["revision"]
    bob_seen = await channel.read("user.bob.instance:protected")
    assert bob_seen["effectiveSpaces"] == [space]
    await channel.hang_up()


@ensureDeferred
async def test_member_through_nested_groups_is_pushed_too(zone: RunningZone) -> None:
    anna = await zone.user("anna")
    await zone.user("bob")
    space, _, channel = await supported(zone, anna)
    await channel.read("provider.krk.instance")
    await zone.client("POST", "/dev/groups", {"groupId": "inner", "creatorId": "bob"})
    await zone.client("POST", "/dev/groups", {"groupId": "outer", "creatorId": "anna", "groups": ["inner"]})
    invite = (await anna("POST", f"/spaces/{space}/groups/token")).body["token"]
    assert (await anna("POST", "/groups/outer/spaces/join", {"token": invite})).status == 201
    push = await channel.push_of(
        "provider.krk.instance:private", lambda data: "bob" in data["effectiveUsers"]
    )
    assert push.data["effectiveGroups"] == ["inner", "outer"]
    await channel.hang_up()


@ensureDeferred
async def test_revoked_and_removed_tokens_are_pushed(zone: RunningZone) -> None:
    user = await zone.user("anna")
    _, _, channel = await supported(zone, user)
    assert (await channel.read("provider.krk.token_events"))["revokedTokens"] == []
    first = (await user("POST", "/user/tokens/named", {"name": "first"})).body["tokenId"]
    second = (await user("POST", "/user/tokens/named", {"name": "second"})).body["tokenId"]
    await user("PATCH", f"/tokens/named/{first}", {"revoked": True})
    push = await channel.push_of("provider.krk.token_events:private")
    assert push.data["revokedTokens"] == [first]
    await user("DELETE", f"/tokens/named/{second}")
    push = await channel.push_of("provider.krk.token_events:private")
    assert push.data["revokedTokens"] == sorted([first, second])
    await channel.hang_up()


@ensureDeferred
async def test_new_generation_of_temporary_tokens_is_pushed(zone: RunningZone) -> None:
    user = await zone.user("anna")
    _, _, channel = await supported(zone, user)
    assert (await channel.read("provider.krk.token_events"))["temporaryGenerations"] == {}
    await user("DELETE", "/user/tokens/temporary")
    push = await channel.push_of("provider.krk.token_events:private")
    assert push.data["temporaryGenerations"] == {"anna": 2}
    await channel.hang_up()


@ensureDeferred
async def test_access_token_is_verified_with_its_circumstances(zone: RunningZone) -> None:
    user = await zone.user("anna")
    _, _, channel = await supported(zone, user)
    caveats = [{"type": "ip", "whitelist": ["10.0.0.0/8"]}, {"type": "data.readonly"}]
    token = (await user("POST", "/user/tokens/named", {"name": "lan", "caveats": caveats})).body
    data = {
        "token": token["token"],
        "peerIp": "10.1.2.3",
        "interface": "rest",
        "allowDataAccessCaveats": True,
    }
    gri = "token.null.verify_access_token:public"
    response = await channel.graph(gri, "create", data)
    assert response.data == {
        "subject": {"type": "user", "id": "anna"},
        "ttl": None,
        "tokenId": token["tokenId"],
        "persistence": "named",
    }
    assert await channel.refused(gri, "create", {**data, "peerIp": "11.1.2.3"}) == "tokenCaveatUnverified"
    assert await channel.refused(gri, "create", {**data, "peerIp": None}) == "tokenCaveatUnverified"
    assert await channel.refused(gri, "create", {**data, "token": "nonsense"}) == "badToken"
    await channel.hang_up()


@ensureDeferred
async def test_strangers_are_shown_only_after_a_token_of_theirs(zone: RunningZone) -> None:
    anna, bob = await zone.user("anna"), await zone.user("bob")
    _, _, channel = await supported(zone, anna)
    assert await channel.refused("user.bob.instance:protected") == "forbidden"
    assert await channel.refused("user.nobody.instance:protected") == "notFound"
    await channel.graph("token.null.verify_access_token:public", "create", {"token": bob.auth[ROOT]})
    assert (await channel.read("user.bob.instance:protected"))["effectiveSpaces"] == []
    await channel.hang_up()


@ensureDeferred
async def test_end_of_support_ends_the_subscription_to_the_space(zone: RunningZone) -> None:
    user = await zone.user("anna")
    space, _, channel = await supported(zone, user)
    await channel.read(f"space.{space}.instance")
    await channel.read("provider.krk.instance")
    await user("DELETE", f"/spaces/{space}/providers/krk")
    assert isinstance(await channel.push_of(f"space.{space}.instance:private"), NosubPush)
    assert await channel.refused(f"space.{space}.instance") == "forbidden"
    await channel.hang_up()


@ensureDeferred
async def test_provider_ends_its_own_support(zone: RunningZone) -> None:
    user = await zone.user("anna")
    space, _, channel = await supported(zone, user)
    await channel.graph(f"provider.krk.space,{space}", "delete")
    assert (await user("GET", f"/spaces/{space}")).body["providers"] == {}
    await channel.hang_up()


@ensureDeferred
async def test_deleted_user_is_pushed_as_deleted(zone: RunningZone) -> None:
    anna, bob = await zone.user("anna"), await zone.user("bob")
    space, _, channel = await supported(zone, anna)
    await zone.client("POST", "/dev/users/bob/space_admin", {"spaceId": space})
    await channel.read("user.bob.instance:protected")
    assert (await bob("DELETE", "/user")).status == 204
    push = await channel.push_of("user.bob.instance:protected")
    assert push.update_type is UpdateType.DELETED
    await channel.hang_up()


@ensureDeferred
async def test_unregistered_provider_is_disconnected(zone: RunningZone) -> None:
    _, provider, channel = await supported(zone, await zone.user("anna"))
    assert (await provider("DELETE", "/provider")).status == 204
    await channel.closed


@ensureDeferred
async def test_reconnected_provider_gets_the_present_state(zone: RunningZone) -> None:
    user = await zone.user("anna")
    space, provider, channel = await supported(zone, user)
    await channel.hang_up()
    await user("PATCH", f"/spaces/{space}", {"name": "Renamed"})
    channel = await connect(zone.port, provider.auth[ROOT])
    assert (await channel.read(f"space.{space}.instance"))["name"] == "Renamed"
    await user("PATCH", f"/spaces/{space}", {"name": "Again"})
    assert (await channel.push_of(f"space.{space}.instance:private")).data["name"] == "Again"
    await channel.hang_up()


@ensureDeferred
async def test_support_token_holds_once_and_only_above_the_least_size(zone: RunningZone) -> None:
    user = await zone.user("anna")
    space, _, channel = await supported(zone, user)
    token = (await user("POST", f"/spaces/{space}/providers/token")).body["token"]
    small = {"token": token, "size": 10}
    assert await channel.refused("storage.disk2.support", "create", small) == "badValueTooLow"
    await channel.graph("storage.disk2.support", "create", {"token": token, "size": GIB})
    again = {"token": token, "size": GIB}
    assert await channel.refused("storage.disk3.support", "create", again) == "inviteTokenUsageLimitReached"
    assert (await user("GET", f"/spaces/{space}")).body["providers"] == {"krk": 2 * GIB}
    await channel.hang_up()


@ensureDeferred
@pytest.mark.parametrize(
    ("gri", "operation", "error"),
    [
        ("space.null.instance", "create", "notSupported"),
        ("provider.other.instance", "update", "forbidden"),
        ("provider.krk.instance", "update", "missingAtLeastOneValue"),
        ("harvester.h.instance", "get", "notSubscribable"),
        ("provider.other.token_events", "get", "forbidden"),
        ("storage.d.support", "create", "missingRequiredValue"),
    ],
)
async def test_wrong_operations_get_typed_errors(
    zone: RunningZone, gri: str, operation: str, error: str
) -> None:
    channel = await connect(zone.port, (await zone.provider(await zone.user("anna"))).auth[ROOT])
    assert await channel.refused(gri, operation) == error
    await channel.hang_up()


@ensureDeferred
async def test_plain_request_to_the_channel_is_told_to_upgrade(zone: RunningZone) -> None:
    client = Client(f"http://127.0.0.1:{zone.port}", zone.client.http)
    answer = await client("GET", "/graph_sync/provider")
    assert answer.status == 426


@ensureDeferred
async def test_space_of_a_user_without_our_support_is_shown_without_members(zone: RunningZone) -> None:
    user = await zone.user("anna")
    _, _, channel = await supported(zone, user)
    other = await zone.space(user, "Arts")
    assert await channel.refused(f"space.{other}.instance") == "forbidden"
    gri = f"space.{other}.instance:protected"
    resource = await channel.read(gri)
    assert isinstance(resource.pop("revision"), int)
    assert resource == {
        "gri": gri,
        "name": "Arts",
        "providers": {},
        "providerNames": {},
        "providerDomains": {},
    }
    await user("PATCH", f"/spaces/{other}", {"name": "Crafts"})
    assert (await channel.push_of(gri)).data["name"] == "Crafts"
    token = (await user("POST", f"/spaces/{other}/providers/token")).body["token"]
    await channel.graph("storage.disk1.support", "create", {"token": token, "size": GIB})
    assert (await channel.push_of(gri)).data["providers"] == {"krk": GIB}
    assert (await channel.read(f"space.{other}.instance"))["owners"] == ["anna"]
    await user("DELETE", f"/spaces/{other}")
    assert (await channel.push_of(gri)).update_type is UpdateType.DELETED
    await channel.hang_up()


@ensureDeferred
async def test_space_is_hidden_when_none_of_our_users_is_in_it_any_more(zone: RunningZone) -> None:
    anna, bob = await zone.user("anna"), await zone.user("bob")
    _, _, channel = await supported(zone, anna)
    other = await zone.space(bob, "Arts")
    gri = f"space.{other}.instance:protected"
    assert await channel.refused(gri) == "forbidden"
    assert await channel.refused("space.nowhere.instance:protected") == "notFound"
    invite = (await bob("POST", f"/spaces/{other}/users/token")).body["token"]
    assert (await anna("POST", "/user/spaces/join", {"token": invite})).status == 201
    assert (await channel.read(gri))["name"] == "Arts"
    assert (await anna("DELETE", f"/user/spaces/{other}")).status == 204
    assert isinstance(await channel.push_of(gri), NosubPush)
    await channel.graph("token.null.verify_access_token:public", "create", {"token": bob.auth[ROOT]})
    assert (await channel.read(gri))["name"] == "Arts"
    await channel.hang_up()
