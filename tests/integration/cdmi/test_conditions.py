"""Conditional requests and digests over plain CDMI."""

from __future__ import annotations

import base64
import hashlib

from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from tests.integration.cdmi.client import Client

URL = "/cdmi/Science/f"


def md5(data: bytes) -> dict[str, str]:
    return {"Content-MD5": base64.b64encode(hashlib.md5(data).digest()).decode()}


@ensureDeferred
async def test_a_plain_object_has_a_tag_that_conditions_speak_of(client: Client) -> None:
    made = await client.send("PUT", URL, b"one", {"If-None-Match": "*"})
    assert made.status == 201
    got = await client.send("GET", URL)
    tag = got.headers["etag"]
    assert tag == made.headers["etag"]
    assert (await client.send("GET", URL, headers={"If-None-Match": tag})).status == 304
    assert (
        await client.send("HEAD", URL, headers={"If-Modified-Since": got.headers["last-modified"]})
    ).status == 304
    taken = await client.send("PUT", URL, b"two", {"If-None-Match": "*"})
    assert (taken.status, taken.error_id) == (412, "preconditionNotMet")
    second = await client.send("PUT", URL, b"two", {"If-Match": tag})
    assert (second.status, second.headers["etag"] != tag) == (204, True)
    assert (await client.send("PUT", URL, b"three", {"If-Match": tag})).status == 412
    part = {"Content-Range": "bytes 0-0/*", "If-Match": tag}
    assert (await client.send("PUT", URL, b"X", part)).status == 412
    whole = await client.send("GET", URL, headers={"Range": "bytes=0-0", "If-Range": tag})
    assert (whole.status, whole.body) == (200, b"two")
    assert (await client.send("GET", URL, headers={"If-Match": "x"})).error_id == "badData"


@ensureDeferred
async def test_a_plain_write_with_a_wrong_digest_changes_nothing(client: Client) -> None:
    await client.send("PUT", URL, b"one", md5(b"one"))
    wrong = await client.send("PUT", URL, b"two", md5(b"other"))
    assert (wrong.status, wrong.error_id) == (400, "checksumMismatch")
    part = await client.send("PUT", URL, b"X", {"Content-Range": "bytes 0-0/*", **md5(b"Y")})
    assert part.error_id == "checksumMismatch"
    made = await client.send("PUT", "/cdmi/Science/new", b"X", {"Content-Range": "bytes 2-2/*", **md5(b"Y")})
    assert made.error_id == "checksumMismatch"
    assert (await client.send("GET", "/cdmi/Science/new")).status == 404
    assert (await client.send("GET", URL)).body == b"one"


@ensureDeferred
async def test_the_tag_of_a_representation_changes_with_metadata_and_guards_updates(client: Client) -> None:
    made = await client.cdmi("PUT", URL, {"value": "one"}, {"If-None-Match": "*"})
    assert made.status == 201
    tag = made.headers["etag"]
    for query in ("", "?metadata"):
        got = await client.cdmi("GET", URL + query)
        assert (got.headers["etag"], "last-modified" in got.headers) == (tag, True)
        known = await client.cdmi("GET", URL + query, headers={"If-None-Match": tag})
        assert (known.status, known.body) == (304, b"")
    assert (await client.send("GET", URL)).headers["etag"] != tag
    assert (await client.cdmi("HEAD", URL, headers={"If-None-Match": tag})).status == 304
    changed = await client.cdmi("PUT", URL + "?metadata:a", {"metadata": {"a": 1}}, {"If-Match": tag})
    assert changed.status == 204
    assert (await client.cdmi("GET", URL, headers={"If-None-Match": tag})).status == 200
    assert (await client.cdmi("GET", URL, headers={"If-Match": tag})).status == 412
    refused: tuple[tuple[str, dict[str, object]], ...] = (
        (URL, {"value": "two"}),
        (URL, {"metadata": {}}),
        (URL + "?metadata:cdmi_acl", {"metadata": {}}),
        (URL + "?value:0-0", {"value": "Kg=="}),
        (URL, {"copy": "/Science/other"}),
        (URL, {"move": "/Science/other"}),
        (URL, {}),
    )
    await client.cdmi("PUT", "/cdmi/Science/other", {"value": "other"})
    for path, body in refused:
        reply = await client.cdmi("PUT", path, body, {"If-Match": tag})
        assert (reply.status, reply.error_id) == (412, "preconditionNotMet"), body
    assert (await client.cdmi("PUT", URL, {"value": "x"}, {"If-None-Match": "*"})).status == 412
    assert (await client.cdmi("DELETE", URL, headers={"If-Match": tag})).status == 412
    read = await client.cdmi("GET", URL)
    assert (read.json["value"], read.json["metadata"]["a"]) == ("one", 1)
    assert (await client.cdmi("DELETE", URL, headers={"If-Match": read.headers["etag"]})).status == 204
    assert (await client.cdmi("PUT", URL, {"value": "x"}, {"If-Match": "*"})).status == 412
    assert (await client.cdmi("GET", URL)).status == 404


@ensureDeferred
async def test_conditions_hold_for_containers(client: Client) -> None:
    url = "/cdmi/Science/d/"
    assert (await client.cdmi("PUT", url, {}, {"If-None-Match": "*"})).status == 201
    assert (await client.cdmi("PUT", url, {}, {"If-None-Match": "*"})).status == 412
    tag = (await client.cdmi("GET", url)).headers["etag"]
    assert (await client.cdmi("GET", url, headers={"If-None-Match": tag})).status == 304
    await client.send("PUT", url + "f", b"x")
    later = (await client.cdmi("GET", url)).headers["etag"]
    assert later != tag
    assert (await client.cdmi("PUT", url, {"metadata": {"a": 1}}, {"If-Match": tag})).status == 412
    assert (await client.cdmi("DELETE", url, headers={"If-Match": tag})).status == 412
    assert (await client.cdmi("PUT", url, {"metadata": {"a": 1}}, {"If-Match": later})).status == 204
    root = await client.cdmi("GET", "/cdmi/", headers={"If-None-Match": "*"})
    assert (root.status, "etag" in root.headers) == (200, False)


@ensureDeferred
async def test_dates_are_conditions_too(client: Client) -> None:
    await client.cdmi("PUT", URL, {"value": "one"})
    past, future = "Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
    assert (await client.cdmi("GET", URL, headers={"If-Modified-Since": future})).status == 304
    assert (await client.cdmi("GET", URL, headers={"If-Modified-Since": past})).status == 200
    for method in ("PUT", "DELETE"):
        early = await client.cdmi(method, URL, {"metadata": {}}, {"If-Unmodified-Since": past})
        assert early.status == 412
    late = await client.cdmi("PUT", URL, {"metadata": {}}, {"If-Unmodified-Since": future})
    assert late.status == 204


@ensureDeferred
async def test_of_writers_that_know_the_same_state_one_gets_through(client: Client) -> None:
    tag = (await client.cdmi("PUT", URL, {"value": "0"})).headers["etag"]
    bodies = [{"value": str(number)} for number in range(4)] + [{"metadata": {"n": n}} for n in range(4)]
    work = [Deferred.fromCoroutine(client.cdmi("PUT", URL, body, {"If-Match": tag})) for body in bodies]
    assert sorted([reply.status for reply in await gatherResults(work)]) == [204, *[412] * 7]


@ensureDeferred
async def test_the_headers_of_cdmi_1_0_only_create_or_only_update(client: Client) -> None:
    for url in (URL, "/cdmi/Science/d/"):
        for send in (client.cdmi, client.send):
            missing = await send("PUT", url, b"", {"X-CDMI-MustExist": "true"})
            assert (missing.status, missing.errno) == (404, "enoent")
            assert (await client.cdmi("GET", url)).status == 404
            assert (await send("PUT", url, b"", {"X-CDMI-NoClobber": "true"})).status == 201
            kept = await send("PUT", url, b"", {"X-CDMI-NoClobber": "true"})
            assert (kept.status, kept.body) == (304, b"")
            assert (await client.cdmi("DELETE", url)).status == 204
    await client.cdmi("PUT", URL, {"value": "one"})
    for body in (
        {"value": "two"},
        {"metadata": {"a": 1}},
        {"copy": "/Science/f"},
        {"reference": "http://x/"},
    ):
        assert (await client.cdmi("PUT", URL, body, {"X-CDMI-NoClobber": "true"})).status == 304
    assert (await client.cdmi("PUT", URL, {"value": "two"}, {"X-CDMI-MustExist": "true"})).status == 204
    both = {"X-CDMI-NoClobber": "true", "If-Match": "*"}
    assert (await client.cdmi("PUT", URL, {"value": "three"}, both)).status == 412
    assert (await client.cdmi("GET", URL)).json["value"] == "two"
