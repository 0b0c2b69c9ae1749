"""Snapshots over the door: taken, followed, read, replaced, removed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from cluster_worker.runtime.clock import sleep
from op_worker.files.content.duplicating import Duplicating
from op_worker.files.service import FileService
from op_worker.snapshots.service import Snapshots
from tests.integration.cdmi.client import Client

C = "/cdmi/Science/c/"
S = C + "cdmi_snapshots/"
ONE = S + "one/"


@async_yield_fixture(autouse=True)
async def container(client: Client) -> AsyncIterator[None]:
    """A container with an object in it."""
    await client.cdmi("PUT", C, {"metadata": {"project": "A"}})
    await client.cdmi("PUT", C + "f", {"value": "as it was"})
    yield


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Deferred[None]:
    """Copying stops until this fires."""
    opened: Deferred[None] = Deferred()
    real = Duplicating.duplicate

    async def duplicate(self: Duplicating, *args: object) -> object:
        await opened
        return await real(self, *args)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(Duplicating, "duplicate", duplicate)
    return opened


async def complete(client: Client, uri: str) -> None:
    for _ in range(200):
        reply = await client.cdmi("GET", uri + "?completionStatus")
        if reply.json == {"completionStatus": "Complete"}:
            return
        await sleep(reactor, 0.02)
    raise AssertionError(reply)


@pytest.mark.capability("system/cdmi_snapshots", "container/cdmi_snapshot")
@ensureDeferred
async def test_snapshot_is_taken_and_listed_and_read_like_any_container(client: Client) -> None:
    reply = await client.cdmi("PUT", C, {"snapshot": "one"})
    assert (reply.status, reply.body) == (204, b"")
    await client.cdmi("PUT", C + "f", {"value": "changed"})
    read = await client.cdmi("GET", C)
    assert list(read.json)[-4:] == ["metadata", "snapshots", "childrenrange", "children"]
    assert read.json["snapshots"] == ["/Science/c/cdmi_snapshots/one/"]
    assert read.json["children"] == ["cdmi_snapshots/", "f"]
    snapshot = (await client.cdmi("GET", ONE)).json
    assert snapshot["completionStatus"] == "Complete"
    assert snapshot["metadata"]["project"] == "A"
    assert snapshot["children"] == ["f"]
    assert "percentComplete" not in snapshot and "snapshots" not in snapshot
    assert (await client.cdmi("GET", ONE + "f?value")).json == {"value": "as it was"}
    assert (await client.send("GET", ONE + "f")).body == b"as it was"
    assert (await client.cdmi("GET", f"/cdmi/cdmi_objectid/{snapshot['objectID']}/f")).status == 200


@ensureDeferred
async def test_snapshots_can_be_asked_for_alone(client: Client) -> None:
    assert (await client.cdmi("GET", C + "?snapshots")).json == {}
    await client.cdmi("PUT", C, {"snapshot": "one"})
    assert (await client.cdmi("GET", C + "?snapshots")).json == {
        "snapshots": ["/Science/c/cdmi_snapshots/one/"]
    }
    assert (await client.cdmi("GET", C + "?children:0-0;childrenrange")).json == {
        "childrenrange": "0-0",
        "children": ["cdmi_snapshots/"],
    }


@ensureDeferred
async def test_long_snapshot_is_accepted_and_can_be_followed(
    client: Client, snapshots: Snapshots, gate: Deferred[None]
) -> None:
    snapshots._patience_s = 0.05
    reply = await client.cdmi("PUT", C, {"snapshot": "one"})
    assert reply.status == 202
    assert reply.headers["location"] == f"http://localhost{ONE}"
    shown = (await client.cdmi("GET", ONE)).json
    assert list(shown)[-3:] == ["completionStatus", "percentComplete", "metadata"]
    assert (shown["completionStatus"], shown["percentComplete"]) == ("Processing", "0")
    assert (await client.cdmi("GET", C + "?snapshots")).json == {
        "snapshots": ["/Science/c/cdmi_snapshots/one/"]
    }
    assert (await client.cdmi("GET", ONE + "?percentComplete;children")).json == {"percentComplete": "0"}
    gate.callback(None)
    await complete(client, ONE)
    assert (await client.cdmi("GET", ONE + "?children")).json == {"children": ["f"]}


@ensureDeferred
async def test_deleting_an_unfinished_snapshot_stops_it(
    client: Client, snapshots: Snapshots, gate: Deferred[None]
) -> None:
    snapshots._patience_s = 0.05
    await client.cdmi("PUT", C, {"snapshot": "one"})
    assert (await client.send("DELETE", ONE)).status == 204
    assert (await client.cdmi("GET", ONE)).status == 404
    gate.callback(None)
    await sleep(reactor, 0.05)
    assert (await client.cdmi("GET", C + "?snapshots")).json == {}


@ensureDeferred
async def test_snapshot_interrupted_by_a_stop_says_so_and_can_be_taken_again(
    client: Client, snapshots: Snapshots, gate: Deferred[None]
) -> None:
    snapshots._patience_s = 0.05
    await client.cdmi("PUT", C, {"snapshot": "one"})
    await snapshots.stopService()
    shown = (await client.cdmi("GET", ONE)).json
    assert shown["completionStatus"] == "Error: interrupted"
    assert "percentComplete" not in shown and "children" not in shown
    gate.callback(None)
    snapshots.startService()
    assert (await client.cdmi("PUT", C, {"snapshot": "one"})).status in (202, 204)
    await complete(client, ONE)


@ensureDeferred
async def test_snapshot_that_is_replaced_stays_readable_until_the_new_one_is_complete(
    client: Client, snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.cdmi("PUT", C, {"snapshot": "one"})
    await client.cdmi("PUT", C + "f", {"value": "later"})
    opened: Deferred[None] = Deferred()
    real = Duplicating.duplicate

    async def duplicate(self: Duplicating, *args: object) -> object:
        await opened
        return await real(self, *args)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(Duplicating, "duplicate", duplicate)
    snapshots._patience_s = 0.05
    assert (await client.cdmi("PUT", C, {"snapshot": "one"})).status == 202
    assert (await client.cdmi("GET", ONE + "?completionStatus")).json == {"completionStatus": "Processing"}
    assert (await client.send("GET", ONE + "f")).body == b"as it was"
    opened.callback(None)
    await complete(client, ONE)
    assert (await client.send("GET", ONE + "f")).body == b"later"


@ensureDeferred
async def test_restoring_is_an_ordinary_copy(client: Client) -> None:
    await client.cdmi("PUT", C, {"snapshot": "one"})
    await client.cdmi("PUT", C + "f", {"value": "changed"})
    reply = await client.cdmi("PUT", "/cdmi/Science/restored/", {"copy": "/Science/c/cdmi_snapshots/one/"})
    assert reply.status == 201
    assert (await client.send("GET", "/cdmi/Science/restored/f")).body == b"as it was"
    assert (await client.send("PUT", "/cdmi/Science/restored/f", b"mine")).status == 204
    copy = await client.cdmi("PUT", "/cdmi/Science/copy/", {"copy": "/Science/c/"})
    assert copy.status == 201
    assert (await client.cdmi("GET", "/cdmi/Science/copy/?children")).json == {"children": ["f"]}


@ensureDeferred
async def test_snapshot_that_is_not_complete_can_be_neither_copied_nor_serialised(
    client: Client, snapshots: Snapshots, gate: Deferred[None]
) -> None:
    snapshots._patience_s = 0.05
    assert (await client.cdmi("PUT", C, {"snapshot": "one"})).status == 202
    one = "/Science/c/cdmi_snapshots/one/"
    requests = (
        ("/cdmi/Science/copy/", {"copy": one}),
        ("/cdmi/Science/copy", {"serialize": one}),
    )
    for path, body in requests:
        reply = await client.cdmi("PUT", path, body)
        assert (reply.status, reply.errno) == (409, "ebusy"), body
        assert (await client.cdmi("GET", path)).status == 404
        assert (await client.cdmi("PUT", path, body, token="member")).status in (400, 403), body
    gate.callback(None)
    await complete(client, ONE)
    for path, body in requests:
        assert (await client.cdmi("PUT", path, body)).status == 201
        assert (await client.cdmi("DELETE", path)).status == 204


@ensureDeferred
async def test_nothing_in_snapshots_can_be_changed_and_refusals_say_why(client: Client) -> None:
    await client.cdmi("PUT", C, {"snapshot": "one"})
    for method, path, body in (
        ("PUT", ONE + "f", {"value": "x"}),
        ("PUT", ONE + "g", {"value": "x"}),
        ("PUT", ONE + "d/", {}),
        ("PUT", ONE, {"metadata": {"a": 1}}),
        ("PUT", ONE, {"snapshot": "nested"}),
        ("PUT", S + "mine/", {}),
        ("PUT", "/cdmi/Science/g", {"move": "/Science/c/cdmi_snapshots/one/f"}),
        ("DELETE", ONE + "f", None),
    ):
        reply = await client.cdmi(method, path, body)
        status = 400 if "move" in (body or {}) else 403
        assert (reply.status, reply.errno) == (status, "eperm"), (method, path)
    assert (await client.send("PUT", ONE + "f", b"x")).status == 403
    for method, path in (("DELETE", S), ("PUT", C + "d/cdmi_snapshots/")):
        await client.cdmi("PUT", C + "d/", {})
        assert (await client.cdmi(method, path, {} if method == "PUT" else None)).status == 400


@ensureDeferred
async def test_single_snapshots_and_all_with_their_container_are_deleted(client: Client) -> None:
    await client.cdmi("PUT", C, {"snapshot": "one"})
    await client.cdmi("PUT", C, {"snapshot": "two"})
    assert (await client.send("DELETE", ONE)).status == 204
    assert (await client.cdmi("GET", C + "?snapshots")).json == {
        "snapshots": ["/Science/c/cdmi_snapshots/two/"]
    }
    assert (await client.send("DELETE", C)).status == 204
    assert (await client.cdmi("GET", C)).status == 404


@ensureDeferred
async def test_bad_requests_for_snapshots_are_refused_and_leave_nothing(client: Client) -> None:
    for body, expected in (
        ({"snapshot": "a/b"}, "badData"),
        ({"snapshot": ""}, "badData"),
        ({"snapshot": "cdmi_x"}, "badData"),
        ({"snapshot": 5}, "badValueString"),
        ({"snapshot": "x", "copy": "/Science/c/"}, "malformedData"),
    ):
        reply = await client.cdmi("PUT", C, body)
        assert (reply.status, reply.error_id) == (400, expected), body
    missing = await client.cdmi("PUT", "/cdmi/Science/missing/", {"snapshot": "one"})
    assert (missing.status, missing.errno) == (404, "enoent")
    assert (await client.cdmi("PUT", C + "f", {"snapshot": "one"})).status in (204, 400)
    assert (await client.cdmi("PUT", "/cdmi/", {"snapshot": "one"})).status == 403
    assert (await client.cdmi("GET", C + "?snapshots;children")).json == {"children": ["f"]}


@ensureDeferred
async def test_metadata_in_the_same_request_are_in_the_snapshot(client: Client) -> None:
    reply = await client.cdmi("PUT", C, {"snapshot": "one", "metadata": {"project": "B"}})
    assert reply.status == 204
    assert (await client.cdmi("GET", ONE + "?metadata:project")).json == {"metadata": {"project": "B"}}


@ensureDeferred
async def test_snapshot_without_room_is_refused_and_leaves_nothing(
    client: Client, files: FileService, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onedata.errors import Errno, Posix

    async def no_room(*_: object) -> object:
        raise Posix(Errno.ENOSPC)

    monkeypatch.setattr(Duplicating, "duplicate", no_room)
    reply = await client.cdmi("PUT", C, {"snapshot": "one"})
    assert (reply.status, reply.errno) == (400, "enospc")
    assert (await client.cdmi("GET", ONE)).status == 404
    assert (await client.cdmi("GET", C + "?snapshots")).json == {}
