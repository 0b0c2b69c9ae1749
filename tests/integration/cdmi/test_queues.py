"""Queues over the door: made, filled, read, taken from, and everything that is refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from op_worker.http.cdmi.queues.shown_values import MOST_OPEN
from tests.integration.cdmi.client import Client, Reply

TYPE = {"Content-Type": "application/cdmi-queue"}
Q = "/cdmi/Science/q"


async def make(client: Client, path: str = Q, body: dict[str, Any] | None = None) -> Reply:
    reply = await client.cdmi("PUT", path, body or {}, TYPE)
    assert reply.status == 201, reply.body
    return reply


async def enqueue(client: Client, *values: str, to: str = Q, **members: Any) -> None:
    reply = await client.cdmi("POST", to, {"value": list(values), **members}, TYPE)
    assert (reply.status, reply.body) == (204, b"")


async def values(client: Client, of: str = Q) -> list[str]:
    reply = await client.cdmi("GET", f"{of}?values:1000")
    found: list[str] = reply.json.get("value", [])
    return found


@pytest.mark.capability("system/cdmi_queues", "container/cdmi_create_queue", "queue/cdmi_read_metadata")
@ensureDeferred
async def test_a_new_queue_is_shown_without_values(client: Client) -> None:
    reply = await make(client, body={"metadata": {"colour": "red"}})
    shown = reply.json
    assert reply.headers["content-type"] == "application/cdmi-queue"
    assert reply.headers["x-cdmi-specification-version"] == "1.1.1"
    assert (shown["objectType"], shown["objectName"], shown["parentURI"]) == (
        "application/cdmi-queue",
        "q",
        "/Science/",
    )
    assert shown["capabilitiesURI"] == "cdmi_capabilities/queue/"
    assert shown["completionStatus"] == "Complete"
    assert shown["metadata"]["colour"] == "red"
    assert shown["queueValues"] == ""
    assert not {"mimetype", "valuetransferencoding", "valuerange", "value"} & set(shown)
    read = await client.cdmi("GET", Q)
    assert (read.status, read.json) == (200, shown)
    by_id = await client.cdmi("GET", f"/cdmi/cdmi_objectid/{shown['objectID']}")
    assert by_id.json == shown


@pytest.mark.capability("queue/cdmi_acl")
@ensureDeferred
async def test_the_list_of_a_queue_is_shown(client: Client) -> None:
    acl = [{"acetype": "ALLOW", "identifier": "OWNER@", "aceflags": "0x0", "acemask": "0x701FF"}]
    shown = (await make(client, body={"metadata": {"cdmi_acl": acl}})).json
    [entry] = shown["metadata"]["cdmi_acl"]
    assert (entry["acetype"], entry["acemask"]) == ("0x0", "0x701FF")


@pytest.mark.capability(
    "queue/cdmi_size", "queue/cdmi_ctime", "queue/cdmi_mtime", "queue/cdmi_atime", "queue/cdmi_modify_value"
)
@ensureDeferred
async def test_system_metadata_follow_the_values(client: Client) -> None:
    before = (await make(client)).json["metadata"]
    assert (before["cdmi_size"], before["cdmi_atime"]) == ("0", before["cdmi_mtime"])
    await enqueue(client, "a")
    after = (await client.cdmi("GET", f"{Q}?metadata")).json["metadata"]
    assert after["cdmi_ctime"] == before["cdmi_ctime"]
    assert after["cdmi_mtime"] > before["cdmi_mtime"]
    await client.cdmi("DELETE", f"{Q}?value")
    assert (await client.cdmi("GET", f"{Q}?metadata")).json["metadata"]["cdmi_mtime"] > after["cdmi_mtime"]


@pytest.mark.capability("queue/cdmi_modify_value", "queue/cdmi_read_value")
@ensureDeferred
async def test_the_oldest_value_is_read_with_its_type_last(client: Client) -> None:
    await make(client)
    await enqueue(client, "first", "second", mimetype=["Text/HTML", "text/plain"])
    shown = (await client.cdmi("GET", Q)).json
    assert shown["queueValues"] == "0-1"
    assert list(shown)[-4:] == ["mimetype", "valuetransferencoding", "valuerange", "value"]
    assert shown["mimetype"] == ["text/html"]
    assert shown["valuetransferencoding"] == ["utf-8"]
    assert shown["valuerange"] == ["0-4"]
    assert shown["value"] == ["first"]


@ensureDeferred
async def test_values_have_defaults_and_travel_in_their_encoding(client: Client) -> None:
    await make(client)
    encoded = base64.b64encode(b"\x00\xff").decode()
    await enqueue(client, 'te"xt', encoded, valuetransferencoding=["utf-8", "base64"])
    reply = await client.cdmi("GET", f"{Q}?values:2")
    assert reply.json == {
        "mimetype": ["text/plain", "text/plain"],
        "valuetransferencoding": ["utf-8", "base64"],
        "valuerange": ["0-4", "0-1"],
        "value": ['te"xt', encoded],
    }


@ensureDeferred
async def test_members_may_come_in_any_order(client: Client) -> None:
    await make(client)
    body = b'{"value": ["AAE=", "\\u0041\\n"], "valuetransferencoding": ["base64", "utf-8"]}'
    assert (await client.cdmi("POST", Q, body, TYPE)).status == 204
    assert await values(client) == ["AAE=", "A\n"]


@ensureDeferred
async def test_values_are_enqueued_with_the_type_of_data_objects_too(client: Client) -> None:
    await make(client)
    reply = await client.cdmi("POST", Q, {"value": ["x"]}, {"Content-Type": "application/cdmi-object"})
    assert reply.status == 204
    assert await values(client) == ["x"]


@ensureDeferred
async def test_more_values_than_there_are_are_cut(client: Client) -> None:
    await make(client)
    await enqueue(client, "a", "b")
    shown = (await client.cdmi("GET", f"{Q}?queueValues;values:9")).json
    assert (shown["queueValues"], shown["value"]) == ("0-1", ["a", "b"])
    assert (await client.cdmi("GET", f"{Q}?values:0")).json == {}


@ensureDeferred
async def test_a_byte_range_of_the_oldest_value_is_in_base64(client: Client) -> None:
    await make(client)
    await enqueue(client, "0123456789", "other")
    reply = await client.cdmi("GET", f"{Q}?value:2-4;valuerange;valuetransferencoding")
    assert reply.json == {
        "valuetransferencoding": ["base64"],
        "valuerange": ["2-4"],
        "value": [base64.b64encode(b"234").decode()],
    }
    assert (await client.cdmi("GET", f"{Q}?value:8-99;valuerange")).json["valuerange"] == ["8-9"]
    assert (await client.cdmi("GET", f"{Q}?value:4-2")).status == 400


@ensureDeferred
async def test_only_the_members_that_are_asked_for_are_shown(client: Client) -> None:
    await make(client, body={"metadata": {"colour": "red", "size": 1}})
    await enqueue(client, "a")
    assert (await client.cdmi("GET", f"{Q}?queueValues")).json == {"queueValues": "0-0"}
    assert (await client.cdmi("GET", f"{Q}?metadata:col")).json == {"metadata": {"colour": "red"}}
    assert (await client.cdmi("GET", f"{Q}?objectName;mimetype;unknown")).json == {
        "objectName": "q",
        "mimetype": ["text/plain"],
    }


@ensureDeferred
async def test_the_oldest_values_are_taken(client: Client) -> None:
    await make(client)
    await enqueue(client, "a", "b", "c", "d")
    assert (await client.cdmi("DELETE", f"{Q}?value")).status == 204
    assert await values(client) == ["b", "c", "d"]
    assert (await client.cdmi("DELETE", f"{Q}?values:2")).status == 204
    assert (await client.cdmi("GET", f"{Q}?queueValues;value")).json == {"queueValues": "3-3", "value": ["d"]}
    assert (await client.cdmi("DELETE", f"{Q}?values:99")).status == 204
    assert (await client.cdmi("GET", f"{Q}?queueValues")).json == {"queueValues": ""}
    assert (await client.cdmi("DELETE", f"{Q}?value")).status == 204


@ensureDeferred
async def test_a_range_of_values_is_taken_once(client: Client) -> None:
    await make(client)
    await enqueue(client, "a", "b", "c")
    refused = await client.cdmi("DELETE", f"{Q}?values:1-1")
    assert (refused.status, refused.error_id) == (400, "badData")
    for _ in range(2):
        assert (await client.cdmi("DELETE", f"{Q}?values:0-1")).status == 204
        assert await values(client) == ["c"]
    for query in ("values", "values:x", "values:3-1", "value:0-1", "metadata", "value;values:1"):
        assert (await client.cdmi("DELETE", f"{Q}?{query}")).status == 400, query
    assert await values(client) == ["c"]


@pytest.mark.capability("queue/cdmi_delete_queue")
@ensureDeferred
async def test_a_queue_is_deleted_with_its_values(client: Client) -> None:
    await make(client)
    await enqueue(client, "a")
    assert (await client.cdmi("DELETE", Q)).status == 204
    assert (await client.cdmi("GET", Q)).status == 404


@ensureDeferred
async def test_taking_values_from_an_object_does_not_delete_it(client: Client) -> None:
    await client.send("PUT", Q, b"precious")
    for query in ("value", "values:1", "values:0-0"):
        assert (await client.cdmi("DELETE", f"{Q}?{query}")).status == 400
    assert (await client.send("GET", Q)).body == b"precious"


@pytest.mark.capability("queue/cdmi_modify_metadata")
@ensureDeferred
async def test_metadata_of_a_queue_are_updated_and_values_stay(client: Client) -> None:
    await make(client, body={"metadata": {"a": 1, "b": 2}})
    await enqueue(client, "x")
    assert (await client.cdmi("PUT", f"{Q}?metadata:a", {"metadata": {"a": 3}}, TYPE)).status == 204
    assert (await client.cdmi("PUT", f"{Q}?metadata:b", {}, TYPE)).status == 204
    shown = (await client.cdmi("GET", f"{Q}?metadata;value")).json
    assert (shown["metadata"]["a"], "b" in shown["metadata"], shown["value"]) == (3, False, ["x"])
    acl = [{"acetype": "ALLOW", "identifier": "OWNER@", "aceflags": "0x0", "acemask": "0x701FF"}]
    changed = await client.cdmi("PUT", f"{Q}?metadata:cdmi_acl", {"metadata": {"cdmi_acl": acl}}, TYPE)
    assert changed.status == 204
    assert (await client.cdmi("GET", f"{Q}?metadata:cdmi_acl")).json["metadata"]["cdmi_acl"]


@ensureDeferred
async def test_a_queue_is_listed_without_a_suffix(client: Client) -> None:
    await make(client)
    assert (await client.cdmi("GET", "/cdmi/Science/?children")).json == {"children": ["q"]}


@ensureDeferred
async def test_a_queue_with_a_slash_leads_to_the_one_without(client: Client) -> None:
    await make(client)
    for method, status in (("GET", 301), ("HEAD", 301), ("DELETE", 308), ("POST", 308)):
        reply = await client.cdmi(method, f"{Q}/?value")
        assert (reply.status, reply.headers["location"]) == (status, f"http://localhost{Q}?value"), method
    assert (await client.cdmi("PUT", f"{Q}/", {}, TYPE)).status == 400
    assert (await client.cdmi("PUT", "/cdmi/Science/new/", {}, TYPE)).status == 400


@ensureDeferred
async def test_other_types_do_not_fit_a_queue_nor_this_type_other_things(client: Client) -> None:
    await make(client)
    for headers in ({"Content-Type": "application/cdmi-object"}, {"Content-Type": "text/plain"}, {}):
        reply = await client.cdmi("PUT", Q, b"{}", headers)
        assert reply.status == 400
    assert (await client.send("PUT", Q, b"plain")).status == 400
    assert (await client.send("GET", Q)).status == 400
    assert (await client.cdmi("GET", Q, headers={"Accept": "application/cdmi-object"})).status == 406
    assert (await client.send("PUT", "/cdmi/Science/new", b"{}", TYPE)).error_id == "missingRequiredValue"
    await client.send("PUT", "/cdmi/Science/f", b"x")
    assert (await client.cdmi("PUT", "/cdmi/Science/f", {}, TYPE)).status == 400
    assert (await client.cdmi("PUT", "/cdmi/Science/no/q", {}, TYPE)).status == 404
    assert (await client.cdmi("POST", Q, b"plain", {"Content-Type": "text/plain"})).status == 400
    assert (await client.cdmi("PUT", f"{Q}/inner", {"value": "x"})).status == 403
    assert await values(client) == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"value": "text"},
        {"value": {"a": "b"}},
        {"value": [1]},
        {"value": [["a"]]},
        {"value": ["a", None]},
        {"value": ["a", "b"], "mimetype": ["text/plain"]},
        {"value": ["a"], "mimetype": ["text/plain", "text/plain"]},
        {"value": ["a"], "mimetype": "text/plain"},
        {"value": ["a"], "mimetype": ["no type"]},
        {"value": ["a", "b"], "valuetransferencoding": ["utf-8"]},
        {"value": ["a"], "valuetransferencoding": ["utf-8", "utf-8"]},
        {"value": ["a"], "valuetransferencoding": ["rot13"]},
        {"value": ["good", "AA=A"], "valuetransferencoding": ["utf-8", "base64"]},
        {"value": ["x"] * 1001},
        {"value": ["a"], "copy": "/Science/f"},
        {"copy": "/Science/f", "move": "/Science/f"},
        {"copy": "/Science/missing"},
        {"copy": "/Science/"},
        {"copy": 1},
        {"copy": "/Science/f?values:2"},
        {"copy": "/Science/q?values:0-1"},
        b'{"value": ["a"',
        b'{"value": ["a"]} x',
        b"[1]",
        b"\xff",
    ],
)
@ensureDeferred
async def test_what_cannot_be_enqueued_is_refused_whole(client: Client, body: Any) -> None:
    await make(client)
    await client.send("PUT", "/cdmi/Science/f", b"x")
    reply = await client.cdmi("POST", Q, body, TYPE)
    assert reply.status == 400, reply.body
    assert await values(client) == []
    await enqueue(client, "next")
    assert (await client.cdmi("GET", f"{Q}?queueValues")).json == {"queueValues": "0-0"}


@ensureDeferred
async def test_no_values_at_all_are_enqueued_without_a_word(client: Client) -> None:
    await make(client)
    await enqueue(client)
    assert await values(client) == []


@ensureDeferred
async def test_large_values_come_and_go_in_pieces(client: Client) -> None:
    await make(client)
    large = "a\u20ac" * 700_000
    binary = base64.b64encode(bytes(range(256)) * 10_000).decode()
    body = json.dumps(
        {"value": [large, binary], "valuetransferencoding": ["utf-8", "base64"]}, ensure_ascii=False
    ).encode()
    assert (await client.cdmi("POST", Q, body, TYPE)).status == 204
    reply = await client.cdmi("GET", f"{Q}?values:2")
    assert reply.json["value"] == [large, binary]
    assert reply.json["valuerange"] == ["0-2799999", "0-2559999"]


@ensureDeferred
async def test_more_values_than_are_kept_open_are_sent(client: Client) -> None:
    await make(client)
    sent = [f"value {number}" for number in range(2 * MOST_OPEN + 1)]
    await enqueue(client, *sent)
    assert await values(client) == sent


@pytest.mark.capability("container/cdmi_copy_queue", "queue/cdmi_copy_queue", "system/cdmi_copy_queue_by_ID")
@ensureDeferred
async def test_a_queue_is_made_as_a_copy_of_another(client: Client) -> None:
    made = (await make(client, body={"metadata": {"colour": "red"}})).json
    await enqueue(client, "a", "b")
    shown = (await make(client, "/cdmi/Science/p", {"copy": "/Science/q"})).json
    assert (shown["metadata"]["colour"], shown["queueValues"]) == ("red", "0-1")
    assert shown["objectID"] != made["objectID"]
    assert "value" not in shown
    assert await values(client, "/cdmi/Science/p") == ["a", "b"]
    body = {"copy": f"/cdmi_objectid/{made['objectID']}", "metadata": {"size": 1}}
    other = (await make(client, "/cdmi/Science/r", body)).json
    assert (other["metadata"].get("colour"), other["metadata"]["size"]) == (None, 1)
    posted = await client.cdmi("POST", "/cdmi/cdmi_objectid/", {"copy": "/Science/q"}, TYPE)
    assert posted.status == 201


@pytest.mark.capability("container/cdmi_move_queue", "queue/cdmi_move_queue")
@ensureDeferred
async def test_a_queue_moves_and_keeps_its_id(client: Client) -> None:
    made = (await make(client)).json
    await enqueue(client, "a", "b")
    await client.cdmi("DELETE", f"{Q}?value")
    shown = (await make(client, "/cdmi/Science/p", {"move": "/Science/q"})).json
    assert (shown["objectID"], shown["objectName"], shown["queueValues"]) == (made["objectID"], "p", "1-1")
    assert (await client.cdmi("GET", Q)).status == 404
    await make(client)
    refused = await client.cdmi("PUT", Q, {"move": "/Science/p"}, TYPE)
    assert (refused.status, refused.errno) == (400, "eexist")


@ensureDeferred
async def test_copying_onto_a_queue_takes_the_metadata_and_leaves_the_values(client: Client) -> None:
    await make(client, body={"metadata": {"a": 1}})
    await make(client, "/cdmi/Science/p", {"metadata": {"b": 2}})
    await enqueue(client, "x")
    await enqueue(client, "y", to="/cdmi/Science/p")
    assert (await client.cdmi("PUT", Q, {"copy": "/Science/p"}, TYPE)).status == 204
    shown = (await client.cdmi("GET", f"{Q}?metadata;value")).json
    assert ("a" in shown["metadata"], shown["metadata"]["b"], shown["value"]) == (False, 2, ["x"])


@pytest.mark.parametrize(
    "body",
    [
        {"copy": "/Science/f"},
        {"copy": "/Science/d/"},
        {"copy": "/Science/missing"},
        {"copy": "/Science/p?metadata"},
        {"move": "/Science/f"},
        {"copy": "/Science/p", "move": "/Science/p"},
        {"value": ["x"]},
        {"metadata": "red"},
        {"metadata": {"cdmi_acl": [{}]}},
        {"deserializevalue": "AAAA"},
    ],
)
@ensureDeferred
async def test_a_queue_that_cannot_be_made_leaves_nothing(client: Client, body: Any) -> None:
    await make(client, "/cdmi/Science/p")
    await client.send("PUT", "/cdmi/Science/f", b"x")
    await client.send("PUT", "/cdmi/Science/d/")
    reply = await client.cdmi("PUT", Q, body, TYPE)
    assert reply.status == 400, reply.body
    assert (await client.cdmi("GET", "/cdmi/Science/?children")).json == {"children": ["d/", "f", "p"]}


@pytest.mark.capability("queue/cdmi_reference_queue")
@ensureDeferred
async def test_a_reference_is_made_with_the_type_of_queues(client: Client) -> None:
    reply = await client.cdmi("PUT", Q, {"reference": "/cdmi/Science/other"}, TYPE)
    assert reply.status == 201
    assert (await client.cdmi("GET", Q)).status == 302


@pytest.mark.capability("container/cdmi_post_queue")
@ensureDeferred
async def test_a_posted_queue_is_named_by_its_id(client: Client) -> None:
    reply = await client.cdmi("POST", "/cdmi/Science/", {"metadata": {"a": 1}}, TYPE)
    shown = reply.json
    assert (reply.status, shown["objectType"]) == (201, "application/cdmi-queue")
    assert shown["objectName"] == shown["objectID"]
    assert reply.headers["location"] == f"http://localhost/cdmi/Science/{shown['objectID']}"
    await enqueue(client, "x", to=f"/cdmi/Science/{shown['objectID']}")


@pytest.mark.capability("system/cdmi_post_queue_by_ID")
@ensureDeferred
async def test_a_queue_without_a_name_gets_one_and_loses_it_again(client: Client) -> None:
    domain = (await client.cdmi("GET", "/cdmi/Science/?domainURI")).json
    reply = await client.cdmi("POST", "/cdmi/cdmi_objectid/", domain, TYPE)
    shown = reply.json
    assert reply.status == 201
    assert not {"objectName", "parentURI", "parentID"} & set(shown)
    by_id = f"/cdmi/cdmi_objectid/{shown['objectID']}"
    assert reply.headers["location"] == f"http://localhost{by_id}"
    await enqueue(client, "x", to=by_id)
    named = (await make(client, body={"move": f"/cdmi_objectid/{shown['objectID']}"})).json
    assert (named["objectID"], named["objectName"]) == (shown["objectID"], "q")
    assert await values(client) == ["x"]
    again = await client.cdmi("POST", "/cdmi/cdmi_objectid/", {"move": "/Science/q"}, TYPE)
    assert (again.status, again.json["objectID"]) == (201, shown["objectID"])
    assert await values(client, by_id) == ["x"]


@ensureDeferred
async def test_the_value_of_an_object_is_copied_or_moved_to_the_end(client: Client) -> None:
    await make(client)
    await client.cdmi("PUT", "/cdmi/Science/f", {"value": "text", "mimetype": "text/html"})
    await client.send("PUT", "/cdmi/Science/g", b"\xff\x00")
    assert (await client.cdmi("POST", Q, {"copy": "/Science/f"}, TYPE)).status == 204
    assert (await client.cdmi("POST", Q, {"move": "/Science/g"}, TYPE)).status == 204
    shown = (await client.cdmi("GET", f"{Q}?values:2")).json
    assert shown["mimetype"] == ["text/html", "application/octet-stream"]
    assert shown["valuetransferencoding"] == ["utf-8", "base64"]
    assert shown["value"] == ["text", base64.b64encode(b"\xff\x00").decode()]
    assert (await client.cdmi("GET", "/cdmi/Science/f")).status == 200
    assert (await client.cdmi("GET", "/cdmi/Science/g")).status == 404


@ensureDeferred
async def test_values_of_a_queue_are_copied_or_moved_to_another(client: Client) -> None:
    other = "/cdmi/Science/p"
    await make(client)
    await make(client, other)
    await enqueue(client, "a", "b", "c")
    assert (await client.cdmi("POST", other, {"copy": "/Science/q"}, TYPE)).status == 204
    assert (await client.cdmi("POST", other, {"move": "/Science/q?values:2"}, TYPE)).status == 204
    assert await values(client, other) == ["a", "a", "b"]
    assert await values(client) == ["c"]


@pytest.mark.capability("system/cdmi_copy_dataobject_from_queue")
@ensureDeferred
async def test_an_object_is_made_of_the_values_of_a_queue(client: Client) -> None:
    await make(client, body={"metadata": {"colour": "red"}})
    await enqueue(client, "a", "b\n", "c", mimetype=["text/x-log"] * 3)
    made = (await client.cdmi("PUT", "/cdmi/Science/f", {"copy": "/Science/q"})).json
    assert (made["mimetype"], made["metadata"]["colour"]) == ("text/x-log", "red")
    shown = (await client.cdmi("GET", "/cdmi/Science/f")).json
    assert (shown["value"], shown["valuetransferencoding"]) == ("ab\nc", "utf-8")
    body = {"copy": "/Science/q?values:2", "mimetype": "text/plain"}
    assert (await client.cdmi("PUT", "/cdmi/Science/f", body)).status == 204
    shown = (await client.cdmi("GET", "/cdmi/Science/f?value;mimetype")).json
    assert shown == {"mimetype": "text/plain", "value": "ab\n"}
    assert await values(client) == ["a", "b\n", "c"]
    for body in ({"move": "/Science/q"}, {"copy": "/Science/q?values:0-1"}, {"copy": "/Science/q?metadata"}):
        assert (await client.cdmi("PUT", "/cdmi/Science/g", body)).status == 400
    assert (await client.cdmi("PUT", "/cdmi/Science/g/", {"copy": "/Science/q"})).status == 400


@ensureDeferred
async def test_values_are_enqueued_and_read_in_parts(client: Client) -> None:
    await make(client)
    body = b"\r\n".join(
        [
            b"--B",
            b"Content-Type: application/cdmi-queue",
            b"",
            b"{}",
            b"--B",
            b"Content-Type: text/plain; charset=utf-8",
            b"",
            b"text",
            b"--B",
            b"Content-Type: image/png",
            b"Content-Transfer-Encoding: binary",
            b"",
            b"\xff\x00",
            b"--B--",
            b"",
        ]
    )
    multipart = {"Content-Type": "multipart/mixed; boundary=B"}
    assert (await client.cdmi("POST", Q, body, multipart)).status == 204
    shown = (await client.cdmi("GET", f"{Q}?values:2")).json
    assert (shown["mimetype"], shown["valuetransferencoding"]) == (
        ["text/plain", "image/png"],
        ["utf-8", "base64"],
    )
    read = await client.cdmi("GET", f"{Q}?values:2", headers={"Accept": "multipart/mixed"})
    boundary = read.headers["content-type"].partition("boundary=")[2].encode()
    first, *others = read.body.split(b"--" + boundary)[1:-1]
    head, _, members = first.strip(b"\r\n").partition(b"\r\n\r\n")
    assert head == b"Content-Type: application/cdmi-queue"
    assert json.loads(members)["valuerange"] == ["0-3", "0-1"]
    assert [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in others] == [b"text", b"\xff\x00"]
    assert b"Content-Type: text/plain; charset=utf-8\r\n" in others[0]
    for bad in (
        body.replace(b"{}", b'{"mimetype": ["a/b"]}'),
        body[:-7],
        body.replace(b"{}", b'{"value": []}'),
    ):
        assert (await client.cdmi("POST", Q, bad, multipart)).status == 400
    assert len(await values(client)) == 2


@ensureDeferred
async def test_who_may_not_read_values_sees_the_rest(client: Client) -> None:
    acl = [{"acetype": "ALLOW", "identifier": "EVERYONE@", "aceflags": "0x0", "acemask": "WRITE_OBJECT"}]
    await make(client, body={"metadata": {"cdmi_acl": acl}})
    reply = await client.cdmi("POST", Q, {"value": ["x"]}, TYPE, token="member")
    assert reply.status == 204
    shown = await client.cdmi("GET", Q, token="member")
    assert (shown.status, shown.json["objectName"]) == (200, "q")
    assert not {"queueValues", "value"} & set(shown.json)
    for query in ("value", "values:1", "queueValues"):
        assert (await client.cdmi("GET", f"{Q}?{query}", token="member")).status == 403
    assert (await client.cdmi("DELETE", f"{Q}?value", token="member")).status == 204


@ensureDeferred
async def test_a_queue_that_changed_has_another_state(client: Client) -> None:
    await make(client)
    first = await client.cdmi("GET", Q)
    tag = {"If-None-Match": first.headers["etag"]}
    assert (await client.cdmi("GET", Q, headers=tag)).status == 304
    await enqueue(client, "x")
    second = await client.cdmi("GET", Q, headers=tag)
    assert second.status == 200
    assert second.headers["etag"] != first.headers["etag"]
    stale = {"If-Match": first.headers["etag"]}
    assert (await client.cdmi("DELETE", f"{Q}?value", headers=stale)).status == 412
    assert await values(client) == ["x"]
    assert (await client.cdmi("HEAD", Q)).body == b""


@ensureDeferred
async def test_the_capabilities_of_queues_are_an_object(client: Client) -> None:
    reply = await client.cdmi("GET", "/cdmi/cdmi_capabilities/queue/")
    assert reply.json["objectName"] == "queue/"
    assert reply.json["capabilities"]["cdmi_modify_value"] == "true"
    by_id = await client.cdmi("GET", f"/cdmi/cdmi_objectid/{reply.json['objectID']}/")
    assert by_id.json == reply.json
