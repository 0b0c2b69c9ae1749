"""How values lie in Redis."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_worker.persistence.engine import Add, Batch, Check, Delete, Document, Entry, Key, Put, Scope
from cluster_worker.persistence.layout import (
    after_name,
    before_name,
    decode_document,
    decode_entry,
    decode_found,
    encode_batch,
    encode_revision,
    exactly_name,
    key_bytes,
    key_of,
    key_text,
    scope_prefix,
)

texts = st.text(st.characters(exclude_categories=["Cs"])).map(str)
names = st.binary(max_size=6).map(lambda raw: raw.replace(b"\0", b"\x02"))


revisions = st.one_of(st.integers(1, 300), st.integers(1, 2**48 - 1))


@given(revisions, st.binary())
def test_document_is_revision_then_data(revision: int, data: bytes) -> None:
    assert decode_document(encode_revision(revision) + data) == Document(revision, data)


@given(revisions, st.binary())
def test_the_first_byte_tells_where_the_data_begin(revision: int, data: bytes) -> None:
    stored = encode_revision(revision) + data
    assert stored[1 if stored[0] < 128 else 7 :] == data


@given(st.binary())
def test_any_bytes_make_a_key_that_comes_back(raw: bytes) -> None:
    assert key_bytes(key_text(raw)) == raw


@given(names, names, names)
def test_bounds_split_members_by_their_name(bound: bytes, name: bytes, value: bytes) -> None:
    member = name + b"\0" + value
    low, high = exactly_name(bound)
    assert (after_name(bound)[1:] <= member) == (name > bound)
    assert (member < before_name(bound)[1:]) == (name < bound)
    assert (low[1:] <= member < high[1:]) == (name == bound)
    assert decode_entry(member) == Entry(name, value)


def test_key_of_a_value_ends_at_the_first_slash() -> None:
    assert [key_of(value) for value in (b"abc/x/y", b"abc", b"/x", b"")] == ["abc", "abc", "", ""]


def test_keys_of_a_scope_share_its_hash_tag() -> None:
    assert scope_prefix(Scope("sp\N{SNOWMAN}")) == "{sp\N{SNOWMAN}}:".encode()


def test_new_revision_is_written_with_the_expected_one() -> None:
    batch = Batch([Put(Key("k"), "m", b"d", expect=255)], [Key("a"), Key("b"), Key("a")])
    steps, announced = msgpack.unpackb(encode_batch(batch), raw=True)
    assert steps == [[2, b"k", b"m", encode_revision(256) + b"d", encode_revision(255)]]
    assert announced == [b"a", b"b"]


def test_absence_is_expected_as_empty_and_anything_as_null() -> None:
    batch = Batch([Check(Key("k"), "m", 0), Delete(Key("k"), "m")])
    assert msgpack.unpackb(encode_batch(batch), raw=True)[0] == [[5, b"k", b"m", b""], [3, b"k", b"m", None]]


@pytest.mark.parametrize("delta", [2**80, -(2**80)])
def test_absurd_additions_are_cut_to_what_still_fails(delta: int) -> None:
    steps, _ = msgpack.unpackb(encode_batch(Batch([Add("u", delta, limit=delta)])), raw=True)
    assert abs(steps[0][2]) == 2**54
    assert -(2**53) <= steps[0][3] < 2**53


def test_what_was_found_comes_back_in_the_terms_of_the_step() -> None:
    put = Put(Key("k"), "m", b"")
    assert decode_found(put, encode_revision(7)) == 7
    assert decode_found(put, b"") == 0
    assert decode_found(Add("u", 1), 5) == 5
