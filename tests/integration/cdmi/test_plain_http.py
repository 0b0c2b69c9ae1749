"""Data objects and containers with plain HTTP."""

from __future__ import annotations

import base64

import pytest
from pytest_twisted import ensureDeferred

from tests.integration.cdmi.client import Client

F = "/cdmi/Science/f.bin"


@ensureDeferred
async def test_plain_put_creates_then_replaces(client: Client) -> None:
    first = await client.send("PUT", F, b"one", {"Content-Type": "Image/PNG"})
    assert (first.status, first.body) == (201, b"")
    assert (await client.send("PUT", F, b"2", {"Content-Type": "text/plain;charset=utf-8"})).status == 204
    reply = await client.send("GET", F)
    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, b"2", "text/plain")
    assert reply.headers["content-disposition"] == 'attachment; filename="f.bin"'
    read = (await client.cdmi("GET", F)).json
    assert (read["value"], read["valuetransferencoding"]) == ("2", "utf-8")


@ensureDeferred
async def test_object_without_a_type_is_octets(client: Client) -> None:
    await client.send("PUT", F, b"x")
    assert (await client.send("GET", F)).headers["content-type"] == "application/octet-stream"
    assert (await client.cdmi("GET", F + "?mimetype")).json == {"mimetype": "application/octet-stream"}


@ensureDeferred
async def test_version_header_alone_does_not_make_a_put_a_cdmi_request(client: Client) -> None:
    headers = {"X-CDMI-Specification-Version": "1.1.1", "Content-Type": "application/json"}
    assert (await client.send("PUT", F, b'{"value":"x"}', headers)).status == 201
    assert (await client.send("GET", F)).body == b'{"value":"x"}'


@ensureDeferred
async def test_chunked_body_is_stored_whole(client: Client) -> None:
    body = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    assert (await client.send("PUT", F, body, {"Transfer-Encoding": "chunked"})).status == 201
    assert (await client.send("GET", F)).body == b"hello world"


@ensureDeferred
async def test_one_range_and_several_are_read(client: Client) -> None:
    await client.send("PUT", F, b"File content!", {"Content-Type": "text/plain"})
    one = await client.send("GET", F, headers={"Range": "bytes=5-100"})
    assert (one.status, one.body, one.headers["content-range"]) == (206, b"content!", "bytes 5-12/13")
    several = await client.send("GET", F, headers={"Range": "bytes=1-3,5-5,-3"})
    assert several.status == 206
    assert several.headers["content-type"].startswith("multipart/byteranges; boundary=")
    for part in (b"ile", b"nt!", b"bytes 1-3/13", b"bytes 5-5/13", b"bytes 10-12/13"):
        assert part in several.body


@ensureDeferred
@pytest.mark.parametrize("ranges", ["bytes=100-150", "unicorns", "bytes=3-1"])
async def test_range_that_cannot_be_is_unsatisfiable(client: Client, ranges: str) -> None:
    await client.send("PUT", F, b"fourteen bytes")
    reply = await client.send("GET", F, headers={"Range": ranges})
    assert (reply.status, reply.headers["content-range"], reply.body) == (416, "bytes */14", b"")


@ensureDeferred
async def test_ranges_are_written_in_place_at_the_end_and_beyond(client: Client) -> None:
    await client.send("PUT", F, b"abcdef", {"Content-Type": "text/plain"})
    for header, data in (("bytes 1-2/*", b"XY"), ("bytes 6-7/8", b"gh"), ("bytes 10-10/*", b"k")):
        assert (await client.send("PUT", F, data, {"Content-Range": header})).status == 204
    reply = await client.send("GET", F)
    assert (reply.body, reply.headers["content-type"]) == (b"aXYdefgh\0\0k", "text/plain")


@ensureDeferred
async def test_new_object_can_be_made_by_a_range(client: Client) -> None:
    headers = {"Content-Range": "bytes 3-5/6", "Content-Type": "text/x-new"}
    assert (await client.send("PUT", F, b"def", headers)).status == 201
    reply = await client.send("GET", F)
    assert (reply.body, reply.headers["content-type"]) == (b"\0\0\0def", "text/x-new")


@ensureDeferred
@pytest.mark.parametrize(
    "header", ["bytes 3-1/*", "items 0-2/*", "bytes 0-2", "bytes 0-3/*", "bytes 0-0/1,2-3/4", "x"]
)
async def test_bad_content_range_changes_nothing(client: Client, header: str) -> None:
    await client.send("PUT", F, b"abc")
    for path in (F, "/cdmi/Science/new"):
        reply = await client.send("PUT", path, b"XYZ", {"Content-Range": header})
        assert (reply.status, reply.json["error"]["details"]["key"]) == (400, "content-range")
    assert (await client.send("GET", F)).body == b"abc"
    assert (await client.send("GET", "/cdmi/Science/new")).status == 404


@ensureDeferred
async def test_chunked_range_is_measured_before_it_is_written(client: Client) -> None:
    await client.send("PUT", F, b"abcdef")
    chunked = {"Transfer-Encoding": "chunked"}
    for header, status in (
        ("bytes 1-3/*", 400),
        ("bytes 1-1/*", 400),
        ("bytes 1-2/*", 204),
        ("bytes 0-9999999/*", 400),
    ):
        reply = await client.send("PUT", F, b"2\r\nXY\r\n0\r\n\r\n", {**chunked, "Content-Range": header})
        assert reply.status == status
    assert (await client.send("GET", F)).body == b"aXYdef"


@ensureDeferred
async def test_plain_container_is_created_once(client: Client) -> None:
    made = await client.send("PUT", "/cdmi/Science/d/")
    assert (made.status, made.body) == (201, b"")
    again = await client.send("PUT", "/cdmi/Science/d/")
    assert (again.status, again.errno) == (400, "eexist")
    assert (await client.send("PUT", "/cdmi/Science/no/d/")).status == 404
    read = await client.send("GET", "/cdmi/Science/d/")
    assert (read.status, read.json["error"]["details"]) == (400, {"key": "version"})


@ensureDeferred
async def test_doubled_slashes_lead_to_the_same_place(client: Client) -> None:
    assert (await client.send("PUT", "/cdmi//Science///d//")).status == 201
    assert (await client.send("PUT", "/cdmi//Science/d//f", b"x")).status == 201
    assert (await client.send("GET", "/cdmi/Science/d/f")).body == b"x"


@ensureDeferred
async def test_names_are_any_utf8_text(client: Client) -> None:
    name = "/cdmi/Science/%C5%BC%20%3F%23%25%22"
    assert (await client.send("PUT", name, b"x")).status == 201
    assert (await client.cdmi("GET", name + "?objectName")).json == {"objectName": '\u017c ?#%"'}
    assert '\u017c ?#%"' in (await client.cdmi("GET", "/cdmi/Science/?children")).json["children"]


@ensureDeferred
async def test_names_that_cannot_be_are_bad_requests(client: Client) -> None:
    for path in ("/cdmi/Science/a%2Fb", "/cdmi/Science/%FF", "/cdmi/Science/..", "/cdmi/Science/%00"):
        for method in ("GET", "PUT", "DELETE"):
            assert (await client.send(method, path)).status == 400
    long = await client.send("PUT", "/cdmi/Science/" + "x" * 256, b"")
    assert (long.status, long.errno) == (400, "enametoolong")


@ensureDeferred
async def test_options_and_unknown_methods_tell_what_is_allowed(client: Client) -> None:
    await client.send("PUT", F, b"x")
    options = await client.send("OPTIONS", F)
    assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, PUT, DELETE, OPTIONS")
    container = await client.send("OPTIONS", "/cdmi/Science/")
    assert container.headers["allow"] == "GET, HEAD, PUT, DELETE, POST, OPTIONS"
    for method in ("POST", "PATCH", "BREW"):
        refused = await client.send(method, F)
        assert refused.status == 405
        assert "GET" in refused.headers["allow"]


@ensureDeferred
async def test_requests_without_a_good_token_are_unauthorized(client: Client) -> None:
    client.token = None
    for method in ("GET", "PUT", "DELETE"):
        none = await client.send(method, F)
        assert (none.status, none.error_id) == (401, "unauthorized")
        assert none.headers["www-authenticate"].startswith("Bearer")
    bad = await client.send("GET", F, token="nonsense")
    assert (bad.status, bad.json["error"]["details"]["authError"]["id"]) == (401, "badToken")
    bearer = await client.send("GET", "/cdmi/", headers={"Authorization": "Bearer owner"})
    assert bearer.error_id == "missingRequiredValue"


@ensureDeferred
async def test_token_can_be_the_password_of_http_basic(client: Client) -> None:
    client.token = None
    for sent, status in (("anybody:owner", 400), (":owner", 400), ("owner:nonsense", 401), ("owner", 401)):
        basic = base64.b64encode(sent.encode()).decode()
        answer = await client.send("GET", "/cdmi/", headers={"Authorization": f"Basic {basic}"})
        assert answer.status == status, sent
    assert (await client.send("GET", "/cdmi/", headers={"Authorization": "Basic ="})).status == 401


@ensureDeferred
async def test_read_only_token_and_strangers_are_refused(client: Client) -> None:
    await client.send("PUT", F, b"x")
    assert (await client.send("GET", F, token="reader")).status == 200
    for method, path in (
        ("PUT", F),
        ("PUT", "/cdmi/Science/new"),
        ("PUT", "/cdmi/Science/d/"),
        ("DELETE", F),
    ):
        refused = await client.send(method, path, b"", token="reader")
        assert (refused.status, refused.errno) == (403, "eacces")
    assert (await client.send("GET", F, token="stranger")).status == 404


@ensureDeferred
async def test_body_shorter_than_announced_leaves_the_old_value(client: Client) -> None:
    await client.send("PUT", F, b"old")
    head = f"PUT {F} HTTP/1.1\r\nHost: h\r\nX-Auth-Token: owner\r\nContent-Length: 10\r\n\r\n"
    await client.leave(head.encode() + b"new")
    assert (await client.send("GET", F)).body == b"old"


@ensureDeferred
async def test_names_may_hold_anything_but_slash_and_nul(client: Client) -> None:
    for name in ("a%0Ab", "%0D%0A", "%E2%80%A8", "%25", "%7F", "%20", "a;b:c", "%3F"):
        for path in (f"/cdmi/Science/{name}", f"/cdmi/Science/{name}-d/"):
            assert (await client.send("PUT", path, b"")).status == 201, path
            assert (await client.cdmi("GET", path + "?objectName")).status == 200, path
            assert (await client.send("DELETE", path)).status == 204, path
