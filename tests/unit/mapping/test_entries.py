"""Records of mappings as JSON: what is accepted, and what is refused by the name of its part."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import BadData, OnedataError
from op_worker.mapping.entries import (
    MAX_ID,
    Entry,
    OnedataSubject,
    SpaceIds,
    StorageUser,
    Table,
    entry_of,
    json_of,
    posix_id,
)
from op_worker.storage.helpers.posix.helper import POSIX
from tests.support.keyed_storage import KEYED

ids = st.integers(0, MAX_ID)
names = st.text(min_size=1, max_size=20)
subjects = st.builds(OnedataSubject, subject=names, idp=st.none() | names)


@given(
    st.tuples(
        st.sampled_from([Table.DEFAULTS, Table.DISPLAY]),
        st.builds(SpaceIds, uid=st.none() | ids, gid=st.none() | ids),
    )
    | st.tuples(st.sampled_from([Table.OWNERS, Table.ACL_USERS, Table.ACL_GROUPS]), subjects)
    | st.tuples(
        st.just(Table.USERS),
        st.builds(
            lambda uid, shown: StorageUser(credentials={"uid": str(uid)}, display_uid=shown),
            ids,
            st.none() | ids,
        ),
    )
)
def test_record_is_what_it_was_after_a_way_through_json(record: tuple[Table, Entry]) -> None:
    table, entry = record
    assert entry_of(table, POSIX, json_of(table, entry)) == entry


@pytest.mark.parametrize("text", ["0", "4294967294", 0, MAX_ID])
def test_ids_up_to_the_highest_are_taken_as_numbers_and_texts(text: object) -> None:
    assert posix_id("uid", text) == int(str(text))


@pytest.mark.parametrize(
    "wrong", [-1, 2**32 - 1, "4294967295", True, 1.0, "x", "٣", "", None, [], "1" * 5000]
)
def test_what_is_no_id_is_refused_by_its_name(wrong: object) -> None:
    with pytest.raises(OnedataError, match="uid"):
        posix_id("uid", wrong)


@pytest.mark.parametrize(
    ("table", "body", "named"),
    [
        (Table.USERS, {}, "storageCredentials"),
        (Table.USERS, {"storageCredentials": {}}, "uid"),
        (Table.USERS, {"storageCredentials": {"uid": 1, "gid": 2}}, "gid"),
        (Table.USERS, {"storageCredentials": [1]}, "storageCredentials"),
        (Table.USERS, {"storageCredentials": {"uid": 1}, "displayUid": -1}, "displayUid"),
        (Table.USERS, {"storageCredentials": {"uid": 1}, "more": 1}, "more"),
        (Table.USERS, [], "onedata_user_to_credentials"),
        (Table.DEFAULTS, {"uid": 1, "sid": 2}, "sid"),
        (Table.OWNERS, {"onedataUserId": "u"}, "mappingScheme"),
        (Table.OWNERS, {"mappingScheme": "onedataGroup", "onedataGroupId": "g"}, "mappingScheme"),
        (Table.OWNERS, {"mappingScheme": "onedataUser"}, "onedataUserId"),
        (Table.OWNERS, {"mappingScheme": "idpUser", "idp": "google"}, "subjectId"),
        (Table.ACL_GROUPS, {"mappingScheme": "idpEntitlement", "idp": 3, "idpEntitlement": "e"}, "idp"),
    ],
)
def test_wrong_record_is_refused_by_the_name_of_what_is_wrong(table: Table, body: object, named: str) -> None:
    with pytest.raises(OnedataError) as refused:
        entry_of(table, POSIX, body)
    assert named in refused.value.description


def test_storage_type_in_credentials_of_a_feed_is_ignored() -> None:
    body = {"storageCredentials": {"type": "posix", "uid": "7"}}
    assert entry_of(Table.USERS, POSIX, body) == StorageUser(credentials={"uid": "7"})


def test_credentials_are_those_that_the_type_of_storage_takes() -> None:
    body = {"storageCredentials": {"user": "u", "key": "k", "retries": 3}}
    entry = entry_of(Table.USERS, KEYED, body)
    assert entry == StorageUser(credentials={"user": "u", "key": "k", "retries": "3"})
    for wrong in ({"user": "u"}, {"user": "u", "key": "k", "colour": "red"}, {"user": "u", "key": ["k"]}):
        with pytest.raises(OnedataError):
            entry_of(Table.USERS, KEYED, {"storageCredentials": wrong})


def test_secrets_of_users_are_neither_shown_nor_logged() -> None:
    entry = StorageUser(credentials={"user": "u", "key": "k"})
    assert entry.redacted(KEYED).credentials == {"user": "u", "key": "*****"}
    assert "k" not in repr(entry).replace("StorageUser", "").replace("display_uid=None", "")


def test_fields_with_names_that_nobody_can_print_are_refused_shortly() -> None:
    with pytest.raises(BadData) as refused:
        entry_of(Table.DEFAULTS, POSIX, {"z" * 9999: 1})
    assert len(refused.value.key) == 100
