"""References: names that lead clients to another URI."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from op_worker.files.model import CreateOptions, FileType, Target
from op_worker.files.service import FileService
from tests.integration.cdmi.callers import CALLERS, SPACE
from tests.integration.cdmi.client import Client

FAR = "https://elsewhere.example/cdmi/a%20b?c"
REF = "/cdmi/Science/r"


async def refer(client: Client, path: str = REF, uri: str = FAR) -> None:
    made = await client.cdmi("PUT", path, {"reference": uri})
    assert (made.status, made.body) == (201, b"")


@pytest.mark.capability("system/cdmi_references", "container/cdmi_create_reference")
@ensureDeferred
async def test_every_method_but_delete_is_led_to_the_stored_uri(client: Client) -> None:
    await refer(client)
    for method in ("GET", "HEAD", "PUT", "POST"):
        for reply in (await client.cdmi(method, REF), await client.send(method, REF)):
            assert (reply.status, reply.headers["location"]) == (302, FAR), method
    slashed = await client.cdmi("PUT", REF + "/", {"metadata": {}})
    assert (slashed.status, slashed.headers["location"]) == (302, FAR)
    again = await client.cdmi("PUT", REF, {"reference": "https://other.example/"})
    assert (again.status, again.headers["location"]) == (302, FAR)
    assert (await client.cdmi("GET", "/cdmi/Science/?children")).json == {"children": ["r?"]}
    assert (await client.cdmi("DELETE", REF)).status == 204
    assert (await client.cdmi("GET", REF)).status == 404


@ensureDeferred
async def test_a_reference_may_stand_for_a_container(client: Client) -> None:
    await refer(client, REF + "/")
    assert (await client.cdmi("GET", REF + "/")).headers["location"] == FAR
    assert (await client.cdmi("DELETE", REF + "/")).status == 204


@ensureDeferred
async def test_relative_uris_begin_at_our_root(client: Client) -> None:
    forms = {
        "/Science/a b/ü": "http://localhost/cdmi/Science/a%20b/%C3%BC",
        "Science/x/": "http://localhost/cdmi/Science/x/",
        "/cdmi/Science/x": "http://localhost/cdmi/Science/x",
        "/cdmi_objectid/0011": "http://localhost/cdmi/cdmi_objectid/0011",
        "HTTP://Example": None,
        "http://example/%20": "http://example/%20",
    }
    for number, (sent, stored) in enumerate(forms.items()):
        reply = await client.cdmi("PUT", f"{REF}{number}", {"reference": sent})
        assert reply.status == (400 if stored is None else 201), sent
        found = await client.cdmi("GET", f"{REF}{number}")
        assert found.headers.get("location") == stored


@ensureDeferred
async def test_references_that_cannot_be_are_refused(client: Client) -> None:
    for uri in ("", "/", "//x/y", "ftp://x/", "javascript:x", "http://a b/", "http://", "http://x/\r\ny"):
        assert (await client.cdmi("PUT", REF, {"reference": uri})).status == 400, uri
    long = await client.cdmi("PUT", REF, {"reference": "http://x/" + "y" * 4096})
    assert long.error_id == "badData"
    others: list[dict[str, Any]] = [{"metadata": {}}, {"value": "x"}, {"mimetype": "a/b"}, {"copy": "/x"}]
    for other in others:
        assert (await client.cdmi("PUT", REF, {"reference": FAR, **other})).status == 400
    assert (await client.cdmi("PUT", REF, {"reference": 5})).status == 400
    nowhere = await client.cdmi("PUT", REF, {"reference": "x"}, {"Host": "a b"})
    assert nowhere.json["error"]["details"]["key"] == "Host"
    await client.send("PUT", "/cdmi/Science/f", b"x")
    assert (await client.cdmi("PUT", "/cdmi/Science/f", {"reference": FAR})).error_id == "badData"
    assert (await client.send("GET", "/cdmi/Science/f")).body == b"x"
    assert (await client.cdmi("GET", "/cdmi/Science/?children")).json == {"children": ["f"]}


@ensureDeferred
async def test_references_are_symbolic_links_that_lead_to_no_file(client: Client, files: FileService) -> None:
    await refer(client)
    owner = CALLERS["owner"]
    root = await files.find_space(owner, SPACE)
    stat = await files.stat(owner, Target(root, ("r",)))
    assert (stat.type, stat.symlink_target) == (FileType.SYMLNK, FAR)
    await files.create_symlink(owner, Target(root, ("s",)), CreateOptions(symlink_target="http://d/f"))
    await files.create_directory(owner, Target(root, ("http:", "d")), CreateOptions(create_parents=True))
    assert (await client.send("PUT", "/cdmi/Science/s", b"x")).headers["location"] == "http://d/f"
    assert (await client.cdmi("GET", "/cdmi/Science/http:/?children")).json == {"children": ["d/"]}
    assert (await client.cdmi("GET", "/cdmi/Science/s/x")).status == 404


@ensureDeferred
async def test_a_reference_is_no_source(client: Client) -> None:
    await refer(client)
    for member in ("copy", "move"):
        reply = await client.cdmi("PUT", "/cdmi/Science/b", {member: "/Science/r"})
        assert (reply.status, reply.error_id) == (400, "badData")
    await client.cdmi("PUT", "/cdmi/Science/d/")
    await refer(client, "/cdmi/Science/d/r")
    assert (await client.cdmi("PUT", "/cdmi/Science/e/", {"copy": "/Science/d/"})).status == 201
    assert (await client.cdmi("GET", "/cdmi/Science/e/r")).headers["location"] == FAR
