"""Queues serialised with all their values, and made of canonical JSON again."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred

from tests.integration.cdmi.client import Client, Reply

Q = "/cdmi/Science/q"
OUT = "/cdmi/Science/out"
NEW = "/cdmi/Science/new"
QUEUE = {"Content-Type": "application/cdmi-queue"}


async def asked(client: Client, method: str, uri: str, body: dict[str, Any] | None = None) -> Reply:
    return await client.cdmi(method, uri, body, QUEUE if method in ("PUT", "POST") else {})


async def values_of(client: Client, uri: str) -> dict[str, Any]:
    read = (await client.cdmi("GET", uri + "?values:100;queueValues")).json
    return {name: read.get(name) for name in ("queueValues", "mimetype", "valuetransferencoding", "value")}


@async_yield_fixture(autouse=True)
async def queue(client: Client) -> AsyncIterator[None]:
    """A queue with three values, the first of four having been taken."""
    await asked(client, "PUT", Q, {"metadata": {"k": 1}})
    raw = base64.b64encode(b"\xff\x00").decode()
    body = {
        "value": ["first", 'ä"\\', raw, ""],
        "mimetype": ["text/plain", "text/x", "a/b", "text/plain"],
        "valuetransferencoding": ["utf-8", "utf-8", "base64", "utf-8"],
    }
    assert (await asked(client, "POST", Q, body)).status == 204
    await client.send("DELETE", Q + "?value")
    yield


@pytest.mark.capability("container/cdmi_serialize_queue", "container/cdmi_deserialize_queue")
@ensureDeferred
async def test_queue_comes_back_with_its_values_their_numbers_and_its_id(client: Client) -> None:
    made = (await client.cdmi("PUT", OUT, {"serialize": "/Science/q"})).json
    assert made["metadata"]["k"] == 1
    document = json.loads((await client.send("GET", OUT)).body)
    assert list(document)[-5:] == ["queueValues", "mimetype", "valuetransferencoding", "valuerange", "value"]
    assert (document["queueValues"], document["valuerange"]) == ("1-3", ["0-3", "0-1", ""])
    before, own = await values_of(client, Q), (await client.cdmi("GET", Q + "?objectID")).json
    other = await asked(client, "PUT", NEW, {"deserialize": "/Science/out"})
    assert (other.status, other.json["queueValues"]) == (201, "1-3")
    assert await values_of(client, NEW) == before
    assert (await client.cdmi("GET", NEW + "?metadata:k")).json == {"metadata": {"k": 1}}
    await client.send("DELETE", NEW)
    await client.send("DELETE", Q)
    back = await asked(client, "PUT", Q, {"deserialize": "/Science/out"})
    assert back.status == 201 and await values_of(client, Q) == before
    assert back.json["objectType"] == "application/cdmi-queue"
    assert (await asked(client, "POST", Q, {"value": ["more"]})).status == 204
    assert (await values_of(client, Q))["queueValues"] == "1-4"
    assert own["objectID"]


@ensureDeferred
async def test_queues_in_containers_come_back_too(client: Client) -> None:
    await client.cdmi("PUT", "/cdmi/Science/c/")
    await asked(client, "PUT", "/cdmi/Science/c/q", {"copy": "/Science/q"})
    await asked(client, "PUT", "/cdmi/Science/c/none", {})
    await client.cdmi("PUT", OUT, {"serialize": "/Science/c/"})
    made = await client.cdmi("PUT", NEW + "/", {"deserialize": "/Science/out"})
    assert made.status == 201
    assert (await client.cdmi("GET", NEW + "/?children")).json == {"children": ["none", "q"]}
    assert await values_of(client, NEW + "/q") == await values_of(client, "/cdmi/Science/c/q")
    await client.send("DELETE", "/cdmi/Science/c/q?value")
    again = await client.cdmi("PUT", "/cdmi/Science/c/", {"deserialize": "/Science/out"})
    assert again.status == 204
    assert await values_of(client, NEW + "/q") == await values_of(client, "/cdmi/Science/c/q")


@pytest.mark.capability("queue/cdmi_modify_deserialize_queue")
@ensureDeferred
async def test_update_adds_the_values_and_wants_the_same_id(client: Client) -> None:
    await client.cdmi("PUT", OUT, {"serialize": "/Science/q"})
    assert (await asked(client, "PUT", Q, {"deserialize": "/Science/out"})).status == 204
    read = await values_of(client, Q)
    assert (read["queueValues"], read["value"][:3]) == ("1-6", read["value"][3:])
    await asked(client, "PUT", NEW, {})
    other = await asked(client, "PUT", NEW, {"deserialize": "/Science/out"})
    assert (other.status, other.error_id) == (400, "badValueIdentifier")


@pytest.mark.capability("system/cdmi_serialize_queue_to_ID", "system/cdmi_deserialize_queue_by_ID")
@ensureDeferred
async def test_queues_posted_come_back_by_their_ids(client: Client) -> None:
    headers = {"Content-Type": "application/cdmi-object"}
    out = await client.cdmi("POST", "/cdmi/cdmi_objectid/", {"serialize": "/Science/q"}, headers)
    assert out.status == 201
    body = {"deserialize": f"/cdmi_objectid/{out.json['objectID']}"}
    back = await asked(client, "POST", "/cdmi/cdmi_objectid/", body)
    assert (back.status, back.json["queueValues"]) == (201, "1-3")


@pytest.mark.parametrize(
    "members",
    [
        {"mimetype": ["a/b"], "valuetransferencoding": ["utf-8"], "value": ["a", "b"]},
        {"mimetype": ["a/b", "a/b"], "valuetransferencoding": ["utf-8", "utf-8"], "value": ["a"]},
        {"mimetype": ["a/b"], "valuetransferencoding": [], "value": ["a"]},
        {"mimetype": ["a/b"], "valuetransferencoding": ["base64"], "value": ["!"]},
        {"mimetype": ["a/b"], "valuetransferencoding": ["utf-8"], "value": "a"},
        {"mimetype": ["a/b"], "valuetransferencoding": ["utf-8"], "value": [1]},
        {"mimetype": "a/b", "valuetransferencoding": ["utf-8"], "value": ["a"]},
        {"mimetype": ["a/b"], "valuetransferencoding": ["utf-8"], "queueValues": "0-4", "value": ["a"]},
        {"mimetype": ["a/b"], "valuetransferencoding": ["utf-8"]},
    ],
)
@ensureDeferred
async def test_garbage_is_refused_and_no_queue_is_left(client: Client, members: dict[str, Any]) -> None:
    document = {"objectType": "application/cdmi-queue", **members}
    packed = base64.b64encode(json.dumps(document).encode()).decode()
    reply = await asked(client, "PUT", NEW, {"deserializevalue": packed})
    assert reply.status == 400, reply
    assert (await client.cdmi("GET", NEW)).status == 404
