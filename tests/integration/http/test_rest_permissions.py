"""Explanations and protection flags over REST."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from tests.integration.http.rest_client import MEMBER, OWNER, SPACE, SPACE_ROOT, STRANGER, RestClient


@ensureDeferred
async def test_an_explanation_names_the_fact_and_the_way(rest: RestClient) -> None:
    file_id = await rest.create("d/f", b"x")
    deny = {"aceType": "DENY", "identifier": MEMBER, "aceFlags": 0, "aceMask": 3}
    allow = {"aceType": "ALLOW", "identifier": "GROUP@", "aceFlags": 0, "aceMask": 1}
    await rest.put(f"/data/{file_id}/acl", value=[allow, deny])
    answer = await rest.get(
        f"/data/{file_id}/permissions/explain?operation=read_object&operation=write_object", token="member"
    )
    assert answer.status == 200
    assert (answer.json["fileId"], answer.json["userId"]) == (file_id, MEMBER)
    assert answer.json["operations"] == [
        {
            "operation": "read_object",
            "allowed": True,
            "errno": None,
            "reason": "entry 1 of the ACL of /d/f allows read_object: ALLOW GROUP@ read_object",
            "fact": {"kind": "aclEntry", "path": "/d/f", "entry": 1, "ace": allow},
        },
        {
            "operation": "write_object",
            "allowed": False,
            "errno": "eacces",
            "reason": "entry 2 of the ACL of /d/f denies write_object:"
            f" DENY {MEMBER} read_object, write_object",
            "fact": {"kind": "aclEntry", "path": "/d/f", "entry": 2, "ace": deny},
        },
    ]
    root, directory = answer.json["ancestors"]
    assert (root["path"], root["fileId"], root["allowed"]) == ("/", SPACE_ROOT, True)
    assert directory["path"] == "/d"
    assert directory["fact"] == {"kind": "mode", "path": "/d", "what": "group", "mode": "775"}


@ensureDeferred
async def test_a_refusal_and_its_explanation_give_the_same_reason(rest: RestClient) -> None:
    file_id = await rest.create("d/f", b"x")
    await rest.put(f"/data/{file_id}", value={"mode": "600"})
    refused = await rest.get(f"/data/{file_id}/content", token="member", prefer="reason")
    explained = await rest.get(f"/data/{file_id}/permissions/explain?operation=read_object", token="member")
    assert refused.error["reason"] == explained.json["operations"][0]["reason"]


@ensureDeferred
async def test_others_are_explained_with_a_privilege_only(rest: RestClient) -> None:
    file_id = await rest.create("d/f", b"x")
    path = f"/data/{file_id}/permissions/explain"
    answer = await rest.get(f"{path}?operation=write_acl&userId={MEMBER}")
    assert answer.json["operations"][0]["reason"] == "only the owner of /d/f may write_acl"
    stranger = await rest.get(f"{path}?operation=write_acl&userId={STRANGER}")
    assert stranger.json["operations"][0]["fact"] == {"kind": "notMember"}
    refused = await rest.get(f"{path}?userId={OWNER}", token="member")
    assert (refused.status, refused.error["id"]) == (403, "forbidden")
    assert (await rest.get(path, token="stranger")).status == 403
    assert (await rest.get(path, token=None)).status == 401


@pytest.mark.parametrize(
    "query", ["operation=fly", "operation=list_container", "operation=read_object,delete"]
)
@ensureDeferred
async def test_unknown_operations_are_refused_with_those_that_there_are(rest: RestClient, query: str) -> None:
    file_id = await rest.create("f")
    answer = await rest.get(f"/data/{file_id}/permissions/explain?{query}")
    assert (answer.status, answer.error["id"]) == (400, "badValueNotAllowed")
    assert answer.error["allowed"][:2] == ["read_object", "write_object"]


@ensureDeferred
async def test_flags_are_set_shown_and_unset(rest: RestClient) -> None:
    directory_id = await rest.make_directory("d")
    file_id = await rest.create("d/f", b"x")
    flags = f"/data/{directory_id}/protection_flags"
    put = await rest.put(flags, value={"set": ["data_protection", "metadata_protection"]})
    assert (put.status, put.body) == (204, b"")
    both = ["data_protection", "metadata_protection"]
    assert (await rest.get(flags)).json == {"direct": both, "effective": both}
    inside = await rest.get(f"/data/{file_id}/protection_flags", token="member")
    assert inside.json == {"direct": [], "effective": both}
    shown = await rest.get(f"/data/{file_id}?attributes=effProtectionFlags")
    assert shown.json == {"effProtectionFlags": both}
    for answer in (
        await rest.delete(f"/data/{file_id}"),
        await rest.put(f"/data/{file_id}", value={"mode": "600"}),
        await rest.put(f"/data/{SPACE}/path/d/new"),
    ):
        assert (answer.status, answer.error["errno"]) == (400, "eperm")
    assert (await rest.put(flags, value={"unset": both})).status == 204
    assert (await rest.delete(f"/data/{directory_id}")).status == 204


@ensureDeferred
async def test_wrong_flags_are_refused(rest: RestClient) -> None:
    file_id = await rest.create("f")
    flags = f"/data/{file_id}/protection_flags"
    for value, expected in (
        ({"set": ["metadata_protection"]}, {"id": "badData", "key": "protectionFlags"}),
        ({"set": ["everything"]}, {"id": "badValueNotAllowed", "key": "set"}),
        ({"unset": [1]}, {"id": "badValueListOfStrings", "key": "unset"}),
        ({"set": ["data_protection"], "unset": ["data_protection"]}, {"id": "badData", "key": "unset"}),
        ({}, {"id": "missingRequiredValue", "key": "set"}),
        ({"set": []}, {"id": "missingRequiredValue", "key": "set"}),
    ):
        answer = await rest.put(flags, value=value)
        assert {name: answer.error[name] for name in ("id", "key")} == expected
    refused = await rest.put(flags, value={"set": ["data_protection"]}, token="member", prefer="reason")
    assert refused.error == {
        "id": "posix",
        "errno": "eperm",
        "reason": "privilege space_manage_datasets is missing",
    }
    assert (await rest.get(flags)).json == {"direct": [], "effective": []}
