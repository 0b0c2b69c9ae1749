"""Data system metadata of queues: what is kept stays as it is, what is wished is told."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from onedata.ids import space_root_guid
from op_worker.files.model import Target
from op_worker.files.rules.offer import Offer
from op_worker.files.service import FileService
from tests.integration.cdmi.callers import CALLERS, SPACE
from tests.integration.cdmi.client import Client

TYPE = {"Content-Type": "application/cdmi-queue"}
D = "/cdmi/Science/d/"
Q = D + "q"
OTHER = "/cdmi/Science/o"
FOREVER = "2020-01-01T00:00:00.000000Z/2990-01-01T00:00:00.000000Z"
LONGER = "2020-01-01T00:00:00.000000Z/2991-01-01T00:00:00.000000Z"
OVER = "2020-01-01T00:00:00.000000Z/2021-01-01T00:00:00.000000Z"
HELD: dict[str, Any] = {"cdmi_hold_id": ["case 7"]}
RETAINED: dict[str, Any] = {"cdmi_retention_period": FOREVER, "cdmi_retention_id": "audit"}


async def make(client: Client, **items: Any) -> dict[str, Any]:
    """Make a queue in a container, and another object; return the queue's metadata."""
    await client.cdmi("PUT", D, {})
    assert (await client.cdmi("PUT", OTHER, {"value": "other"})).status == 201
    reply = await client.cdmi("PUT", Q, {"metadata": items}, TYPE)
    assert reply.status == 201
    shown: dict[str, Any] = reply.json["metadata"]
    return shown


async def enqueue(client: Client, *values: str) -> int:
    return (await client.cdmi("POST", Q, {"value": list(values)}, TYPE)).status


async def change(client: Client, path: str = Q, **items: Any) -> int:
    """Change items alone; return the status."""
    query = ";".join(f"metadata:{name}" for name in items)
    sent = {name: value for name, value in items.items() if value is not None}
    headers = {} if path.endswith("/") else TYPE
    return (await client.cdmi("PUT", f"{path}?{query}", {"metadata": sent}, headers)).status


async def shown(client: Client, path: str = Q) -> dict[str, Any]:
    """Return the data system metadata."""
    items: dict[str, Any] = (await client.cdmi("GET", f"{path}?metadata:cdmi_")).json["metadata"]
    usual = {"cdmi_size", "cdmi_ctime", "cdmi_atime", "cdmi_mtime", "cdmi_owner"}
    return {name: value for name, value in items.items() if name not in usual}


async def state(client: Client) -> Any:
    """Return all that there is of the queue, but for when it was read."""
    found = (await client.cdmi("GET", f"{Q}?values:10;queueValues;metadata")).json
    found["metadata"].pop("cdmi_atime")
    return found


async def require_that_nothing_changes_it(client: Client) -> None:
    before = await state(client)
    for method, path, body in (
        ("POST", Q, {"value": ["b"]}),
        ("POST", Q, {"copy": "/Science/o"}),
        ("POST", Q, {"move": "/Science/o"}),
        ("DELETE", f"{Q}?value", None),
        ("DELETE", f"{Q}?values:1", None),
        ("DELETE", f"{Q}?values:0-0", None),
        ("DELETE", Q, None),
        ("DELETE", D, None),
        ("PUT", f"{Q}?metadata:k", {"metadata": {"k": "w"}}),
        ("PUT", Q, {"metadata": {"k": "w"}}),
        ("PUT", "/cdmi/Science/moved", {"move": "/Science/d/q"}),
        ("PUT", "/cdmi/Science/moved/", {"move": "/Science/d/"}),
    ):
        headers = {} if path.endswith("/") else TYPE
        reply = await client.cdmi(method, path, body, headers)
        is_relocated = method == "PUT" and "move" in (body or {})
        assert (reply.status, reply.errno) == (400 if is_relocated else 403, "eperm"), (method, path, body)
    assert await state(client) == before
    assert (await client.cdmi("GET", OTHER + "?value")).json == {"value": "other"}
    assert (await client.cdmi("GET", "/cdmi/Science/moved")).status == 404
    copied = await client.cdmi("PUT", "/cdmi/Science/copy", {"copy": "/Science/d/q"}, TYPE)
    assert copied.status == 201
    assert not {"cdmi_hold_id", "cdmi_retention_period"} & set(copied.json["metadata"])
    assert (await client.cdmi("DELETE", "/cdmi/Science/copy")).status == 204


@pytest.mark.capability("queue/cdmi_data_holds")
@ensureDeferred
async def test_a_held_queue_stays_as_it_is_until_the_hold_is_released(
    client: Client, files: FileService
) -> None:
    await make(client, k="v")
    assert await enqueue(client, "a") == 204
    assert await change(client, **HELD) == 204
    assert await shown(client) == {**HELD, "cdmi_hold_id_provided": ["case 7"]}
    await require_that_nothing_changes_it(client)
    assert await change(client, cdmi_hold_id=[]) == 403
    assert await change(client, cdmi_hold_id=["case 7", "b"]) == 204
    guid = (await files.stat(CALLERS["owner"], Target(space_root_guid(SPACE), ("d", "q")))).guid
    await files.holds.release(CALLERS["owner"], Target(guid), ["case 7", "b"])
    assert await enqueue(client, "b") == 204
    assert (await client.cdmi("DELETE", Q)).status == 204


@pytest.mark.capability("queue/cdmi_data_holds")
@ensureDeferred
async def test_a_queue_in_a_held_container_stays_as_it_is(client: Client) -> None:
    await make(client, k="v")
    assert await enqueue(client, "a") == 204
    assert await change(client, D, **HELD) == 204
    assert await shown(client) == {**HELD, "cdmi_hold_id_provided": ["case 7"]}
    await require_that_nothing_changes_it(client)
    assert (await client.cdmi("PUT", D + "other", {}, TYPE)).status == 403


@pytest.mark.capability("queue/cdmi_data_retention")
@ensureDeferred
async def test_a_retained_queue_stays_as_it_is_and_its_period_grows_only(client: Client) -> None:
    await make(client, k="v")
    assert await enqueue(client, "a") == 204
    assert await change(client, **RETAINED) == 204
    assert await shown(client) == {
        **RETAINED,
        **{f"{name}_provided": value for name, value in RETAINED.items()},
    }
    await require_that_nothing_changes_it(client)
    assert await change(client, cdmi_retention_period=OVER) == 403
    assert await change(client, cdmi_retention_period=LONGER) == 204


@pytest.mark.capability("queue/cdmi_data_holds", "queue/cdmi_data_retention")
@pytest.mark.parametrize("items", [HELD, RETAINED])
@ensureDeferred
async def test_a_queue_can_be_kept_from_its_first_moment(client: Client, items: dict[str, Any]) -> None:
    made = await make(client, **items)
    assert {name: made[name] for name in items} == items
    assert {name: (await shown(client))[name] for name in items} == items
    assert await enqueue(client, "a") == 403
    assert (await client.cdmi("DELETE", Q)).status == 403


@pytest.mark.capability("queue/cdmi_data_autodelete")
@ensureDeferred
async def test_a_queue_that_is_to_go_after_its_retention_is_gone(client: Client, files: FileService) -> None:
    await make(client)
    assert await enqueue(client, "a") == 204
    ending = {"cdmi_retention_period": OVER, "cdmi_retention_autodelete": "true"}
    assert await change(client, **ending) == 204
    assert (await shown(client))["cdmi_retention_autodelete_provided"] == "true"
    await files.recover(SPACE)
    assert (await client.cdmi("GET", Q)).status == 404


@pytest.mark.capability("queue/cdmi_data_redundancy", "queue/cdmi_immediate_redundancy")
@ensureDeferred
async def test_wishes_for_a_queue_are_inherited_and_the_truth_is_told(client: Client) -> None:
    await make(client)
    wished = {"cdmi_data_redundancy": "3", "cdmi_immediate_redundancy": "true"}
    assert await change(client, D, **wished) == 204
    provided = {"cdmi_data_redundancy_provided": "1", "cdmi_immediate_redundancy_provided": "false"}
    assert await shown(client) == {**wished, **provided}
    assert await change(client, cdmi_data_redundancy="1") == 204
    assert await shown(client) == {
        "cdmi_data_redundancy": "1",
        "cdmi_data_redundancy_provided": "1",
        "cdmi_immediate_redundancy": "true",
        "cdmi_immediate_redundancy_provided": "true",
    }
    assert await change(client, cdmi_data_redundancy=None) == 204
    assert (await shown(client))["cdmi_data_redundancy"] == "3"
    assert await change(client, cdmi_data_redundancy="2") == 204
    copied = await client.cdmi("PUT", "/cdmi/Science/copy", {"copy": "/Science/d/q"}, TYPE)
    assert copied.json["metadata"]["cdmi_data_redundancy"] == "2"


@pytest.mark.capability("queue/cdmi_geographic_placement")
@pytest.mark.parametrize("offer", [Offer(countries=("PL",))])
@ensureDeferred
async def test_the_placement_of_a_queue_is_kept_where_the_operator_says_where_he_is(client: Client) -> None:
    made = await make(client, cdmi_geographic_placement=["PL", "DE"])
    expected = {"cdmi_geographic_placement": ["PL", "DE"], "cdmi_geographic_placement_provided": ["PL"]}
    assert {name: made[name] for name in expected} == expected
    assert await shown(client) == expected
    assert await change(client, cdmi_geographic_placement=["!PL"]) == 403
    refused = await client.cdmi("PUT", D + "new", {"metadata": {"cdmi_geographic_placement": ["US"]}}, TYPE)
    assert refused.status == 403
    assert (await client.cdmi("GET", D + "new")).status == 404


@ensureDeferred
async def test_a_kept_object_is_not_moved_into_a_queue_or_elsewhere(client: Client) -> None:
    await make(client)
    query = "?metadata:cdmi_hold_id"
    assert (await client.cdmi("PUT", OTHER + query, {"metadata": HELD})).status == 204
    for method, path, headers in (
        ("PUT", "/cdmi/Science/moved", {}),
        ("POST", "/cdmi/Science/", {"Content-Type": "application/cdmi-object"}),
        ("POST", Q, TYPE),
    ):
        reply = await client.cdmi(method, path, {"move": "/Science/o"}, headers)
        assert (reply.status, reply.errno) == (400, "eperm"), path
    assert (await client.cdmi("GET", OTHER + "?value")).json == {"value": "other"}
    assert (await client.cdmi("GET", "/cdmi/Science/?children")).json == {"children": ["d/", "o"]}
    assert (await client.cdmi("GET", Q + "?queueValues")).json == {"queueValues": ""}


@ensureDeferred
async def test_a_query_queue_that_is_held_gets_nothing_more_and_says_why(client: Client) -> None:
    query = {
        "cdmi_queue_type": "cdmi_query_queue",
        "cdmi_scope_specification": [{"objectName": "== o"}],
        "cdmi_results_specification": {"objectName": ""},
    }
    refused = await client.cdmi("PUT", "/cdmi/Science/both", {"metadata": {**query, **HELD}}, TYPE)
    assert (refused.status, refused.json["error"]["details"]["key"]) == (400, "cdmi_queue_type")
    assert (await client.cdmi("GET", "/cdmi/Science/both")).status == 404
    await make(client)
    assert (await client.cdmi("PUT", D, {"metadata": HELD})).status == 204
    assert (await client.cdmi("PUT", Q, {"metadata": query}, TYPE)).status == 403
    assert (await client.cdmi("GET", Q + "?queueValues")).json == {"queueValues": ""}
