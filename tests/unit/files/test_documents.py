"""Stored documents: round trips, unknown fields, sizes."""

from __future__ import annotations

import msgpack
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from op_worker.files.acl import Ace, AceKind
from op_worker.files.model import FileType
from op_worker.files.rules.retention import Immutability
from op_worker.files.stored import blocks
from op_worker.files.stored.documents import (
    EntryValue,
    Location,
    Times,
    decode_json,
    decode_rdf,
    encode_json,
    encode_rdf,
    key_of_entry,
)
from op_worker.files.stored.intents import Intent, IntentKind
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.packing import UnknownSchemaError
from op_worker.files.stored.parts import Part
from op_worker.storage.helper import StoragePath

ids = st.one_of(st.binary(min_size=16, max_size=16).map(bytes.hex), st.text(max_size=40), st.just("A" * 32))
numbers = st.integers(0, 2**53)
rests = st.lists(st.one_of(st.integers(0, 9), st.text(max_size=3)), max_size=3).map(tuple)
block_lists = st.lists(st.tuples(numbers, st.integers(0, 99)), max_size=5).map(blocks.consolidate)

aces = st.builds(Ace, st.sampled_from(AceKind), ids, st.integers(0, 255), st.integers(0, 2**20))
metas = st.builds(
    Meta,
    st.text(max_size=9),
    st.sampled_from(FileType),
    st.integers(0, 0o1777),
    ids,
    ids,
    numbers,
    st.none() | st.text(max_size=9),
    st.booleans(),
    st.none() | st.lists(aces, max_size=3).map(tuple),
    st.integers(0, 3),
    st.integers(1, 9),
    st.lists(ids, max_size=2).map(tuple),
    st.booleans(),
    st.booleans(),
    st.none() | st.builds(Immutability, label=st.text(max_size=3), holds=st.just(("h",))),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=1),
    rests,
)
all_times = st.builds(Times, numbers, numbers, numbers, rests)
locations = st.builds(
    Location,
    ids,
    numbers,
    block_lists,
    numbers,
    st.binary(max_size=8),
    st.binary(max_size=32),
    st.text(max_size=9),
    numbers,
    st.booleans(),
    st.lists(st.text(max_size=9), max_size=2).map(tuple),
    st.text(max_size=9),
    st.lists(st.builds(Part, ids, st.text(max_size=9), block_lists), max_size=2).map(tuple),
    rests,
)
intents = st.builds(
    Intent,
    st.binary(min_size=8, max_size=8),
    st.sampled_from(IntentKind),
    st.text(max_size=9),
    numbers,
    ids,
    ids,
    st.text(max_size=9).map(StoragePath),
    st.text(max_size=9).map(StoragePath),
    numbers,
    rests,
)


@given(metas)
def test_what_a_file_is_comes_back_with_unknown_fields(meta: Meta) -> None:
    assert Meta.decode(meta.encode()) == meta


@given(all_times)
def test_times_come_back_with_unknown_fields(times: Times) -> None:
    assert Times.decode(times.encode()) == times


@given(locations)
def test_locations_come_back_with_unknown_fields(location: Location) -> None:
    assert Location.decode(location.encode()) == location


@given(intents)
def test_intents_come_back_with_unknown_fields(intent: Intent) -> None:
    assert Intent.decode(intent.encode()) == intent


@given(metas, st.text(max_size=9))
def test_fields_of_a_newer_version_survive_a_rewrite(meta: Meta, name: str) -> None:
    newer = msgpack.packb([*msgpack.unpackb(evolve(meta, rest=("x",)).encode())[:-1], "new field"])
    rewritten = evolve(Meta.decode(newer), name=name).encode()
    assert msgpack.unpackb(rewritten)[-1] == "new field"


def test_documents_of_an_unknown_schema_are_refused() -> None:
    for decode in (Meta.decode, Times.decode, Location.decode, Intent.decode):
        with pytest.raises(UnknownSchemaError):
            decode(msgpack.packb([2, *range(9)]))
    with pytest.raises(UnknownSchemaError):
        decode_json(b"\x02{}")


def test_documents_of_an_ordinary_file_are_small() -> None:
    meta = Meta("some-file-name.txt", FileType.REG, 0o664, "a" * 32, "b" * 32, 1_600_000_000)
    location = Location("c" * 32, 12345, blocks.whole(12345), 1, bytes(8), bytes(32))
    parts = [meta.encode(), Times.at(1_600_000_000.5).encode(), location.encode()]
    assert sum(map(len, parts)) <= 170


def test_times_after_a_change_touch_only_what_changed() -> None:
    times = Times.at(1.0)
    assert times.modified(2.0) == Times(1000, 2000, 2000)
    assert times.changed(2.0) == Times(1000, 1000, 2000)


@pytest.mark.parametrize("type_", list(FileType))
def test_entries_tell_key_and_type(type_: FileType) -> None:
    value = EntryValue("abc", type_)
    assert EntryValue.decode(value.encode()) == value
    assert key_of_entry(value.encode()) == "abc"


@pytest.mark.parametrize("value", [None, 2**80, 1.5, "\ud800 ż", {"a": [True, {}]}])
def test_any_json_value_comes_back(value: object) -> None:
    assert decode_json(encode_json(value)) == value  # type: ignore[arg-type]  # it is JSON


def test_rdf_comes_back_verbatim() -> None:
    assert decode_rdf(encode_rdf(b"\xff\0<x/>")) == b"\xff\0<x/>"
