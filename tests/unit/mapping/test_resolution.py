"""Who somebody is on a storage, and as whom a file is shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from onedata.ids import SpaceId, UserId
from op_worker.mapping.entries import SpaceIds, StorageUser
from op_worker.mapping.numbers import automatic_id, space_owner_of
from op_worker.mapping.resolution import (
    PosixIds,
    automatic_ids,
    automatic_user,
    display_ids,
    posix_ids,
    space_ids,
)

SPACE, USER = SpaceId("space"), UserId("user")
MAPPED = StorageUser(credentials={"uid": "7"})
MOUNT = PosixIds(10, 20)


@given(st.text(min_size=1, max_size=40))
def test_computed_ids_stay_in_their_range(text: str) -> None:
    assert 100_000 <= automatic_id(text) < 2_000_000


def test_computed_id_is_the_bytes_of_the_id_as_a_number_in_the_range() -> None:
    assert automatic_id("ab") == 100_000 + (ord("a") * 256 + ord("b")) % 1_900_000
    assert automatic_id("abcd") == 100_000 + 0x61626364 % 1_900_000


def test_what_the_feed_tells_of_a_space_is_filled_up_from_its_mount_point() -> None:
    assert space_ids(SpaceIds(uid=1, gid=2), MOUNT, SPACE) == PosixIds(1, 2)
    assert space_ids(SpaceIds(gid=2), MOUNT, SPACE) == PosixIds(10, 2)
    assert space_ids(SpaceIds(uid=0), MOUNT, SPACE) == PosixIds(0, 20)
    assert space_ids(None, MOUNT, SPACE) == MOUNT


def test_without_a_mount_point_the_ids_of_a_space_are_computed() -> None:
    assert space_ids(None, None, SPACE) == automatic_ids(SPACE)
    assert automatic_ids(SPACE) == PosixIds(automatic_id("space_owner_space"), automatic_id("space"))


def test_user_has_his_own_uid_and_the_gid_of_the_space() -> None:
    assert posix_ids(MAPPED, MOUNT) == PosixIds(7, 20)
    assert posix_ids(automatic_user(USER), MOUNT) == PosixIds(automatic_id("user"), 20)


def test_user_whom_the_feed_does_not_know_is_nobody() -> None:
    assert posix_ids(None, MOUNT) is None


def test_file_is_shown_to_belong_to_the_display_uid_of_its_owner() -> None:
    user = StorageUser(credentials={"uid": "7"}, display_uid=0)
    assert display_ids(USER, SPACE, user, SpaceIds(gid=5)) == PosixIds(0, 5)


def test_owner_without_a_display_uid_is_shown_with_his_uid() -> None:
    assert display_ids(USER, SPACE, MAPPED, None) == PosixIds(7, automatic_id(SPACE))


def test_owner_of_whom_nothing_is_known_is_shown_with_a_computed_uid() -> None:
    shown = PosixIds(automatic_id(USER), automatic_id(SPACE))
    assert display_ids(USER, SPACE, None, None) == shown
    assert display_ids(USER, SPACE, StorageUser(credentials={"user": "u"}), None) == shown


def test_space_itself_is_shown_with_what_the_feed_tells_of_it() -> None:
    owner = space_owner_of(SPACE)
    assert display_ids(owner, SPACE, MAPPED, SpaceIds(uid=3, gid=4)) == PosixIds(3, 4)
    assert display_ids(owner, SPACE, None, None).uid == automatic_id(owner)
