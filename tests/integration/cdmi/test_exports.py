"""Exports of containers: their public shares."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from onedata.ids import FileGuid, ShareId
from op_worker.auth.caller import Caller
from op_worker.files.granting.sharing import Terms
from op_worker.files.service import FileService
from tests.integration.cdmi.callers import OWNER, SPACE
from tests.integration.cdmi.client import Client

D, HTTP = "/cdmi/Science/d/", "Network/HTTP"


def export(name: str = "Data", **more: Any) -> dict[str, Any]:
    return {"exports": {HTTP: {"identifier": name, **more}}}


async def exports_of(client: Client, path: str = D, token: str = "owner") -> Any:
    reply = await client.cdmi("GET", path + "?exports", token=token)
    assert reply.status == 200, reply
    return reply.json.get("exports")


async def share_names(files: FileService) -> list[str]:
    page = await files.sharing.page(Caller(OWNER), SPACE, 100, None)
    return sorted(share.name for share in page.items)


@pytest.mark.capability("system/onedata_export_http", "container/onedata_export_container_http")
@ensureDeferred
async def test_a_container_is_made_with_an_export_which_is_a_share(
    client: Client, files: FileService
) -> None:
    made = await client.cdmi("PUT", D, {**export(description="Readings"), "metadata": {"k": "v"}})
    assert made.status == 201
    entry = made.json["exports"][HTTP]
    share = await files.sharing.get(Caller(OWNER), ShareId(entry["share_id"]))
    assert (share.name, share.description) == ("Data", "Readings")
    assert FileGuid.from_object_id(made.json["objectID"]).uuid == share.root
    assert entry == {
        "identifier": "Data",
        "url": f"http://localhost/share/{share.share_id}",
        "permissions": ["EVERYONE@"],
        "description": "Readings",
        "share_id": share.share_id,
        "has_password": "false",
    }
    members = list(made.json)
    assert members.index("exports") == members.index("metadata") + 1
    assert await exports_of(client, token="member") == {HTTP: entry}


@ensureDeferred
async def test_exports_stay_unless_they_are_sent_and_are_replaced_as_a_whole(
    client: Client, files: FileService
) -> None:
    await client.cdmi("PUT", D, {})
    assert await exports_of(client) is None
    assert (await client.cdmi("PUT", D, export("One"))).status == 204
    first = (await exports_of(client))[HTTP]
    assert (await client.cdmi("PUT", D, {"metadata": {"k": "v"}})).status == 204
    assert (await exports_of(client))[HTTP] == first
    two = {"exports": {HTTP: [first, {"identifier": "Two"}]}}
    assert (await client.cdmi("PUT", D, two)).status == 204
    entries = (await exports_of(client))[HTTP]
    assert [one["identifier"] for one in entries] == ["One", "Two"] and entries[0] == first
    renamed = {**first, "identifier": "New name"}
    assert (await client.cdmi("PUT", D, {"exports": {HTTP: renamed}})).status == 204
    entry = (await exports_of(client))[HTTP]
    assert (entry["identifier"], entry["share_id"]) == ("New name", first["share_id"])
    assert await share_names(files) == ["New name"]
    assert (await client.cdmi("PUT", D, {"exports": {}})).status == 204
    assert await exports_of(client) is None
    assert await share_names(files) == []


@ensureDeferred
async def test_ends_and_passwords_of_shares_are_kept(client: Client, files: FileService) -> None:
    made = await client.cdmi("PUT", D, {})
    guid = FileGuid.from_object_id(made.json["objectID"])
    terms = Terms(name="Data", expires_s=4102444800, password_hash="hash")
    share = await files.sharing.add(Caller(OWNER), guid, terms)
    entry = (await exports_of(client))[HTTP]
    assert (entry["has_password"], entry["expires"]) == ("true", "2100-01-01T00:00:00.000000Z")
    assert (await client.cdmi("PUT", D, {"exports": {HTTP: {**entry, "description": "x"}}})).status == 204
    kept = await files.sharing.get(Caller(OWNER), share.share_id)
    assert (kept.expires_s, kept.password_hash, kept.description) == (4102444800, "hash", "x")


@ensureDeferred
async def test_copies_have_no_exports_and_moves_keep_them(client: Client) -> None:
    await client.cdmi("PUT", D, export())
    await client.cdmi("PUT", "/cdmi/Science/copy/", {"copy": "/Science/d/"})
    assert await exports_of(client, "/cdmi/Science/copy/") is None
    before = await exports_of(client)
    await client.cdmi("PUT", "/cdmi/Science/moved/", {"move": "/Science/d/"})
    assert await exports_of(client, "/cdmi/Science/moved/") == before


@pytest.mark.parametrize(
    "exports",
    [
        {"Network/NFSv4": {"identifier": "Data", "permissions": "domain"}},
        {"nfs": {}},
        {"cifs": {}},
        {"Network/iSCSI": {"permissions": []}},
        {"OCCI/iSCSI": {"identifier": "x"}},
        {HTTP: {"identifier": "Data"}, "Network/WebDAV": {"identifier": "Data"}},
        {HTTP: {"identifier": "Data", "odd": 1}},
        {HTTP: [{"identifier": "Data"}, {"identifier": "/"}]},
        {HTTP: {"identifier": "Data", "share_id": "none"}},
        [],
    ],
)
@ensureDeferred
async def test_what_cannot_be_exported_is_refused_and_nothing_changes(client: Client, exports: Any) -> None:
    body = {"exports": exports, "metadata": {"k": "new"}}
    assert (await client.cdmi("PUT", D, body)).status == 400
    assert (await client.cdmi("GET", D)).status == 404
    await client.cdmi("PUT", D, {**export("Old"), "metadata": {"k": "old"}})
    before = await exports_of(client)
    assert (await client.cdmi("PUT", D, body)).status == 400
    assert await exports_of(client) == before
    assert (await client.cdmi("GET", D + "?metadata:k")).json == {"metadata": {"k": "old"}}


@ensureDeferred
async def test_only_who_manages_shares_exports(client: Client) -> None:
    body = {**export(), "metadata": {"k": "new"}}
    refused = await client.cdmi("PUT", D, body, token="member")
    assert (refused.status, refused.errno) == (403, "eperm")
    assert (await client.cdmi("GET", D)).status == 404
    await client.cdmi("PUT", D, export("Old"), token="owner")
    for exports in ({}, {HTTP: {"identifier": "New"}}):
        refused = await client.cdmi("PUT", D, {"exports": exports, "metadata": {"k": "new"}}, token="member")
        assert refused.status == 403
    assert (await client.cdmi("GET", D + "?metadata:k")).json == {"metadata": {}}
    assert (await exports_of(client, token="member"))[HTTP]["identifier"] == "Old"
    assert await exports_of(client, token="reader") is None, "a token with data caveats"
    assert (await client.cdmi("PUT", D, {"exports": {}}, token="reader")).status == 401
    assert (await client.cdmi("PUT", "/cdmi/", export())).status in (400, 403)


@ensureDeferred
async def test_exports_are_looked_for_by_protocol_and_user(client: Client) -> None:
    await client.cdmi("PUT", D, export(description="d"))
    whole = await exports_of(client)
    for asked in ("protocol=Network/HTTP", "protocol=network%2Fhttp,user=anna", "verbose=%22true%22"):
        assert (await client.cdmi("GET", f"{D}?exports:{asked}")).json == {"exports": whole}
    brief = (await client.cdmi("GET", D + "?exports:protocol=Network/HTTP,verbose=%22false%22")).json
    assert brief == {"exports": {HTTP: {key: whole[HTTP][key] for key in ("identifier", "url")}}}
    assert (await client.cdmi("GET", D + "?exports:protocol=Network/NFSv4")).json == {}
    for odd in ("x=1", "verbose=maybe", "", "everything"):
        assert (await client.cdmi("GET", f"{D}?exports:{odd}")).status == 400
