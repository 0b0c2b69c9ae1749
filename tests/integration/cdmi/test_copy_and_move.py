"""Copies and moves of data objects and containers."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from tests.integration.cdmi.client import Client

SOURCE = {"value": "text", "mimetype": "text/x-a", "metadata": {"a": 1}}


async def user_items(client: Client, path: str) -> dict[str, object]:
    shown = (await client.cdmi("GET", path + "?metadata")).json["metadata"]
    return {name: value for name, value in shown.items() if not name.startswith("cdmi_")}


@ensureDeferred
async def test_copy_takes_value_mimetype_encoding_and_metadata(client: Client) -> None:
    source = (await client.cdmi("PUT", "/cdmi/Science/a", SOURCE)).json
    reply = await client.cdmi("PUT", "/cdmi/Science/b", {"copy": "/Science/a"})
    assert (reply.status, reply.json["objectName"]) == (201, "b")
    assert reply.json["objectID"] != source["objectID"]
    read = (await client.cdmi("GET", "/cdmi/Science/b")).json
    assert (read["value"], read["mimetype"], read["valuetransferencoding"]) == ("text", "text/x-a", "utf-8")
    assert read["metadata"]["a"] == 1
    assert (await client.cdmi("GET", "/cdmi/Science/a")).status == 200


@ensureDeferred
async def test_members_beside_copy_apply_to_the_result(client: Client) -> None:
    await client.cdmi("PUT", "/cdmi/Science/a", SOURCE)
    body = {"copy": "Science/a", "metadata": {"b": 2}, "mimetype": "text/x-b"}
    reply = await client.cdmi("PUT", "/cdmi/Science/b", body)
    assert (reply.status, reply.json["mimetype"]) == (201, "text/x-b")
    assert await user_items(client, "/cdmi/Science/b") == {"b": 2}
    assert await user_items(client, "/cdmi/Science/a") == {"a": 1}


@ensureDeferred
async def test_copy_onto_an_object_replaces_it_under_its_id(client: Client) -> None:
    await client.cdmi("PUT", "/cdmi/Science/a", SOURCE)
    target = (await client.cdmi("PUT", "/cdmi/Science/b", {"value": "old"})).json
    assert (await client.cdmi("PUT", "/cdmi/Science/b", {"copy": "/Science/a"})).status == 204
    read = (await client.cdmi("GET", "/cdmi/Science/b")).json
    assert (read["value"], read["objectID"], read["metadata"]["a"]) == ("text", target["objectID"], 1)


@ensureDeferred
async def test_move_keeps_the_id_and_everything_else(client: Client) -> None:
    source = (await client.cdmi("PUT", "/cdmi/Science/a", SOURCE)).json
    reply = await client.cdmi("PUT", "/cdmi/Science/b", {"move": "/Science/a", "metadata": {"b": 2}})
    assert (reply.status, reply.json["objectID"]) == (201, source["objectID"])
    assert (await client.cdmi("GET", "/cdmi/Science/a")).status == 404
    read = (await client.cdmi("GET", "/cdmi/Science/b")).json
    assert (read["value"], read["mimetype"]) == ("text", "text/x-a")
    assert await user_items(client, "/cdmi/Science/b") == {"b": 2}


@ensureDeferred
async def test_move_onto_an_object_replaces_it(client: Client) -> None:
    await client.cdmi("PUT", "/cdmi/Science/a", SOURCE)
    await client.cdmi("PUT", "/cdmi/Science/b", {"value": "old"})
    assert (await client.cdmi("PUT", "/cdmi/Science/b", {"move": "/Science/a"})).status == 200
    assert (await client.send("GET", "/cdmi/Science/b")).body == b"text"
    assert (await client.send("GET", "/cdmi/Science/a")).status == 404


@ensureDeferred
async def test_directory_moves_through_the_object_form(client: Client) -> None:
    directory = (await client.cdmi("PUT", "/cdmi/Science/d/", {"metadata": {"a": 1}})).json
    await client.send("PUT", "/cdmi/Science/d/f", b"x")
    space = "Science@" + "5" * 32
    reply = await client.cdmi("PUT", f"/cdmi/{space}/e", {"move": f"{space}/d"})
    assert (reply.status, reply.json["objectID"]) == (201, directory["objectID"])
    assert reply.json["objectType"] == "application/cdmi-container"
    assert (await client.send("GET", "/cdmi/Science/e/f")).body == b"x"
    assert (await client.cdmi("GET", "/cdmi/Science/d/")).status == 404


@ensureDeferred
async def test_container_is_copied_and_moved_with_all_below(client: Client) -> None:
    await client.cdmi("PUT", "/cdmi/Science/d/", {"metadata": {"a": 1}})
    await client.cdmi("PUT", "/cdmi/Science/d/e/")
    await client.cdmi("PUT", "/cdmi/Science/d/e/f", SOURCE)
    copied = await client.cdmi("PUT", "/cdmi/Science/c/", {"copy": "/Science/d/"})
    assert (copied.status, "children" in copied.json) == (201, False)
    assert (await client.cdmi("GET", "/cdmi/Science/c/e/f")).json["mimetype"] == "text/x-a"
    assert await user_items(client, "/cdmi/Science/c/") == {"a": 1}
    moved = await client.cdmi("PUT", "/cdmi/Science/m/", {"move": "/Science/d"})
    assert moved.status == 201
    assert (await client.send("GET", "/cdmi/Science/m/e/f")).body == b"text"
    assert (await client.cdmi("GET", "/cdmi/Science/d/")).status == 404


@ensureDeferred
async def test_between_spaces_objects_are_copied_and_moved(client: Client) -> None:
    await client.cdmi("PUT", "/cdmi/Science/a", SOURCE)
    assert (await client.cdmi("PUT", "/cdmi/Other%20Space/b", {"copy": "/Science/a"})).status == 201
    assert (await client.cdmi("PUT", "/cdmi/Other%20Space/c", {"move": "/Science/a"})).status == 201
    for name in "bc":
        assert (await client.send("GET", "/cdmi/Other%20Space/" + name)).body == b"text"
    assert (await client.send("GET", "/cdmi/Science/a")).status == 404


@ensureDeferred
async def test_every_form_of_the_source_uri_is_understood(client: Client) -> None:
    made = (await client.cdmi("PUT", "/cdmi/Science/a%25 b".replace(" ", "%20"), SOURCE)).json
    parent = made["parentID"]
    forms = [
        "/Science/a% b",
        "Science/a% b",
        "/Science/a%25%20b",
        "/cdmi/Science/a%25%20b",
        "http://localhost/cdmi/Science/a%25%20b",
        f"/cdmi_objectid/{made['objectID']}",
        f"/cdmi/cdmi_objectid/{parent}/a%25%20b",
        f"cdmi_objectid/{parent}/a% b",
    ]
    for number, uri in enumerate(forms):
        reply = await client.cdmi("PUT", f"/cdmi/Science/copy{number}", {"copy": uri})
        assert reply.status == 201, uri


@ensureDeferred
@pytest.mark.parametrize("member", ["copy", "move"])
async def test_missing_source_is_a_bad_request_and_makes_nothing(client: Client, member: str) -> None:
    for uri in ("/Science/none", "/Nowhere/x", "/Science/none/x", "/cdmi_domains/x", "cdmi_capabilities/"):
        for path in ("/cdmi/Science/b", "/cdmi/Science/b/"):
            reply = await client.cdmi("PUT", path, {member: uri})
            assert (reply.status, reply.errno) == (400, "enoent")
    assert (await client.cdmi("GET", "/cdmi/Science/?children")).json == {"children": []}


@ensureDeferred
async def test_sources_that_cannot_be_are_refused(client: Client) -> None:
    remote = await client.cdmi("PUT", "/cdmi/Science/b", {"copy": "https://elsewhere.example/cdmi/Science/a"})
    assert (remote.status, remote.error_id) == (400, "notSupported")
    for uri in ("", "/", "/Science/../a", "/cdmi_objectid/zz"):
        assert (await client.cdmi("PUT", "/cdmi/Science/b", {"copy": uri})).status == 400


@ensureDeferred
async def test_container_is_not_moved_into_itself(client: Client) -> None:
    await client.cdmi("PUT", "/cdmi/Science/d/")
    for path in ("/cdmi/Science/d/e/", "/cdmi/Science/d/e"):
        reply = await client.cdmi("PUT", path, {"move": "/Science/d"})
        assert (reply.status, reply.errno) == (400, "einval")
    assert (await client.cdmi("GET", "/cdmi/Science/d/")).status == 200


@ensureDeferred
async def test_container_in_the_way_is_kept(client: Client) -> None:
    for name in "de":
        await client.cdmi("PUT", f"/cdmi/Science/{name}/")
    await client.send("PUT", "/cdmi/Science/e/f", b"x")
    for member in ("copy", "move"):
        reply = await client.cdmi("PUT", "/cdmi/Science/e/", {member: "/Science/d"})
        assert (reply.status, reply.errno) == (400, "eexist")
    assert (await client.send("GET", "/cdmi/Science/e/f")).body == b"x"


@ensureDeferred
async def test_source_and_target_kinds_must_agree_for_containers(client: Client) -> None:
    await client.cdmi("PUT", "/cdmi/Science/a", SOURCE)
    reply = await client.cdmi("PUT", "/cdmi/Science/b/", {"copy": "/Science/a"})
    assert (reply.status, reply.error_id) == (400, "badData")
    await client.cdmi("PUT", "/cdmi/Science/d/")
    reserved = await client.cdmi("PUT", "/cdmi/Science/cdmi_d", {"move": "/Science/d"})
    assert (reserved.status, reserved.error_id) == (400, "badData")


@ensureDeferred
async def test_missing_parent_of_the_target_leaves_the_source(client: Client) -> None:
    await client.cdmi("PUT", "/cdmi/Science/a", SOURCE)
    for member in ("copy", "move"):
        assert (await client.cdmi("PUT", "/cdmi/Science/no/b", {member: "/Science/a"})).status == 404
    assert (await client.cdmi("GET", "/cdmi/Science/a")).status == 200
