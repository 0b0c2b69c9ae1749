"""Serialised objects: the canonical JSON of others as the value of an object."""

from __future__ import annotations

import base64
import json

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor

from cluster_worker.runtime.clock import sleep
from op_worker.files.model import CreateOptions, Target
from op_worker.files.service import FileService
from tests.integration.cdmi.callers import CALLERS
from tests.integration.cdmi.client import Client

C = "/cdmi/Science/c/"
OUT = "/cdmi/Science/out"


async def serialised(client: Client, uri: str) -> object:
    reply = await client.cdmi("PUT", OUT, {"serialize": uri})
    assert reply.status == 201, reply
    read = await client.send("GET", OUT)
    assert read.headers["content-type"] == "application/json"
    return json.loads(read.body)


@pytest.mark.capability("system/cdmi_serialization_json", "container/cdmi_serialize_dataobject")
@ensureDeferred
async def test_object_becomes_its_representation_with_its_value(client: Client) -> None:
    await client.cdmi("PUT", C)
    body = {"value": 'a "text"\n', "metadata": {"k": [1]}, "mimetype": "text/x"}
    await client.cdmi("PUT", C + "f", body)
    read = await client.cdmi("GET", C + "f")
    found = await serialised(client, "/Science/c/f")
    assert found == read.json
    assert list(found)[-1] == "value"  # type: ignore[call-overload]  # an object
    made = (await client.cdmi("GET", OUT + "?metadata:k;valuetransferencoding")).json
    assert made == {"metadata": {"k": [1]}, "valuetransferencoding": "utf-8"}


@ensureDeferred
async def test_bytes_become_base64(client: Client) -> None:
    await client.cdmi("PUT", C)
    data = bytes(range(256)) * 8192
    await client.send("PUT", C + "f", data)
    found = await serialised(client, "/Science/c/f")
    assert isinstance(found, dict)
    assert found["valuetransferencoding"] == "base64"
    assert base64.b64decode(found["value"]) == data


@pytest.mark.capability("container/cdmi_serialize_container")
@ensureDeferred
async def test_container_becomes_a_tree_with_children_last(client: Client, files: FileService) -> None:
    await client.cdmi("PUT", C, {"metadata": {"of": "c"}})
    await client.cdmi("PUT", C + "d/")
    await client.cdmi("PUT", C + "d/e/")
    await client.cdmi("PUT", C + "d/g", {"value": "g"})
    await client.cdmi("PUT", C + "a", {"value": ""})
    await client.cdmi("PUT", C, {"snapshot": "left out"})
    space = await files.find_space(CALLERS["owner"], "Science")
    link = Target(space, ("c", "link"))
    await files.create_symlink(CALLERS["owner"], link, CreateOptions(symlink_target="a"))
    found = await serialised(client, "/Science/c/")
    assert isinstance(found, dict)
    assert (found["childrenrange"], list(found)[-1]) == ("0-1", "children")
    assert found["metadata"]["of"] == "c"
    a, d = found["children"]
    assert (a["objectName"], a["value"], a["valuerange"]) == ("a", "", "")
    assert (d["objectName"], d["childrenrange"]) == ("d/", "0-1")
    e, g = d["children"]
    assert (e["objectName"], e["childrenrange"], e["children"]) == ("e/", "", [])
    assert (g["objectName"], g["value"], g["parentURI"]) == ("g", "g", "/Science/c/d/")
    assert g["objectID"] == (await client.cdmi("GET", C + "d/g?objectID")).json["objectID"]


@ensureDeferred
async def test_only_what_the_caller_may_read_is_serialised(client: Client) -> None:
    await client.cdmi("PUT", C)
    acl = [{"acetype": "DENY", "identifier": "EVERYONE@", "aceflags": "NO_FLAGS", "acemask": "READ_OBJECT"}]
    await client.cdmi("PUT", C + "closed", {"value": "x", "metadata": {"cdmi_acl": acl}})
    await client.cdmi("PUT", C + "shut/", {"metadata": {"cdmi_acl": acl}})
    await client.cdmi("PUT", C + "open", {"value": "y"})
    client.token = "member"
    found = await serialised(client, "/Science/c/")
    assert isinstance(found, dict)
    assert [child["objectName"] for child in found["children"]] == ["open"]
    assert found["childrenrange"] == "0-0"
    refused = await client.cdmi("PUT", OUT + "2", {"serialize": "/Science/c/closed"})
    assert refused.status == 403
    assert (await client.cdmi("GET", OUT + "2")).status == 404


@ensureDeferred
async def test_serialising_is_refused_where_it_cannot_be(client: Client) -> None:
    await client.cdmi("PUT", C)
    missing = await client.cdmi("PUT", OUT, {"serialize": "/Science/missing"})
    assert (missing.status, missing.errno) == (400, "enoent")
    two = await client.cdmi("PUT", OUT, {"serialize": "/Science/c/", "value": "x"})
    assert (two.status, two.error_id) == (400, "malformedData")
    assert (await client.cdmi("GET", OUT)).status == 404
    await client.cdmi("PUT", OUT, {"value": "there"})
    again = await client.cdmi("PUT", OUT, {"serialize": "/Science/c/"})
    assert (again.status, again.error_id) == (400, "badData")
    container = await client.cdmi("PUT", C, {"serialize": "/Science/c/"})
    assert (container.status, container.error_id) == (400, "notSupported")
    assert (await client.send("GET", OUT)).body == b"there"


@ensureDeferred
async def test_given_metadata_and_mimetype_replace_those_of_the_source(client: Client) -> None:
    await client.cdmi("PUT", C, {"metadata": {"of": "c"}})
    body = {"serialize": "/Science/c/", "metadata": {"my": 1}, "mimetype": "text/plain"}
    made = (await client.cdmi("PUT", OUT, body)).json
    assert made["mimetype"] == "text/plain"
    assert made["metadata"]["my"] == 1 and "of" not in made["metadata"]


@ensureDeferred
async def test_client_that_leaves_ends_the_serialising_and_nothing_is_made(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.cdmi("PUT", C)
    await client.send("PUT", C + "f", b"x")
    steps = 0

    async def endless(self: object, step: object) -> bytes:
        nonlocal steps
        steps += 1
        await sleep(reactor, 0.01)
        return b" " * 1000

    from op_worker.http.cdmi.serialization.canonical import CanonicalStream

    async def for_ever(self: CanonicalStream, top: Target) -> object:
        while True:
            yield await endless(self, top)

    monkeypatch.setattr(CanonicalStream, "_all", for_ever)
    body = b'{"serialize": "/Science/c/"}'
    head = f"PUT {OUT} HTTP/1.1\r\nHost: h\r\nX-Auth-Token: owner\r\nX-CDMI-Specification-Version: 1.1.1\r\n"
    head += f"Content-Type: application/cdmi-object\r\nContent-Length: {len(body)}\r\n\r\n"
    await client.leave(head.encode() + body)
    await sleep(reactor, 0.2)
    before = steps
    await sleep(reactor, 0.1)
    assert steps == before > 0
    assert (await client.cdmi("GET", OUT)).status == 404
