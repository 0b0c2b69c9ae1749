"""Values of any length come and go in pieces, in whatever order the members of a body are."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from itertools import permutations
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from op_worker.http.cdmi.representations.values import PIECE_B
from tests.integration.cdmi.client import Client, parsed
from tests.integration.cdmi.conftest import JSON_LIMIT_B, SPOOL_MEMORY_B

F, D = "/cdmi/Science/f", "/cdmi/Science/d/"
TYPED = {"Content-Type": "application/cdmi-object"}
PARTS = {"Content-Type": "multipart/mixed; boundary=B"}
HEAD_PART = b"--B\r\nContent-Type: application/cdmi-object\r\n\r\n{}\r\n--B"
LONG = os.urandom(3 * SPOOL_MEMORY_B + 1)
LONG_TEXT = 'z\u017c\U0001f600\n"\\' * SPOOL_MEMORY_B


def in_order(members: Mapping[str, object], order: tuple[str, ...]) -> bytes:
    return json.dumps({name: members[name] for name in order}).encode()


def orders() -> Iterator[tuple[str, ...]]:
    yield from permutations(("value", "valuetransferencoding", "metadata", "mimetype"))


@ensureDeferred
async def test_members_may_come_in_any_order(client: Client) -> None:
    members = {
        "value": base64.b64encode(LONG).decode(),
        "valuetransferencoding": "base64",
        "metadata": {"a": [1]},
        "mimetype": "a/b",
    }
    for index, order in enumerate(orders()):
        path = f"{F}{index}"
        for status in (201, 204):  # made, then replaced
            assert (await client.cdmi("PUT", path, in_order(members, order))).status == status
            told = (await client.cdmi("GET", f"{path}?metadata:a;mimetype;valuetransferencoding")).json
            assert told == {"mimetype": "a/b", "metadata": {"a": [1]}, "valuetransferencoding": "base64"}
            assert (await client.send("GET", path)).body == LONG


@ensureDeferred
@pytest.mark.parametrize("ascii_only", [True, False])
async def test_long_text_is_stored_as_it_was_meant(client: Client, ascii_only: bool) -> None:
    for members in (
        {"value": LONG_TEXT},
        {"valuetransferencoding": "utf-8", "value": LONG_TEXT},
    ):
        body = json.dumps(members, ensure_ascii=ascii_only).encode()
        assert (await client.cdmi("PUT", F, body)).status in (201, 204)
        assert (await client.send("GET", F)).body == LONG_TEXT.encode()
        assert (await client.cdmi("GET", F)).json["value"] == LONG_TEXT


@ensureDeferred
async def test_stored_encoding_holds_for_a_long_value_without_one(client: Client) -> None:
    await client.cdmi("PUT", F, {"valuetransferencoding": "base64", "value": ""})
    value = base64.b64encode(LONG).decode()
    assert (await client.cdmi("PUT", F, {"value": value, "metadata": {}})).status == 204
    assert (await client.send("GET", F)).body == LONG
    both = {"value": value, "valuetransferencoding": "utf-8"}
    assert (await client.cdmi("PUT", F, both)).status == 204
    assert (await client.send("GET", F)).body == value.encode()


@ensureDeferred
@pytest.mark.parametrize(
    "broken",
    [
        b'{"valuetransferencoding": "base64", "value": "%(long)s*"}',
        b'{"value": "%(long)s*", "valuetransferencoding": "base64"}',
        b'{"valuetransferencoding": "base64", "value": "%(long)s"',
        b'{"valuetransferencoding": "base64", "value": "%(long)s"}}',
        b'{"valuetransferencoding": "base64", "value": "%(long)s", "metadata": 1}',
        b'{"valuetransferencoding": "base64", "value": "%(long)s", "metadata": {"a": NaN}}',
        b'{"valuetransferencoding": "base64", "value": "%(long)s", "copy": "/Science/g"}',
        b'{"valuetransferencoding": "base64", "value": "%(long)s", "value": ""}',
        b'{"valuetransferencoding": "base64", "value": "%(long)s", "valuetransferencoding": "utf-8"}',
        b'{"valuetransferencoding": "utf-8", "value": "%(long)s\\ud800"}',
        b'{"valuetransferencoding": "utf-8", "value": "%(long)s\xff"}',
        b'{"value": "%(long)s", "mimetype": 1}',
        b'{"value": ["%(long)s"]}',
        b'{"value": {"a": "%(long)s"}, "valuetransferencoding": "utf-8"}',
    ],
)
async def test_fault_at_the_very_end_changes_nothing(client: Client, tmp_path: Path, broken: bytes) -> None:
    await client.cdmi("PUT", F, {"value": "old", "metadata": {"a": 1}})
    before = (await client.cdmi("GET", F)).json
    body = broken.replace(b"%(long)s", b"QUJD" * (2 << 20))  # 8 MiB
    for path in (F, "/cdmi/Science/new"):
        assert (await client.cdmi("PUT", path, body)).status == 400
    assert (await client.cdmi("GET", F)).json == before
    assert (await client.cdmi("GET", "/cdmi/Science/new")).status == 404
    assert list(tmp_path.iterdir()) == []


@ensureDeferred
async def test_client_that_leaves_in_the_middle_of_a_value_leaves_nothing(client: Client) -> None:
    await client.send("PUT", F, b"old")
    for first in (b'{"valuetransferencoding":"base64","value":"', b'{"value":"'):
        for path in (F, "/cdmi/Science/new", F + "?value:0-99999999"):
            head = f"PUT {path} HTTP/1.1\r\nHost: h\r\nX-Auth-Token: owner\r\nContent-Length: 99999999\r\n"
            head += "X-CDMI-Specification-Version: 1.1.1\r\nContent-Type: application/cdmi-object\r\n\r\n"
            await client.leave(head.encode() + first + b"QUJD" * SPOOL_MEMORY_B)
    assert (await client.send("GET", F)).body == b"old"
    assert (await client.send("GET", "/cdmi/Science/new")).status == 404


@ensureDeferred
async def test_long_range_is_checked_before_a_byte_of_the_object_changes(client: Client) -> None:
    await client.send("PUT", F, b"o" * 10)
    value = base64.b64encode(LONG).decode()
    last = 5 + len(LONG) - 1
    for sent, status in (
        ({"value": value[:-4] + "****"}, 400),
        ({"value": value + "QUJD"}, 400),
        ({"value": value[:-4]}, 400),
        ({"value": [value]}, 400),
        ({"metadata": {}}, 400),
        ({"value": value, "metadata": 3}, 400),
    ):
        reply = await client.cdmi("PUT", f"{F}?value:5-{last}", sent)
        assert reply.status == status
        assert (await client.send("GET", F)).body == b"o" * 10
    assert (await client.cdmi("PUT", f"{F}?value:5-{last}", {"value": value})).status == 204
    assert (await client.send("GET", F)).body == b"o" * 5 + LONG


@ensureDeferred
async def test_long_range_of_unannounced_length_waits_until_it_is_whole(client: Client) -> None:
    await client.send("PUT", F, b"o" * 10)
    last = 5 + len(LONG) - 1
    for sent, status in ((LONG[:-1], 400), (LONG + b"x", 400), (LONG, 204)):
        chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(sent), sent)
        headers = {"Transfer-Encoding": "chunked", "Content-Range": f"bytes 5-{last}/*"}
        reply = await client.send("PUT", F, chunked, headers)
        assert reply.status == status
        expected = b"o" * 10 if status == 400 else b"o" * 5 + LONG
        assert (await client.send("GET", F)).body == expected


@ensureDeferred
async def test_value_may_be_longer_than_what_json_may_have_besides(client: Client) -> None:
    value = base64.b64encode(bytes(2 * JSON_LIMIT_B)).decode()
    assert (await client.cdmi("PUT", F, {"value": value, "valuetransferencoding": "base64"})).status == 201
    assert (await client.cdmi("GET", F + "?metadata:cdmi_size")).json == {
        "metadata": {"cdmi_size": str(2 * JSON_LIMIT_B)}
    }
    assert PIECE_B < 2 * JSON_LIMIT_B
    assert (await client.cdmi("GET", F)).json["value"] == value


@ensureDeferred
async def test_json_value_is_kept_as_its_text_and_sent_in_its_place(client: Client) -> None:
    for value in ('{"b" : [1.50, null], "a":"\\u0041"}', '"text"', "null", "-0.0", "[ ]"):
        for body in (
            f'{{"valuetransferencoding": "json", "value":  {value} , "metadata": {{}}}}',
            f'{{"value": {value}\n, "valuetransferencoding": "json"}}',
        ):
            await client.send("DELETE", F)
            made = await client.cdmi("PUT", F, body.encode())
            assert (made.status, made.json["mimetype"]) == (201, "application/json")
            plain = await client.send("GET", F)
            assert (plain.body.decode(), plain.headers["content-type"]) == (value, "application/json")
            told = await client.cdmi("GET", F + "?valuetransferencoding;value")
            assert told.body.decode() == f'{{"valuetransferencoding":"json","value":{value}}}'


@ensureDeferred
async def test_long_json_value_goes_in_and_out_in_pieces(client: Client) -> None:
    value = [{"n": n, "text": "\u017c" * 9} for n in range(40000)]
    for order in (("value", "valuetransferencoding"), ("valuetransferencoding", "value")):
        body = in_order({"value": value, "valuetransferencoding": "json"}, order)
        assert (await client.cdmi("PUT", F, body)).status in (201, 204)
        reply = await client.cdmi("GET", F)
        assert len(reply.body) > PIECE_B and reply.json["value"] == value
        assert (await client.cdmi("GET", F)).json["value"] == value  # known to be JSON by now


@ensureDeferred
async def test_object_of_json_that_other_doors_changed_is_sent_in_base64(client: Client) -> None:
    await client.cdmi("PUT", F, {"valuetransferencoding": "json", "value": [1]})
    for stored in (b"[1,", b"", b"\xff", b"\xef\xbb\xbf[]", b'1,"x":2', b"z" * (PIECE_B + 1)):
        await client.send("PUT", F, stored)
        await client.cdmi("PUT", F, {"valuetransferencoding": "json"})
        told = (await client.cdmi("GET", F)).json
        assert told["valuetransferencoding"] == "base64"
        assert base64.b64decode(told["value"]) == stored
    await client.cdmi("PUT", F, {"value": {"a": 1}})
    assert (await client.cdmi("GET", F)).json["value"] == {"a": 1}
    assert (await client.cdmi("GET", F + "?value:0-1")).json["value"] == "eyI="


@ensureDeferred
async def test_members_that_no_clause_names_are_kept_and_returned(client: Client) -> None:
    made = await client.cdmi("PUT", F, {"value": "v", "odd": {"a": [1]}, "other": "x"})
    assert made.json["odd"] == {"a": [1]}
    assert (await client.cdmi("PUT", F, {"other": None, "objectID": "0", "valuerange": "7-9"})).status == 204
    told = (await client.cdmi("GET", F)).json
    assert (told["odd"], told["other"], told["value"]) == ({"a": [1]}, None, "v")
    assert list(told)[-2:] == ["valuerange", "value"] and "odd" not in told["metadata"]
    assert (await client.cdmi("GET", F + "?odd")).json == {"odd": {"a": [1]}}
    assert (await client.cdmi("PUT", F, {"long": "x" * 65536})).error_id == "badData"
    back = dict(told)
    assert (await client.cdmi("PUT", F, back)).status == 204
    again = (await client.cdmi("GET", F)).json
    assert {name: again[name] for name in ("odd", "other", "value", "objectID")} == {
        name: told[name] for name in ("odd", "other", "value", "objectID")
    }


@ensureDeferred
@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        ("PUT", F, TYPED, b'{"value":"'),
        ("PUT", F, TYPED, b'{"valuetransferencoding":"base64","value":"'),
        ("PUT", F + "?value:0-99", TYPED, b'{"value":"'),
        ("PUT", D + "new", TYPED, b'{"value":"'),
        ("PUT", F, {"Content-Range": "bytes 0-999999/*"}, b"raw"),
        ("PUT", F, PARTS, HEAD_PART + b"\r\nContent-Range: bytes 0-9/*\r\n\r\nraw"),
        ("PUT", D + "new", PARTS, HEAD_PART + b"\r\nContent-Range: bytes 0-9/*\r\n\r\nraw"),
        ("POST", D, TYPED, b'{"value":"'),
    ],
)
async def test_who_may_not_write_is_refused_before_the_value_is_taken(
    client: Client, method: str, path: str, headers: dict[str, str], body: bytes
) -> None:
    read = {"acetype": "ALLOW", "identifier": "EVERYONE@", "aceflags": "0x0"}
    for target, mask in ((F, "0x20089"), (D, "0x200A9")):
        members = {"metadata": {"cdmi_acl": [{**read, "acemask": mask}]}}
        assert (await client.cdmi("PUT", target, members)).status == 201
    head = f"{method} {path} HTTP/1.1\r\nHost: h\r\nX-Auth-Token: member\r\nTransfer-Encoding: chunked\r\n"
    sent = {"X-CDMI-Specification-Version": "1.1.1", **headers}
    head += "".join(f"{name}: {value}\r\n" for name, value in sent.items()) + "\r\n"
    body += b"QUJD" * SPOOL_MEMORY_B
    unfinished = head.encode() + b"%x\r\n%b\r\n" % (len(body), body)
    assert parsed(await client.raw(unfinished)).status == 403
