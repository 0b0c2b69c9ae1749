"""Containers, redirects and capabilities."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from op_worker.http.cdmi.containers import containers
from tests.integration.cdmi.client import Client

D = "/cdmi/Science/d/"


@ensureDeferred
async def test_root_lists_the_spaces_of_the_caller(client: Client, owner_root_id: str) -> None:
    root = (await client.cdmi("GET", "/cdmi/")).json
    assert (root["objectName"], root["parentURI"], root["objectID"]) == ("/", "", owner_root_id)
    assert "parentID" not in root
    assert (root["children"], root["childrenrange"]) == (["Other Space/", "Science/"], "0-1")
    space = (await client.cdmi("GET", "/cdmi/Science/")).json
    assert (space["objectName"], space["parentURI"], space["parentID"]) == ("Science/", "/", owner_root_id)


@ensureDeferred
async def test_space_is_found_by_name_id_and_both(client: Client) -> None:
    ids = []
    for name in ("Science", "5" * 32, "Science@" + "5" * 32):
        ids.append((await client.cdmi("GET", f"/cdmi/{name}/")).json["objectID"])
    assert len(set(ids)) == 1


@pytest.mark.capability(
    "container/cdmi_create_container",
    "container/cdmi_list_children",
    "container/cdmi_read_metadata",
    "container/cdmi_modify_metadata",
)
@ensureDeferred
async def test_container_is_created_listed_and_updated(client: Client) -> None:
    made = await client.cdmi("PUT", D, {"metadata": {"a": 1}})
    assert (made.status, made.headers["content-type"]) == (201, "application/cdmi-container")
    assert list(made.json)[-2:] == ["childrenrange", "children"]
    assert (made.json["childrenrange"], made.json["children"]) == ("", [])
    assert made.json["metadata"]["cdmi_size"] == "0"
    for name in ("b", "a", "c/"):
        assert (await client.send("PUT", D + name)).status == 201
    read = (await client.cdmi("GET", D)).json
    assert (read["childrenrange"], read["children"]) == ("0-2", ["a", "b", "c/"])
    assert (await client.cdmi("PUT", D + "?metadata:b", {"metadata": {"b": 2}})).status == 204
    shown = (await client.cdmi("GET", D + "?metadata")).json["metadata"]
    assert (shown["a"], shown["b"]) == (1, 2)
    assert (await client.cdmi("PUT", D, {})).status == 204


@pytest.mark.capability("container/cdmi_list_children_range")
@ensureDeferred
async def test_slices_of_children_are_exact_or_refused(client: Client) -> None:
    await client.cdmi("PUT", D)
    for name in "abcd":
        await client.send("PUT", D + name)
    assert (await client.cdmi("GET", D + "?children:1-2;childrenrange")).json == {
        "childrenrange": "1-2",
        "children": ["b", "c"],
    }
    assert (await client.cdmi("GET", D + "?childrenrange")).json == {"childrenrange": "0-3"}
    for wrong in ("0-4", "3-1", "x"):
        refused = await client.cdmi("GET", D + "?children:" + wrong)
        assert (refused.status, refused.json["error"]["details"]["key"]) == (400, "childrenrange")


@ensureDeferred
async def test_listing_of_more_than_a_thousand_children_needs_ranges(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "MAX_CHILDREN", 3)
    await client.cdmi("PUT", D)
    for name in "abcd":
        await client.send("PUT", D + name)
    refused = await client.cdmi("GET", D)
    assert (refused.status, refused.error_id) == (400, "badValueTooHigh")
    assert refused.json["error"]["details"]["key"] == "childrenrange"
    assert (await client.cdmi("GET", D + "?childrenrange")).json == {"childrenrange": "0-3"}
    assert (await client.cdmi("GET", D + "?children:1-3")).json == {"children": ["b", "c", "d"]}
    assert (await client.cdmi("GET", D + "?metadata")).status == 200


@pytest.mark.capability("container/cdmi_delete_container")
@ensureDeferred
async def test_delete_takes_everything_below_along(client: Client) -> None:
    await client.cdmi("PUT", D)
    await client.cdmi("PUT", D + "e/")
    await client.send("PUT", D + "e/f", b"x")
    assert (await client.send("DELETE", D)).status == 204
    for path in (D, D + "e/", D + "e/f"):
        assert (await client.cdmi("GET", path)).status == 404


@ensureDeferred
async def test_root_and_spaces_cannot_be_made_or_deleted(client: Client) -> None:
    for path in ("/cdmi/", "/cdmi/Science/"):
        deleted = await client.send("DELETE", path)
        assert (deleted.status, deleted.errno) == (403, "eperm")
        made = await client.send("PUT", path)
        assert (made.status, made.errno) == (400, "eexist")
    assert (await client.send("PUT", "/cdmi/New/")).status in (403, 404)
    assert (await client.send("PUT", "/cdmi/new.txt", b"x")).status in (403, 404)


@ensureDeferred
async def test_reserved_names_are_no_containers(client: Client) -> None:
    for path in ("/cdmi/Science/cdmi_snapshots/", D + "cdmi_x/"):
        for reply in (
            await client.send("PUT", path),
            await client.cdmi("PUT", path),
            await client.send("DELETE", path),
        ):
            assert (reply.status, reply.json["error"]["details"]["key"]) == (400, "path")


@ensureDeferred
async def test_missing_slash_redirects_with_the_query(client: Client) -> None:
    await client.cdmi("PUT", D)
    got = await client.cdmi(
        "GET", "/cdmi/Science/d?children:0-1;metadata:%40", headers={"Host": "krk.example:8443"}
    )
    assert got.status == 301
    assert got.headers["location"] == "http://krk.example:8443/cdmi/Science/d/?children:0-1;metadata:%40"
    assert got.headers["cache-control"] == "max-age=3600"
    for reply in (
        await client.send("DELETE", "/cdmi/Science/d"),
        await client.send("PUT", "/cdmi/Science/d", b"x"),
        await client.cdmi("PUT", "/cdmi/Science/d", {"value": "x"}),
        await client.send("PUT", "/cdmi/Science/d", b"x", {"Content-Range": "bytes 0-0/*"}),
    ):
        assert (reply.status, reply.headers["location"]) == (308, "http://localhost/cdmi/Science/d/")
    assert (await client.send("GET", "/cdmi/Science")).headers["location"] == "http://localhost/cdmi/Science/"


@ensureDeferred
async def test_superfluous_slash_redirects_too(client: Client) -> None:
    await client.send("PUT", "/cdmi/Science/f", b"x")
    assert (await client.cdmi("GET", "/cdmi/Science/f/")).status == 301
    for reply in (
        await client.send("DELETE", "/cdmi/Science/f/"),
        await client.send("PUT", "/cdmi/Science/f/"),
        await client.cdmi("PUT", "/cdmi/Science/f/", {}),
    ):
        assert (reply.status, reply.headers["location"]) == (308, "http://localhost/cdmi/Science/f")


@ensureDeferred
async def test_container_id_without_the_slash_redirects_to_the_path(client: Client) -> None:
    made = (await client.cdmi("PUT", "/cdmi/Other%20Space/d/")).json
    reply = await client.cdmi("GET", f"/cdmi/cdmi_objectid/{made['objectID']}")
    assert (reply.status, reply.headers["location"]) == (301, "http://localhost/cdmi/Other%20Space/d/")
    by_id = await client.cdmi("GET", f"/cdmi/cdmi_objectid/{made['objectID']}/")
    assert by_id.json["objectName"] == "d/"
    assert (await client.send("PUT", f"/cdmi/cdmi_objectid/{made['objectID']}/sub/")).status == 201


@ensureDeferred
async def test_odd_hosts_do_not_reach_the_location(client: Client) -> None:
    await client.cdmi("PUT", D)
    reply = await client.send("GET", "/cdmi/Science/d", headers={"Host": "evil.example/?"})
    assert reply.headers["location"] == "/cdmi/Science/d/"


@ensureDeferred
@pytest.mark.parametrize("object_id", ["xyz", "00", "AB" * 20, "0" * 16, "%00"])
async def test_object_ids_that_are_none_are_refused(client: Client, object_id: str) -> None:
    reply = await client.cdmi("GET", f"/cdmi/cdmi_objectid/{object_id}")
    assert (reply.status, reply.error_id) in ((400, "badValueIdentifier"), (400, "badData"))


@ensureDeferred
async def test_media_type_and_slash_must_agree(client: Client) -> None:
    for path, kind in ((D, "object"), ("/cdmi/Science/d", "container")):
        reply = await client.cdmi("PUT", path, {}, {"Content-Type": f"application/cdmi-{kind}"})
        assert (reply.status, reply.error_id, reply.json["error"]["details"]) == (
            400,
            "badValueIdentifier",
            {"key": "path"},
        )


@ensureDeferred
async def test_container_is_negotiated_as_a_container_only(client: Client) -> None:
    assert (
        await client.cdmi("GET", "/cdmi/Science/", headers={"Accept": "application/cdmi-object"})
    ).status == 406
    accepted = await client.cdmi(
        "GET", "/cdmi/Science/", headers={"Accept": "application/cdmi-container+json"}
    )
    assert accepted.status == 200


@ensureDeferred
async def test_member_of_the_space_sees_what_the_owner_made(client: Client) -> None:
    await client.cdmi("PUT", D, {"metadata": {"a": 1}})
    reply = await client.cdmi("GET", D, token="member")
    assert (reply.status, reply.json["metadata"]["a"]) == (200, 1)


@ensureDeferred
async def test_version_is_negotiated_on_every_answer(client: Client) -> None:
    headers = {"X-CDMI-Specification-Version": "1.1, 1.0.2"}
    reply = await client.send("GET", "/cdmi/Science/", headers=headers)
    assert (reply.status, reply.headers["x-cdmi-specification-version"]) == (200, "1.1")
    bad = await client.send("GET", "/cdmi/Science/", headers={"X-CDMI-Specification-Version": "1.2"})
    assert (bad.status, bad.error_id) == (400, "badVersion")
