"""Resumable uploads by tus 1.0.0: the published client over TLS, and what a client may do wrong."""

from __future__ import annotations

import base64
import hashlib
import io
import warnings
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from pytest_twisted import ensureDeferred
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError
from twisted.internet.threads import deferToThread

from cluster_worker.http.tls import WebTls
from onedata.ids import space_root_guid
from op_worker.auth.caller import Caller
from op_worker.files.model import MetadataChange, Target
from op_worker.files.rules.retention import ImmutabilityChange
from tests.integration.http.conftest import Serve
from tests.integration.http.rest_client import (
    BASE,
    OWNER,
    SPACE,
    SPACE_ROOT,
    Reply,
    RestClient,
    make_files,
    make_tree,
    make_zone,
)

TUS = f"{BASE}/tus/"
DATA = bytes(range(256)) * 3000
BODY = {"Content-Type": "application/offset+octet-stream"}


def metadata(**pairs: str) -> dict[str, str]:
    """The header that says what an upload becomes."""
    given = {"filename": "f", "spaceId": SPACE, **pairs}
    text = ",".join(
        f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in given.items() if value
    )
    return {"Upload-Metadata": text}


async def tus(
    rest: RestClient,
    method: str,
    path: str = TUS,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    *,
    token: str | None = "owner",
) -> Reply:
    sent = {"Tus-Resumable": "1.0.0", **(headers or {})}
    if token is not None:
        sent["X-Auth-Token"] = token
    if body is not None:
        sent["Content-Length"] = str(len(body))
    return await rest.ask_anywhere(method, path, sent, body)


async def begin(rest: RestClient, size_b: int = len(DATA), **pairs: str) -> str:
    """Begin an upload; return its path."""
    made = await tus(rest, "POST", TUS, {"Upload-Length": str(size_b), **metadata(**pairs)})
    assert made.status == 201, made
    assert made.headers["tus-resumable"] == "1.0.0"
    return urlsplit(made.headers["location"]).path


async def patch(rest: RestClient, upload: str, offset_b: int, data: bytes, **headers: str) -> Reply:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return await tus(rest, "PATCH", upload, {"Upload-Offset": str(offset_b), **BODY, **named}, data)


@ensureDeferred
async def test_the_python_client_uploads_in_chunks_and_resumes(serve: Serve, web_tls: WebTls) -> None:
    zone = make_zone()
    files = await make_files(zone)
    files.startService()
    served = await serve(make_tree(files, zone), tls=web_tls)
    url = f"https://127.0.0.1:{served.listener.port}{TUS}"

    def upload(**options: Any) -> Any:
        client = TusClient(url, headers={"X-Auth-Token": "owner"})
        wanted = {"filename": options.pop("name"), "parentId": SPACE_ROOT, "mode": "640"}
        return client.uploader(
            file_stream=io.BytesIO(DATA), metadata=wanted, verify_tls_cert=False, **options
        )

    def work() -> None:
        warnings.simplefilter("ignore")  # about the certificate, which is nobody's matter here
        upload(name="whole").upload()
        chunked = upload(name="chunks", chunk_size=100_000, upload_checksum=True)
        chunked.upload_chunk()
        chunked.upload_chunk()
        assert chunked.offset == 200_000
        again = upload(name="chunks", url=chunked.url, chunk_size=300_000)
        assert again.offset == 200_000
        again.upload()
        assert again.offset == len(DATA)
        with pytest.raises(TusCommunicationError):
            upload(name="chunks").upload()

    await deferToThread(work)
    rest = RestClient(served)
    for name in ("whole", "chunks"):
        got = await rest.get(f"/data/{SPACE}/path/{name}")
        assert got.body == DATA
    stat = await rest.get(f"/data/{SPACE}/children?attributes=name&attributes=posixPermissions")
    assert {child["posixPermissions"] for child in stat.json["children"]} == {"640"}
    await files.stopService()


@ensureDeferred
async def test_the_capabilities_are_told_to_anybody(rest: RestClient) -> None:
    told = await rest.ask_anywhere("OPTIONS", TUS, {})
    assert told.status == 204
    assert told.headers["tus-version"] == "1.0.0"
    extensions = told.headers["tus-extension"].split(",")
    assert {"creation", "creation-with-upload", "expiration", "checksum", "termination"} == set(extensions)
    assert told.headers["tus-checksum-algorithm"] == "sha1,sha256,md5"
    assert int(told.headers["tus-max-size"]) == 2**53 - 1


@ensureDeferred
async def test_an_upload_tells_how_far_it_is(rest: RestClient) -> None:
    upload = await begin(rest, path="")
    written = await patch(rest, upload, 0, DATA[:1000])
    assert (written.status, written.headers["upload-offset"]) == (204, "1000")
    assert written.headers["upload-expires"].endswith("GMT")
    told = await tus(rest, "HEAD", upload)
    assert (told.status, told.headers["upload-offset"], told.headers["upload-length"]) == (
        200,
        "1000",
        str(len(DATA)),
    )
    assert told.headers["cache-control"] == "no-store"
    assert told.headers["upload-metadata"] == metadata()["Upload-Metadata"]
    assert (await patch(rest, upload, 1000, DATA[1000:])).status == 204
    got = await rest.get(f"/data/{SPACE}/path/f")
    assert got.body == DATA
    assert "repr-digest" in got.headers
    done = await tus(rest, "HEAD", upload)
    assert done.headers["upload-offset"] == str(len(DATA))


@ensureDeferred
async def test_an_upload_may_begin_with_its_creation_and_be_patched_by_post(rest: RestClient) -> None:
    made = await tus(rest, "POST", TUS, {"Upload-Length": "10", **metadata(), **BODY}, b"01234")
    assert (made.status, made.headers["upload-offset"]) == (201, "5")
    upload = urlsplit(made.headers["location"]).path
    override = {"X-HTTP-Method-Override": "PATCH", "Upload-Offset": "5", **BODY}
    assert (await tus(rest, "POST", upload, override, b"56789")).status == 204
    assert (await rest.get(f"/data/{SPACE}/path/f")).body == b"0123456789"
    assert (await tus(rest, "POST", upload)).status == 405


@ensureDeferred
async def test_where_a_file_is_made_is_said_in_three_ways(rest: RestClient) -> None:
    directory = await rest.make_directory("d")
    places: list[dict[str, str]] = [{"parentId": directory}, {"path": "/Science/d"}, {"spaceId": SPACE}]
    for number, place in enumerate(places):
        wanted = {"spaceId": "", "filename": f"f{number}", **place}
        await patch(rest, await begin(rest, 1, **wanted), 0, b"x")
    assert (await rest.get(f"/data/{SPACE}/path/d/f0")).body == b"x"
    assert (await rest.get(f"/data/{SPACE}/path/d/f1")).body == b"x"
    assert (await rest.get(f"/data/{SPACE}/path/f2")).body == b"x"


@ensureDeferred
async def test_a_held_file_is_not_uploaded_over_and_nothing_is_uploaded_into_a_held_directory(
    serve: Serve,
) -> None:
    zone = make_zone()
    files = await make_files(zone)
    files.startService()
    rest = RestClient(await serve(make_tree(files, zone)))
    await patch(rest, await begin(rest, 3), 0, b"old")
    directory = await rest.make_directory("d")
    root = space_root_guid(SPACE)
    uploads = [await begin(rest, 3, overwrite="true"), await begin(rest, 3, spaceId="", parentId=directory)]
    hold = MetadataChange(immutability=ImmutabilityChange(holds=("case 7",)))
    for name in ("f", "d"):
        await files.metadata.change(Caller(OWNER), Target(root, (name,)), hold)
    for upload in uploads:
        refused = await patch(rest, upload, 0, b"new")
        assert (refused.status, refused.error) == (400, {"id": "posix", "errno": "eperm"})
    assert (await rest.get(f"/data/{SPACE}/path/f")).body == b"old"
    assert await files.count_children(Caller(OWNER), Target(root, ("d",))) == 0
    await files.stopService()


@ensureDeferred
async def test_a_removed_upload_is_gone(rest: RestClient) -> None:
    upload = await begin(rest)
    assert (await tus(rest, "DELETE", upload)).status == 204
    for method in ("HEAD", "DELETE"):
        assert (await tus(rest, method, upload)).status == 404
    assert (await patch(rest, upload, 0, b"x")).error["id"] == "notFound"


@ensureDeferred
async def test_an_upload_is_hidden_from_others(rest: RestClient) -> None:
    upload = await begin(rest)
    for token in ("member", "stranger"):
        assert (await tus(rest, "HEAD", upload, token=token)).status == 404
    assert (await tus(rest, "HEAD", upload, token=None)).status == 401
    refused = await tus(rest, "POST", TUS, {"Upload-Length": "1", **metadata()}, token="stranger")
    assert refused.status == 403


@ensureDeferred
async def test_bad_requests_get_clear_errors_and_the_upload_goes_on(rest: RestClient) -> None:
    upload = await begin(rest)
    await patch(rest, upload, 0, DATA[:100])
    version = await rest.ask_anywhere("HEAD", upload, {"X-Auth-Token": "owner", "Tus-Resumable": "0.2.2"})
    assert (version.status, version.headers["tus-version"]) == (412, "1.0.0")
    offset = await patch(rest, upload, 50, b"x")
    assert (offset.status, offset.error) == (409, {"id": "uploadOffsetMismatch", "offset": 100})
    negative = await tus(rest, "PATCH", upload, {"Upload-Offset": "-1", **BODY}, b"x")
    assert (negative.status, negative.error["id"]) == (400, "badValueTooLow")
    missing = await tus(rest, "PATCH", upload, BODY, b"x")
    assert (missing.status, missing.error["id"]) == (400, "missingRequiredValue")
    kind = await tus(rest, "PATCH", upload, {"Upload-Offset": "100", "Content-Type": "text/plain"}, b"x")
    assert kind.status == 415
    large = await patch(rest, upload, 100, DATA)
    assert (large.status, large.error["id"]) == (413, "badValueTooHigh")
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    mismatch = await patch(rest, upload, 100, DATA[100:], Upload_Checksum=f"sha256 {wrong}")
    assert (mismatch.status, mismatch.error["id"]) == (460, "checksumMismatch")
    unknown = await patch(rest, upload, 100, DATA[100:], Upload_Checksum=f"crc32 {wrong}")
    assert (unknown.status, unknown.error["id"]) == (400, "badData")
    right = base64.b64encode(hashlib.sha1(DATA[100:]).digest()).decode()
    assert (await patch(rest, upload, 100, DATA[100:], Upload_Checksum=f"sha1 {right}")).status == 204
    assert (await rest.get(f"/data/{SPACE}/path/f")).body == DATA


@pytest.mark.parametrize(
    ("headers", "status", "error_id"),
    [
        ({}, 400, "missingRequiredValue"),
        ({"Upload-Length": "-1"}, 400, "badValueTooLow"),
        ({"Upload-Length": "x"}, 400, "badValueInteger"),
        ({"Upload-Length": str(2**53)}, 413, "badValueTooHigh"),
        ({"Upload-Length": "1", "Upload-Metadata": "filename !"}, 400, "badData"),
        ({"Upload-Length": "1", "Upload-Metadata": ""}, 400, "missingRequiredValue"),
        ({"Upload-Length": "1", **metadata(parentId="x", spaceId="")}, 400, "badValueIdentifier"),
        ({"Upload-Length": "1", **metadata(filename="a/b")}, 400, "posix"),
        ({"Upload-Length": "1", **metadata(filename=".__onedata__x")}, 400, "posix"),
        ({"Upload-Length": "1", **metadata(path="/Science/gone", spaceId="")}, 400, "posix"),
        ({"Upload-Length": str(2**50), **metadata()}, 400, "posix"),
    ],
)
@ensureDeferred
async def test_an_upload_that_cannot_be_is_refused_at_once(
    rest: RestClient, headers: dict[str, str], status: int, error_id: str
) -> None:
    refused = await tus(rest, "POST", TUS, {**metadata(), **headers})
    assert (refused.status, refused.error["id"]) == (status, error_id)


@pytest.mark.parametrize("place", ["x/y", "%7B%7D/y", f"{SPACE}/%00", f"{SPACE}/%C5%BC"])
@ensureDeferred
async def test_an_address_of_no_upload_is_not_found(rest: RestClient, place: str) -> None:
    for method in ("HEAD", "DELETE"):
        assert (await tus(rest, method, TUS + place)).status == 404
    assert (await patch(rest, TUS + place, 0, b"x")).status == 404


@ensureDeferred
async def test_the_rest_door_is_where_it_was(rest: RestClient) -> None:
    assert (await rest.get("/spaces")).status == 200
    assert (await rest.ask_anywhere("GET", BASE, {"X-Auth-Token": "owner"})).status == 404
    assert (await rest.get("/tus/x/y")).status == 405
    assert (await rest.get("/tusks")).status == 404
