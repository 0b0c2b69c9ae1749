"""Access control lists over REST: the attribute, the extended attribute and the routes of our own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from tests.integration.http.rest_client import MEMBER, SPACE, STRANGER, RestClient

ACE = {"aceType": "ALLOW", "identifier": "GROUP@", "aceFlags": 0, "aceMask": 0x20081}
CDMI = {"acetype": "0x0", "identifier": "GROUP@", "aceflags": "0x0", "acemask": "0x20081"}
JSON = {"Content_Type": "application/json"}


async def shown(rest: RestClient, file_id: str, *names: str, token: str = "owner") -> dict[str, Any]:
    answer = await rest.get(f"/data/{file_id}", value={"attributes": list(names)}, token=token)
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.json
    return found


@ensureDeferred
async def test_a_list_is_set_shown_and_removed(rest: RestClient) -> None:
    file_id = await rest.create("f", b"x")
    assert (await rest.get(f"/data/{file_id}/acl")).json == []
    put = await rest.put(f"/data/{file_id}/acl", value=[ACE])
    assert (put.status, put.body) == (204, b"")
    assert (await rest.get(f"/data/{file_id}/acl")).json == [ACE]
    assert await shown(rest, file_id, "acl", "activePermissionsType", "posixPermissions") == {
        "acl": [ACE],
        "activePermissionsType": "acl",
        "posixPermissions": "664",
    }
    assert (await rest.delete(f"/data/{file_id}/acl")).status == 204
    assert await shown(rest, file_id, "acl", "activePermissionsType") == {
        "acl": [],
        "activePermissionsType": "posix",
    }


@ensureDeferred
async def test_setting_a_mode_switches_back_to_posix_permissions(rest: RestClient) -> None:
    file_id = await rest.create("f")
    await rest.put(f"/data/{file_id}/acl", value=[ACE])
    assert (await rest.put(f"/data/{file_id}", value={"mode": "640"})).status == 204
    assert await shown(rest, file_id, "activePermissionsType") == {"activePermissionsType": "posix"}


@ensureDeferred
async def test_the_extended_attribute_is_the_list_in_the_form_of_cdmi(rest: RestClient) -> None:
    file_id = await rest.create("f")
    xattrs = f"/data/{file_id}/metadata/xattrs"
    assert (await rest.get(f"{xattrs}?attribute=cdmi_acl")).error["errno"] == "enodata"
    entry = {
        "acetype": "ALLOW",
        "identifier": f"Anybody#{MEMBER}",
        "aceflags": "NO_FLAGS",
        "acemask": "READ_ACL",
    }
    assert (await rest.put(xattrs, value={"cdmi_acl": [entry], "k": 1})).status == 204
    rendered = {"acetype": "0x0", "identifier": f"Member#{MEMBER}", "aceflags": "0x0", "acemask": "0x20000"}
    assert (await rest.get(f"{xattrs}?attribute=cdmi_acl")).json == {"cdmi_acl": [rendered]}
    assert (await rest.get(f"{xattrs}?show_internal=true")).json == {"k": 1, "cdmi_acl": [rendered]}
    assert (await rest.get(xattrs)).json == {"k": 1}
    assert (await rest.get(f"{xattrs}?attribute=cdmi_acl", token="member")).status == 200
    assert (await rest.put(xattrs, value={"k": 2}, token="member")).error["errno"] == "eacces"
    assert (await rest.delete(xattrs, value={"keys": ["cdmi_acl"]})).status == 204
    assert await shown(rest, file_id, "activePermissionsType") == {"activePermissionsType": "posix"}


@ensureDeferred
async def test_a_list_is_hidden_from_whom_it_does_not_let_read_it(rest: RestClient) -> None:
    file_id = await rest.create("d/f")
    await rest.put(f"/data/{file_id}/acl", value=[{**ACE, "aceMask": 1}])
    for answer in (
        await rest.get(f"/data/{file_id}/acl", token="member"),
        await rest.get(f"/data/{file_id}?attributes=acl", token="member"),
        await rest.get(f"/data/{file_id}/metadata/xattrs?attribute=cdmi_acl", token="member"),
    ):
        assert (answer.status, answer.error["errno"]) == (400, "eacces")
    listed = await rest.get(f"/data/{SPACE}/files?attributes=acl&attributes=path", token="member")
    assert listed.json["files"] == [{"acl": None, "path": "d/f"}]


@ensureDeferred
async def test_a_refusal_tells_its_reason_to_a_member_who_asks_and_nothing_to_a_stranger(
    rest: RestClient,
) -> None:
    file_id = await rest.create("d/f", b"x")
    deny = {"aceType": "DENY", "identifier": MEMBER, "aceFlags": 0, "aceMask": 1}
    await rest.put(f"/data/{file_id}/acl", value=[ACE, deny])
    assert (await rest.get(f"/data/{file_id}/content", token="member")).status == 200
    await rest.put(f"/data/{file_id}/acl", value=[deny, ACE])
    plain = await rest.get(f"/data/{file_id}/content", token="member")
    assert plain.error == {"id": "posix", "errno": "eacces"}
    answer = await rest.get(f"/data/{file_id}/content", token="member", prefer="reason")
    reason = f"entry 1 of the ACL of /d/f denies read_object: DENY {MEMBER} read_object"
    assert (answer.status, answer.error) == (400, {"id": "posix", "errno": "eacces", "reason": reason})
    stranger = await rest.get(f"/data/{file_id}/content", token="stranger", prefer="reason")
    assert (stranger.status, stranger.error) == (403, {"id": "forbidden"})


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ([{**ACE, "identifier": STRANGER}], {"id": "posix", "errno": "einval"}),
        ([{**ACE, "aceMask": 0x40}], {"id": "posix", "errno": "einval"}),
        ([{**ACE, "aceMask": 1 << 40}], {"id": "badData", "key": "acl"}),
        ([{**ACE, "aceMask": -1}], {"id": "badData", "key": "acl"}),
        ([{**ACE, "aceMask": True}], {"id": "badData", "key": "acl"}),
        ([{**ACE, "aceMask": "0x1"}], {"id": "badData", "key": "acl"}),
        ([{**ACE, "aceFlags": 0x100}], {"id": "posix", "errno": "einval"}),
        ([{**ACE, "aceType": "MAYBE"}], {"id": "badData", "key": "acl"}),
        ([{**ACE, "aceType": []}], {"id": "badData", "key": "acl"}),
        ([{**ACE, "acetype": "0x0"}], {"id": "badData", "key": "acl"}),
        ([{**ACE, "identifier": ""}], {"id": "badData", "key": "acl"}),
        ([{**ACE, "identifier": 5}], {"id": "badData", "key": "acl"}),
        ([CDMI], {"id": "badData", "key": "acl"}),
        ([1], {"id": "badData", "key": "acl"}),
        ([None], {"id": "badData", "key": "acl"}),
        ({}, {"id": "badData", "key": "acl"}),
        ({"acl": [ACE]}, {"id": "badData", "key": "acl"}),
        ("text", {"id": "badData", "key": "acl"}),
        ([ACE] * 10_000, {"id": "posix", "errno": "e2big"}),
        (b"", {"id": "badData", "key": "acl"}),
        (b"[", {"id": "badData", "key": "acl"}),
        (b"\xff", {"id": "badData", "key": "acl"}),
        (b"[" * 100_000 + b"]" * 100_000, {"id": "badData", "key": "acl"}),
        (b"[" * 500 + b"]" * 500, {"id": "badData", "key": "acl"}),
    ],
)
@ensureDeferred
async def test_a_wrong_list_is_refused_and_changes_nothing(
    rest: RestClient, body: Any, error: dict[str, str]
) -> None:
    file_id = await rest.create("f")
    await rest.put(f"/data/{file_id}/acl", value=[ACE])
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await rest.put(f"/data/{file_id}/acl", body=data, **JSON)
    assert answer.status == 400
    assert {name: answer.error[name] for name in error} == error
    assert (await rest.get(f"/data/{file_id}/acl")).json == [ACE]


@ensureDeferred
async def test_a_body_without_end_is_refused_by_its_length(rest: RestClient) -> None:
    file_id = await rest.create("f")
    answer = await rest.put(f"/data/{file_id}/acl", body=b" " * (5 << 20), **JSON)
    assert answer.status == 413


@ensureDeferred
async def test_owner_of_the_file_is_named_by_a_special_identifier_in_any_case(rest: RestClient) -> None:
    file_id = await rest.create("f", token="member")
    put = await rest.put(f"/data/{file_id}/acl", value=[{**ACE, "identifier": "owner@"}], token="member")
    assert put.status == 204
    assert (await rest.get(f"/data/{file_id}/acl", token="member")).json == [{**ACE, "identifier": "OWNER@"}]
    assert (await rest.get(f"/data/{file_id}/acl", token="owner")).status == 200
