"""Reading what one may: the rest is left out, and only nothing at all is forbidden."""

from __future__ import annotations

from typing import Any

from pytest_twisted import ensureDeferred

from tests.integration.cdmi.client import Client

F, D = "/cdmi/Science/f", "/cdmi/Science/d/"
OWNER_MAY = {"acetype": "ALLOW", "identifier": "OWNER@", "aceflags": "NO_FLAGS", "acemask": "0x7019B"}


async def allow(client: Client, path: str, mask: str) -> None:
    """Let everybody but the owner do just this."""
    entry = {"acetype": "ALLOW", "identifier": "EVERYONE@", "aceflags": "NO_FLAGS", "acemask": mask}
    acl = [OWNER_MAY, entry]
    reply = await client.cdmi("PUT", path + "?metadata:cdmi_acl", {"metadata": {"cdmi_acl": acl}})
    assert reply.status == 204


async def read(client: Client, path: str) -> tuple[int, dict[str, Any]]:
    reply = await client.cdmi("GET", path, token="member")
    return reply.status, reply.json


async def put_object(client: Client, mask: str) -> None:
    body = {"value": "text", "mimetype": "text/x-a", "metadata": {"a": 1}}
    await client.cdmi("PUT", F, body)
    await allow(client, F, mask)


@ensureDeferred
async def test_without_read_object_everything_but_the_value_is_shown(client: Client) -> None:
    await put_object(client, "READ_METADATA, READ_ATTRIBUTES")
    status, shown = await read(client, F)
    assert (status, shown["metadata"]["a"], shown["mimetype"]) == (200, 1, "text/x-a")
    assert not {"value", "valuerange"} & set(shown)
    assert await read(client, F + "?value;mimetype") == (200, {"mimetype": "text/x-a"})
    for query in ("?value", "?value:0-1", "?value;valuerange"):
        assert (await read(client, F + query))[0] == 403
    assert (await client.send("GET", F, token="member")).status == 403


@ensureDeferred
async def test_without_read_metadata_the_value_is_shown_with_its_type(client: Client) -> None:
    await put_object(client, "READ_OBJECT, READ_ATTRIBUTES")
    status, shown = await read(client, F)
    assert (status, shown["value"], shown["mimetype"], "metadata" in shown) == (
        200,
        "text",
        "text/x-a",
        False,
    )
    assert await read(client, F + "?value;metadata:a") == (200, {"value": "text"})
    refused = await client.cdmi("GET", F + "?metadata", headers={"Prefer": "reason"}, token="member")
    assert (refused.status, "read_metadata" in refused.json["error"]["details"]["reason"]) == (403, True)
    plain = await client.send("GET", F, token="member")
    assert (plain.status, plain.body, plain.headers["content-type"]) == (200, b"text", "text/x-a")


@ensureDeferred
async def test_nothing_of_what_is_asked_for_is_forbidden(client: Client) -> None:
    await put_object(client, "READ_ATTRIBUTES")
    assert (await read(client, F + "?value;metadata"))[0] == 403
    assert await read(client, F + "?none") == (200, {})
    status, shown = await read(client, F)
    assert (status, shown["objectName"]) == (200, "f")


@ensureDeferred
async def test_the_list_alone_needs_no_right_to_metadata(client: Client) -> None:
    await put_object(client, "READ_ACL, WRITE_ACL")
    status, shown = await read(client, F + "?metadata")
    assert (status, list(shown["metadata"])) == (200, ["cdmi_acl"])
    assert list((await read(client, F + "?metadata:cdmi_acl"))[1]["metadata"]) == ["cdmi_acl"]
    acl = {"metadata": {"cdmi_acl": shown["metadata"]["cdmi_acl"]}}
    assert (await client.cdmi("PUT", F + "?metadata:cdmi_acl", acl, token="member")).status == 204
    both = {"metadata": {**acl["metadata"], "b": 2}}
    refused = await client.cdmi("PUT", F + "?metadata:cdmi_acl;metadata:b", both, token="member")
    assert refused.status == 403
    assert "b" not in (await client.cdmi("GET", F)).json["metadata"]


@ensureDeferred
async def test_a_write_is_all_or_nothing(client: Client) -> None:
    await put_object(client, "READ_OBJECT, WRITE_OBJECT")
    refused = await client.cdmi("PUT", F, {"value": "new", "metadata": {"b": 2}}, token="member")
    assert refused.status == 403
    shown = (await client.cdmi("GET", F)).json
    assert (shown["value"], shown["metadata"]["a"]) == ("text", 1)


@ensureDeferred
async def test_who_may_write_metadata_need_not_read_them(client: Client) -> None:
    await put_object(client, "WRITE_METADATA")
    for body in ({"metadata": {"b": 2}}, {"mimetype": "text/x-b"}):
        assert (await client.cdmi("PUT", F + "?metadata:b", body, token="member")).status == 204
    assert (await client.cdmi("GET", F)).json["mimetype"] == "text/x-b"


@ensureDeferred
async def test_children_that_may_not_be_listed_are_left_out(client: Client) -> None:
    await client.cdmi("PUT", D, {"metadata": {"a": 1}})
    await client.send("PUT", D + "f", b"x")
    await allow(client, D, "READ_METADATA, TRAVERSE_CONTAINER")
    status, shown = await read(client, D)
    assert (status, shown["metadata"]["a"], "children" in shown, "childrenrange" in shown) == (
        200,
        1,
        False,
        False,
    )
    assert (await read(client, D + "?children"))[0] == 403
    await allow(client, D, "LIST_CONTAINER, TRAVERSE_CONTAINER")
    status, shown = await read(client, D)
    assert (status, shown["children"], "metadata" in shown) == (200, ["f"], False)
    assert await read(client, D + "?metadata;childrenrange") == (200, {"childrenrange": "0-0"})
