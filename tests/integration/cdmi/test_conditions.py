"""Conditional requests and digests over plain CDMI."""

from __future__ import annotations

import base64
import hashlib

from pytest_twisted import ensureDeferred

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
