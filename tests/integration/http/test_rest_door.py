"""Who may ask what, in which form: authentication, media types, spaces, metadata, documents."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import validate
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred

from op_worker.http.rest.routes import ROUTES
from tests.integration.http.rest_client import (
    BASE,
    FOREIGN,
    PROVIDER,
    SPACE,
    SPACE_ROOT,
    UNSUPPORTED,
    RestClient,
    make_files,
    make_tree,
    make_zone,
)

OCTETS = {"Content_Type": "application/octet-stream"}
ENODATA = {"id": "posix", "errno": "enodata"}
EPERM = {"id": "posix", "errno": "eperm"}


@ensureDeferred
async def test_without_a_token_only_public_routes_answer(rest: RestClient) -> None:
    for path in ("/spaces", f"/data/{SPACE}", f"/data/{SPACE}/files", f"/data/{SPACE}/content"):
        answer = await rest.get(path, token=None)
        assert (path, answer.status, answer.error) == (path, 401, {"id": "unauthorized"})
    for path in ("/configuration", "/health", "/test_image", "/openapi.json"):
        assert (path, (await rest.get(path, token=None)).status) == (path, 200)


@ensureDeferred
async def test_a_bad_token_is_refused_with_the_reason(rest: RestClient) -> None:
    answer = await rest.get("/spaces", token="wrong")
    assert answer.status == 401
    assert answer.error["authError"]["id"] == "tokenInvalid"


@ensureDeferred
async def test_a_bad_token_is_refused_before_the_upload(serve: Any) -> None:
    zone = make_zone()
    files = await make_files(zone)
    files.startService()
    client = await (await serve(make_tree(files, zone))).connect()
    head = f"PUT {BASE}/data/{SPACE_ROOT}/content HTTP/1.1\r\nHost: x\r\nX-Auth-Token: wrong\r\n"
    client.send(f"{head}Content-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n".encode())
    assert (await client.read_answer()).status == 401
    await client.read_to_end()
    await files.stopService()


@ensureDeferred
async def test_a_read_only_token_may_read_and_not_write(rest: RestClient) -> None:
    file_id = await rest.create("a", b"abc")
    assert (await rest.get(f"/data/{file_id}/content", token="readonly")).body == b"abc"
    for answer in (
        await rest.put(f"/data/{file_id}/content", token="readonly", body=b"x", **OCTETS),
        await rest.put(f"/data/{SPACE}/path/b", token="readonly"),
        await rest.delete(f"/data/{file_id}", token="readonly"),
        await rest.put(f"/data/{file_id}", token="readonly", value={"mode": "600"}),
    ):
        assert (answer.status, answer.error) == (400, {"id": "posix", "errno": "eacces"})
    told = await rest.delete(f"/data/{file_id}", token="readonly", prefer="reason")
    assert told.error["reason"] == "the token is confined to reading"


@ensureDeferred
async def test_strangers_to_a_space_are_forbidden(rest: RestClient) -> None:
    file_id = await rest.create("a", b"abc")
    for path in (f"/data/{SPACE}", f"/data/{file_id}/content", f"/data/{SPACE}/children"):
        answer = await rest.get(path, token="stranger")
        assert (path, answer.status, answer.error) == (path, 403, {"id": "forbidden"})


@ensureDeferred
async def test_http_level_errors_have_empty_bodies(rest: RestClient) -> None:
    unknown = await rest.get("/nothing")
    wrong = await rest.ask("PATCH", f"/data/{SPACE}")
    unacceptable = await rest.get("/spaces", Accept="text/html")
    assert (unknown.status, unknown.body) == (404, b"")
    assert (wrong.status, wrong.body, wrong.headers["allow"]) == (405, b"", "DELETE, GET, HEAD, PUT")
    assert (unacceptable.status, unacceptable.body) == (406, b"")
    assert unknown.headers["access-control-allow-origin"] == "*"
    for accept in ("*/*", "application/*", "text/html, application/json;q=0.5"):
        assert (await rest.get("/spaces", Accept=accept)).status == 200


@ensureDeferred
async def test_paths_that_are_not_utf8_are_malformed(rest: RestClient) -> None:
    answer = await rest.get(f"/data/{SPACE}/path/%ff%fe")
    assert (answer.status, answer.error) == (400, {"id": "malformedData"})


@ensureDeferred
async def test_spaces_are_listed_also_those_supported_elsewhere(rest: RestClient) -> None:
    spaces = {space["spaceId"]: space for space in (await rest.get("/spaces")).json}
    assert set(spaces) == {SPACE, UNSUPPORTED}
    assert spaces[SPACE]["name"] == "Science"
    assert spaces[SPACE]["dirId"] == spaces[SPACE]["fileId"] == SPACE_ROOT
    assert spaces[SPACE]["providers"] == [{"providerId": PROVIDER, "providerName": "krk"}]
    assert (await rest.get(f"/spaces/{SPACE}")).json == spaces[SPACE]
    for space in (FOREIGN, "nonsense"):
        assert (await rest.get(f"/spaces/{space}")).status == 403
    unsupported = await rest.get(f"/spaces/{UNSUPPORTED}")
    assert (unsupported.status, unsupported.error["id"]) == (400, "spaceNotSupportedBy")


@ensureDeferred
async def test_the_configuration_tells_identity_and_version(rest: RestClient) -> None:
    document = (await rest.get("/configuration", token=None)).json
    assert document["providerId"] == PROVIDER
    assert (document["name"], document["domain"], document["version"]) == ("krk", None, "21.02.8")
    assert {"build", "rtransferPort", "compatibleOneclientVersions", "onezoneDomain"} <= set(document)


@ensureDeferred
async def test_a_node_that_does_not_serve_yet_says_so(serve: Any) -> None:
    zone = make_zone()
    files = await make_files(zone)
    tree = make_tree(files, zone, is_serving=lambda: False, is_healthy=lambda: False)
    client = RestClient(await serve(tree))
    answer = await client.get("/spaces")
    assert (answer.status, answer.error) == (503, {"id": "serviceUnavailable"})
    assert (await client.get("/health")).status == 500
    assert (await client.get("/configuration")).status == 200


@ensureDeferred
async def test_extended_attributes_are_merged_shown_and_removed(rest: RestClient) -> None:
    file_id = await rest.create("d/a")
    path = f"/data/{file_id}/metadata/xattrs"
    assert (await rest.put(path, value={"a": 1, "b": {"c": [None]}})).status == 204
    assert (await rest.put(path, value={"a": "č"})).status == 204
    assert (await rest.get(path)).json == {"a": "č", "b": {"c": [None]}}
    assert (await rest.get(f"{path}?attribute=a")).json == {"a": "č"}
    assert (await rest.get(f"{path}?attribute=none")).error == ENODATA
    assert (await rest.delete(path, value={"keys": ["a", "none"]})).status == 204
    assert (await rest.get(path)).json == {"b": {"c": [None]}}


@ensureDeferred
async def test_extended_attributes_are_inherited_from_the_nearest(rest: RestClient) -> None:
    file_id = await rest.create("d/a")
    folder = (await rest.post("/lookup-file-id/Science/d")).json["fileId"]
    await rest.put(f"/data/{SPACE}/metadata/xattrs", value={"x": 1, "y": 1})
    await rest.put(f"/data/{folder}/metadata/xattrs", value={"x": 2})
    assert (await rest.get(f"/data/{file_id}/metadata/xattrs")).json == {}
    assert (await rest.get(f"/data/{file_id}/metadata/xattrs?inherited=true")).json == {"x": 2, "y": 1}


@ensureDeferred
async def test_bad_extended_attributes_are_refused(rest: RestClient) -> None:
    path = f"/data/{await rest.create('a')}/metadata/xattrs"
    for body in (b"[1]", b"{", b""):
        answer = await rest.put(path, body=body, Content_Type="application/json")
        assert (answer.status, answer.error) == (400, {"id": "badValueJSON", "key": "metadata"})
    assert (await rest.put(path, value={"onedata_x": 1})).error == EPERM
    assert (await rest.delete(path, value={})).error == {"id": "missingRequiredValue", "key": "keys"}
    assert (await rest.delete(path, value={"keys": "a"})).error == {
        "id": "badValueListOfStrings",
        "key": "keys",
    }


@ensureDeferred
async def test_a_json_document_is_stored_and_filtered(rest: RestClient) -> None:
    path = f"/data/{await rest.create('a')}/metadata/json"
    assert (await rest.get(path)).error == ENODATA
    assert (await rest.put(path, value={"a": {"b": [1, 2]}})).status == 204
    assert (await rest.get(path)).json == {"a": {"b": [1, 2]}}
    assert (await rest.get(f"{path}?filter_type=keypath&filter=a.b.[1]")).json == 2
    assert (await rest.put(f"{path}?filter_type=keypath&filter=a.c", value=3)).status == 204
    assert (await rest.get(path)).json == {"a": {"b": [1, 2], "c": 3}}
    assert (await rest.get(f"{path}?filter_type=keypath")).error == {
        "id": "missingRequiredValue",
        "key": "filter",
    }
    assert (await rest.get(f"{path}?filter_type=other&filter=a")).error["id"] == "badValueNotAllowed"
    bad = await rest.put(path, body=b"{", Content_Type="application/json")
    assert bad.error == {"id": "badValueJSON", "key": "metadata"}
    assert (await rest.delete(path)).status == 204
    assert (await rest.delete(path)).status == 204
    assert (await rest.get(path)).error == ENODATA


@pytest.mark.parametrize("value", [0, "text", None, [], False])
@ensureDeferred
async def test_a_json_document_may_be_any_value(rest: RestClient, value: Any) -> None:
    path = f"/data/{await rest.create('a')}/metadata/json"
    body = b"null" if value is None else None
    put = await rest.put(path, value=value, body=body, Content_Type="application/json")
    assert put.status == 204
    assert (await rest.get(path)).json == value


@ensureDeferred
async def test_an_rdf_document_is_stored_verbatim(rest: RestClient) -> None:
    path = f"/data/{await rest.create('a')}/metadata/rdf"
    assert (await rest.get(path)).error == ENODATA
    document = b"<rdf>\xc4\x8d\r\n verbatim</rdf >\n"
    assert (await rest.put(path, body=document, Content_Type="application/rdf+xml")).status == 204
    shown = await rest.get(path)
    assert (shown.body, shown.headers["content-type"]) == (document, "application/rdf+xml")
    assert (await rest.put(path, body=b"{}", Content_Type="application/json")).status == 415
    assert (await rest.delete(path)).status == 204
    assert (await rest.get(path)).error == ENODATA


@ensureDeferred
async def test_metadata_of_a_link_is_that_of_its_target(rest: RestClient) -> None:
    file_id = await rest.create("real")
    made = await rest.put(f"/data/{SPACE}/path/link?type=SYMLNK&target_file_path=real")
    path = f"/data/{made.json['fileId']}/metadata/xattrs"
    await rest.put(path, value={"a": 1})
    assert (await rest.get(f"/data/{file_id}/metadata/xattrs")).json == {"a": 1}
    assert (await rest.get(f"{path}?resolve_symlink=false")).json == {}


@ensureDeferred
async def test_the_distribution_names_provider_storage_and_blocks(rest: RestClient) -> None:
    file_id = await rest.create("a", b"0123456789")
    document = (await rest.get(f"/data/{file_id}/distribution")).json
    ours = document["distributionPerProvider"][PROVIDER]
    assert (document["type"], ours["success"], ours["virtualSize"]) == ("REG", True, 10)
    locations = (await rest.get(f"/data/{file_id}/storage_locations")).json
    assert locations["locationsPerProvider"][PROVIDER]["success"] is True


@ensureDeferred
async def test_the_openapi_document_is_valid_and_complete(rest: RestClient) -> None:
    document = (await rest.get("/openapi.json", token=None)).json
    validate(document)
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert described == {(route.method, route.path) for route in ROUTES}


@ensureDeferred
async def test_a_broken_upload_leaves_the_old_content(serve: Any) -> None:
    zone = make_zone()
    files = await make_files(zone)
    files.startService()
    served = await serve(make_tree(files, zone))
    rest = RestClient(served)
    file_id = await rest.create("a", b"old")
    client = await served.connect()
    head = f"PUT {BASE}/data/{file_id}/content HTTP/1.1\r\nHost: x\r\nX-Auth-Token: owner\r\n"
    client.send(f"{head}Content-Type: application/octet-stream\r\nContent-Length: 900000\r\n\r\n".encode())
    client.send(bytes(600_000))
    fresh = await served.connect()
    head = f"PUT {BASE}/data/{SPACE}/path/new HTTP/1.1\r\nHost: x\r\nX-Auth-Token: owner\r\n"
    fresh.send(f"{head}Content-Type: application/octet-stream\r\nContent-Length: 900000\r\n\r\n".encode())
    fresh.send(bytes(600_000))
    while served.site.connection_count < 2:
        await Deferred.fromCoroutine(rest.get("/health"))
    client.abort()
    fresh.abort()
    await rest.get("/health")
    assert (await rest.get(f"/data/{file_id}/content")).body == b"old"
    assert (await rest.get(f"/data/{SPACE}/path/new")).error == {"id": "posix", "errno": "enoent"}
    await files.stopService()


@pytest.mark.parametrize(
    "body", [b"[" * 200 + b"]" * 200, b"[" * 50_000 + b"]" * 50_000, b"[1e999]", b"[NaN]", b'"\\ud800"']
)
@ensureDeferred
async def test_json_that_cannot_be_kept_names_the_metadata(rest: RestClient, body: bytes) -> None:
    file_id = await rest.create("a")
    put = await rest.put(f"/data/{file_id}/metadata/json", body=body, Content_Type="application/json")
    assert (put.status, put.error["id"], put.error["key"]) == (
        400,
        "badData" if len(body) == 400 else "badValueJSON",
        "metadata",
    )
    attribute = b'{"a":' + body + b"}"
    put = await rest.put(f"/data/{file_id}/metadata/xattrs", body=attribute, Content_Type="application/json")
    assert (put.status, put.error["key"]) == (400, "metadata")


@ensureDeferred
async def test_of_duplicate_keys_the_last_one_counts(rest: RestClient) -> None:
    path = f"/data/{await rest.create('a')}/metadata/json"
    body = b'{"a": 1, "a": 2}'
    assert (await rest.put(path, body=body, Content_Type="application/json")).status == 204
    assert (await rest.get(path)).json == {"a": 2}


@ensureDeferred
async def test_rdf_that_is_no_xml_is_refused_and_nothing_stored(rest: RestClient) -> None:
    path = f"/data/{await rest.create('a')}/metadata/rdf"
    for body in (b"{}", b"<a>", b'<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>', b"<a>" * 30_000):
        put = await rest.put(path, body=body, Content_Type="application/rdf+xml")
        assert (put.status, put.error) == (400, {"id": "badValueXML", "key": "metadata"})
    assert (await rest.get(path)).error == ENODATA


@ensureDeferred
async def test_a_named_attribute_is_shown_also_when_it_is_internal(rest: RestClient) -> None:
    path = f"/data/{await rest.create('a')}/metadata/xattrs"
    await rest.put(path, value={"cdmi_mimetype": "text/plain", "onedata_json": {"k": 1}})
    assert (await rest.get(path)).json == {}
    assert (await rest.get(f"{path}?attribute=onedata_json")).json == {"onedata_json": {"k": 1}}
    assert (await rest.get(f"{path}?show_internal=true")).json == {
        "cdmi_mimetype": "text/plain",
        "onedata_json": {"k": 1},
    }
