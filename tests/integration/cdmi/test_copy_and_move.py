"""Copies and moves of data objects and containers."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from op_worker.files.metadata.metadata import Metadata
from tests.integration.cdmi.client import Client

SOURCE = {"value": "text", "mimetype": "text/x-a", "metadata": {"a": 1}}


async def user_items(client: Client, path: str) -> dict[str, object]:
    shown = (await client.cdmi("GET", path + "?metadata")).json["metadata"]
    return {name: value for name, value in shown.items() if not name.startswith("cdmi_")}


@pytest.mark.capability("system/cdmi_object_copy_from_local", "container/cdmi_copy_dataobject")
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


@pytest.mark.capability("system/cdmi_object_move_from_local", "container/cdmi_move_dataobject")
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


@pytest.mark.capability("container/cdmi_copy_container", "container/cdmi_move_container")
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
async def test_a_copy_onto_a_container_replaces_all_of_it(client: Client) -> None:
    await client.cdmi("PUT", "/cdmi/Science/d/", {"metadata": {"a": 1}})
    await client.cdmi("PUT", "/cdmi/Science/d/f", SOURCE)
    old = (await client.cdmi("PUT", "/cdmi/Science/e/", {"metadata": {"b": 2}})).json
    await client.send("PUT", "/cdmi/Science/e/g", b"x")
    tag = (await client.cdmi("GET", "/cdmi/Science/e/")).headers["etag"]
    stale = await client.cdmi("PUT", "/cdmi/Science/e/", {"copy": "/Science/d/"}, {"If-Match": '"x"'})
    assert stale.status == 412
    assert (
        await client.cdmi("PUT", "/cdmi/Science/e/", {"copy": "/Science/d/"}, {"If-Match": tag})
    ).status == 204
    shown = (await client.cdmi("GET", "/cdmi/Science/e/")).json
    assert (shown["children"], shown["objectID"] != old["objectID"]) == (["f"], True)
    assert await user_items(client, "/cdmi/Science/e/") == {"a": 1}
    assert (await client.cdmi("GET", "/cdmi/Science/e/f")).json["mimetype"] == "text/x-a"
    assert (await client.cdmi("GET", f"/cdmi/cdmi_objectid/{old['objectID']}/")).status == 404
    body = {"copy": "/Science/d/", "metadata": {"c": 3}}
    assert (await client.cdmi("PUT", "/cdmi/Science/e/", body)).status == 204
    assert await user_items(client, "/cdmi/Science/e/") == {"c": 3}


@ensureDeferred
async def test_container_in_the_way_of_a_move_is_kept(client: Client) -> None:
    for name in "de":
        await client.cdmi("PUT", f"/cdmi/Science/{name}/")
    await client.send("PUT", "/cdmi/Science/e/f", b"x")
    reply = await client.cdmi("PUT", "/cdmi/Science/e/", {"move": "/Science/d"})
    assert (reply.status, reply.errno) == (400, "eexist")
    await client.cdmi("PUT", "/cdmi/Science/a", SOURCE)
    reply = await client.cdmi("PUT", "/cdmi/Science/e/", {"copy": "/Science/a"})
    assert (reply.status, reply.errno) == (400, "eexist")
    assert (await client.cdmi("PUT", "/cdmi/Science/e/", {"copy": "/Science/e/"})).errno == "einval"
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


@ensureDeferred
async def test_a_copy_of_some_fields_of_the_source_makes_an_object_of_just_these(client: Client) -> None:
    metadata = {"colour": "red", "count": 1, "other": 2}
    await client.cdmi("PUT", "/cdmi/Science/a", {**SOURCE, "metadata": metadata})
    wanted = {
        "?value": ("text", "text/plain", {}),
        "?value:1-2": ("ex", "text/plain", {}),
        "?value:3-9": ("t", "text/plain", {}),
        "?mimetype;metadata:co": ("", "text/x-a", {"colour": "red", "count": 1}),
        "?metadata": ("", "text/plain", metadata),
        "?none": ("", "text/plain", {}),
    }
    for number, (query, shown) in enumerate(wanted.items()):
        made = await client.cdmi("PUT", f"/cdmi/Science/b{number}", {"copy": "/Science/a" + query})
        assert made.status == 201, query
        read = (await client.cdmi("GET", f"/cdmi/Science/b{number}")).json
        assert (read["value"], read["mimetype"]) == shown[:2], query
        assert await user_items(client, f"/cdmi/Science/b{number}") == shown[2], query


@ensureDeferred
async def test_a_copy_into_some_fields_changes_just_these(client: Client) -> None:
    source = {"value": "source", "mimetype": "text/x-a", "metadata": {"colour": "red", "count": 1}}
    await client.cdmi("PUT", "/cdmi/Science/a", source)

    async def copied(query: str, *, to: str = "") -> tuple[str, str, dict[str, object]]:
        old = {"value": "target", "mimetype": "text/x-b", "metadata": {"colour": "blue", "size": 5}}
        await client.cdmi("PUT", "/cdmi/Science/b", old)
        reply = await client.cdmi("PUT", "/cdmi/Science/b" + to, {"copy": "/Science/a" + query})
        assert reply.status == 204
        body = (await client.send("GET", "/cdmi/Science/b")).body.decode()
        mimetype = (await client.cdmi("GET", "/cdmi/Science/b?mimetype")).json["mimetype"]
        return body, mimetype, await user_items(client, "/cdmi/Science/b")

    old_items = {"colour": "blue", "size": 5}
    assert await copied("?value") == ("source", "text/x-b", old_items)
    assert await copied("", to="?value") == ("source", "text/x-b", old_items)
    assert await copied("?value:0-1") == ("so", "text/x-b", old_items)
    assert await copied("", to="?value:2-3") == ("tauret", "text/x-b", old_items)
    assert await copied("", to="?metadata:colour") == ("target", "text/x-b", {"colour": "red", "size": 5})
    assert await copied("?metadata") == ("target", "text/x-b", {"colour": "red", "count": 1})
    assert await copied("?mimetype") == ("target", "text/x-a", old_items)


@ensureDeferred
async def test_fields_on_both_sides_or_of_a_move_are_refused(client: Client) -> None:
    await client.cdmi("PUT", "/cdmi/Science/a", SOURCE)
    both = await client.cdmi("PUT", "/cdmi/Science/b?value", {"copy": "/Science/a?value"})
    assert (both.status, both.json["error"]["details"]["key"]) == (400, "copy")
    moved = await client.cdmi("PUT", "/cdmi/Science/b", {"move": "/Science/a?value"})
    assert (moved.status, moved.json["error"]["details"]["key"]) == (400, "move")
    assert (await client.cdmi("PUT", "/cdmi/Science/b", {"copy": "/Science/a?value:3-1"})).status == 400
    assert (await client.cdmi("GET", "/cdmi/Science/b")).status == 404
    assert (await client.cdmi("GET", "/cdmi/Science/a")).status == 200


@ensureDeferred
async def test_a_name_with_a_question_mark_is_found_before_a_query(client: Client) -> None:
    await client.send("PUT", "/cdmi/Science/a%3Fvalue", b"odd name")
    await client.cdmi("PUT", "/cdmi/Science/a", SOURCE)
    await client.cdmi("PUT", "/cdmi/Science/b", {"copy": "/Science/a?value"})
    assert (await client.send("GET", "/cdmi/Science/b")).body == b"odd name"
    url = "http://localhost/cdmi/Science/a?value"
    assert (await client.cdmi("PUT", "/cdmi/Science/c", {"copy": url})).status == 201
    read = (await client.cdmi("GET", "/cdmi/Science/c")).json
    assert (read["value"], read["mimetype"]) == ("text", "text/plain")


@ensureDeferred
async def test_metadata_of_a_container_are_copied_alone(client: Client) -> None:
    await client.cdmi("PUT", "/cdmi/Science/d/", {"metadata": {"a": 1, "b": 2}})
    await client.send("PUT", "/cdmi/Science/d/f", b"x")
    assert (await client.cdmi("PUT", "/cdmi/Science/e/", {"copy": "/Science/d/?metadata:a"})).status == 201
    assert await user_items(client, "/cdmi/Science/e/") == {"a": 1}
    assert (await client.cdmi("PUT", "/cdmi/Science/e/?metadata", {"copy": "/Science/d/"})).status == 204
    assert await user_items(client, "/cdmi/Science/e/") == {"a": 1, "b": 2}
    assert (await client.cdmi("GET", "/cdmi/Science/e/?children")).json == {"children": []}
    refused = await client.cdmi("PUT", "/cdmi/Science/g/", {"copy": "/Science/d/?children"})
    assert refused.error_id == "notSupported"


@ensureDeferred
async def test_what_may_not_be_copied_or_moved_makes_a_bad_request(client: Client) -> None:
    await client.cdmi("PUT", "/cdmi/Science/a", SOURCE)
    denied = {"acetype": "DENY", "identifier": "EVERYONE@", "aceflags": "NO_FLAGS", "acemask": "0x10001"}
    await client.cdmi("PUT", "/cdmi/Science/a?metadata:cdmi_acl", {"metadata": {"cdmi_acl": [denied]}})
    for member in ("copy", "move"):
        reply = await client.cdmi("PUT", "/cdmi/Science/b", {member: "/Science/a"}, token="member")
        assert (reply.status, reply.errno) == (400, "eacces")
    assert (await client.cdmi("GET", "/cdmi/Science/b")).status == 404


@ensureDeferred
async def test_a_move_and_its_metadata_happen_together(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*arguments: object) -> None:
        raise AssertionError("metadata are changed apart")

    source = (await client.cdmi("PUT", "/cdmi/Science/a", SOURCE)).json
    monkeypatch.setattr(Metadata, "change", never)
    body = {"move": "/Science/a", "metadata": {"b": 2, "onedata_json": {"x": 1}}, "mimetype": "text/x-b"}
    reply = await client.cdmi("PUT", "/cdmi/Science/b", body)
    assert (reply.status, reply.json["objectID"], reply.json["mimetype"]) == (
        201,
        source["objectID"],
        "text/x-b",
    )
    assert await user_items(client, "/cdmi/Science/b") == {"b": 2, "onedata_json": {"x": 1}}
    copied = await client.cdmi("PUT", "/cdmi/Science/c", {"copy": "/Science/b", "metadata": {"c": 3}})
    assert copied.status == 201
    assert await user_items(client, "/cdmi/Science/c") == {"c": 3}
