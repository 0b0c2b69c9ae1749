"""Access control lists as the metadata item ``cdmi_acl``."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from onedata.ids import GroupId
from tests.integration.cdmi.callers import MEMBER, STRANGER
from tests.integration.cdmi.client import Client

F, D = "/cdmi/Science/f.txt", "/cdmi/Science/d/"
ONLY = "?metadata:cdmi_acl"
WORDS = {
    "acetype": "ALLOW",
    "identifier": f"Somebody#{MEMBER}",
    "aceflags": "NO_FLAGS",
    "acemask": "READ_OBJECT,READ_ATTRIBUTES,READ_METADATA,READ_ACL",
}
HEX = {"acetype": "0x0", "identifier": f"b#{MEMBER}", "aceflags": "0x0", "acemask": "0x20089"}
EVERYBODY = {"acetype": "0x0", "identifier": "EVERYONE@", "aceflags": "0x0", "acemask": "0x701FF"}


async def acl_of(client: Client, path: str, **options: str) -> Any:
    """Return the list; ``None`` when there is none."""
    reply = await client.cdmi("GET", path + ONLY, **options)  # type: ignore[arg-type]  # the token
    assert reply.status == 200, reply
    return reply.json["metadata"].get("cdmi_acl")


async def put_acl(client: Client, path: str, acl: Any, token: str = "owner") -> int:
    body = {"metadata": {"cdmi_acl": acl}}
    return (await client.cdmi("PUT", path + ONLY, body, token=token)).status


@pytest.mark.capability("system/cdmi_acl", "dataobject/cdmi_acl")
@ensureDeferred
async def test_an_object_is_created_with_its_list(client: Client) -> None:
    sent = {"value": "v", "metadata": {"cdmi_acl": [WORDS], "k": "1"}}
    made = await client.cdmi("PUT", F, sent)
    assert (made.status, made.json["metadata"]["cdmi_acl"]) == (201, [HEX])
    shown = (await client.cdmi("GET", F)).json["metadata"]
    assert (shown["cdmi_acl"], shown["k"]) == ([HEX], "1")
    reply = await client.cdmi("GET", F, token="member")
    assert (reply.status, reply.json["value"]) == (200, "v")
    assert (await client.cdmi("PUT", F, {"value": "w"}, token="member")).status == 403


@pytest.mark.capability("container/cdmi_acl")
@ensureDeferred
async def test_a_container_is_created_with_its_list_which_is_inherited(client: Client) -> None:
    handed_on = {**EVERYBODY, "aceflags": "OBJECT_INHERIT,CONTAINER_INHERIT"}
    made = await client.cdmi("PUT", D, {"metadata": {"cdmi_acl": [handed_on]}})
    assert made.json["metadata"]["cdmi_acl"] == [{**EVERYBODY, "aceflags": "0x3"}]
    inside = await client.cdmi("PUT", D + "e/", {}, token="member")
    assert inside.json["metadata"]["cdmi_acl"] == [{**EVERYBODY, "aceflags": "0x83"}]
    file = await client.cdmi("PUT", D + "f", {"value": "v"}, token="member")
    assert file.json["metadata"]["cdmi_acl"] == [{**EVERYBODY, "aceflags": "0x80", "acemask": "0x7019B"}]
    plain = await client.send("PUT", D + "g", b"v", {"Content-Type": "text/plain"}, token="member")
    assert plain.status == 201
    assert await acl_of(client, D + "g") == [{**EVERYBODY, "aceflags": "0x80", "acemask": "0x7019B"}]


@ensureDeferred
async def test_the_list_alone_is_set_read_and_removed(client: Client) -> None:
    await client.cdmi("PUT", F, {"value": "v", "metadata": {"k": "1"}})
    assert await acl_of(client, F) is None
    assert await put_acl(client, F, [WORDS]) == 204
    assert await acl_of(client, F) == [HEX]
    assert (await client.cdmi("GET", F + "?metadata:k")).json == {"metadata": {"k": "1"}}
    everything = {"metadata": {"k": "2"}}
    assert (await client.cdmi("PUT", F, everything)).status == 204
    assert await acl_of(client, F) == [HEX], "a list stays unless it is sent"
    assert (await client.cdmi("PUT", F + ONLY, {})).status == 204
    assert await acl_of(client, F) is None
    assert (await client.cdmi("GET", F)).json["metadata"]["k"] == "2"


@ensureDeferred
async def test_reading_and_writing_the_list_need_no_other_right(client: Client) -> None:
    await client.cdmi("PUT", F, {"value": "v", "metadata": {"k": "1"}})
    mine = {**HEX, "acemask": "READ_ACL,WRITE_ACL"}
    await put_acl(client, F, [mine])
    assert await acl_of(client, F, token="member") == [{**HEX, "acemask": "0x60000"}]
    assert (await client.cdmi("GET", F + "?metadata:k", token="member")).status == 403
    assert await put_acl(client, F, [WORDS], token="member") == 204
    assert await put_acl(client, F, [], token="member") == 403


@ensureDeferred
async def test_a_list_that_may_not_be_read_is_left_out(client: Client) -> None:
    await client.cdmi("PUT", F, {"value": "v", "metadata": {"k": "1"}})
    await put_acl(client, F, [{**HEX, "acemask": "READ_OBJECT,READ_METADATA"}])
    shown = (await client.cdmi("GET", F, token="member")).json["metadata"]
    assert "cdmi_acl" not in shown and shown["k"] == "1"
    refused = await client.cdmi("GET", F + ONLY, headers={"Prefer": "reason"}, token="member")
    assert (refused.status, refused.errno) == (403, "eacces")
    assert refused.json["error"]["details"]["reason"].startswith(
        "no entry of the ACL of /f.txt allows read_acl"
    )


@ensureDeferred
async def test_copies_and_moves_keep_the_list(client: Client) -> None:
    await client.cdmi("PUT", D, {"metadata": {"cdmi_acl": [EVERYBODY]}})
    await client.cdmi("PUT", D + "f", {"value": "v", "metadata": {"cdmi_acl": [HEX]}})
    await client.cdmi("PUT", "/cdmi/Science/c/", {"copy": "/Science/d/"})
    await client.cdmi("PUT", "/cdmi/Science/m/", {"move": "/Science/d/"})
    for folder in ("c", "m"):
        assert await acl_of(client, f"/cdmi/Science/{folder}/") == [EVERYBODY]
        assert await acl_of(client, f"/cdmi/Science/{folder}/f") == [HEX]


@pytest.mark.capability("system/cdmi_security_access_control")
@ensureDeferred
async def test_nobody_gets_through_a_container_that_does_not_let_him(client: Client) -> None:
    await client.cdmi("PUT", D, {})
    await client.cdmi("PUT", D + "f", {"value": "v"})
    await put_acl(client, D, [{**EVERYBODY, "acemask": "LIST_CONTAINER"}])
    assert (await client.cdmi("GET", D + "f", token="member")).status == 403
    assert (await client.cdmi("GET", D + "f?value", token="owner")).status == 200, "an owner of the space"
    assert (await client.cdmi("GET", D + "?children", token="member")).json == {"children": ["f"]}


@pytest.mark.parametrize(
    ("acl", "error_id"),
    [
        ([{**WORDS, "identifier": STRANGER}], "posix"),
        ([{**WORDS, "identifier": GroupId("g")}], "posix"),
        ([{**WORDS, "aceflags": "IDENTIFIER_GROUP"}], "posix"),
        ([{**WORDS, "acemask": "DELETE_OBJECT,DELETE_SUBCONTAINER"}], "posix"),
        ([{**WORDS, "acemask": "0x800"}], "posix"),
        ([{**WORDS, "acemask": "TAKE_OWNER"}], "badData"),
        ([{**WORDS, "aceflags": "0x100"}], "posix"),
        ([{**WORDS, "acetype": "0x3"}], "badData"),
        ([{**WORDS, "expiration": "soon"}], "badData"),
        ([{**WORDS, "acemask": 1}], "badData"),
        ([{**WORDS, "more": "x"}], "badData"),
        ([{}], "badData"),
        ({}, "badData"),
        ("OWNER@", "badData"),
        (None, "badData"),
        ([EVERYBODY] * 1025, "posix"),
        ([EVERYBODY] * 10_000, "posix"),
        ([[[[[[]]]]]], "badData"),
    ],
)
@ensureDeferred
async def test_a_wrong_list_is_a_bad_request_and_nothing_changes(
    client: Client, acl: Any, error_id: str
) -> None:
    await client.cdmi("PUT", F, {"value": "v", "metadata": {"cdmi_acl": [HEX], "k": "1"}})
    for path in (F + ONLY, F):
        reply = await client.cdmi("PUT", path, {"value": "new", "metadata": {"cdmi_acl": acl, "k": "2"}})
        assert (reply.status, reply.error_id) == (400, error_id)
    shown = (await client.cdmi("GET", F)).json
    assert (shown["value"], shown["metadata"]["k"], shown["metadata"]["cdmi_acl"]) == ("v", "1", [HEX])
    made = await client.cdmi("PUT", "/cdmi/Science/new", {"metadata": {"cdmi_acl": acl}})
    assert made.status == 400
    assert (await client.cdmi("GET", "/cdmi/Science/new")).status == 404


@ensureDeferred
async def test_access_control_is_among_the_capabilities(client: Client) -> None:
    root = (await client.cdmi("GET", "/cdmi/cdmi_capabilities/")).json["capabilities"]
    assert root["cdmi_security_access_control"] == root["cdmi_acl"] == "true"
