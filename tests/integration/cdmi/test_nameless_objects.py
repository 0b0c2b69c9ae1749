"""Objects that have an ID and no name."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from tests.integration.cdmi.callers import OTHER, SPACE
from tests.integration.cdmi.client import Client

IDS = "/cdmi/cdmi_objectid/"
ABSENT = {"objectName", "parentURI", "parentID"}


async def make(client: Client, value: str = "some text") -> str:
    """Make an object without a name; return its ID."""
    reply = await client.cdmi("POST", IDS, {"value": value, "metadata": {"a": 1}})
    shown = reply.json
    assert (reply.status, ABSENT & set(shown)) == (201, set())
    assert reply.headers["location"] == f"http://localhost{IDS}{shown['objectID']}"
    found: str = shown["objectID"]
    return found


@pytest.mark.capability("system/cdmi_post_dataobject_by_ID", "system/cdmi_object_access_by_ID")
@ensureDeferred
async def test_everything_works_by_the_id_alone(client: Client) -> None:
    path = IDS + await make(client)
    read = (await client.cdmi("GET", path)).json
    assert (read["value"], read["metadata"]["a"], ABSENT & set(read)) == ("some text", 1, set())
    assert (await client.cdmi("PUT", path + "?value:0-3", {"value": "U09NRQ=="})).status == 204
    assert (await client.cdmi("PUT", path + "?metadata:b", {"metadata": {"b": 2}})).status == 204
    assert (await client.send("GET", path, headers={"Range": "bytes=0-3"})).body == b"SOME"
    assert (await client.send("PUT", path, b"other")).status == 204
    shown = (await client.cdmi("GET", path + "?metadata;value;objectName")).json
    assert (shown["metadata"]["a"], shown["metadata"]["b"], shown["value"]) == (1, 2, "b3RoZXI=")
    slashed = await client.cdmi("GET", path + "/")
    assert (slashed.status, slashed.headers["location"]) == (301, "http://localhost" + path)
    assert (await client.cdmi("DELETE", path)).status == 204
    assert (await client.cdmi("GET", path)).status == 404


@pytest.mark.capability("system/cdmi_object_move_from_ID", "system/cdmi_object_move_to_ID")
@ensureDeferred
async def test_a_name_is_given_and_taken_and_the_id_stays(client: Client) -> None:
    object_id = await make(client)
    named = await client.cdmi("PUT", "/cdmi/Other%20Space/n", {"move": f"/cdmi_objectid/{object_id}"})
    assert (named.status, named.json["objectID"], named.json["objectName"]) == (201, object_id, "n")
    assert (await client.send("GET", "/cdmi/Other%20Space/n")).body == b"some text"
    taken = await client.cdmi("POST", IDS, {"move": "/Other Space/n"})
    assert (taken.status, taken.json["objectID"], ABSENT & set(taken.json)) == (201, object_id, set())
    assert taken.headers["location"] == f"http://localhost{IDS}{object_id}"
    assert (await client.cdmi("GET", "/cdmi/Other%20Space/n")).status == 404
    assert (await client.send("GET", IDS + object_id)).body == b"some text"
    again = await client.cdmi("POST", IDS, {"move": f"/cdmi_objectid/{object_id}"})
    assert (again.status, again.json["objectID"]) == (201, object_id)


@pytest.mark.capability("system/cdmi_copy_dataobject_by_ID", "system/cdmi_create_value_range_by_ID")
@ensureDeferred
async def test_copies_ranges_and_bare_values_are_made_without_a_name(client: Client) -> None:
    source = await make(client)
    copied = await client.cdmi("POST", IDS, {"copy": f"/cdmi_objectid/{source}"})
    assert (copied.status, ABSENT & set(copied.json)) == (201, set())
    assert copied.json["objectID"] != source
    part = await client.cdmi("POST", IDS + "?value:2-3", {"value": "eHg="})
    assert (await client.send("GET", IDS + part.json["objectID"])).body == b"\0\0xx"
    bare = await client.send("POST", IDS, b"bytes", {"Content-Type": "text/x-a"})
    assert bare.status == 201
    read = await client.send("GET", bare.headers["location"].removeprefix("http://localhost"))
    assert (read.body, read.headers["content-type"]) == (b"bytes", "text/x-a")


@pytest.mark.capability("system/cdmi_create_reference_by_ID")
@ensureDeferred
async def test_a_reference_without_a_name(client: Client) -> None:
    made = await client.cdmi("POST", IDS, {"reference": "https://elsewhere.example/x"})
    assert (made.status, made.body) == (201, b"")
    path = made.headers["location"].removeprefix("http://localhost")
    found = await client.cdmi("GET", path)
    assert (found.status, found.headers["location"]) == (302, "https://elsewhere.example/x")
    assert (await client.cdmi("DELETE", path)).status == 204
    assert (await client.cdmi("GET", path)).status == 404


@ensureDeferred
async def test_they_are_listed_nowhere_and_found_by_no_path(client: Client) -> None:
    object_id = await make(client)
    assert (await client.cdmi("GET", "/cdmi/Science/?children;childrenrange")).json == {
        "childrenrange": "",
        "children": [],
    }
    other = (await client.cdmi("GET", "/cdmi/Other%20Space/?children")).json
    assert other == {"children": []}
    for space in ("Science", "Other%20Space"):
        for path in (
            f"/cdmi/{space}/.__onedata__nameless/",
            f"/cdmi/{space}/.__onedata__nameless/{object_id}",
        ):
            assert (await client.cdmi("GET", path)).status == 404
        assert (await client.send("PUT", f"/cdmi/{space}/.__onedata__nameless/x", b"x")).status == 404
        assert (await client.send("PUT", f"/cdmi/{space}/.__onedata__nameless/")).status == 403


@ensureDeferred
async def test_who_may_write_nowhere_makes_none(client: Client) -> None:
    for token in ("reader", "stranger"):
        refused = await client.cdmi("POST", IDS, {"value": "x"}, token=token)
        assert refused.status == 403, token
    for method in ("GET", "PUT", "DELETE"):
        assert (await client.send(method, IDS)).status == 405
    assert (await client.send("OPTIONS", IDS)).headers["allow"] == "POST, OPTIONS"


@ensureDeferred
async def test_the_domain_says_which_space_it_lies_in(client: Client) -> None:
    here = {"domainURI": f"/cdmi_domains/{SPACE}/", "value": "x"}
    made = await client.cdmi("POST", IDS, here)
    assert (made.status, made.json["domainURI"]) == (201, here["domainURI"])
    object_id = made.json["objectID"]
    named = await client.cdmi("PUT", "/cdmi/Science/n", {"move": f"/cdmi_objectid/{object_id}"})
    assert (named.status, named.json["objectID"]) == (201, object_id)
    without = await client.cdmi("POST", IDS, {"value": "x"})
    assert without.json["domainURI"] == f"/cdmi_domains/{OTHER}/"  # "Other Space" is the first by name
