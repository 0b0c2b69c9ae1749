"""Following the changes of a space over REST, as lines of JSON and as server-sent events."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from attrs import define, evolve
from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet import reactor

from cluster_worker.feeds.compaction import HISTORY
from cluster_worker.feeds.history import FeedHistory
from cluster_worker.persistence.engine import Batch, Key, Put, Scope
from cluster_worker.runtime.clock import sleep
from onedata.ids import FileGuid
from op_worker.changes.service import ChangeStreams
from op_worker.files.model import CreateOptions, MetadataChange, Target
from op_worker.files.service import FileService
from tests.integration.http.conftest import RawClient, Serve, Served
from tests.integration.http.rest_client import (
    BASE,
    CALLERS,
    FOREIGN,
    PROVIDER,
    SPACE,
    SPACE_ROOT,
    STORAGE,
    RestClient,
    make_files,
    make_tree,
    make_zone,
)
from tests.support.spaces import body

PATH = f"/changes/metadata/{SPACE}"
OWNER = CALLERS["owner"]
ROOT = FileGuid.from_object_id(SPACE_ROOT)
ALL = {"fileMeta": {"fields": ["name"]}}


@define
class Following:
    """An open stream; its lines are read as they come."""

    client: RawClient
    head: str
    waiting: bytes = b""

    async def raw(self) -> bytes | None:
        """Return the next chunk; ``None`` at the end."""
        size_b = int(await self.client.read_until(b"\r\n"), 16)
        data = await self.client.read_exactly(size_b)
        await self.client.read_until(b"\r\n")
        return data if size_b else None

    async def line(self) -> Any:
        """Return the next line of JSON; ``None`` at the end."""
        while b"\r\n" not in self.waiting:
            data = await self.raw()
            if data is None:
                return None
            self.waiting += data
        line, _, self.waiting = self.waiting.partition(b"\r\n")
        return json.loads(line)

    async def event(self) -> tuple[int, Any]:
        """Return the id and the data of the next event that has data."""
        while True:
            while b"\n\n" not in self.waiting:
                data = await self.raw()
                assert data is not None
                self.waiting += data
            text, _, self.waiting = self.waiting.partition(b"\n\n")
            lines = [line.partition(": ") for line in text.decode().split("\n")]
            fields = {name: value for name, _, value in lines}
            if "data" in fields:
                return int(fields["id"]), json.loads(fields["data"])


@define
class Door:
    """A served door, and what changes are made with."""

    served: Served
    files: FileService
    streams: ChangeStreams

    @property
    def rest(self) -> RestClient:
        return RestClient(self.served)

    async def follow(
        self, query: str = "last_seq=0", value: Any = None, *, token: str = "owner", **headers: str
    ) -> Following:
        client = await self.served.connect()
        data = b"" if value is None else json.dumps(value).encode()
        lines = [
            f"{'GET' if value is None else 'POST'} {BASE}{PATH}?{query} HTTP/1.1",
            "Host: a",
            f"X-Auth-Token: {token}",
            *(f"{name.replace('_', '-')}: {text}" for name, text in headers.items()),
        ]
        if data:
            lines += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
        client.send("\r\n".join([*lines, "", ""]).encode() + data)
        head = (await client.read_until(b"\r\n\r\n")).decode()
        assert head.startswith("HTTP/1.1 200 "), head
        return Following(client, head.lower())

    async def put(self, name: str, content: bytes = b"x") -> FileGuid:
        target = Target(ROOT, (name,))
        stat, _ = await self.files.replace_content(
            OWNER, target, body(content), expected_b=len(content), create=CreateOptions()
        )
        return stat.guid


@async_yield_fixture
async def door(serve: Serve) -> AsyncIterator[Door]:
    zone = make_zone()
    files = await make_files(zone)
    streams = ChangeStreams(files.context, reactor)
    for service in (files, streams):
        service.startService()
    await files.stat(OWNER, Target(ROOT))
    yield Door(await serve(make_tree(files, zone, changes=streams)), files, streams)
    streams.stopService()
    await files.stopService()


@ensureDeferred
async def test_a_specification_chooses_what_the_lines_show(door: Door) -> None:
    wanted = {
        "fileMeta": {"fields": ["name", "type", "mode", "owner", "provider_id", "shares", "deleted"]},
        "fileLocation": {"fields": ["provider_id", "storage_id", "size", "space_id", "storage_file_created"]},
        "times": {"fields": ["mtime"]},
        "customMetadata": {
            "fields": ["k", "none", "onedata_keyvalue"],
            "exists": ["k", "onedata_rdf"],
            "always": True,
        },
    }
    stream = await door.follow("last_seq=1", wanted)
    assert "content-type: application/json\r\n" in stream.head
    assert "transfer-encoding: chunked" in stream.head
    guid = await door.put("a", b"abc")
    line = await stream.line()
    while line["fileId"] != guid.object_id():
        line = await stream.line()
    rev, mutators = line["fileMeta"].pop("rev"), line["fileMeta"].pop("mutators")
    assert (rev.partition("-")[0], len(rev.partition("-")[2]), mutators) == ("1", 32, [PROVIDER])
    assert line["fileMeta"] == {
        "changed": True,
        "deleted": False,
        "fields": {
            "name": "a",
            "type": "REG",
            "mode": 0o664,
            "owner": OWNER.user_id,
            "provider_id": PROVIDER,
            "shares": [],
            "deleted": False,
        },
    }
    assert line["fileLocation"]["fields"] == {
        "provider_id": PROVIDER,
        "storage_id": STORAGE,
        "size": 3,
        "space_id": SPACE,
        "storage_file_created": True,
    }
    assert line["filePath"] == "/Science/a"
    assert line["customMetadata"] == {
        "rev": None,
        "mutators": [],
        "changed": False,
        "deleted": False,
        "fields": {"k": None, "none": None, "onedata_keyvalue": None},
        "exists": {"k": False, "onedata_rdf": False},
    }
    await door.files.metadata.change(OWNER, Target(guid), MetadataChange(set_xattrs={"k": [1]}))
    line = await stream.line()
    while not line["customMetadata"]["changed"]:
        line = await stream.line()
    assert line["customMetadata"]["fields"] == {"k": [1], "none": None, "onedata_keyvalue": {"k": [1]}}
    assert line["customMetadata"]["exists"] == {"k": True, "onedata_rdf": False}
    assert "fileLocation" not in line
    stream.client.abort()


@ensureDeferred
async def test_triggers_limit_what_causes_a_line(door: Door) -> None:
    wanted = {"triggers": ["customMetadata"], "fileMeta": {"fields": ["name"], "always": True}}
    stream = await door.follow("", wanted)
    first, second = await door.put("a"), await door.put("b")
    await door.files.set_mode(OWNER, Target(first), 0o600)
    await door.files.metadata.set_json(OWNER, Target(second), {"k": 1})
    line = await stream.line()
    assert (line["fileId"], line["fileMeta"]["fields"]) == (second.object_id(), {"name": "b"})
    await door.files.metadata.remove_json(OWNER, Target(second))
    assert (await stream.line())["fileId"] == second.object_id()
    stream.client.abort()


@ensureDeferred
async def test_removed_files_and_trees_are_told_as_deleted(door: Door) -> None:
    guid = await door.put("a")
    made = await door.files.create_directory(OWNER, Target(ROOT, ("d",)), CreateOptions())
    inner = await door.files.create_file(OWNER, Target(made.guid, ("f",)), CreateOptions())
    stream = await door.follow("", {"fileMeta": {"fields": ["name", "deleted"]}})
    await door.files.remove(OWNER, Target(guid))
    await door.files.remove(OWNER, Target(made.guid))
    left = {guid.object_id(), made.guid.object_id(), inner.guid.object_id()}
    while left:
        line = await stream.line()
        if line["fileId"] == SPACE_ROOT:
            continue
        assert line["fileMeta"]["deleted"] is True
        assert line["fileMeta"]["fields"] == {"name": None, "deleted": True}
        assert line["filePath"] == ""
        left.discard(line["fileId"])
    stream.client.abort()


@ensureDeferred
async def test_the_classic_stream_tells_a_fixed_set(door: Door) -> None:
    guid = await door.put("a", b"abc")
    await door.files.metadata.change(OWNER, Target(guid), MetadataChange(set_xattrs={"k": 1}))
    stream = await door.follow("last_seq=0&timeout=100")
    lines = []
    while line := await stream.line():
        lines.append(line)
    found = next(line for line in lines if line["file_id"] == guid.object_id())
    assert set(found) == {"changes", "deleted", "file_id", "file_path", "name", "seq"}
    assert (found["name"], found["file_path"], found["deleted"]) == ("a", "/Science/a", False)
    changes = found["changes"]
    assert {key: changes[key] for key in ("mode", "size", "type", "uid", "xattrs", "scope", "is_scope")} == {
        "mode": 0o664,
        "size": 3,
        "type": "REG",
        "uid": OWNER.user_id,
        "xattrs": {"k": 1},
        "scope": SPACE,
        "is_scope": False,
    }
    assert [line["seq"] for line in lines] == sorted({line["seq"] for line in lines})


@ensureDeferred
async def test_events_carry_their_number_and_last_event_id_continues(door: Door) -> None:
    await door.put("a")
    stream = await door.follow("last_seq=0", ALL, Accept="text/event-stream")
    assert "content-type: text/event-stream\r\n" in stream.head
    number, line = await stream.event()
    assert number == line["seq"]
    stream.client.abort()
    await door.put("b")
    again = await door.follow("last_seq=0", None, Accept="text/event-stream", Last_Event_ID=str(number))
    following, line = await again.event()
    assert following > number
    again.client.abort()


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
@ensureDeferred
async def test_no_change_is_lost_or_repeated_when_connections_break(door: Door, accept: str) -> None:
    """The connection dies at random places; the client goes on after the last line that it has whole."""
    chance = random.Random(accept)
    expected: set[str] = set()
    seen: list[int] = []
    named: set[str] = set()
    last = 1
    for number in range(60):
        guid = await door.put(f"f{number}")
        expected.add(guid.object_id())
        if number % 10:
            continue
        stream = await door.follow(f"last_seq={last}&timeout=50", None if number % 20 else ALL, Accept=accept)
        end_b = chance.randrange(0, 3000)
        while len(stream.waiting) < end_b and (data := await stream.raw()) is not None:
            stream.waiting += data
        stream.client.abort()
        for line in whole_lines(stream.waiting[:end_b]):
            seen.append(line["seq"])
            named.add(line.get("fileId") or line["file_id"])
            last = line["seq"]
    stream = await door.follow(f"last_seq={last}&timeout=50", ALL, Accept=accept)
    while (data := await stream.raw()) is not None:
        stream.waiting += data
    for line in whole_lines(stream.waiting):
        seen.append(line["seq"])
        named.add(line["fileId"])
    assert seen == sorted(set(seen))
    assert expected <= named


def whole_lines(data: bytes) -> list[Any]:
    """Return the lines, or the data of events, that arrived to their end."""
    ended = data[: max(data.rfind(b"\r\n"), data.rfind(b"\n\n")) + 2] if b"\n" in data else b""
    texts = [line.strip().removeprefix(b"data: ") for line in ended.split(b"\n")]
    return [json.loads(text) for text in texts if text.startswith(b"{")]


@ensureDeferred
async def test_documents_that_are_no_files_never_appear(door: Door) -> None:
    engine, scope = door.files.context.engine, Scope(SPACE)
    stream = await door.follow("")
    await door.rest.ask("PATCH", f"/spaces/{SPACE}/settings", value={"search": True})
    for key in (Key("positions"), Key("share:1"), Key("c" * 32)):
        await engine.commit(scope, Batch([Put(key, "s", b"x")], announce=[key]))
    guid = await door.put("a")
    assert {(await stream.line())["file_id"] for _ in range(2)} == {guid.object_id(), SPACE_ROOT}
    stream.client.abort()


@ensureDeferred
async def test_a_client_that_does_not_read_stops_the_reading_of_the_feed(door: Door) -> None:
    asked = 0
    engine: Any = door.files.context.engine
    changes = engine.changes

    async def counted(*args: Any) -> Any:
        nonlocal asked
        asked += 1
        return await changes(*args)

    for number in range(200):
        guid = await door.put(f"f{number}")
        change = MetadataChange(set_xattrs={str(at): "x" * 60_000 for at in range(6)})
        await door.files.metadata.change(OWNER, Target(guid), change)
    engine.changes = counted
    stream = await door.follow("last_seq=0&timeout=200")
    stream.client.pause()
    await sleep(reactor, 0.7)
    before = asked
    await sleep(reactor, 0.3)
    assert asked == before < 7
    stream.client.resume()
    count = 0
    while await stream.line():
        count += 1
    assert count == 201


@ensureDeferred
async def test_streams_end_when_the_daemon_stops_and_when_the_client_goes(door: Door) -> None:
    first, second = await door.follow(""), await door.follow("", ALL)
    assert len(door.streams._open) == 2
    second.client.abort()
    await sleep(reactor, 0.1)
    assert len(door.streams._open) == 1
    door.streams.stopService()
    assert await first.line() is None
    assert len(door.streams._open) == 0


@ensureDeferred
async def test_a_stream_ends_after_the_silence_that_was_asked_for(door: Door) -> None:
    stream = await door.follow("timeout=300")
    await sleep(reactor, 0.15)
    guid = await door.put("a")
    assert {(await stream.line())["file_id"] for _ in range(2)} >= {guid.object_id()}
    begin_s = reactor.seconds()
    assert await stream.line() is None
    assert 0.2 < reactor.seconds() - begin_s < 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, {"id": "badValueEmpty", "key": "changesSpecification"}),
        ({"triggers": ["times"]}, {"id": "badValueEmpty", "key": "changesSpecification"}),
        ([], {"id": "badValueJSON", "key": "changesSpecification"}),
        ({"fileMetta": {}}, {"id": "badData", "key": "fileMetta"}),
        ({"times": []}, {"id": "badValueJSON", "key": "times"}),
        (
            {"times": {"fields": ["btime"]}},
            {"id": "badValueNotAllowed", "key": "times.fields"},
        ),
        ({"times": {"fields": "mtime"}}, {"id": "badValueListOfStrings", "key": "times.fields"}),
        ({"times": {"fields": [1]}}, {"id": "badValueListOfStrings", "key": "times.fields"}),
        ({"times": {"exists": ["a"]}}, {"id": "badData", "key": "times.exists"}),
        ({"times": {"always": 1}}, {"id": "badValueBoolean", "key": "times.always"}),
        ({"times": {}, "triggers": ["x"]}, {"id": "badValueListNotAllowed", "key": "triggers"}),
    ],
)
@ensureDeferred
async def test_a_bad_specification_is_named(door: Door, value: Any, expected: Any) -> None:
    answer = await door.rest.post(PATH, value=value)
    assert answer.status == 400
    assert expected.items() <= answer.error.items()


@ensureDeferred
async def test_bad_parameters_and_missing_rights_are_refused_before_the_stream(door: Door) -> None:
    async def error(query: str, **more: Any) -> tuple[int, Any]:
        answer = await door.rest.get(f"{PATH}{query}", **more)
        return answer.status, answer.json["error"]["id"]

    assert await error("?timeout=soon") == (400, "badValueInteger")
    assert await error("?timeout=-1") == (400, "badValueTooLow")
    assert await error("?last_seq=x") == (400, "badValueInteger")
    assert await error("", token="member") == (403, "forbidden")
    assert await error("", token="stranger") == (403, "forbidden")
    assert await error("", token="readonly") == (401, "unauthorized")
    assert await error("", token=None) == (401, "unauthorized")
    broken = await door.rest.post(PATH, body=b"{", Content_Type="application/json")
    assert broken.error == {"id": "badValueJSON", "key": "changesSpecification"}
    bad_id = {"Accept": "text/event-stream", "Last_Event_ID": "x"}
    assert (await door.rest.get(PATH, **bad_id)).error == {"id": "badValueInteger", "key": "Last-Event-ID"}
    assert (await door.rest.get(f"/changes/metadata/{FOREIGN}")).status == 403
    assert (await door.rest.get(PATH, Accept="text/csv")).status == 406


@ensureDeferred
async def test_a_silent_stream_of_events_gives_signs_of_life_until_the_right_is_lost(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("op_worker.changes.stream.HEARTBEAT_S", 0.1)
    stream = await door.follow("", Accept="text/event-stream")
    data = await stream.raw()
    assert data is not None
    assert data.startswith(b": ")
    zone: Any = door.files.context.access.zone
    space = await zone.space(SPACE)
    zone.put_space(evolve(space, owners=frozenset(), user_privileges={}))
    while await stream.raw() is not None:
        pass


@ensureDeferred
async def test_numbers_from_before_the_horizon_are_refused_but_not_the_beginning(door: Door) -> None:
    for number in range(3):
        await door.put(f"f{number}")
    history = FeedHistory(horizon=4).encode()
    await door.files.context.engine.commit(Scope(SPACE), Batch([Put(HISTORY, "h", history)]))
    refused = await door.rest.get(f"{PATH}?last_seq=3")
    assert (refused.status, refused.error) == (410, {"id": "changesForgotten", "horizon": 4})
    for good in (0, 4, 5):
        stream = await door.follow(f"last_seq={good}")
        assert (await stream.line())["seq"] > good
        stream.client.abort()


@ensureDeferred
async def test_metadata_removed_before_the_stream_began_are_told_as_deleted(door: Door) -> None:
    guid, plain = await door.put("a"), await door.put("b")
    await door.files.metadata.set_json(OWNER, Target(guid), {"k": 1})
    await door.files.metadata.remove_json(OWNER, Target(guid))
    wanted = {"triggers": ["customMetadata"], "customMetadata": {"fields": ["onedata_json"]}}
    stream = await door.follow("last_seq=0&timeout=100", wanted)
    told = {}
    while line := await stream.line():
        told[line["fileId"]] = line["customMetadata"]
    assert told[guid.object_id()]["deleted"] is True
    assert plain.object_id() not in told
