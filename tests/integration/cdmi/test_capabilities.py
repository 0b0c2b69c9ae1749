"""The capability objects: who reads them, what they tell, and that it holds."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from op_worker.http.cdmi.capabilities.tree import CONTAINER, DATA_OBJECT, ROOT
from tests.integration.cdmi.client import Client

C, F = "/cdmi/cdmi_capabilities/", "/cdmi/Science/f.txt"
TIMES = ("cdmi_atime", "cdmi_ctime", "cdmi_mtime")


@ensureDeferred
async def test_capabilities_need_a_version_but_no_token(client: Client) -> None:
    client.token = None
    root = await client.cdmi("GET", C)
    assert (root.status, root.headers["content-type"]) == (200, "application/cdmi-capability")
    assert {"container/", "dataobject/"} <= set(root.json["children"])
    for child, capability in (("container/", CONTAINER), ("dataobject/", DATA_OBJECT)):
        found = (await client.cdmi("GET", C + child)).json
        assert (found["objectID"], found["parentID"]) == (capability.object_id, ROOT.object_id)
        by_id = (await client.cdmi("GET", f"/cdmi/cdmi_objectid/{capability.object_id}/")).json
        assert by_id == found
    unversioned = await client.send("GET", C)
    assert (unversioned.status, unversioned.error_id) == (400, "badVersion")
    assert (await client.cdmi("GET", C + "nothing/")).status == 404
    assert (await client.cdmi("GET", C[:-1])).status == 301
    assert (await client.cdmi("GET", C, headers={"Accept": "image/png"})).status == 406


@ensureDeferred
async def test_every_child_that_is_listed_can_be_read(client: Client) -> None:
    root = (await client.cdmi("GET", C)).json
    assert root["childrenrange"] == f"0-{len(root['children']) - 1}"
    for child in root["children"]:
        found = await client.cdmi("GET", C + child)
        assert (found.json["objectName"], found.json["parentURI"]) == (child, "cdmi_capabilities/")
        assert found.json["capabilities"]


@ensureDeferred
async def test_who_says_who_he_is_learns_the_id_of_his_root_container(
    client: Client, owner_root_id: str
) -> None:
    assert (await client.cdmi("GET", C + "?parentID;parentURI")).json == {
        "parentURI": "/",
        "parentID": owner_root_id,
    }
    for token in ("", "nonsense"):
        client.token = None
        reply = await client.cdmi("GET", C + "?parentID;parentURI", token=token)
        assert (reply.status, reply.json) == (200, {"parentURI": "/"})


@ensureDeferred
async def test_members_and_slices_of_capabilities_are_selected(client: Client) -> None:
    chosen = await client.cdmi("GET", C + "?children:0-0;childrenrange;objectName")
    assert chosen.json == {
        "objectName": "cdmi_capabilities/",
        "childrenrange": "0-0",
        "children": ["container/"],
    }
    assert list((await client.cdmi("GET", C + "container/?capabilities")).json) == ["capabilities"]
    assert (await client.cdmi("GET", C + "?children:0-9")).status == 400
    head = await client.cdmi("HEAD", C)
    assert (head.status, head.headers["content-type"], head.body) == (200, "application/cdmi-capability", b"")


@ensureDeferred
async def test_capabilities_cannot_be_changed(client: Client) -> None:
    for method in ("PUT", "DELETE"):
        refused = await client.send(method, C + "container/")
        assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.capability("system/cdmi_size", "dataobject/cdmi_size", "container/cdmi_size")
@ensureDeferred
async def test_sizes_are_in_bytes(client: Client) -> None:
    await client.cdmi("PUT", F, {"value": "\u017c\u00f3\u0142w"})
    assert (await client.cdmi("GET", F + "?metadata:cdmi_size")).json == {"metadata": {"cdmi_size": "7"}}
    assert (await client.cdmi("GET", "/cdmi/Science/?metadata:cdmi_size")).json == {
        "metadata": {"cdmi_size": "0"}
    }


@pytest.mark.capability("system/cdmi_atime", "dataobject/cdmi_atime", "container/cdmi_atime")
@pytest.mark.capability("system/cdmi_ctime", "dataobject/cdmi_ctime", "container/cdmi_ctime")
@pytest.mark.capability("system/cdmi_mtime", "dataobject/cdmi_mtime", "container/cdmi_mtime")
@ensureDeferred
async def test_changes_move_the_time_of_the_change_and_not_that_of_creation(client: Client) -> None:
    for path, changed in ((F, {"value": "two"}), ("/cdmi/Science/d/", {"metadata": {"k": "v"}})):
        before = (await client.cdmi("PUT", path, {})).json["metadata"]
        assert set(TIMES) <= before.keys()
        await client.cdmi("PUT", path, changed)
        if path.endswith("/"):
            await client.cdmi("PUT", path + "inside", {})
        after = (await client.cdmi("GET", path)).json["metadata"]
        assert after["cdmi_ctime"] == before["cdmi_ctime"]
        assert after["cdmi_mtime"] > before["cdmi_mtime"]
        assert after["cdmi_atime"] >= before["cdmi_atime"]


@pytest.mark.capability(
    "system/cdmi_metadata_maxitems", "system/cdmi_metadata_maxsize", "system/cdmi_metadata_maxtotalsize"
)
@ensureDeferred
async def test_the_limits_of_metadata_are_exactly_those_that_are_advertised(client: Client) -> None:
    told = (await client.cdmi("GET", C)).json["capabilities"]
    items, size_b, total_b = (int(told[f"cdmi_metadata_max{of}"]) for of in ("items", "size", "totalsize"))

    def item(at: int, item_b: int) -> tuple[str, str]:
        name = f"k{at:04d}"
        return name, "v" * (item_b - len(name) - len('""'))

    full, rest = divmod(total_b, size_b)
    fits = [
        dict(item(at, 100) for at in range(items)),
        dict([item(0, size_b)]),
        dict([*(item(at, size_b) for at in range(full)), item(full, rest)]),
    ]
    beyond = [
        dict(item(at, 100) for at in range(items + 1)),
        dict([item(0, size_b + 1)]),
        dict([*(item(at, size_b) for at in range(full)), item(full, rest + 1)]),
    ]
    for metadata in fits:
        assert (await client.cdmi("PUT", F, {"metadata": metadata})).status in (201, 204)
        shown = (await client.cdmi("GET", F + "?metadata:k")).json["metadata"]
        assert shown == metadata
    for metadata in beyond:
        refused = await client.cdmi("PUT", F, {"metadata": metadata})
        assert (refused.status, refused.json["error"]["details"]["key"]) == (400, "metadata")
    assert (await client.cdmi("GET", F + "?metadata:k")).json["metadata"] == fits[-1]


@pytest.mark.capability("container/cdmi_capabilities_allowed", "dataobject/cdmi_capabilities_allowed")
@ensureDeferred
async def test_only_the_capabilities_that_an_object_has_can_be_asked_for(client: Client) -> None:
    for path, kind in ((F, "dataobject/"), ("/cdmi/Science/d/", "container/")):
        mine = (await client.cdmi("PUT", path, {})).json["capabilitiesURI"]
        allowed = (await client.cdmi("GET", C + kind)).json["capabilities"]["cdmi_capabilities_allowed"]
        assert allowed == [mine]
        object_id = (CONTAINER if path.endswith("/") else DATA_OBJECT).object_id
        for same in (mine, f"/{mine}", f"/cdmi/{mine}", f"http://localhost/cdmi/{mine}"):
            assert (await client.cdmi("PUT", path, {"capabilitiesURI": same})).status == 204
        by_id = {"capabilitiesURI": f"/cdmi_objectid/{object_id}/"}
        assert (await client.cdmi("PUT", path, by_id)).status == 204
        for other in ("cdmi_capabilities/", "cdmi_capabilities/dataobject/gold/", "/Science/", "", 1):
            refused = await client.cdmi("PUT", path, {"capabilitiesURI": other, "metadata": {"k": "v"}})
            assert refused.status == 400, other
            assert refused.json["error"]["details"]["key"] == "capabilitiesURI"
        assert (await client.cdmi("GET", path + "?metadata:k")).json == {"metadata": {}}
