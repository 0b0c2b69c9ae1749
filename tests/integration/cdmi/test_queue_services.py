"""Query and notification queues over the door."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from cluster_worker.runtime.clock import sleep
from tests.integration.cdmi.client import Client, Reply

TYPE = {"Content-Type": "application/cdmi-queue"}
Q = "/cdmi/Science/q"
PATIENCE_S = 8.0


def query(*scope: Any, **results: Any) -> dict[str, Any]:
    return {
        "cdmi_queue_type": "cdmi_query_queue",
        "cdmi_scope_specification": list(scope),
        "cdmi_results_specification": results or {"objectName": ""},
    }


def notification(*events: str, scope: tuple[Any, ...] = ()) -> dict[str, Any]:
    results = {"cdmi_event": "", "objectName": "", "cdmi_event_user": ""}
    return {
        "cdmi_queue_type": "cdmi_notification_queue",
        "cdmi_scope_specification": list(scope),
        "cdmi_results_specification": results,
        "cdmi_notification_events": list(events),
    }


async def make(client: Client, metadata: Mapping[str, Any], path: str = Q, token: str = "owner") -> Reply:
    return await client.cdmi("PUT", path, {"metadata": dict(metadata)}, TYPE, token=token)


async def begun(client: Client, metadata: Mapping[str, Any], path: str = Q, token: str = "owner") -> None:
    reply = await make(client, metadata, path, token)
    assert reply.status == 201, reply.body


async def results(client: Client, path: str = Q) -> list[Any]:
    reply = await client.cdmi("GET", f"{path}?values:1000")
    assert reply.status == 200
    assert set(reply.json.get("mimetype", [])) <= {"application/json"}
    return [json.loads(value) for value in reply.json.get("value", [])]


async def until_current(client: Client, path: str = Q, count: int = 0) -> list[Any]:
    for _ in range(int(PATIENCE_S / 0.02)):
        metadata = (await client.cdmi("GET", f"{path}?metadata")).json["metadata"]
        status = metadata.get("cdmi_query_status", metadata.get("cdmi_notification_status"))
        assert status in ("Current", "Processing")
        if status == "Current" and len(found := await results(client, path)) >= count:
            return found
        await sleep(reactor, 0.02)
    raise AssertionError(await results(client, path))


async def put(client: Client, name: str, value: str = "", token: str = "owner", **metadata: Any) -> None:
    body = {"value": value, "metadata": metadata}
    reply = await client.cdmi("PUT", f"/cdmi/Science/{name}", body, token=token)
    assert reply.status in (201, 204)


@pytest.mark.capability("system/cdmi_query")
@ensureDeferred
async def test_a_query_queue_fills_with_the_results_and_tells_how_it_is(client: Client) -> None:
    await put(client, "a.txt", "one", colour="red")
    await put(client, "b.txt", "three", colour="blue")
    asked = query(
        {"objectName": "ends .txt", "metadata": {"cdmi_size": "#< 5"}},
        objectName="",
        metadata={"colour": "", "cdmi_size": ""},
    )
    reply = await make(client, asked)
    assert reply.status == 201
    shown = reply.json["metadata"]
    assert {name: shown[name] for name in asked} == asked
    assert shown["cdmi_query_status"] in ("Processing", "Current")
    assert await until_current(client) == [
        {"objectName": "a.txt", "metadata": {"colour": "red", "cdmi_size": "3"}}
    ]
    chosen = await client.cdmi("GET", f"{Q}?metadata:cdmi_query")
    assert chosen.json == {"metadata": {"cdmi_query_status": "Current"}}


@pytest.mark.capability(
    "system/cdmi_query_contains",
    "system/cdmi_query_regex",
    "system/cdmi_query_tags",
    "system/cdmi_query_value",
)
@pytest.mark.parametrize(
    "scope",
    [
        {"metadata": {"text": "contains needle"}},
        {"metadata": {"text": "=~ ^a n[[:alpha:]]+le$"}},
        {"metadata": {"tags": "tag RED"}},
        {"value": "== SGVsbG8="},
        {"parentURI": "== /Science/", "objectType": "== application/cdmi-object", "objectName": "!starts x"},
    ],
)
@ensureDeferred
async def test_each_way_of_matching_finds_its_object(client: Client, scope: Mapping[str, Any]) -> None:
    await put(client, "it", "Hello", text="a needle", tags="blue, red")
    await put(client, "x", "World", text="hay", tags="reddish")
    await begun(client, query(scope))
    assert await until_current(client) == [{"objectName": "it"}]


@ensureDeferred
async def test_domain_and_capabilities_are_named_by_path_or_by_id(client: Client) -> None:
    await put(client, "it")
    shown = (await client.cdmi("GET", "/cdmi/Science/it")).json
    capabilities = await client.cdmi("GET", f"/cdmi/{shown['capabilitiesURI']}?objectID")
    domain = await client.cdmi("GET", f"/cdmi{shown['domainURI']}?objectID")
    for at, (member, uri) in enumerate(
        (
            ("domainURI", f"/cdmi{shown['domainURI']}"),
            ("domainURI", f"/cdmi_objectid/{domain.json['objectID']}/"),
            ("capabilitiesURI", "cdmi_capabilities/dataobject/"),
            ("capabilitiesURI", f"/cdmi/cdmi_objectid/{capabilities.json['objectID'].lower()}/"),
        )
    ):
        path = f"{Q}{at}"
        await begun(client, query({member: f"== {uri}", "objectName": "== it"}), path)
        assert await until_current(client, path) == [{"objectName": "it"}], uri


@ensureDeferred
async def test_what_the_creator_may_not_read_is_not_among_the_results(client: Client) -> None:
    acl = [
        {"acetype": "ALLOW", "identifier": "OWNER@", "aceflags": "NO_FLAGS", "acemask": "0x7019B"},
        {"acetype": "DENY", "identifier": "EVERYONE@", "aceflags": "NO_FLAGS", "acemask": "READ_OBJECT"},
        {"acetype": "ALLOW", "identifier": "EVERYONE@", "aceflags": "NO_FLAGS", "acemask": "0x9"},
    ]
    await put(client, "shown.txt")
    await put(client, "hidden.txt", cdmi_acl=acl)
    await begun(client, query({"objectName": "ends .txt"}), token="member")
    assert await until_current(client) == [{"objectName": "shown.txt"}]


@pytest.mark.capability("system/cdmi_notification")
@ensureDeferred
async def test_a_notification_queue_tells_what_happens_from_now_on(client: Client) -> None:
    await put(client, "old")
    await begun(client, notification(scope=({"objectType": "== application/cdmi-object"},)))
    await until_current(client)
    await put(client, "new", "a")
    await until_current(client, count=1)
    await put(client, "new", "b")
    await until_current(client, count=2)
    await client.cdmi("PUT", "/cdmi/Science/newer", {"move": "/Science/new"})
    await until_current(client, count=3)
    await client.cdmi("DELETE", "/cdmi/Science/newer")
    found = await until_current(client, count=4)
    assert [(one["cdmi_event"], one["objectName"]) for one in found] == [
        ("cdmi_create_complete", "new"),
        ("cdmi_modify_complete", "new"),
        ("cdmi_rename", "newer"),
        ("cdmi_delete", "newer"),
    ]
    assert "cdmi_event_user" in found[0]
    assert "cdmi_event_user" not in found[3]


@ensureDeferred
async def test_a_snapshot_is_told_as_one_event(client: Client) -> None:
    await client.cdmi("PUT", "/cdmi/Science/d/", {})
    await put(client, "d/f", "x")
    await begun(client, notification())
    await until_current(client)
    await client.cdmi("PUT", "/cdmi/Science/d/", {"snapshot": "one"})
    found = await until_current(client, count=1)
    assert [(one["cdmi_event"], one["objectName"]) for one in found] == [("cdmi_snapshot", "one/")]


@ensureDeferred
async def test_what_fills_a_queue_is_frozen_but_for_its_type(client: Client) -> None:
    await put(client, "a")
    asked = query({"objectName": "== a"})
    await begun(client, asked)
    await until_current(client)
    changes: list[dict[str, Any]] = [
        {"cdmi_scope_specification": []},
        {"cdmi_results_specification": ""},
        {"cdmi_queue_type": "cdmi_notification_queue"},
    ]
    for change in changes:
        reply = await client.cdmi("PUT", Q, {"metadata": {**change, "colour": "red"}}, TYPE)
        assert (reply.status, reply.error_id) == (403, "forbidden")
    removal = await client.cdmi("PUT", f"{Q}?metadata:cdmi_scope_specification", {"metadata": {}}, TYPE)
    assert removal.status == 403
    assert "colour" not in (await client.cdmi("GET", Q)).json["metadata"]
    same = await client.cdmi("PUT", Q, {"metadata": {**asked, "colour": "blue"}}, TYPE)
    assert same.status == 204
    shown = (await client.cdmi("GET", Q)).json["metadata"]
    assert (shown["colour"], shown["cdmi_query_status"]) == ("blue", "Current")
    assert await results(client) == [{"objectName": "a"}]


@ensureDeferred
async def test_without_its_type_a_queue_is_a_plain_one_and_with_it_again_a_query_begins_anew(
    client: Client,
) -> None:
    await put(client, "a")
    await begun(client, query({"objectName": "starts a"}))
    await until_current(client)
    ended = await client.cdmi("PUT", f"{Q}?metadata:cdmi_queue_type", {"metadata": {}}, TYPE)
    assert ended.status == 204
    shown = (await client.cdmi("GET", Q)).json["metadata"]
    assert not {"cdmi_queue_type", "cdmi_query_status"} & set(shown)
    assert shown["cdmi_scope_specification"] == [{"objectName": "starts a"}]
    await put(client, "ab")
    back = {"metadata": {"cdmi_queue_type": "cdmi_query_queue"}}
    assert (await client.cdmi("PUT", f"{Q}?metadata:cdmi_queue_type", back, TYPE)).status == 204
    found = await until_current(client, count=3)
    assert [one["objectName"] for one in found] == ["a", "a", "ab"]


@pytest.mark.parametrize(
    ("change", "error_id"),
    [
        ({"cdmi_queue_type": "cdmi_logging_queue"}, "notSupported"),
        ({"cdmi_queue_type": "something"}, "badValueNotAllowed"),
        ({"cdmi_scope_specification": "*"}, "badData"),
        ({"cdmi_scope_specification": [{"objectName": "like x"}]}, "badData"),
        ({"cdmi_results_specification": []}, "badData"),
        ({"cdmi_queue_type": "cdmi_notification_queue"}, "missingRequiredValue"),
    ],
)
@ensureDeferred
async def test_a_definition_that_cannot_be_is_refused_and_no_queue_is_left(
    client: Client, change: Mapping[str, Any], error_id: str
) -> None:
    reply = await make(client, {**query(), **change})
    assert (reply.status, reply.error_id) == (400, error_id)
    assert (await client.cdmi("GET", Q)).status == 404


@ensureDeferred
async def test_event_names_that_there_are_not_are_refused(client: Client) -> None:
    reply = await make(client, notification("cdmi_explode"))
    assert (reply.status, reply.error_id) == (400, "badValueListNotAllowed")


@ensureDeferred
async def test_a_queue_that_is_copied_is_not_filled(client: Client) -> None:
    await put(client, "a")
    await begun(client, query({"objectName": "== a"}))
    await until_current(client)
    body = {"copy": "/Science/q", "metadata": query()}
    refused = await client.cdmi("PUT", "/cdmi/Science/copy", body, TYPE)
    assert (refused.status, refused.error_id) == (400, "badData")
    assert (await client.cdmi("PUT", "/cdmi/Science/copy", {"copy": "/Science/q"}, TYPE)).status == 201
    copied = (await client.cdmi("GET", "/cdmi/Science/copy")).json["metadata"]
    assert "cdmi_queue_type" not in copied


@ensureDeferred
async def test_a_queue_that_was_deleted_is_filled_no_more(client: Client) -> None:
    await begun(client, notification())
    await until_current(client)
    assert (await client.cdmi("DELETE", Q)).status == 204
    await put(client, "a")
    assert (await client.cdmi("GET", Q)).status == 404
    await begun(client, notification())
    await until_current(client)
    assert await results(client) == []
