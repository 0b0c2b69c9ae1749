"""Stored forms of the zone's records."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.tokens.subjects import NOBODY, Subject, SubjectKind
from oz_worker.records import (
    Group,
    NamedToken,
    Provider,
    Record,
    Space,
    Support,
    TemporarySecret,
    UnreadableRecord,
    User,
    decode,
    encode,
    key_of,
)

ids = st.text("0123456789abcdef", min_size=1, max_size=8)
texts = st.text(max_size=20)
members = st.dictionaries(ids, st.frozensets(st.sampled_from(["space_view", "space_update"])), max_size=3)
secrets = st.builds(TemporarySecret, st.integers(1, 99), texts)
subjects = st.just(NOBODY) | st.builds(Subject, st.just(SubjectKind.USER), ids)
supports = st.builds(Support, st.dictionaries(ids, st.integers(0, 2**50), max_size=2), st.frozensets(ids))
common: dict[str, Any] = {"id": ids, "created_s": st.integers(0, 2**40), "unknown": st.just({})}
records = st.one_of(
    st.builds(User, **common, temporary=secrets, username=st.none() | texts, aliases=st.just({"s": "x"})),
    st.builds(Group, **common, name=texts, creator=subjects, users=members, groups=members),
    st.builds(Space, **common, name=texts, users=members, supports=st.dictionaries(ids, supports)),
    st.builds(
        Provider,
        **common,
        name=texts,
        domain=texts,
        admin_email=texts,
        root_token_id=ids,
        temporary=secrets,
        users=members,
    ),
    st.builds(
        NamedToken,
        **common,
        name=texts,
        subject=subjects,
        secret=texts,
        serialized=texts,
        custom=st.dictionaries(texts, st.integers() | texts, max_size=2).filter(
            lambda d: all(not isinstance(v, int) or abs(v) < 2**60 for v in d.values())
        ),
        privileges=st.none() | st.frozensets(texts, max_size=2),
    ),
)


@given(records)
def test_every_record_survives_being_stored(record: Record) -> None:
    assert decode(key_of(record), encode(record)) == record


def test_fields_of_a_newer_release_survive_a_rewrite() -> None:
    space = Space(id="s", created_s=1, name="Science")
    stored = {**msgpack.unpackb(encode(space)), "colour": "green"}
    read = decode(key_of(space), msgpack.packb(stored))
    assert msgpack.unpackb(encode(read))["colour"] == "green"


@pytest.mark.parametrize("data", [b"", b"\xc1", *map(msgpack.packb, ({}, {"schema": 2}, 7))])
def test_what_is_no_record_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableRecord):
        decode(key_of(Space(id="s", created_s=1, name="Science")), data)


def test_secrets_do_not_appear_in_representations() -> None:
    user = User(id="u", created_s=1, temporary=TemporarySecret(1, "SECRET"), password_hash="SECRET")
    token = NamedToken(id="t", created_s=1, name="t", subject=NOBODY, secret="SECRET", serialized="SECRET")
    assert "SECRET" not in repr(user) + repr(token)


def test_support_is_readonly_only_when_all_storages_are() -> None:
    assert Support({"a": 1, "b": 2}, frozenset({"a", "b"})).is_readonly
    assert not Support({"a": 1, "b": 2}, frozenset({"a"})).is_readonly
    assert not Support({}).is_readonly
