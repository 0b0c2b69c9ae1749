"""Queues that the provider fills, over every pair of engine and storage."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet import reactor

from cluster_worker.persistence.engine import Key, Scope
from cluster_worker.runtime.clock import sleep
from onedata.errors import Unauthorized
from onedata.tokens.verify import DataLimits
from op_worker.auth.caller import Caller
from op_worker.files.model import CreateOptions, Existing, MetadataChange, Target
from op_worker.files.rules.retention import ImmutabilityChange
from op_worker.files.service import FileService
from op_worker.files.stored.quotas import Quota
from op_worker.queue_services.definitions import parse_definition
from op_worker.queue_services.service import QueueServices
from tests.support.queue_services import (
    begin_notification,
    begin_query,
    make_services,
    status_of,
    until_status,
    until_values,
    values_of,
)
from tests.support.spaces import BOB, SPACE, Site, alice, bob, body, owner, path

MAKE = CreateOptions(existing=Existing.UPDATE)
QUERY = parse_definition(
    {
        "cdmi_queue_type": "cdmi_query_queue",
        "cdmi_scope_specification": [],
        "cdmi_results_specification": "",
    }
)
HOLD = MetadataChange(immutability=ImmutabilityChange(holds=("h",)))


@async_yield_fixture
async def services(site: Site, files: FileService) -> AsyncIterator[QueueServices]:
    service = make_services(site, files)
    service.startService()
    yield service
    await service.stopService()


async def write(files: FileService, name: str, data: bytes = b"x") -> None:
    await files.replace_content(alice, path(name), body(data), expected_b=None, create=MAKE)


async def mkdir(files: FileService, name: str) -> None:
    await files.create_directory(alice, path(name), CreateOptions())


def told(values: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(value["cdmi_event"].removeprefix("cdmi_"), value.get("objectName", "")) for value in values]


@ensureDeferred
async def test_a_query_finds_what_is_in_its_scope_and_is_current_then(
    files: FileService, services: QueueServices
) -> None:
    await mkdir(files, "dir")
    for name in ("dir/a.txt", "dir/b.dat", "c.txt"):
        await write(files, name)
    await files.metadata.change(alice, path("dir/a.txt"), MetadataChange(set_xattrs={"colour": "red"}))
    queue = await begin_query(services, files, [{"objectName": "ends .txt"}])
    await until_status(services, queue)
    assert await values_of(files, queue) == [{"objectName": "c.txt"}, {"objectName": "a.txt"}]
    coloured = await begin_query(services, files, [{"metadata": {"colour": "== red"}}], name="other")
    await until_status(services, coloured)
    assert await values_of(files, coloured) == [{"objectName": "a.txt"}]


@ensureDeferred
async def test_a_query_tells_nothing_that_its_creator_may_not_read(
    files: FileService, services: QueueServices
) -> None:
    await mkdir(files, "open")
    await mkdir(files, "closed")
    for name in ("open/shown", "open/secret", "closed/inside"):
        await write(files, name)
    await files.set_mode(alice, path("open/secret"), 0o600)
    await files.set_mode(alice, path("closed"), 0o700)
    queue = await begin_query(services, files, caller=bob)
    await until_status(services, queue)
    names = {value["objectName"] for value in await values_of(files, queue)}
    assert names == {"Science/", "open/", "shown", "queue", "Other/"}


@ensureDeferred
async def test_a_directory_that_may_be_passed_but_not_listed_hides_what_is_in_it(
    files: FileService, services: QueueServices
) -> None:
    await mkdir(files, "dropbox")
    await write(files, "dropbox/known.txt")
    await files.set_mode(alice, path("dropbox"), 0o710)
    queue = await begin_query(services, files, [{"objectName": "ends .txt"}], caller=bob)
    await until_status(services, queue)
    assert await values_of(files, queue) == []


@ensureDeferred
async def test_values_of_queues_are_no_objects_and_values_match_in_base64(
    files: FileService, services: QueueServices
) -> None:
    await write(files, "hello", b"Hello")
    await write(files, "large", b"Hello" * 20_000)
    first = await begin_query(services, files, [{"value": "starts SGVsbG"}], "", name="first")
    await until_status(services, first)
    [found] = await values_of(files, first)
    assert (found["objectName"], found["value"], found["valuerange"]) == ("hello", "SGVsbG8=", "0-4")
    second = await begin_query(services, files, [{"parentURI": "== /Science/"}], name="second")
    await until_status(services, second)
    names = [value["objectName"] for value in await values_of(files, second)]
    assert names == ["first", "hello", "large", "second"]


@ensureDeferred
async def test_a_parent_is_named_by_path_or_by_id(files: FileService, services: QueueServices) -> None:
    await mkdir(files, "a b")
    await write(files, "a b/f")
    parent_id = (await files.stat(alice, path("a b"))).guid.object_id()
    for at, uri in enumerate(
        (
            "== /Science/a%20b/",
            "== /cdmi/Science/a b/",
            f"== /cdmi_objectid/{parent_id}/",
            f"starts https://krk.example/cdmi/cdmi_objectid/{parent_id.lower()}",
        )
    ):
        queue = await begin_query(services, files, [{"parentURI": uri}], name=f"queue{at}")
        await until_status(services, queue)
        assert await values_of(files, queue) == [{"objectName": "f"}], uri


@ensureDeferred
async def test_a_query_goes_on_after_a_stop_with_nothing_lost_and_nothing_twice(
    site: Site, files: FileService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("op_worker.queue_services.querying.PAGE", 3)
    monkeypatch.setattr("op_worker.queue_services.service.LOOK_S", 0.2)
    for at in range(20):
        await write(files, f"f{at:02}")
    node = make_services(site, files)
    node.startService()
    queue = await begin_query(node, files, [{"objectName": "starts f"}])
    await node.stopService()
    for _ in range(10):  # over a real store each life is shorter than the walk
        node = make_services(site, files)
        node.startService()
        await sleep(reactor, 0.01)
        await node.stopService()
    node.startService()
    await until_status(node, queue)
    await node.stopService()
    assert [value["objectName"] for value in await values_of(files, queue)] == [
        f"f{at:02}" for at in range(20)
    ]


@ensureDeferred
async def test_two_nodes_answer_a_query_once(site: Site, files: FileService) -> None:
    for at in range(10):
        await write(files, f"f{at}")
    nodes = [make_services(site, files) for _ in range(2)]
    for node in nodes:
        node.startService()
    queue = await begin_query(nodes[0], files, [{"objectName": "starts f"}])
    nodes[1].look_soon(queue.space_id)
    await until_status(nodes[0], queue)
    for node in nodes:
        await node.stopService()
    assert [value["objectName"] for value in await values_of(files, queue)] == [f"f{at}" for at in range(10)]


@ensureDeferred
async def test_a_queue_that_was_ended_keeps_its_values_and_begins_anew_when_it_is_set_back(
    files: FileService, services: QueueServices
) -> None:
    await write(files, "f1")
    queue = await begin_query(services, files, [{"objectName": "starts f"}])
    await until_status(services, queue)
    await services.end(owner, queue)
    assert "cdmi_queue_type" not in await services.items(queue)
    await write(files, "f2")
    entry = await services.entry(queue)
    assert entry is not None
    await services.begin(owner, queue, entry.definition)
    await until_values(files, queue, 3)
    await until_status(services, queue)
    names = [value["objectName"] for value in await values_of(files, queue)]
    assert names == ["f1", "f1", "f2"]


@ensureDeferred
async def test_a_token_with_caveats_begins_nothing(files: FileService, services: QueueServices) -> None:
    queue = (await files.queues.create(owner, path("queue"))).guid
    for limits in (DataLimits(readonly=True), DataLimits(paths=(frozenset({"/" + SPACE}),))):
        with pytest.raises(Unauthorized):
            await services.begin(Caller(owner.user_id, limits), queue, QUERY)
    assert await services.items(queue) == {}


@ensureDeferred
async def test_notifications_tell_what_happened_in_its_order(
    files: FileService, services: QueueServices
) -> None:
    await mkdir(files, "dir")
    await write(files, "old")
    queue = await begin_notification(services, files)
    await until_status(services, queue)
    await write(files, "new")
    await until_values(files, queue, 1)
    await write(files, "new", b"other")
    await until_values(files, queue, 2)
    await files.metadata.change(alice, path("new"), MetadataChange(set_xattrs={"a": 1}))
    await until_values(files, queue, 3)
    await files.move(alice, path("new"), path("dir/newer"))
    await until_values(files, queue, 4)
    await files.remove(alice, path("dir/newer"))
    await until_values(files, queue, 5)
    await files.remove(alice, path("old"))
    await until_values(files, queue, 6)
    await files.create_symlink(alice, path("link"), CreateOptions(symlink_target="https://example.org/x"))
    await until_values(files, queue, 7)
    await files.create_symlink(alice, path("plain link"), CreateOptions(symlink_target="dir"))
    await mkdir(files, "dir/inner")
    assert told(await until_values(files, queue, 8)) == [
        ("create_complete", "new"),
        ("modify_complete", "new"),
        ("modify_complete", "new"),
        ("rename", "newer"),
        ("delete", "newer"),
        ("delete", "old"),
        ("reference", "link"),
        ("create_complete", "inner/"),
    ]
    await until_status(services, queue)


@ensureDeferred
async def test_a_series_of_partial_writes_is_told_from_its_beginning_to_its_end(
    files: FileService, services: QueueServices
) -> None:
    processing, complete = (
        MetadataChange(set_xattrs={"cdmi_completion_status": text}) for text in ("Processing", "Complete")
    )
    queue = await begin_notification(services, files, [{"objectName": "== f"}])
    await until_status(services, queue)
    await files.replace_content(
        alice, path("f"), body(b"a"), expected_b=None, create=MAKE, metadata=processing
    )
    await until_values(files, queue, 1)
    await files.metadata.change(alice, path("f"), complete)
    await until_values(files, queue, 2)
    await files.metadata.change(alice, path("f"), processing)
    await until_values(files, queue, 3)
    await files.metadata.change(alice, path("f"), complete)
    assert [event for event, _ in told(await until_values(files, queue, 4))] == [
        "create_processing",
        "create_complete",
        "modify_processing",
        "modify_complete",
    ]


@ensureDeferred
async def test_only_chosen_events_of_readable_objects_in_the_scope_are_told(
    files: FileService, services: QueueServices
) -> None:
    mine = await begin_notification(
        services, files, [{"objectName": "starts f"}], ["cdmi_delete"], caller=bob, name="mine"
    )
    await until_status(services, mine)
    for name in ("f1", "f2", "g", "secret"):
        await write(files, name)
    await files.set_mode(alice, path("f2"), 0o600)
    await until_status(services, mine)
    for name in ("f2", "g", "f1"):
        await files.remove(alice, path(name))
    assert told(await until_values(files, mine, 1)) == [("delete", "f1")]
    await until_status(services, mine)
    assert told(await values_of(files, mine)) == [("delete", "f1")]


@ensureDeferred
async def test_a_deleted_object_matches_by_what_it_was(files: FileService, services: QueueServices) -> None:
    await mkdir(files, "dir")
    await write(files, "dir/red")
    await write(files, "dir/blue")
    await files.metadata.change(alice, path("dir/red"), MetadataChange(set_xattrs={"colour": "red"}))
    queue = await begin_notification(services, files, [{"metadata": {"colour": "== red"}}], ["cdmi_delete"])
    inside = await begin_notification(
        services, files, [{"parentURI": "== /Science/dir/"}], ["cdmi_delete"], name="inside"
    )
    await until_status(services, queue)
    await files.remove(alice, path("dir"))
    await files.recover(queue.space_id)
    assert told(await until_values(files, queue, 1)) == [("delete", "red")]
    assert sorted(told(await until_values(files, inside, 2))) == [("delete", "blue"), ("delete", "red")]


@ensureDeferred
async def test_notifications_go_on_after_a_stop_with_nothing_lost_and_nothing_twice(
    site: Site, files: FileService
) -> None:
    node = make_services(site, files)
    node.startService()
    queue = await begin_notification(node, files, [{"objectName": "starts f"}])
    await until_status(node, queue)
    for at in range(12):
        await write(files, f"f{at:02}")
        if at % 4 == 1:
            await node.stopService()
        elif at % 4 == 3:
            node = make_services(site, files)
            node.startService()
    await until_values(files, queue, 12)
    await until_status(node, queue)
    await node.stopService()
    assert told(await values_of(files, queue)) == [("create_complete", f"f{at:02}") for at in range(12)]


@ensureDeferred
async def test_a_queue_that_was_ended_is_told_nothing_more(
    files: FileService, services: QueueServices
) -> None:
    one = await begin_notification(services, files, name="one")
    await until_status(services, one)
    other = await begin_notification(services, files, name="other")
    await until_values(files, one, 1)
    await services.end(owner, one)
    await write(files, "f")
    assert told(await until_values(files, other, 1)) == [("create_complete", "f")]
    assert told(await values_of(files, one)) == [("create_complete", "other")]


@ensureDeferred
async def test_what_a_queue_cannot_take_waits_and_keeps_no_other_queue_waiting(
    files: FileService, services: QueueServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("op_worker.queue_services.notifying.REST_S", 0.02)
    full = await begin_notification(services, files, [{"objectName": "starts f"}], caller=bob, name="full")
    other = await begin_notification(services, files, [{"objectName": "starts f"}], name="other")
    await until_status(services, other)
    await files.quotas.set_user_quota(owner, SPACE, BOB, Quota(size_b=1))
    await write(files, "f1")
    await write(files, "f2")
    assert len(await until_values(files, other, 2)) == 2
    assert await values_of(files, full) == []
    assert await status_of(services, full) == "Processing"
    await files.quotas.remove_user_quota(owner, SPACE, BOB)
    for _ in range(300):
        services.look_soon(SPACE)
        await sleep(reactor, 0.01)
        if len(await values_of(files, full)) == 2:
            break
    assert told(await values_of(files, full)) == [("create_complete", "f1"), ("create_complete", "f2")]


@ensureDeferred
async def test_a_query_queue_under_a_hold_gets_nothing_until_it_is_released(
    site: Site, files: FileService
) -> None:
    await write(files, "f")
    node = make_services(site, files)
    queue = await begin_query(node, files, [{"objectName": "== f"}])
    await files.metadata.change(owner, Target(queue), HOLD)
    node.startService()
    await until_status(node, queue, "Error: the queue is under a hold or in a retention period")
    assert await values_of(files, queue) == []
    await files.holds.release(owner, Target(queue), ["h"])
    node.look_soon(SPACE)
    assert await until_values(files, queue, 1) == [{"objectName": "f"}]
    await until_status(node, queue)
    await node.stopService()


@ensureDeferred
async def test_news_for_a_queue_under_a_hold_wait_until_it_is_released(
    files: FileService, services: QueueServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("op_worker.queue_services.notifying.REST_S", 0.02)
    held = await begin_notification(services, files, [{"objectName": "starts f"}], name="held")
    other = await begin_notification(services, files, [{"objectName": "starts f"}], name="other")
    await until_status(services, other)
    await files.metadata.change(owner, Target(held), HOLD)
    await write(files, "f1")
    await until_values(files, other, 1)
    assert await values_of(files, held) == []
    await files.holds.release(owner, Target(held), ["h"])
    for _ in range(300):
        services.look_soon(SPACE)
        await sleep(reactor, 0.01)
        if await values_of(files, held):
            break
    assert told(await values_of(files, held)) == [("create_complete", "f1")]


@ensureDeferred
async def test_a_query_that_finds_no_room_says_so_and_goes_on_when_there_is_some(
    files: FileService, services: QueueServices
) -> None:
    await write(files, "f")
    await files.quotas.set_user_quota(owner, SPACE, BOB, Quota(size_b=1))
    queue = await begin_query(services, files, [{"objectName": "== f"}], caller=bob)
    await until_status(services, queue, "Error: no space is left for results")
    await files.quotas.remove_user_quota(owner, SPACE, BOB)
    services.look_soon(SPACE)
    assert await until_values(files, queue, 1) == [{"objectName": "f"}]
    await until_status(services, queue)


@ensureDeferred
async def test_what_was_remembered_of_a_space_goes_with_its_last_notification_queue(
    site: Site, files: FileService, services: QueueServices
) -> None:
    await write(files, "f")
    uuid = (await files.stat(alice, path("f"))).guid.uuid
    queue = await begin_notification(services, files)
    await until_status(services, queue)
    scope, seen = Scope(SPACE), Key(f"seen:{uuid}")
    assert await site.engine.get_all(scope, seen)
    await files.remove(owner, Target(queue))
    for _ in range(500):
        if not await site.engine.get_all(scope, seen) and await services.entry(queue) is None:
            break
        services.look_soon(SPACE)
        await sleep(reactor, 0.01)
    assert not await site.engine.get_all(scope, seen)
    assert await services.entry(queue) is None
    assert "notifications" not in await site.engine.get_all(scope, Key("positions"))
