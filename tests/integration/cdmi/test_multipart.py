"""Data objects by multi-part MIME: members as JSON, values as they are."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from op_worker.http.cdmi.representations.values import PIECE_B
from tests.integration.cdmi.client import Client, Reply
from tests.integration.cdmi.conftest import SPOOL_MEMORY_B

F = "/cdmi/Science/f"
MULTIPART = {"Content-Type": "multipart/mixed; boundary=gc0p4Jq0M2Yt08j34c0p"}
MARK = b"--gc0p4Jq0M2Yt08j34c0p"
LONG = os.urandom(3 * SPOOL_MEMORY_B + 1)
Sent = tuple[Mapping[str, str], bytes]

pytestmark = pytest.mark.capability("system/cdmi_multipart_mime")


def joined(members: object, *values: Sent, end: bytes = b"--\r\n") -> bytes:
    """A body with the members and value parts."""
    raw = members if isinstance(members, bytes) else json.dumps(members).encode()
    parts: list[Sent] = [({"Content-Type": "application/cdmi-object"}, raw), *values]
    pieces = [
        MARK + b"".join(f"\r\n{name}: {value}".encode() for name, value in head.items()) + b"\r\n\r\n" + data
        for head, data in parts
    ]
    return b"\r\n".join([*pieces, MARK]) + end


def part(data: bytes, content_type: str = "application/octet-stream", **headers: str) -> Sent:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"Content-Type": content_type, "Content-Transfer-Encoding": "binary", **named}, data


async def put(client: Client, body: bytes, path: str = F, **more: str) -> Reply:
    return await client.cdmi("PUT", path, body, {**MULTIPART, **more})


async def get(client: Client, query: str = "", path: str = F) -> tuple[dict[str, Any], list[Sent]]:
    """Read in parts; return the members and the value parts."""
    reply = await client.cdmi("GET", path + query, headers={"Accept": "multipart/mixed"})
    assert reply.status == 200 and int(reply.headers["content-length"]) == len(reply.body)
    raw = b"Content-Type: " + reply.headers["content-type"].encode() + b"\r\n\r\n" + reply.body
    first, *values = list(BytesParser(policy=HTTP).parsebytes(raw).iter_parts())
    assert first.get_content_type() == "application/cdmi-object"
    found: list[Sent] = []
    for value in values:
        head = {str(name): str(text) for name, text in value.items()}
        mark = ("Content-Length: " + head["Content-Length"]).encode()
        found.append((head, content_of(value)))
        assert mark in reply.body and len(found[-1][1]) == int(head["Content-Length"])
    return json.loads(content_of(first)), found


def content_of(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


@ensureDeferred
async def test_object_is_made_of_a_value_part(client: Client) -> None:
    sent = joined({"metadata": {"a": 1}}, part(LONG, "Application/PDF", Content_Length=str(len(LONG))))
    made = await put(client, sent)
    assert made.status == 201 and made.headers["content-type"] == "application/cdmi-object"
    assert (made.json["mimetype"], made.json["metadata"]["a"]) == ("application/pdf", 1)
    assert "value" not in made.json
    plain = await client.send("GET", F)
    assert (plain.body, plain.headers["content-type"]) == (LONG, "application/pdf")


@ensureDeferred
async def test_encoding_is_text_when_every_value_part_says_so(client: Client) -> None:
    text = "text/plain; charset=utf-8"
    for values, told in (
        ([part(b"a", text), part(b"b", text)], "utf-8"),
        ([part(b"a", text), part(b"b")], "base64"),
        ([part(b"a")], "base64"),
    ):
        assert (await put(client, joined({}, *values))).status in (201, 204)
        assert (await client.cdmi("GET", F + "?valuetransferencoding")).json == {
            "valuetransferencoding": told
        }
    said = {"valuetransferencoding": "json", "mimetype": "application/x"}
    assert (await put(client, joined(said, part(b"[1]", text)))).status == 204
    shown = (await client.cdmi("GET", F + "?mimetype;valuetransferencoding;value")).json
    assert shown == {"mimetype": "application/x", "valuetransferencoding": "json", "value": [1]}


@ensureDeferred
async def test_parts_without_ranges_follow_each_other_and_replace_the_value(client: Client) -> None:
    await client.cdmi("PUT", F, {"value": "a long old value", "metadata": {"kept": 1, "gone": 2}})
    sent = joined({"metadata": {"gone": 3}}, part(b"ab"), part(b""), part(b"cd", Content_Range="bytes 2-3/4"))
    assert (await put(client, sent, F + "?metadata:gone")).status == 204
    assert (await client.send("GET", F)).body == b"abcd"
    told = (await client.cdmi("GET", F)).json
    assert (told["metadata"]["kept"], told["metadata"]["gone"]) == (1, 3)


@ensureDeferred
async def test_ranges_leave_the_rest_of_the_value_alone(client: Client) -> None:
    await client.send("PUT", F, b"0123456789")
    ranges = (
        part(b"AB", Content_Range="bytes 1-2/10"),
        part(b"C"),
        part(b"XYZ", Content_Range="bytes 9-11/*"),
    )
    assert (await put(client, joined({"metadata": {"a": 1}}, *ranges))).status == 204
    assert (await client.send("GET", F)).body == b"0ABC45678XYZ"
    assert (await client.cdmi("GET", F)).json["metadata"]["a"] == 1
    last = 4 + len(LONG) - 1
    long = part(LONG, Content_Range=f"bytes 4-{last}/*")
    assert (await put(client, joined({}, long, part(b"e")))).status == 204
    assert (await client.send("GET", F)).body == b"0ABC" + LONG + b"e"


@ensureDeferred
async def test_ranges_of_the_uri_are_those_of_the_parts(client: Client) -> None:
    await client.send("PUT", F, b"0123456789")
    assert (await put(client, joined({}, part(b"AB"), part(b"C")), F + "?value:1-2;value:5-5")).status == 204
    assert (await client.send("GET", F)).body == b"0AB34C6789"
    same = part(b"ab", Content_Range="bytes 1-2/10")
    assert (await put(client, joined({}, same), F + "?value:1-2")).status == 204
    for query, values in (
        ("?value:1-3", [same]),
        ("?value:1-2", [part(b"abc")]),
        ("?value:1-2;value:4-4", [same]),
        ("?value:1-2", [same, part(b"c")]),
    ):
        assert (await put(client, joined({}, *values), F + query)).status == 400
    assert (await client.send("GET", F)).body == b"0ab34C6789"


@ensureDeferred
async def test_object_is_made_of_ranges_with_gaps(client: Client) -> None:
    sent = joined({}, part(b"B", Content_Range="bytes 1-1/*"), part(b"E", Content_Range="bytes 4-4/5"))
    assert (await put(client, sent)).status == 201
    assert (await client.send("GET", F)).body == b"\0B\0\0E"


@ensureDeferred
async def test_members_alone_change_no_value(client: Client) -> None:
    assert (await put(client, joined({}))).status == 201
    await put(client, joined({}, part(b"value")))
    assert (await put(client, joined({"mimetype": "a/b"}))).status == 204
    plain = await client.send("GET", F)
    assert (plain.body, plain.headers["content-type"]) == (b"value", "a/b")


@ensureDeferred
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no boundary at all",
        MARK + b"--\r\n",
        joined({}, part(LONG), end=b""),
        joined({}, part(LONG), end=b"\r\n"),
        joined({}, part(LONG))[:-8],
        joined(b"{", part(LONG)),
        joined({"value": "x"}, part(LONG)),
        joined({"value": "x"}),
        joined({"copy": "/Science/g"}, part(LONG)),
        joined({"reference": "http://x/"}, part(LONG)),
        joined({"valuetransferencoding": "rot13"}, part(LONG)),
        joined({"metadata": 1}, part(LONG)),
        joined({}, part(LONG, Content_Range="bytes 0-3/4")),
        joined({}, part(LONG, Content_Range="lines 0-3/4")),
        joined(
            {},
            part(LONG, Content_Range=f"bytes 9-{8 + len(LONG)}/*"),
            part(b"x", Content_Range="bytes 1-0/*"),
        ),
        joined({}, part(LONG), part(b"x", Content_Range="bytes 0-0/1")),
        joined({}, part(b"x"), part(b"x", Content_Range="bytes 1-2/3")),
        joined({}, part(LONG, Content_Length="7")),
        joined({}, ({"Content-Transfer-Encoding": "base64"}, b"QUJD")),
        joined({}, *[part(b"x")] * 65),
        joined({}, *[part(b"x", Content_Range="bytes 0-0/*")] * 65),
        joined({}, part(LONG)).replace(b"application/cdmi-object", b"application/cdmi-queue"),
    ],
)
async def test_body_that_cannot_be_used_changes_nothing(client: Client, tmp_path: Path, body: bytes) -> None:
    await client.cdmi("PUT", F, {"value": "old", "metadata": {"a": 1}})
    before = (await client.cdmi("GET", F)).json
    for path in (F, "/cdmi/Science/new"):
        assert (await put(client, body, path)).status == 400
    assert (await client.cdmi("GET", F)).json == before
    assert (await client.cdmi("GET", "/cdmi/Science/new")).status == 404
    assert list(tmp_path.iterdir()) == []


@ensureDeferred
async def test_containers_take_no_parts_by_put_and_boundary_is_demanded(client: Client) -> None:
    refused = await client.cdmi("PUT", "/cdmi/Science/d/", joined({}), MULTIPART)
    assert (refused.status, refused.error_id) == (400, "badValueIdentifier")
    for content_type in ("multipart/mixed", 'multipart/mixed; boundary=""'):
        assert (await put(client, joined({}), **{"Content-Type": content_type})).error_id == "malformedData"


@ensureDeferred
async def test_client_that_leaves_between_parts_leaves_nothing(client: Client) -> None:
    head = f"PUT {F} HTTP/1.1\r\nHost: h\r\nX-Auth-Token: owner\r\nX-CDMI-Specification-Version: 1.1.1\r\n"
    head += f"Content-Type: {MULTIPART['Content-Type']}\r\nContent-Length: 99999999\r\n\r\n"
    for values in ([part(LONG)], [part(LONG, Content_Range=f"bytes 0-{len(LONG) - 1}/*")]):
        await client.leave(head.encode() + joined({}, *values, end=b""))
        assert (await client.cdmi("GET", F)).status == 404


@ensureDeferred
async def test_post_makes_objects_of_parts(client: Client) -> None:
    await client.send("PUT", "/cdmi/Science/d/")
    for path in ("/cdmi/Science/d/", "/cdmi/cdmi_objectid/"):
        made = await client.cdmi("POST", path, joined({"metadata": {"a": 1}}, part(LONG)), MULTIPART)
        assert made.status == 201
        found = "/cdmi" + made.headers["location"].partition("/cdmi")[2]
        assert (await client.send("GET", found)).body == LONG


@ensureDeferred
async def test_object_is_read_in_parts(client: Client) -> None:
    data = os.urandom(PIECE_B + 5)
    await put(client, joined({"metadata": {"a": 1}}, part(data, "image/png")))
    members, [(head, value)] = await get(client)
    assert value == data
    assert (head["Content-Type"], "Content-Range" in head) == ("image/png", False)
    assert members["valuerange"] == f"0-{len(data) - 1}" and members["valuetransferencoding"] == "base64"
    assert "value" not in members and members["metadata"]["a"] == 1
    members, values = await get(client, "?mimetype;metadata:a")
    assert (members, values) == ({"mimetype": "image/png", "metadata": {"a": 1}}, [])


@ensureDeferred
async def test_several_ranges_are_read_in_parts_of_their_own(client: Client) -> None:
    await client.cdmi("PUT", F, {"value": "0123456789"})
    members, values = await get(client, "?valuetransferencoding;valuerange;value:1-3;value:8-99;value:0-0")
    assert members == {"valuetransferencoding": "utf-8"}
    assert [value for _, value in values] == [b"123", b"89", b"0"]
    ranges = [head["Content-Range"] for head, _ in values]
    assert ranges == ["bytes 1-3/10", "bytes 8-9/10", "bytes 0-0/10"]
    assert {head["Content-Type"] for head, _ in values} == {'text/plain; charset="utf-8"'}
    members, values = await get(client, "?valuerange;value:8-99")
    assert (members, values[0][1]) == ({"valuerange": "8-9"}, b"89")
    _, [(head, value)] = await get(client, "?value:10-11")
    assert (head["Content-Range"], value) == ("bytes */10", b"")
    refused = await client.cdmi("GET", F + "?value:1-3;value:8-9")
    assert (refused.status, refused.error_id) == (400, "badData")


@ensureDeferred
async def test_parts_that_were_read_can_be_sent_back(client: Client) -> None:
    for body in ({"value": "z\u017c", "odd": 1}, {"value": "/wA=", "valuetransferencoding": "base64"}):
        await client.cdmi("PUT", F, body)
        first = (await client.cdmi("GET", F)).json
        reply = await client.cdmi("GET", F, headers={"Accept": "multipart/mixed"})
        back = await client.cdmi("PUT", F + "2", reply.body, {"Content-Type": reply.headers["content-type"]})
        assert back.status == 201
        again = (await client.cdmi("GET", F + "2")).json
        for name in ("mimetype", "valuetransferencoding", "value", "valuerange"):
            assert again[name] == first[name]
        await client.send("DELETE", F)
        await client.send("DELETE", F + "2")


@ensureDeferred
async def test_value_that_is_still_being_sent_is_left_out_of_the_parts(client: Client) -> None:
    await client.send("PUT", F, b"half", {"X-CDMI-Partial": "true"})
    members, values = await get(client, "?completionStatus;valuerange;value")
    assert (members, values) == ({"completionStatus": "Processing"}, [])


@ensureDeferred
async def test_empty_value_is_an_empty_part(client: Client) -> None:
    await client.send("PUT", F, b"")
    members, values = await get(client, "?valuerange;value")
    assert (members, [value for _, value in values]) == ({"valuerange": ""}, [b""])
