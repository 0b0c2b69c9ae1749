"""Sweeps over the whole route table: nothing answers with a crash, whoever asks and whatever is sent."""

from __future__ import annotations

import re

from pytest_twisted import ensureDeferred

from onedata.privileges import ZONE_ADMIN
from oz_worker.users import change_zone_privileges
from tests.integration.oz_worker.graph_client import connect
from tests.integration.oz_worker.running_zone import Client, RunningZone

TOKEN = "X-Auth-Token"
CHANGES = [("PUT", {}), ("PATCH", {}), ("POST", {}), ("PATCH", {"name": 5}), ("POST", {"token": []})]


async def full_zone(zone: RunningZone) -> tuple[dict[str, Client], dict[str, str]]:
    """A zone with one of everything; clients of each kind, and an id for each parameter of a path."""
    anna, bob = await zone.user("anna"), await zone.user("bob")
    provider = await zone.provider(anna)
    await zone.client("POST", "/dev/groups", {"groupId": "inner", "creatorId": "bob"})
    await zone.client("POST", "/dev/groups", {"groupId": "g", "creatorId": "anna", "groups": ["inner"]})
    await zone.client("POST", "/dev/groups", {"groupId": "top", "creatorId": "anna", "groups": ["g"]})
    await zone.client("POST", "/dev/spaces", {"spaceId": "s", "creatorId": "anna", "groups": ["g"]})
    support = (await anna("POST", "/spaces/s/providers/token")).body["token"]
    channel = await connect(zone.port, provider.auth[TOKEN])
    await channel.graph("storage.d.support", "create", {"token": support, "size": 10**9})
    await channel.hang_up()
    boss = await zone.user("boss")
    await zone.service.store.change(lambda draft: change_zone_privileges(draft, "boss", ZONE_ADMIN, ()))
    assert (await boss("PUT", "/clusters/krk/groups/g")).status == 201
    assert (await provider("POST", "/provider/tokens/named", {"name": "known"})).status == 201
    token = (await anna("POST", "/user/tokens/named", {"name": "known"})).body["tokenId"]
    clients = {"anna": anna, "bob": bob, "boss": boss, "provider": provider, "nobody": zone.client}
    values = {
        "uid": "anna",
        "gid": "g",
        "sid": "s",
        "pid": "krk",
        "tid": token,
        "name": "known",
        "token": "x",
    }
    return clients, values


def filled(rule: str, values: dict[str, str]) -> str:
    """Return a path with ids that exist."""
    circle = {"spaces": "s", "groups": "g", "clusters": "krk", "parents": "top"}
    kind = re.findall(r"/(?:effective_)?(\w+)/<cid>", rule)
    member = {"users": "anna", "groups": "g", "children": "inner"}
    of = re.findall(r"/(?:effective_)?(\w+)/<mid>", rule)
    values = {**values, "cid": circle[kind[0]] if kind else "", "mid": member[of[0]] if of else ""}
    return re.sub(r"<(\w+)>", lambda match: values[match[1]], rule)


def rules(zone: RunningZone, method: str) -> list[str]:
    found = zone.service.door.app.url_map.iter_rules()
    return sorted({str(rule) for rule in found if method in (rule.methods or ())})


@ensureDeferred
async def test_every_get_is_answered_for_everybody(zone: RunningZone) -> None:
    clients, values = await full_zone(zone)
    for rule in rules(zone, "GET"):
        path = filled(rule, values)
        answers = {name: (await client("GET", path)).status for name, client in clients.items()}
        assert set(answers.values()) <= {200, 401, 403, 404}, (rule, answers)
        needs_provider = rule.startswith("/provider/") or rule == "/provider"
        reader = "provider" if needs_provider else "anna"
        if not rule.endswith("/alias"):
            assert 200 in (answers["boss"], answers[reader]), (rule, answers)


@ensureDeferred
async def test_every_change_with_a_bad_body_gets_a_typed_error(zone: RunningZone) -> None:
    clients, values = await full_zone(zone)
    harmless = {200, 201, 204, 400, 401, 403, 404, 409}
    for method, body in CHANGES:
        for rule in rules(zone, method):
            for name in ("nobody", "bob", "boss", "anna", "provider"):
                answer = await clients[name](method, filled(rule, values), body)
                assert answer.status in harmless, (method, rule, name, answer)
                if answer.status >= 400:
                    assert answer.error, (method, rule, name)


@ensureDeferred
async def test_everything_can_be_deleted_in_any_order(zone: RunningZone) -> None:
    clients, values = await full_zone(zone)
    for rule in rules(zone, "DELETE"):
        for name in ("nobody", "bob", "boss", "provider", "anna"):
            answer = await clients[name]("DELETE", filled(rule, values))
            assert answer.status in {204, 400, 401, 403, 404}, (rule, name, answer)
    state = zone.service.store.state
    assert "anna" not in state.users
    for space in state.spaces.values():
        assert "anna" not in space.users and "anna" not in space.owners
    assert all(token.subject.id != "anna" for token in state.tokens.values())
