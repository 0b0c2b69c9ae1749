"""Deserialised objects and containers: made of canonical JSON as wholes, with ids that are free."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from cluster_worker.persistence.engine import Key, Scope
from cluster_worker.runtime.clock import sleep
from onedata.ids import trash_uuid
from op_worker.files.service import FileService
from op_worker.files.stored.detached import DETACHED
from tests.integration.cdmi.callers import OTHER, SPACE
from tests.integration.cdmi.client import Client, Reply

C = "/cdmi/Science/c/"
OUT = "/cdmi/Science/out"
NEW = "/cdmi/Science/new"
ACL = [{"acetype": "0x0", "identifier": "OWNER@", "aceflags": "0x0", "acemask": "0x7019B"}]


def packed(document: object) -> str:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.b64encode(raw).decode()


async def tree(client: Client, uri: str) -> Any:
    """Serialise, and return what that gave without what belongs to a place."""
    await client.send("DELETE", OUT + ".tmp")
    assert (await client.cdmi("PUT", OUT + ".tmp", {"serialize": uri})).status == 201
    return placeless((await client.send("GET", OUT + ".tmp")).json)


def placeless(resource: Mapping[str, Any], *, is_top: bool = True) -> dict[str, Any]:
    left = {"parentURI", "parentID", "domainURI", *(["objectName", "objectID"] if is_top else ["objectID"])}
    found = {name: value for name, value in resource.items() if name not in left}
    found["metadata"] = {
        k: v for k, v in found["metadata"].items() if k[:6] not in ("cdmi_c", "cdmi_a") or k == "cdmi_acl"
    }
    found["metadata"].pop("cdmi_mtime")
    if "children" in found:
        found["children"] = [placeless(child, is_top=False) for child in found["children"]]
    return found


async def nothing_left(client: Client, files: FileService, uri: str = NEW) -> None:
    for place in (uri, uri + "/"):
        assert (await client.cdmi("GET", place)).status == 404
    engine = files.context.engine
    for key in (DETACHED, Key(trash_uuid(SPACE))):
        assert await engine.count(Scope(SPACE), key) == 0


async def make_tree(client: Client) -> None:
    await client.cdmi("PUT", C, {"metadata": {"of": "c", "n": [1, {"a": None}]}})
    await client.cdmi("PUT", C + "text", {"value": 'ä"\\\n\u0001', "mimetype": "text/x", "vendor": {"x": 1}})
    await client.cdmi("PUT", C + "json", {"value": {"a": [1, 2.50]}, "valuetransferencoding": "json"})
    await client.send("PUT", C + "bytes", bytes(range(256)) * 3000)
    await client.cdmi(
        "PUT", C + "empty", {"value": "", "metadata": {"cdmi_acl": ACL, "onedata_json": {"j": 1}}}
    )
    await client.cdmi("PUT", C + "d/")
    await client.cdmi("PUT", C + "d/e/", {"metadata": {"k": "v"}})
    await client.send("PUT", C + "d/f", b"plain", {"Content-Type": "text/plain;charset=utf-8"})


@pytest.mark.capability("system/cdmi_serialization_json", "container/cdmi_deserialize_dataobject")
@ensureDeferred
async def test_object_comes_back_with_its_id_value_and_metadata(client: Client) -> None:
    made = await client.cdmi("PUT", NEW, {"value": "text", "metadata": {"k": [1], "cdmi_acl": ACL}})
    await client.cdmi("PUT", OUT, {"serialize": "/Science/new"})
    before = (await client.cdmi("GET", NEW)).json
    await client.send("DELETE", NEW)
    reply = await client.cdmi("PUT", "/cdmi/Science/elsewhere", {"deserialize": "/Science/out"})
    assert reply.status == 201
    assert reply.json["objectID"] == made.json["objectID"]
    assert "value" not in reply.json
    after = (await client.cdmi("GET", "/cdmi/Science/elsewhere")).json
    assert placeless(after) == placeless(before)


@pytest.mark.capability("container/cdmi_deserialize_container")
@ensureDeferred
async def test_tree_comes_back_the_same_with_its_ids(client: Client, files: FileService) -> None:
    await make_tree(client)
    before = await tree(client, "/Science/c/")
    await client.cdmi("PUT", OUT, {"serialize": "/Science/c/"})
    ids = {name: (await client.cdmi("GET", C + name)).json["objectID"] for name in ("", "d/e/", "text")}
    await client.send("DELETE", C)
    while await files.context.engine.count(Scope(SPACE), Key(trash_uuid(SPACE))):
        await sleep(reactor, 0.01)
    reply = await client.cdmi("PUT", C, {"deserialize": "/Science/out"})
    assert reply.status == 201
    assert "children" not in reply.json
    assert await tree(client, "/Science/c/") == before
    assert (await client.cdmi("GET", C + "?metadata:of")).json == {"metadata": {"of": "c"}}
    found = {name: (await client.cdmi("GET", C + name)).json["objectID"] for name in ids}
    assert found == ids


@ensureDeferred
async def test_ids_that_are_taken_or_of_another_space_are_new(client: Client) -> None:
    await make_tree(client)
    before = await tree(client, "/Science/c/")
    await client.cdmi("PUT", OUT, {"serialize": "/Science/c/"})
    for place, space_id in ((NEW + "/", SPACE), ("/cdmi/Other%20Space/new/", OTHER)):
        body = {"deserialize": "/Science/out", "domainURI": f"/cdmi_domains/{space_id}/"}
        reply = await client.cdmi("PUT", place, body)
        assert reply.status == 201
        assert await tree(client, place.removeprefix("/cdmi")) == before
        assert reply.json["objectID"] != (await client.cdmi("GET", C)).json["objectID"]
    assert await tree(client, "/Science/c/") == before


@ensureDeferred
async def test_restored_tree_is_an_ordinary_one(client: Client) -> None:
    await make_tree(client)
    await client.cdmi("PUT", OUT, {"serialize": "/Science/c/"})
    await client.cdmi("PUT", NEW + "/", {"deserialize": "/Science/out"})
    await client.cdmi("PUT", NEW + "/text", {"value": "changed"})
    await client.send("PUT", NEW + "/d/f", b"PL", {"Content-Range": "bytes 0-1/*"})
    assert (await client.send("GET", NEW + "/d/f")).body == b"PLain"
    assert (await client.cdmi("PUT", "/cdmi/Science/moved/", {"move": "/Science/new/"})).status == 201
    assert (await client.send("GET", "/cdmi/Science/moved/bytes")).body == bytes(range(256)) * 3000
    assert (await client.send("DELETE", "/cdmi/Science/moved/")).status == 204


@ensureDeferred
async def test_value_in_the_request_is_deserialised(client: Client) -> None:
    document = {
        "objectType": "application/cdmi-object",
        "objectName": "x",
        "metadata": {"k": 1},
        "value": "v",
    }
    reply = await client.cdmi("PUT", NEW, {"deserializevalue": packed(document)})
    assert (reply.status, reply.json["objectName"], reply.json["mimetype"]) == (
        201,
        "new",
        "application/octet-stream",
    )
    assert (await client.send("GET", NEW)).body == b"v"
    given = {"deserializevalue": packed(document), "metadata": {"mine": 2}}
    other = await client.cdmi("PUT", NEW + "2", given)
    assert other.json["metadata"]["mine"] == 2 and "k" not in other.json["metadata"]


def container(*children: object, **members: object) -> dict[str, object]:
    return {"objectType": "application/cdmi-container", **members, "children": list(children)}


def child(**members: object) -> dict[str, object]:
    return {"objectType": "application/cdmi-object", "objectName": "f", "value": "v", **members}


GARBAGE: dict[str, object] = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": [],
    "a string": "text",
    "a tree that breaks off": json.dumps(container(child())).encode()[:-3],
    "something behind": json.dumps(container(child())).encode() + b"{}",
    "names as children": container("f"),
    "children as an object": {"objectType": "application/cdmi-container", "children": child()},
    "a container with a value": {"objectType": "application/cdmi-container", "value": "x"},
    "an object with children": container(container(), objectType="application/cdmi-object"),
    "another type": container(child(objectType="application/cdmi-domain")),
    "no type": container({"objectName": "f"}),
    "no name": container({"objectType": "application/cdmi-object", "value": ""}),
    "a name with a slash": container(child(objectName="a/b")),
    "a long name": container(child(objectName="n" * 300)),
    "a reserved name": container(container(objectName="cdmi_x/")),
    "one name twice": container(child(), child()),
    "bad base64": container(child(valuetransferencoding="base64", value="!!!!")),
    "a bad encoding": container(child(valuetransferencoding="rot13")),
    "a value that is no text": container(child(value=5)),
    "two values": b'{"objectType": "application/cdmi-container", "children": [{"objectType": '
    b'"application/cdmi-object", "objectName": "f", "value": "a", "value": "b"}]}',
    "metadata that are none": container(child(metadata=[])),
    "a bad list": container(child(metadata={"cdmi_acl": "x"})),
    "a name of the system in the metadata": container(child(metadata={"onedata_x": 1})),
    "metadata behind the value": b'{"objectType": "application/cdmi-container", "children": [{"objectType": '
    b'"application/cdmi-object", "objectName": "f", "value": "a", "metadata": {}}]}',
    "another domain": container(child(domainURI="/cdmi_domains/other/")),
    "a mimetype that is none": container(child(mimetype="\n")),
}


@pytest.mark.parametrize("name", list(GARBAGE))
@ensureDeferred
async def test_garbage_is_refused_and_leaves_nothing(client: Client, files: FileService, name: str) -> None:
    reply = await client.cdmi("PUT", NEW + "/", {"deserializevalue": packed(GARBAGE[name])})
    assert reply.status == 400, reply
    await files.recover(SPACE)
    await nothing_left(client, files)


@ensureDeferred
async def test_other_kinds_and_missing_sources_are_refused(client: Client, files: FileService) -> None:
    await client.cdmi("PUT", OUT, {"value": json.dumps(container())})
    wrong = await client.cdmi("PUT", NEW, {"deserialize": "/Science/out"})
    assert (wrong.status, wrong.error_id) == (400, "badData")
    missing = await client.cdmi("PUT", NEW, {"deserialize": "/Science/missing"})
    assert (missing.status, missing.errno) == (400, "enoent")
    directory = await client.cdmi("PUT", NEW, {"deserialize": "/Science/"})
    assert directory.status == 400
    not_base64 = await client.cdmi("PUT", NEW, {"deserializevalue": "%"})
    assert (not_base64.status, not_base64.error_id) == (400, "badData")
    two = await client.cdmi("PUT", NEW, {"deserialize": "/Science/out", "value": "x"})
    assert (two.status, two.error_id) == (400, "malformedData")
    parent = await client.cdmi("PUT", NEW + "/below/", {"deserialize": "/Science/out"})
    assert (parent.status, parent.errno) == (404, "enoent")
    await nothing_left(client, files)


@ensureDeferred
async def test_who_may_not_make_files_here_may_not_deserialise(client: Client, files: FileService) -> None:
    acl = [
        {
            "acetype": "ALLOW",
            "identifier": "EVERYONE@",
            "aceflags": "NO_FLAGS",
            "acemask": "LIST_CONTAINER, TRAVERSE_CONTAINER",
        }
    ]
    await client.cdmi("PUT", "/cdmi/Science/closed/", {"metadata": {"cdmi_acl": acl}})
    for place in ("/cdmi/Science/closed/x/", "/cdmi/Science/closed/x"):
        document = container() if place.endswith("/") else child()
        reply = await client.cdmi("PUT", place, {"deserializevalue": packed(document)}, token="member")
        assert (reply.status, reply.errno) == (403, "eacces")
    await client.cdmi("PUT", OUT, {"value": json.dumps(child()), "metadata": {"cdmi_acl": ACL}})
    unreadable = await client.cdmi("PUT", NEW, {"deserialize": "/Science/out"}, token="member")
    assert unreadable.status == 403
    await nothing_left(client, files)


@pytest.mark.capability("dataobject/cdmi_modify_deserialize_dataobject")
@ensureDeferred
async def test_update_gives_an_object_back_what_it_was(client: Client) -> None:
    made = (await client.cdmi("PUT", NEW, {"value": "first", "metadata": {"k": 1}})).json
    await client.cdmi("PUT", OUT, {"serialize": "/Science/new"})
    await client.cdmi("PUT", NEW, {"value": "second, longer", "metadata": {"other": 2}})
    reply = await client.cdmi("PUT", NEW, {"deserialize": "/Science/out"})
    assert (reply.status, reply.body) == (204, b"")
    after = (await client.cdmi("GET", NEW)).json
    assert (after["value"], after["objectID"]) == ("first", made["objectID"])
    assert after["metadata"]["k"] == 1 and "other" not in after["metadata"]


@ensureDeferred
async def test_update_with_another_id_or_garbage_changes_nothing(client: Client) -> None:
    made = (await client.cdmi("PUT", NEW, {"value": "first"})).json
    await client.cdmi("PUT", NEW + "2", {"value": "other"})
    await client.cdmi("PUT", OUT, {"serialize": "/Science/new2"})
    for body in (
        {"deserialize": "/Science/out"},
        {"deserializevalue": packed(child())},
        {"deserializevalue": packed(json.dumps(child(objectID=made["objectID"])).encode()[:-1])},
        {"deserializevalue": packed(json.dumps(child(objectID=made["objectID"])).encode() + b"x")},
    ):
        assert (await client.cdmi("PUT", NEW, body)).status == 400
    assert (await client.send("GET", NEW)).body == b"first"


@pytest.mark.capability("container/cdmi_modify_deserialize_container")
@ensureDeferred
async def test_update_of_a_container_without_children_gives_it_its_metadata(client: Client) -> None:
    made = (await client.cdmi("PUT", C, {"metadata": {"k": 1}})).json
    await client.cdmi("PUT", C + "f", {"value": "stays"})
    await client.cdmi("PUT", C, {"metadata": {"other": 1}})
    document = {**made, "metadata": {"k": 1}}
    document.pop("children"), document.pop("childrenrange")
    assert (await client.cdmi("PUT", C, {"deserializevalue": packed(document)})).status == 204
    after = (await client.cdmi("GET", C)).json
    assert after["metadata"]["k"] == 1 and "other" not in after["metadata"]
    assert after["children"] == ["f"]


@ensureDeferred
async def test_owner_of_the_space_restores_times_too(client: Client) -> None:
    await client.cdmi("PUT", NEW, {"value": "x"}, token="member")
    await client.cdmi("PUT", OUT, {"serialize": "/Science/new"})
    before = (await client.cdmi("GET", NEW + "?metadata:cdmi_")).json["metadata"]
    await client.send("DELETE", NEW)
    made: Reply = await client.cdmi("PUT", NEW, {"deserialize": "/Science/out"})
    after = made.json["metadata"]
    for item in ("cdmi_owner", "cdmi_mtime", "cdmi_size"):
        assert after[item] == before[item]


@pytest.mark.capability(
    "system/cdmi_deserialize_dataobject_by_ID",
    "system/cdmi_serialize_dataobject_to_ID",
    "system/cdmi_serialize_container_to_ID",
)
@pytest.mark.parametrize("place", ["/cdmi/cdmi_objectid/", "/cdmi/Science/c/"])
@ensureDeferred
async def test_objects_posted_are_serialised_and_come_back_by_their_ids(client: Client, place: str) -> None:
    await client.cdmi("PUT", C)
    made = (await client.cdmi("PUT", NEW, {"value": "v", "metadata": {"k": 1}})).json
    headers = {"Content-Type": "application/cdmi-object"}
    outs = []
    for uri in ("/Science/new", "/Science/c/"):
        reply = await client.cdmi("POST", place, {"serialize": uri}, headers)
        assert reply.status == 201
        outs.append(f"/cdmi_objectid/{reply.json['objectID']}")
    assert (await client.send("GET", "/cdmi" + outs[1])).json["objectType"] == "application/cdmi-container"
    taken = await client.cdmi("POST", place, {"deserialize": outs[0]}, headers)
    assert taken.status == 201 and taken.json["objectID"] != made["objectID"]
    await client.send("DELETE", NEW)
    back = await client.cdmi("POST", place, {"deserialize": outs[0]}, headers)
    assert (back.status, back.json["objectID"]) == (201, made["objectID"])
    assert back.headers["location"].endswith(made["objectID"])
    assert (await client.cdmi("GET", f"/cdmi/cdmi_objectid/{made['objectID']}?value;metadata:k")).json == {
        "metadata": {"k": 1},
        "value": "v",
    }


@pytest.mark.capability("container/cdmi_modify_deserialize_container")
@ensureDeferred
async def test_update_of_a_container_makes_it_what_it_was_and_keeps_ids(client: Client) -> None:
    await make_tree(client)
    before = await tree(client, "/Science/c/")
    await client.cdmi("PUT", OUT, {"serialize": "/Science/c/"})
    ids = {name: (await client.cdmi("GET", C + name)).json["objectID"] for name in ("", "d/", "d/f", "text")}
    await client.cdmi("PUT", C, {"metadata": {"other": 1}})
    await client.cdmi("PUT", C + "text", {"value": "changed", "metadata": {"x": 1}})
    await client.send("DELETE", C + "bytes")
    await client.send("DELETE", C + "json")
    await client.cdmi("PUT", C + "json/")
    await client.cdmi("PUT", C + "json/inner", {"value": "gives way"})
    await client.cdmi("PUT", C + "d/later", {"value": "goes"})
    await client.cdmi("PUT", C + "zz/")
    reply = await client.cdmi("PUT", C, {"deserialize": "/Science/out"})
    assert (reply.status, reply.body) == (204, b"")
    assert await tree(client, "/Science/c/") == before
    assert {name: (await client.cdmi("GET", C + name)).json["objectID"] for name in ids} == ids


@ensureDeferred
async def test_update_of_a_container_keeps_what_the_caller_could_not_serialise(client: Client) -> None:
    acl = [{"acetype": "ALLOW", "identifier": "EVERYONE@", "aceflags": "NO_FLAGS", "acemask": "0x1F01FF"}]
    everything = [{**acl[0], "acemask": "0x701FF"}]
    await client.cdmi("PUT", C, {"metadata": {"cdmi_acl": everything}})
    await client.cdmi("PUT", C + "closed", {"value": "x", "metadata": {"cdmi_acl": ACL}})
    await client.cdmi("PUT", C + "open", {"value": "y"})
    client.token = "member"
    await client.cdmi("PUT", OUT, {"serialize": "/Science/c/"})
    await client.cdmi("PUT", C + "new", {"value": "goes"})
    reply = await client.cdmi("PUT", C, {"deserialize": "/Science/out"})
    assert reply.status == 204
    assert (await client.cdmi("GET", C + "?children")).json == {"children": ["closed", "open"]}


@pytest.mark.parametrize("name", list(GARBAGE))
@ensureDeferred
async def test_garbage_for_a_container_that_is_there_changes_nothing(client: Client, name: str) -> None:
    await make_tree(client)
    before = await tree(client, "/Science/c/")
    made = (await client.cdmi("GET", C + "?objectID")).json["objectID"]
    document = GARBAGE[name]
    if isinstance(document, dict):
        document = {"objectID": made, **document}
    elif isinstance(document, bytes):
        document = document.replace(b"{", b'{"objectID": "%s", ' % made.encode(), 1)
    reply = await client.cdmi("PUT", C, {"deserializevalue": packed(document)})
    assert reply.status == 400, reply
    assert await tree(client, "/Science/c/") == before


@ensureDeferred
async def test_children_of_a_container_that_is_there_come_in_order(client: Client) -> None:
    await client.cdmi("PUT", C)
    made = (await client.cdmi("GET", C + "?objectID")).json["objectID"]
    document = container(child(objectName="b"), child(objectName="a"), objectID=made)
    reply = await client.cdmi("PUT", C, {"deserializevalue": packed(document)})
    assert (reply.status, reply.error_id) == (400, "badData")
    assert (await client.cdmi("GET", C + "?children")).json == {"children": []}


@ensureDeferred
async def test_resources_of_another_domain_are_refused_unless_the_request_names_one(
    client: Client, files: FileService
) -> None:
    await make_tree(client)
    await client.cdmi("PUT", OUT, {"serialize": "/Science/c/"})
    elsewhere = "/cdmi/Other%20Space/new"
    refused = await client.cdmi("PUT", elsewhere + "/", {"deserialize": "/Science/out"})
    assert (refused.status, refused.json["error"]["details"]["key"]) == (400, "domainURI")
    await nothing_left(client, files, elsewhere)
