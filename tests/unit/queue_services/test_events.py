"""What happened to an object, told from its documents before and after."""

from __future__ import annotations

from attrs import evolve

from cluster_worker.persistence.engine import Document, Key
from op_worker.files.model import FileType, Json
from op_worker.files.stored.documents import (
    LOCATION,
    META,
    PARENT,
    TIMES,
    XATTRS,
    Location,
    Times,
    encode_json,
)
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.nodes import Node
from op_worker.queue_services.events import Event, Sight, changed, created, is_told_of
from op_worker.queue_services.sights import MAX_CUSTOM_B, SEEN, Watch, Watching, recalled, remember

KEY = Key("1" * 32)
OLD = Meta("f", FileType.REG, 0o664, "u", "p", 1000)
PLACE = Location("s", 5, version=1)
TIME = Times(1, 1, 1)


def sight(
    meta: Meta = OLD,
    location: Location | None = PLACE,
    times: Times = TIME,
    parent: str = "d",
    xattrs: dict[str, Json] | None = None,
    is_being_made: bool = False,
    names: tuple[str, ...] = ("d", "f"),
) -> Sight:
    documents = {META: meta.encode(), TIMES: times.encode(), PARENT: parent.encode()}
    if location is not None:
        documents[LOCATION] = location.encode()
    if xattrs:
        documents[XATTRS] = encode_json(xattrs)
    node = Node(KEY, names[-1], {name: Document(1, data) for name, data in documents.items()})
    return Sight(node, names, is_being_made)


PROCESSING: dict[str, Json] = {"cdmi_completion_status": "Processing"}
DIRECTORY = evolve(OLD, type=FileType.DIR)


def test_what_is_new_was_created_or_is_about_to_be() -> None:
    assert created(sight()) == [Event.CREATE_COMPLETE]
    assert created(sight(xattrs=PROCESSING)) == [Event.CREATE_PROCESSING]


def test_references_and_snapshots_have_events_of_their_own() -> None:
    link = evolve(OLD, type=FileType.SYMLNK, symlink_target="https://example.org/")
    assert created(sight(link, None)) == [Event.REFERENCE]
    assert created(sight(DIRECTORY, None, names=("d", "cdmi_snapshots", "one"))) == [Event.SNAPSHOT]
    assert is_told_of(("d", "cdmi_snapshots", "one"))
    assert not is_told_of(("d", "cdmi_snapshots"))
    assert not is_told_of(("d", "cdmi_snapshots", "one", "f"))


def test_a_new_place_is_a_rename_and_a_new_content_besides_is_told_after_it() -> None:
    assert changed(sight(), sight(evolve(OLD, name="g"))) == [Event.RENAME]
    assert changed(sight(), sight(parent="e")) == [Event.RENAME]
    both = sight(evolve(OLD, name="g"), evolve(PLACE, version=2))
    assert changed(sight(), both) == [Event.RENAME, Event.MODIFY_COMPLETE]


def test_content_metadata_and_permissions_are_modified() -> None:
    for after in (
        sight(location=evolve(PLACE, version=2)),
        sight(location=evolve(PLACE, generation=b"x")),
        sight(xattrs={"a": 1}),
        sight(evolve(OLD, mode=0o600)),
        sight(times=evolve(TIME, mtime_ms=2)),
    ):
        assert changed(sight(), after) == [Event.MODIFY_COMPLETE]


def test_reads_and_settled_bytes_and_entries_of_directories_are_no_events() -> None:
    assert changed(sight(), sight(times=evolve(TIME, atime_ms=9))) == []
    assert changed(sight(location=evolve(PLACE, staged="tmp")), sight()) == []
    assert changed(sight(DIRECTORY, None), sight(DIRECTORY, None, evolve(TIME, mtime_ms=2))) == []


def test_a_share_that_begins_or_ends_is_an_export() -> None:
    assert changed(sight(), sight(evolve(OLD, shares=("s",)))) == [Event.EXPORT]


def test_a_partial_series_ends_as_it_began() -> None:
    making, changing = sight(xattrs=PROCESSING, is_being_made=True), sight(xattrs=PROCESSING)
    further = sight(xattrs=PROCESSING, location=evolve(PLACE, version=2))
    assert changed(making, further) == [Event.CREATE_PROCESSING]
    assert changed(making, sight()) == [Event.CREATE_COMPLETE]
    assert changed(sight(), changing) == [Event.MODIFY_PROCESSING]
    assert changed(changing, further) == [Event.MODIFY_PROCESSING]
    assert changed(changing, sight()) == [Event.MODIFY_COMPLETE]


def stored(seen: Sight) -> Sight:
    step = remember(KEY, seen)
    again = recalled(KEY, {SEEN: Document(1, getattr(step, "data"))})  # noqa: B009 - a Step of several kinds
    assert again is not None
    return again


def test_a_sight_is_remembered_as_it_was() -> None:
    seen = sight(xattrs={"a": "b"}, is_being_made=True)
    again = stored(seen)
    assert (again.names, again.is_being_made, again.node.meta) == (seen.names, True, OLD)
    assert changed(seen, again) == []


def test_large_metadata_are_not_remembered() -> None:
    assert XATTRS not in stored(sight(xattrs={"a": "b" * MAX_CUSTOM_B})).node.documents


def test_what_was_there_before_the_first_look_is_not_new() -> None:
    watch = Watch(Watching.ON, target=5, settled=9, began_s=2000)
    assert not watch.is_new(sight(), 9)
    assert watch.is_new(sight(), 10)
    assert watch.is_new(sight(evolve(OLD, created_s=2000)), 9)
    assert not Watch(Watching.STARTING, target=5).takes(6)
