"""Conditional requests, digests, appends, resizing and verification over REST."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from pytest_twisted import ensureDeferred

from tests.integration.http.rest_client import SPACE, RestClient

OCTETS = {"Content_Type": "application/octet-stream"}
TEN = b"0123456789"


def sf(algorithm: str, data: bytes) -> str:
    """A digest as RFC 9530 writes it."""
    value = hashlib.new(algorithm.replace("-", ""), data).digest()
    return f"{algorithm}=:{base64.b64encode(value).decode()}:"


@ensureDeferred
async def test_a_download_tells_its_tag_date_and_digest(rest: RestClient) -> None:
    file_id = await rest.create("a", TEN)
    got = await rest.get(f"/data/{file_id}/content")
    assert got.headers["etag"].startswith('"')
    assert got.headers["last-modified"].endswith(" GMT")
    assert got.headers["repr-digest"] == sf("sha-256", TEN)
    assert "digest" not in got.headers
    head = await rest.ask("HEAD", f"/data/{file_id}/content")
    assert (head.status, head.body, head.headers["etag"]) == (200, b"", got.headers["etag"])
    old = await rest.get(f"/data/{file_id}/content", Want_Digest="sha-256", Want_Repr_Digest="sha-256=0")
    assert "repr-digest" not in old.headers
    assert old.headers["digest"] == sf("sha-256", TEN).replace("=:", "=", 1).rstrip(":")
    at_path = await rest.get(f"/data/{SPACE}/path/a")
    assert at_path.headers["etag"] == got.headers["etag"]


@ensureDeferred
async def test_a_content_that_the_client_has_is_not_sent_again(rest: RestClient) -> None:
    file_id = await rest.create("a", TEN)
    url = f"/data/{file_id}/content"
    first = await rest.get(url)
    tag, date = first.headers["etag"], first.headers["last-modified"]
    for method in ("GET", "HEAD"):
        for headers in ({"If_None_Match": tag}, {"If_None_Match": "*"}, {"If_Modified_Since": date}):
            spared = await rest.ask(method, url, **headers)  # type: ignore[arg-type]  # headers by name
            assert (spared.status, spared.body, spared.headers["etag"]) == (304, b"", tag)
            assert "content-length" not in spared.headers
    await rest.put(url, body=b"new", **OCTETS)
    assert (await rest.get(url, If_None_Match=tag)).body == b"new"
    refused = await rest.get(url, If_Match=tag)
    assert (refused.status, refused.error["id"]) == (412, "preconditionNotMet")
    bad = await rest.get(url, If_Match="no quotes")
    assert (bad.status, bad.error["id"], bad.error["key"]) == (400, "badData", "If-Match")


@ensureDeferred
async def test_a_range_of_another_content_becomes_the_whole(rest: RestClient) -> None:
    file_id = await rest.create("a", TEN)
    url = f"/data/{file_id}/content"
    tag = (await rest.get(url)).headers["etag"]
    several = {"Range": "bytes=0-1,5-6"}
    part = await rest.get(url, Range="bytes=2-3", If_Range=tag)
    assert (part.status, part.body, part.headers["etag"]) == (206, b"23", tag)
    assert (await rest.get(url, If_Range=tag, **several)).status == 206
    await rest.put(url, body=b"abcdefghij", **OCTETS)
    for ranges in ({"Range": "bytes=2-3"}, several):
        whole = await rest.get(url, If_Range=tag, **ranges)
        assert (whole.status, whole.body) == (200, b"abcdefghij")
    assert (await rest.get(url, If_Range=tag, Range="bytes=99-")).status == 200


@ensureDeferred
async def test_lost_updates_are_refused(rest: RestClient) -> None:
    file_id = await rest.create("a", TEN)
    url = f"/data/{file_id}/content"
    tag = (await rest.get(url)).headers["etag"]
    put = await rest.put(url, body=b"mine", If_Match=tag, **OCTETS)
    assert put.status == 204
    assert put.headers["etag"] != tag
    for query in ("", "?offset=2", "?append=true"):
        late = await rest.put(url + query, body=b"late", If_Match=tag, **OCTETS)
        assert (late.status, late.error["id"]) == (412, "preconditionNotMet")
    assert (await rest.ask("PATCH", f"{url}?size=1", If_Match=tag)).status == 412
    assert (await rest.put(url, body=b"x", If_None_Match="*", **OCTETS)).status == 412
    got = await rest.get(url)
    assert (got.body, got.headers["etag"]) == (b"mine", put.headers["etag"])


@pytest.mark.parametrize("query", ["", "?update_existing=true", "?update_existing=true&offset=2"])
@ensureDeferred
async def test_create_only_is_refused_for_a_name_that_is_taken(rest: RestClient, query: str) -> None:
    url = f"/data/{SPACE}/path/new{query}"
    made = await rest.put(url, body=TEN, If_None_Match="*", **OCTETS)
    assert made.status == 201
    again = await rest.put(url, body=b"other", If_None_Match="*", **OCTETS)
    assert (again.status, again.error["id"]) == (412, "preconditionNotMet")
    assert (await rest.put(url, body=b"", If_None_Match="*", **OCTETS)).status == 412
    assert (await rest.get(f"/data/{SPACE}/path/new")).headers["etag"] == made.headers["etag"]
    missing = await rest.put(f"/data/{SPACE}/path/else", body=TEN, If_Match="*", **OCTETS)
    assert missing.status == 412
    assert (await rest.get(f"/data/{SPACE}/path/else")).status == 400


@pytest.mark.parametrize("name", ["Content_Digest", "Repr_Digest"])
@ensureDeferred
async def test_a_wrong_digest_changes_nothing(rest: RestClient, name: str) -> None:
    file_id = await rest.create("a", TEN)
    url = f"/data/{file_id}/content"
    wrong, right = {name: sf("sha-256", b"other")}, {name: sf("sha-512", b"body")}
    put = await rest.put(url, body=b"body", **wrong, **OCTETS)
    assert (put.status, put.error["id"], put.error["algorithm"]) == (400, "checksumMismatch", "sha-256")
    made = await rest.put(f"/data/{SPACE}/path/new", body=b"body", **wrong, **OCTETS)
    assert (made.status, made.error["id"]) == (400, "checksumMismatch")
    assert (await rest.get(url)).body == TEN
    assert (await rest.get(f"/data/{SPACE}/path/new")).status == 400
    assert (await rest.put(url, body=b"body", **right, **OCTETS)).status == 204
    bad = await rest.put(url, body=b"body", **{name: "sha-256=:!:"}, **OCTETS)
    assert (bad.status, bad.error["id"]) == (400, "badData")
    assert (await rest.get(url)).body == b"body"


@ensureDeferred
async def test_a_part_comes_with_the_digest_of_the_part(rest: RestClient) -> None:
    file_id = await rest.create("a", TEN)
    url = f"/data/{file_id}/content"
    md5 = base64.b64encode(hashlib.md5(b"xy").digest()).decode()
    assert (await rest.put(f"{url}?offset=2", body=b"xy", Content_MD5=md5, **OCTETS)).status == 204
    wrong = await rest.put(f"{url}?offset=2", body=b"zz", Content_MD5=md5, **OCTETS)
    assert wrong.error["id"] == "checksumMismatch"
    whole = await rest.put(f"{url}?offset=2", body=b"xy", Repr_Digest=sf("sha-256", b"xy"), **OCTETS)
    assert (whole.status, whole.error["key"]) == (400, "Repr-Digest")
    assert (await rest.get(url)).body == b"01xy456789"


@ensureDeferred
async def test_appending_and_resizing(rest: RestClient) -> None:
    file_id = await rest.create("a", TEN)
    url = f"/data/{file_id}/content"
    appended = await rest.put(f"{url}?append=true", body=b"+", **OCTETS)
    assert appended.status == 204
    assert (await rest.ask("PATCH", f"{url}?size=3")).status == 204
    resized = await rest.ask("PATCH", url, value={"size": 5})
    got = await rest.get(url)
    assert (got.body, got.headers["etag"]) == (b"012\0\0", resized.headers["etag"])
    both = await rest.put(f"{url}?append=true&offset=1", body=b"+", **OCTETS)
    assert (both.status, both.error["key"]) == (400, "append")
    negative = await rest.ask("PATCH", f"{url}?size=-1")
    assert negative.error == {"id": "badValueTooLow", "key": "size", "limit": 0}
    large = await rest.ask("PATCH", f"{url}?size={2**60}")
    assert large.error == {"id": "posix", "errno": "efbig"}
    assert (await rest.ask("PATCH", url)).error == {"id": "missingRequiredValue", "key": "size"}


@ensureDeferred
async def test_verification_answers_lines_of_progress_and_a_verdict(rest: RestClient) -> None:
    content = bytes(70 * 1024 * 1024)
    file_id = await rest.create("a", content)
    answer = await rest.post(f"/data/{file_id}/checksum/verify")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-ndjson")
    progress, verdict = map(json.loads, answer.body.splitlines())
    assert progress == {"readBytes": 64 * 1024 * 1024, "size": len(content)}
    value = hashlib.sha256(content).hexdigest()
    assert verdict == {
        "algorithm": "sha-256",
        "value": value,
        "contentVersion": 1,
        "verified": True,
        "known": value,
    }
    await rest.put(f"/data/{file_id}/content?append=true", body=b"+", **OCTETS)
    assert "repr-digest" not in (await rest.get(f"/data/{file_id}/content", Range="bytes=0-0")).headers
    await rest.post(f"/data/{file_id}/checksum/verify")
    asked = await rest.get(f"/data/{file_id}/content", Range="bytes=0-0", Want_Repr_Digest="sha-256=1")
    assert asked.headers["repr-digest"] == sf("sha-256", content + b"+")
    directory = await rest.make_directory("d")
    refused = await rest.post(f"/data/{directory}/checksum/verify")
    assert (refused.status, refused.error) == (400, {"id": "posix", "errno": "eisdir"})
