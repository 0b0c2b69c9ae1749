"""POST to containers: objects that are named by their ids."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from tests.integration.cdmi.client import Client


@pytest.mark.capability("container/cdmi_post_dataobject")
@ensureDeferred
async def test_a_posted_object_is_named_by_its_id(client: Client) -> None:
    reply = await client.cdmi("POST", "/cdmi/Science/", {"value": "text", "metadata": {"a": 1}})
    shown = reply.json
    assert (reply.status, reply.headers["content-type"]) == (201, "application/cdmi-object")
    assert shown["objectName"] == shown["objectID"]
    assert (shown["parentURI"], shown["mimetype"], shown["metadata"]["a"]) == ("/Science/", "text/plain", 1)
    assert reply.headers["location"] == f"http://localhost/cdmi/Science/{shown['objectID']}"
    read = (await client.cdmi("GET", f"/cdmi/Science/{shown['objectID']}")).json
    assert (read["objectID"], read["value"]) == (shown["objectID"], "text")
    assert (await client.cdmi("GET", "/cdmi/Science/?children")).json == {"children": [shown["objectID"]]}


@ensureDeferred
async def test_a_posted_body_of_another_type_is_the_value(client: Client) -> None:
    headers = {"Content-Type": "Text/X-Note; charset=UTF-8"}
    reply = await client.send("POST", "/cdmi/Science/", b"some text", headers)
    assert (reply.status, reply.body) == (201, b"")
    path = reply.headers["location"].removeprefix("http://localhost")
    read = (await client.cdmi("GET", path)).json
    assert path == f"/cdmi/Science/{read['objectID']}"
    assert (read["mimetype"], read["valuetransferencoding"], read["value"]) == (
        "text/x-note",
        "utf-8",
        "some text",
    )
    bare = await client.send("POST", "/cdmi/Science/", b"\xff")
    found = (await client.cdmi("GET", bare.headers["location"].removeprefix("http://localhost"))).json
    assert (found["mimetype"], found["valuetransferencoding"]) == ("application/octet-stream", "base64")


@ensureDeferred
async def test_a_container_is_posted_to_by_its_id(client: Client) -> None:
    made = (await client.cdmi("PUT", "/cdmi/Science/a%20b/")).json
    reply = await client.cdmi("POST", f"/cdmi/cdmi_objectid/{made['objectID']}/", {"value": "x"})
    assert reply.status == 201
    assert reply.headers["location"] == f"http://localhost/cdmi/Science/a%20b/{reply.json['objectID']}"
    assert reply.json["parentID"] == made["objectID"]
    assert (await client.cdmi("POST", f"/cdmi/cdmi_objectid/{made['objectID']}", {})).status == 308


@ensureDeferred
async def test_a_copy_and_a_move_are_posted(client: Client) -> None:
    source = (await client.cdmi("PUT", "/cdmi/Science/a", {"value": "text", "metadata": {"a": 1}})).json
    copied = await client.cdmi("POST", "/cdmi/Science/", {"copy": "/Science/a"})
    assert copied.status == 201
    assert copied.json["objectName"] == copied.json["objectID"] != source["objectID"]
    assert (await client.cdmi("GET", f"/cdmi/Science/{copied.json['objectID']}")).json["value"] == "text"
    moved = await client.cdmi("POST", "/cdmi/Science/", {"move": "/Science/a", "metadata": {"b": 2}})
    assert (moved.status, moved.json["objectName"]) == (201, source["objectID"])
    assert moved.headers["location"] == f"http://localhost/cdmi/Science/{source['objectID']}"
    assert moved.json["metadata"]["b"] == 2
    assert (await client.cdmi("GET", "/cdmi/Science/a")).status == 404
    await client.cdmi("PUT", "/cdmi/Science/d/")
    assert (await client.cdmi("POST", "/cdmi/Science/", {"copy": "/Science/d/"})).error_id == "badData"


def form(*files: tuple[str, str, bytes]) -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers by which a browser sends files."""
    body = b'--xyz\r\nContent-Disposition: form-data; name="title"\r\n\r\na title\r\n'
    for name, media_type, data in files:
        head = f'Content-Disposition: form-data; name="f"; filename="{name}"\r\nContent-Type: {media_type}'
        body += b"--xyz\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n"
    return body + b"--xyz--\r\n", {"Content-Type": "multipart/form-data; boundary=xyz"}


@ensureDeferred
async def test_a_file_of_a_form_keeps_its_name_where_it_is_free(client: Client) -> None:
    body, headers = form(("re port.txt", "text/plain; charset=utf-8", b"line\r\nline"))
    made = await client.send("POST", "/cdmi/Science/", body, headers)
    assert (made.status, made.headers["location"]) == (201, "http://localhost/cdmi/Science/re%20port.txt")
    read = (await client.cdmi("GET", "/cdmi/Science/re%20port.txt")).json
    assert (read["value"], read["mimetype"]) == ("line\r\nline", "text/plain")
    again = await client.send("POST", "/cdmi/Science/", body, headers)
    name = again.headers["location"].rpartition("/")[2]
    assert (again.status, len(name)) == (201, len(read["objectID"]))
    for odd in ("", "..", "cdmi_snapshots", "n" * 300):
        body, headers = form((odd, "text/plain", b"x"))
        reply = await client.send("POST", "/cdmi/Science/", body, headers)
        assert len(reply.headers["location"].rpartition("/")[2]) == len(name), odd
    body, headers = form(("dir/f", "text/plain", b"x"))
    assert (await client.send("POST", "/cdmi/Science/", body, headers)).headers["location"].endswith("/f")
    body, headers = form(("g", "text/plain", b"x"))
    nameless = await client.send("POST", "/cdmi/cdmi_objectid/", body, headers)
    assert "/cdmi_objectid/" in nameless.headers["location"]
    for broken in (b"--xyz\r\n", b"", body[:-4]):
        assert (await client.send("POST", "/cdmi/Science/", broken, headers)).status == 400
    assert (await client.cdmi("GET", "/cdmi/Science/g")).status == 404


@ensureDeferred
async def test_posts_that_cannot_be_leave_nothing(client: Client) -> None:
    await client.send("PUT", "/cdmi/Science/f", b"x")
    data_object = await client.cdmi("POST", "/cdmi/Science/f", {})
    assert (data_object.status, data_object.headers["allow"]) == (405, "GET, HEAD, PUT, DELETE, OPTIONS")
    assert (await client.cdmi("POST", "/cdmi/Science/none/", {})).status == 404
    assert (await client.cdmi("POST", "/cdmi/", {})).status == 403
    for body in ({"value": "*", "valuetransferencoding": "base64"}, b"{", {"value": "a", "copy": "/b"}):
        assert (await client.cdmi("POST", "/cdmi/Science/", body)).status == 400
    container = {"Content-Type": "application/cdmi-container"}
    assert (await client.cdmi("POST", "/cdmi/Science/", {}, container)).error_id == "notSupported"
    unversioned = {"Content-Type": "application/cdmi-object"}
    assert (await client.send("POST", "/cdmi/Science/", {}, unversioned)).error_id == "missingRequiredValue"
    assert (await client.send("POST", "/cdmi/Science/", b"x", token="reader")).status == 403
    capabilities = await client.send("POST", "/cdmi/cdmi_capabilities/", b"")
    assert (capabilities.status, capabilities.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert (await client.cdmi("GET", "/cdmi/Science/?children")).json == {"children": ["f"]}
