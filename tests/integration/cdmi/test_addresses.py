"""What addresses mean: names of the standard, object ids, encoded slashes; and which methods there are."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from tests.integration.cdmi.client import Client

FIXED = ("cdmi_objectid", "cdmi_domains", "cdmi_capabilities", "cdmi_snapshots", "cdmi_versions")


@ensureDeferred
@pytest.mark.parametrize("name", FIXED)
async def test_nothing_gets_a_fixed_name_of_the_standard(client: Client, name: str) -> None:
    await client.cdmi("PUT", "/cdmi/Science/d/")
    for path in (f"/cdmi/Science/{name}", f"/cdmi/Science/d/{name}", f"/cdmi/Science/{name}/"):
        for reply in (await client.cdmi("PUT", path, {}), await client.send("PUT", path, b"x")):
            assert (reply.status, reply.error_id) == (400, "badData")
        assert (await client.cdmi("PUT", path, {"reference": "http://x/"})).status == 400
    assert (await client.cdmi("GET", "/cdmi/Science/?children")).json == {"children": ["d/"]}


@ensureDeferred
async def test_containers_of_the_standards_prefix_are_neither_made_nor_deleted(client: Client) -> None:
    for path in ("/cdmi/Science/cdmi_x/", "/cdmi/Science/d/cdmi_x/"):
        await client.cdmi("PUT", "/cdmi/Science/d/")
        for method in ("PUT", "DELETE"):
            assert (await client.cdmi(method, path)).error_id == "badData"
    assert (await client.cdmi("PUT", "/cdmi/Science/cdmi_x", {"value": "an object may"})).status == 201


@ensureDeferred
async def test_an_encoded_slash_is_no_part_of_a_name(client: Client) -> None:
    for path in ("/cdmi/Science/a%2Fb", "/cdmi/Science%2fa", "/cdmi/Science/%2F"):
        for method in ("GET", "PUT", "POST", "DELETE"):
            assert (await client.cdmi(method, path)).error_id == "badData"


@ensureDeferred
async def test_ids_are_checked_before_they_are_looked_up(client: Client) -> None:
    good = (await client.cdmi("PUT", "/cdmi/Science/f", {"value": "x"})).json["objectID"]
    assert (await client.cdmi("GET", f"/cdmi/cdmi_objectid/{good.lower()}")).status == 200
    damaged = good[:12] + f"{int(good[12:16], 16) ^ 1:04X}" + good[16:]
    wrong_length = good[:10] + "00" + good[12:]
    for object_id in (damaged, wrong_length, good[:-2], good + "00", "zz", "00"):
        reply = await client.cdmi("GET", f"/cdmi/cdmi_objectid/{object_id}")
        assert (reply.status, reply.error_id) == (400, "badValueIdentifier"), object_id
    await client.cdmi("DELETE", "/cdmi/Science/f")
    gone = await client.cdmi("GET", f"/cdmi/cdmi_objectid/{good}")
    assert (gone.status, gone.errno) == (404, "enoent")


@ensureDeferred
async def test_the_root_container_is_nobodys_child(client: Client) -> None:
    shown = (await client.cdmi("GET", "/cdmi/")).json
    assert (shown["objectName"], shown["parentURI"], "parentID" in shown) == ("/", "", False)
    assert (await client.cdmi("GET", f"/cdmi/cdmi_objectid/{shown['objectID']}/")).json["objectName"] == "/"
    for method, status in (("DELETE", 403), ("POST", 403)):
        assert (await client.cdmi(method, "/cdmi/")).status == status


@ensureDeferred
async def test_what_is_not_allowed_says_what_is(client: Client) -> None:
    await client.send("PUT", "/cdmi/Science/f", b"x")
    containers, objects = "GET, HEAD, PUT, DELETE, POST, OPTIONS", "GET, HEAD, PUT, DELETE, OPTIONS"
    for method in ("PATCH", "PROPFIND"):
        for path, allowed in (
            ("/cdmi/Science/", containers),
            ("/cdmi/Science/f", objects),
            ("/cdmi/cdmi_capabilities/", "GET, HEAD, OPTIONS"),
            ("/cdmi/cdmi_objectid/", "POST, OPTIONS"),
        ):
            refused = await client.send(method, path)
            assert (refused.status, refused.headers["allow"]) == (405, allowed)
            assert (await client.send("OPTIONS", path)).headers["allow"] == allowed
    for method in ("GET", "PUT", "POST", "DELETE"):
        nobody = await client.send(method, "/cdmi/Science/f", token="")
        assert (nobody.status, "www-authenticate" in nobody.headers) == (401, True)
