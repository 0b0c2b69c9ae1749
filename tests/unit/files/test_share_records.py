"""Ids and stored form of shares."""

from __future__ import annotations

import os

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.ids import FileUuid, ShareId, SpaceId, UserId
from op_worker.files.model import FileType
from op_worker.files.stored.packing import UnknownSchemaError
from op_worker.files.stored.share_records import KEPT_S, Share, may_live_in, new_share_id

SPACE = SpaceId("5" * 32)
SECONDS = st.integers(0, 2**40)
SHARES = st.builds(
    Share,
    share_id=st.just(ShareId("1")),
    space_id=st.just(SPACE),
    root=st.text().map(FileUuid),
    type=st.sampled_from(FileType),
    name=st.text(),
    description=st.text(),
    creator=st.text().map(UserId),
    created_s=SECONDS,
    expires_s=st.none() | SECONDS,
    password_hash=st.text(),
    ended_s=st.none() | SECONDS,
    rest=st.lists(st.integers(0, 9)).map(tuple),
)


@given(SHARES)
def test_a_share_comes_back_from_its_stored_form(share: Share) -> None:
    assert Share.decode(share.space_id, share.share_id, share.encode()) == share


def test_a_share_of_another_schema_is_refused() -> None:
    with pytest.raises(UnknownSchemaError):
        Share.decode(SPACE, "1", msgpack.packb([2, "whatever"]))


@given(st.text("0123456789abcdef", min_size=1).map(SpaceId))
def test_an_id_always_fits_the_space_it_was_made_for(space_id: SpaceId) -> None:
    assert may_live_in(new_share_id(os.urandom, space_id), space_id)


@pytest.mark.parametrize("text", ["", "{id}\n", "\0{id}", "{id}/x", "{ID}", "0{id}", "ch306c", ":{id}"])
def test_what_is_no_id_fits_nowhere(text: str) -> None:
    share_id = new_share_id(bytes, SPACE)
    assert not may_live_in(text.replace("{id}", share_id).replace("{ID}", share_id.upper()), SPACE)


def test_an_id_seldom_fits_another_space() -> None:
    share_id = new_share_id(bytes, SPACE)
    assert share_id == "0" * 32 + "ch306c"
    assert sum(may_live_in(share_id, SpaceId(f"{number:032x}")) for number in range(2000)) < 3


@given(SHARES, SECONDS)
def test_no_clock_brings_back_what_has_ended(share: Share, now_s: int) -> None:
    if share.ended_s is not None:
        assert share.is_over(now_s)
        assert share.is_stale(now_s) == (share.ended_s + KEPT_S <= now_s)
    else:
        assert share.is_over(now_s) == (share.expires_s is not None and share.expires_s <= now_s)
        assert not share.is_stale(now_s)


def test_the_hash_of_a_password_is_not_printed() -> None:
    share = Share(
        share_id=ShareId("1"),
        space_id=SPACE,
        root=FileUuid("2"),
        type=FileType.REG,
        name="n",
        description="",
        creator=UserId("3"),
        created_s=0,
        password_hash="$argon2id$secret",
    )
    assert "secret" not in repr(share)
