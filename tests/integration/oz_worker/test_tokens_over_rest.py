"""Named, temporary and invite tokens; what is told of tokens to everybody."""

from __future__ import annotations

import time
from typing import Any

from pytest_twisted import ensureDeferred

from onedata.tokens.caveats import DataReadonlyCaveat
from onedata.tokens.token import Token
from tests.integration.oz_worker.running_zone import DOMAIN, RunningZone

TOKEN = "X-Auth-Token"


def until(seconds: float) -> dict[str, Any]:
    return {"type": "time", "validUntil": int(time.time() + seconds)}


@ensureDeferred
async def test_named_token_is_created_with_location_and_body(zone: RunningZone) -> None:
    user = await zone.user("anna")
    answer = await user("POST", "/user/tokens/named", {"name": "laptop", "customMetadata": {"a": 1}})
    token_id = answer.body["tokenId"]
    assert answer.status == 201
    assert answer.header("Location") == f"https://{DOMAIN}/api/v3/onezone/tokens/named/{token_id}"
    shown = (await user("GET", "/user/tokens/named/name/laptop")).body
    assert shown["token"] == answer.body["token"]
    assert shown["type"] == {"accessToken": {}} and shown["subject"] == {"type": "user", "id": "anna"}
    assert shown["metadata"]["custom"] == {"a": 1} and "usageCount" not in shown["metadata"]


@ensureDeferred
async def test_second_token_of_the_same_name_is_refused(zone: RunningZone) -> None:
    user = await zone.user("anna")
    answer = await user("POST", "/user/tokens/named", {"name": "main token"})
    assert (answer.status, answer.error) == (400, "badValueIdentifierOccupied")
    assert answer.body["error"]["details"] == {"key": "name"}


@ensureDeferred
async def test_revoked_token_no_longer_opens_anything(zone: RunningZone) -> None:
    user = await zone.user("anna")
    made = (await user("POST", "/user/tokens/named", {"name": "lost"})).body
    lost = zone.client.token(made["token"])
    assert (await lost("GET", "/user")).status == 200
    assert (await user("PATCH", f"/tokens/named/{made['tokenId']}", {"revoked": True})).status == 204
    answer = await lost("GET", "/user")
    assert (answer.status, answer.auth_error) == (401, "tokenRevoked")
    assert (await user("GET", f"/tokens/named/{made['tokenId']}/status")).body == {"revoked": True}


@ensureDeferred
async def test_tampered_and_foreign_tokens_are_invalid(zone: RunningZone) -> None:
    user = await zone.user("anna")
    token = Token.deserialize(user.auth[TOKEN])
    forged = Token.mint(DOMAIN, token.identifier, "0" * 64, []).serialize()
    assert (await zone.client.token(forged)("GET", "/user")).auth_error == "tokenInvalid"
    assert (await zone.client.token("rubbish")("GET", "/user")).auth_error == "badToken"


@ensureDeferred
async def test_tokens_of_somebody_else_cannot_be_seen(zone: RunningZone) -> None:
    anna, bob = await zone.user("anna"), await zone.user("bob")
    token_id = (await anna("GET", "/user/tokens/named")).body["tokens"][0]
    assert (await bob("GET", f"/tokens/named/{token_id}")).status == 403
    assert (await bob("GET", "/users/anna/tokens/named")).status == 403
    assert (await zone.client("GET", f"/tokens/named/{token_id}")).status == 401
    assert (await bob("GET", "/tokens/named/unknown")).status == 404


@ensureDeferred
async def test_temporary_token_needs_a_near_end(zone: RunningZone) -> None:
    user = await zone.user("anna")
    path = "/user/tokens/temporary"
    good = await user("POST", path, {"caveats": [until(60)]})
    assert good.status == 201 and good.header("Location") is None
    assert (await zone.client.token(good.body["token"])("GET", "/user")).body["userId"] == "anna"
    for caveats in ([], [until(2_592_000 + 60)]):
        answer = await user("POST", path, {"caveats": caveats})
        assert answer.error == "tokenTimeCaveatRequired"
        assert answer.body["error"]["details"] == {"maxTtl": 2592000}


@ensureDeferred
async def test_new_generation_ends_all_temporary_tokens(zone: RunningZone) -> None:
    user = await zone.user("anna")
    token = (await user("POST", "/user/tokens/temporary", {"caveats": [until(60)]})).body["token"]
    assert (await user("GET", "/user/tokens/temporary")).body == {"generation": 1}
    assert (await user("DELETE", "/user/tokens/temporary")).status == 204
    assert (await user("GET", "/user/tokens/temporary")).body == {"generation": 2}
    assert (await zone.client.token(token)("GET", "/user")).auth_error == "tokenRevoked"


@ensureDeferred
async def test_readonly_token_only_shows_own_user_and_spaces(zone: RunningZone) -> None:
    user = await zone.user("anna")
    space = await zone.space(user)
    reader = zone.client.token(
        Token.deserialize(user.auth[TOKEN]).confine([DataReadonlyCaveat()]).serialize()
    )
    assert (await reader("GET", "/user")).status == 200
    assert (await reader("GET", f"/spaces/{space}")).status == 200
    for method, path in (
        ("GET", "/user/tokens/named"),
        ("GET", f"/spaces/{space}/users"),
        ("POST", "/user/spaces"),
    ):
        answer = await reader(method, path, {} if method == "POST" else None)
        assert (answer.status, answer.auth_error) == (401, "tokenCaveatUnverified"), path


@ensureDeferred
async def test_scope_of_a_token_lists_spaces_and_providers(zone: RunningZone) -> None:
    user = await zone.user("anna")
    space = await zone.space(user)
    other = await zone.space(user, "Other")
    answer = await zone.client("POST", "/tokens/infer_access_token_scope", {"token": user.auth[TOKEN]})
    assert answer.status == 200
    assert answer.body == {
        "validUntil": None,
        "dataAccessScope": {
            "readonly": False,
            "spaces": {
                space: {"name": "Science", "supports": {}},
                other: {"name": "Other", "supports": {}},
            },
            "providers": {},
        },
    }


@ensureDeferred
async def test_scope_forgives_interface_and_service_but_not_time(zone: RunningZone) -> None:
    user = await zone.user("anna")
    path = "/tokens/infer_access_token_scope"
    caveats = [{"type": "interface", "interface": "oneclient"}, {"type": "service", "whitelist": ["opw-krk"]}]
    made = await user("POST", "/user/tokens/named", {"name": "narrow", "caveats": caveats})
    answer = await zone.client("POST", path, {"token": made.body["token"]})
    assert answer.status == 200 and answer.body["dataAccessScope"]["providers"] == {}
    old = await user("POST", "/user/tokens/named", {"name": "old", "caveats": [until(-5)]})
    answer = await zone.client("POST", path, {"token": old.body["token"]})
    assert (answer.status, answer.error) == (400, "tokenCaveatUnverified")


@ensureDeferred
async def test_scope_of_a_provider_token_reaches_no_data(zone: RunningZone) -> None:
    provider = await zone.provider(await zone.user("anna"))
    body = {"token": provider.auth[TOKEN]}
    answer = await zone.client("POST", "/tokens/infer_access_token_scope", body)
    assert answer.body == {"validUntil": None, "dataAccessScope": None}


@ensureDeferred
async def test_undecodable_and_missing_tokens_are_told_apart(zone: RunningZone) -> None:
    for name in ("infer_access_token_scope", "examine", "verify_access_token", "verify_invite_token"):
        path = f"/tokens/{name}"
        bad = await zone.client("POST", path, {"token": "???"})
        assert (bad.status, bad.error) == (400, "badValueToken")
        assert bad.body["error"]["details"]["tokenError"]["id"] == "badToken"
        missing = await zone.client("POST", path, {})
        assert missing.error == "missingRequiredValue"


@ensureDeferred
async def test_anybody_can_examine_and_confine_a_token(zone: RunningZone) -> None:
    user = await zone.user("anna")
    body = {"token": user.auth[TOKEN], "caveats": [{"type": "data.readonly"}]}
    confined = (await zone.client("POST", "/tokens/confine", body)).body["token"]
    examined = (await zone.client("POST", "/tokens/examine", {"token": confined})).body
    assert examined["onezoneDomain"] == DOMAIN and examined["persistence"] == "named"
    assert examined["caveats"] == [{"type": "data.readonly"}]
    bad = await zone.client("POST", "/tokens/confine", {**body, "caveats": [{"type": "moon"}]})
    assert bad.error == "badValueCaveat"


@ensureDeferred
async def test_verification_tells_subject_and_time_left(zone: RunningZone) -> None:
    user = await zone.user("anna")
    token = (await user("POST", "/user/tokens/temporary", {"caveats": [until(100)]})).body["token"]
    answer = await zone.client("POST", "/tokens/verify_access_token", {"token": token})
    assert answer.body["subject"] == {"type": "user", "id": "anna"} and 90 < answer.body["ttl"] <= 100
    wrong = await zone.client("POST", "/tokens/verify_identity_token", {"token": token})
    assert wrong.error == "notAnIdentityToken"


@ensureDeferred
async def test_blocked_user_is_kept_out_with_every_credential(zone: RunningZone) -> None:
    anna, boss = await zone.user("anna"), await zone.user("boss")
    await zone.service.store.change(lambda draft: _make_admin(draft, "boss"))
    assert (await boss("PATCH", "/users/anna/access_block", {"blocked": True})).status == 204
    assert (await anna("GET", "/user")).auth_error == "userBlocked"
    assert (await zone.client.basic("anna")("GET", "/user")).auth_error == "userBlocked"


@ensureDeferred
async def test_client_tokens_come_and_go(zone: RunningZone) -> None:
    user = await zone.user("anna")
    token = (await user("POST", "/user/client_tokens")).body["token"]
    assert (await user("GET", "/user/client_tokens")).body == {"tokens": [token]}
    assert (await zone.client.token(token)("GET", "/user")).status == 200
    assert (await user("DELETE", f"/user/client_tokens/{token}")).status == 204
    assert (await zone.client.token(token)("GET", "/user")).auth_error == "tokenInvalid"


@ensureDeferred
async def test_invite_is_checked_again_when_it_is_consumed(zone: RunningZone) -> None:
    anna, bob, carl = [await zone.user(name) for name in ("anna", "bob", "carl")]
    space = await zone.space(anna)
    await zone.client("POST", "/dev/users/bob/space_admin", {"spaceId": space})
    invite = (await bob("POST", f"/spaces/{space}/users/token")).body["token"]
    revoke = {"revoke": ["space_add_user"]}
    assert (await anna("PATCH", f"/spaces/{space}/users/bob/privileges", revoke)).status == 204
    answer = await carl("POST", "/user/spaces/join", {"token": invite})
    assert answer.error == "inviteTokenSubjectNotAuthorized"
    assert (await bob("POST", f"/spaces/{space}/users/token")).status == 403


@ensureDeferred
async def test_invite_counts_only_uses_that_succeeded(zone: RunningZone) -> None:
    anna, bob, carl = [await zone.user(name) for name in ("anna", "bob", "carl")]
    space = await zone.space(anna)
    order = {
        "name": "two guests",
        "type": {"inviteToken": {"inviteType": "userJoinSpace", "spaceId": space}},
        "usageLimit": 1,
        "privileges": ["space_view"],
    }
    made = (await anna("POST", "/user/tokens/named", order)).body
    body = {"token": made["token"]}
    again = await anna("POST", "/user/spaces/join", body)
    assert (again.status, again.error) == (409, "relationAlreadyExists")
    joined = await bob("POST", "/user/spaces/join", body)
    assert joined.status == 201 and str(joined.header("Location")).endswith(f"/user/spaces/{space}")
    assert (await carl("POST", "/user/spaces/join", body)).error == "inviteTokenUsageLimitReached"
    metadata = (await anna("GET", f"/tokens/named/{made['tokenId']}")).body["metadata"]
    assert metadata["usageCount"] == 1 and metadata["privileges"] == ["space_view"]
    held = (await anna("GET", f"/spaces/{space}/users/bob/privileges")).body
    assert held == {"privileges": ["space_view"]}


@ensureDeferred
async def test_wrong_kinds_of_tokens_are_no_invitations(zone: RunningZone) -> None:
    anna, bob = await zone.user("anna"), await zone.user("bob")
    space = await zone.space(anna)
    support = (await anna("POST", f"/spaces/{space}/providers/token")).body["token"]
    for token in (support, bob.auth[TOKEN]):
        answer = await bob("POST", "/user/spaces/join", {"token": token})
        assert answer.error == "badValueToken"
        assert answer.body["error"]["details"]["tokenError"]["id"] == "notAnInviteToken"
    access = await zone.client.token(support)("GET", "/user")
    assert access.auth_error == "notAnAccessToken"


@ensureDeferred
async def test_invite_to_nothing_or_without_right_is_not_issued(zone: RunningZone) -> None:
    anna, bob = await zone.user("anna"), await zone.user("bob")
    space = await zone.space(anna)

    def order(target: str) -> dict[str, Any]:
        kind = {"inviteToken": {"inviteType": "userJoinSpace", "spaceId": target}}
        return {"name": "invitation", "type": kind}

    assert (await bob("POST", "/user/tokens/named", order("gone"))).error == "inviteTokenTargetIdInvalid"
    assert (await bob("POST", "/user/tokens/named", order(space))).error == "inviteTokenSubjectNotAuthorized"
    bad = {"name": "invitation", "type": {"inviteToken": {"inviteType": "spaceJoinParty"}}}
    assert (await bob("POST", "/user/tokens/named", bad)).error == "badValueTokenType"


def _make_admin(draft: Any, user_id: str) -> None:
    from onedata.privileges import ZONE_ADMIN
    from oz_worker.users import change_zone_privileges

    change_zone_privileges(draft, user_id, ZONE_ADMIN, ())
