"""Whatever is sent, the answer is a refusal with a reason: no 500, no hang, nothing logged as a bug."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from tests.integration.cdmi.client import Client, Reply

pytestmark = pytest.mark.usefixtures("bugs")
WITHOUT_A_BODY = (405, 406, 416)
PATHS = (
    "/cdmi/",
    "/cdmi/Science/",
    "/cdmi/Science/f",
    "/cdmi/Science/f/",
    "/cdmi/Science/d",
    "/cdmi/Science/d/",
    "/cdmi/Science/new",
    "/cdmi/Science/new/",
    "/cdmi/Science/f/x/y",
    "/cdmi/Nowhere/x",
    "/cdmi/cdmi_capabilities/",
    "/cdmi/cdmi_domains/x",
    "/cdmi/cdmi_objectid/",
    "/cdmi/Science/r",
    "/cdmi/Science/r/x",
    "/cdmi/Science/cdmi_versions",
    "/cdmi/cdmi_objectid/0011",
    "/cdmi/cdmi_objectid/0000000000208CA8" + "30" * 31 + "31",
    "/cdmi/Science/%FF",
    "/cdmi/Science/%2e%2e/%2e%2e",
    "/cdmi/Science/%00",
    "/cdmi/Science/" + "n" * 300,
    "/cdmi/Science/" + "d/" * 3000,
)
QUERIES = (
    "",
    "?value:0-3",
    "?value:3-0",
    "?value:0-99999999999999999999999",
    "?value:999999999999999999-999999999999999999",
    "?value:a-b;value:",
    "?children:0-0",
    "?children:5-999999999999999999",
    "?metadata:%FF",
    "?metadata:a;metadata:%22;metadata:",
    "?metadata:cdmi_acl",
    "?%",
    "?;;;:;:::",
    "?" + "metadata:x;" * 500,
)
HEADERS: dict[str, tuple[str, ...]] = {
    "Content-Type": (
        "application/cdmi-object",
        "application/cdmi-container",
        "application/cdmi-queue",
        "application/cdmi-capability",
        "application/cdmi-object; charset=\xff",
        "text/plain; charset=utf-8",
        "multipart/mixed",
        ";;;=",
        "\xff\xfe",
        "x" * 5000,
    ),
    "X-CDMI-Specification-Version": ("1.1.1", "1.1.1", "1.1", "1.0", "", ",", "\xff", "1" * 3000),
    "Accept": (
        "*/*",
        "application/cdmi-object",
        "image/png",
        "\xff;q=\xff",
        "*/*;q=x",
        ",,,",
        "application/*;q=0",
    ),
    "Range": ("bytes=0-1", "bytes=-", "bytes=9-1", "bytes=" + "0-0," * 2000, "\xff", "bytes=0-" + "9" * 500),
    "Content-Range": ("bytes 0-1/*", "bytes 5-1/*", "bytes 0-" + "9" * 500 + "/*", "\xff", "bytes 0-0/0"),
    "X-CDMI-Partial": ("true", "false", "\xff"),
    "X-CDMI-MustExist": ("true", "false", "\xff"),
    "X-CDMI-NoClobber": ("true", "false", "\xff"),
    "If-Match": ("*", '"x"', "x", "\xff", '"' * 300, ","),
    "If-None-Match": ("*", '"x"', 'W/"x"', "x"),
    "If-Modified-Since": ("Sat, 01 Jan 2000 00:00:00 GMT", "\xff", "0"),
    "X-Auth-Token": ("owner", "owner", "owner", "member", "reader", "stranger", "bad", "\xff"),
    "Host": ("localhost", "a b", "\xff", "[::1]:99", ""),
}
MEMBERS = (
    "value", "valuetransferencoding", "mimetype", "metadata", "copy", "move", "reference", "exports",
    "domainURI", "deserializevalue", "snapshot", "odd",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 10**40, 1.5, "", "text", "====", "ZGF0YQ==", "utf-8", "base64", "\x00\x01", "a/b",
    "\u017c/\n", "/Science/f", "/Science/d/", "/Science/", "/", "//", "..", "https://[", "/cdmi_objectid/zz",
    "%", "%ff", "x" * 70000, [], {}, [[[[]]]], {"a": 1}, {"": 1}, {"cdmi_acl": []},
    {"onedata_json": 10**30, "onedata_rdf": 5},
    {"onedata_rdf": "x"}, {"onedata_x": 1}, {"a": 10**40, "b": -(2**63), "c": 2**64, "d": 1e308, "e": 5e-324},
    {"k" * 70000: 1}, {"\u0000": "\u0000"}, {str(n): n for n in range(1500)}, {"n": [[[[[[[[[[{}]]]]]]]]]]},
)  # fmt: skip
RAW_BODIES = (
    b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b'{"value":', b'{"a":NaN}', b'{"a":1e999}',
    b'{"metadata":{"a":1e999}}', b'{"value":"\\ud800"}', b'{"metadata":{"\\udc00":1}}', b"[" * 50000,
    b'{"a":' * 30000 + b"1" + b"}" * 30000,
    b'{"metadata":{"a":' + b"9" * 4000 + b"}}", b'{"metadata":{"a":' + b"9" * 9000 + b"}}",
    b'{"metadata":{"a":' + b"[" * 500 + b"]" * 500 + b"}}", b'{"value":"a","value":"b"}', b"0" * 100,
)  # fmt: skip


ACCEPTABLE = (b"", b"{}", b'{"value":"a","value":"b"}', b'{"metadata":{"a":' + b"9" * 4000 + b"}}")
"""Bodies among them that are unusual, but no mistake."""


def check(reply: Reply, asked: object) -> None:
    assert reply.status < 500, (asked, reply)
    if 400 <= reply.status and reply.status not in WITHOUT_A_BODY and "HEAD" not in str(asked)[:8]:
        error = reply.json["error"]
        assert error["id"] and error["description"], asked
        assert "Traceback" not in error["description"]


async def prepare(client: Client) -> None:
    await client.send("PUT", "/cdmi/Science/f", b"value")
    await client.send("PUT", "/cdmi/Science/d/")
    await client.cdmi("PUT", "/cdmi/Science/r", {"reference": "http://x/"})


@ensureDeferred
@pytest.mark.parametrize("seed", range(6))
async def test_random_requests_are_answered_without_a_bug(client: Client, seed: int) -> None:
    choose = random.Random(seed)
    await prepare(client)
    for _ in range(120):
        method = choose.choice(("GET", "HEAD", "PUT", "PUT", "PUT", "DELETE", "POST", "OPTIONS"))
        path = choose.choice(PATHS) + choose.choice(QUERIES)
        names = choose.sample(sorted(HEADERS), choose.randrange(len(HEADERS)))
        headers = {name: choose.choice(HEADERS[name]) for name in names}
        if choose.random() < 0.7:
            headers["X-CDMI-Specification-Version"] = "1.1.1"
            headers["Content-Type"] = f"application/cdmi-{choose.choice(('object', 'container'))}"
        sent = {member: choose.choice(VALUES) for member in choose.sample(MEMBERS, choose.randrange(3))}
        body = choose.choice(RAW_BODIES) if choose.random() < 0.3 else json.dumps(sent).encode()
        asked = (method, path[:120], headers, body[:200])
        sends = method in ("PUT", "POST")
        check(await client.send(method, path, body if sends else None, headers), asked)


@ensureDeferred
@pytest.mark.parametrize("raw", RAW_BODIES)
async def test_bodies_that_are_no_representation_change_nothing(client: Client, raw: bytes) -> None:
    await prepare(client)
    for path in ("/cdmi/Science/f", "/cdmi/Science/d/", "/cdmi/Science/new", "/cdmi/Science/new/"):
        check(await client.cdmi("PUT", path, raw), ("PUT", path, raw[:80]))
    if raw not in ACCEPTABLE:
        assert (await client.send("GET", "/cdmi/Science/f")).body == b"value"
        assert (await client.send("GET", "/cdmi/Science/new")).status == 404


@ensureDeferred
@pytest.mark.parametrize("member", MEMBERS)
async def test_members_of_any_type_are_taken_or_refused(client: Client, member: str) -> None:
    await prepare(client)
    for value in VALUES:
        for path in ("/cdmi/Science/f", "/cdmi/Science/d/", "/cdmi/Science/new", "/cdmi/Science/new/"):
            check(await client.cdmi("PUT", path, {member: value}), (path, member, str(value)[:80]))
        await client.send("DELETE", "/cdmi/Science/new")
        await client.send("DELETE", "/cdmi/Science/new/")


@ensureDeferred
async def test_what_was_taken_is_json_when_read_back(client: Client) -> None:
    await prepare(client)
    for value in VALUES:
        if isinstance(value, dict):
            await client.cdmi("PUT", "/cdmi/Science/f", {"metadata": value})
            reply = await client.cdmi("GET", "/cdmi/Science/f")
            assert reply.status == 200
            json.loads(reply.body, parse_constant=pytest.fail)


@ensureDeferred
async def test_client_that_leaves_in_the_middle_leaves_nothing(client: Client) -> None:
    head = "PUT /cdmi/Science/new HTTP/1.1\r\nHost: h\r\nX-Auth-Token: owner\r\n"
    head += "X-CDMI-Specification-Version: 1.1.1\r\n"
    for rest in (
        "Content-Length: 900\r\n\r\n{}",
        "Content-Type: application/cdmi-object\r\nContent-Length: 900\r\n\r\n{}",
    ):
        await client.leave((head + rest).encode())
    assert (await client.send("GET", "/cdmi/Science/new")).status == 404
