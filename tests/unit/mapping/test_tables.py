"""Tables of mappings in the store."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from cluster_worker.persistence.memory import MemoryEngine
from onedata.errors import AlreadyExists, NotFound
from op_worker.mapping.entries import OnedataSubject, SpaceIds, StorageUser, Table
from op_worker.mapping.tables import Tables, TableSet
from op_worker.storage.helpers.posix.helper import POSIX
from tests.support.keyed_storage import KEYED

SET, OTHER = TableSet("one", POSIX), TableSet("two", POSIX)
ALICE, BOB = "alice", "bob"


def uid(number: int) -> StorageUser:
    return StorageUser(credentials={"uid": str(number)})


@pytest.fixture
def tables() -> Tables:
    return Tables(MemoryEngine())


@ensureDeferred
async def test_record_is_made_once_replaced_and_removed(tables: Tables) -> None:
    await tables.create(SET, Table.DEFAULTS, "s", SpaceIds(uid=1))
    with pytest.raises(AlreadyExists):
        await tables.create(SET, Table.DEFAULTS, "s", SpaceIds(uid=2))
    await tables.put(SET, Table.DEFAULTS, "s", SpaceIds(gid=3))
    assert await tables.get(SET, Table.DEFAULTS, "s") == SpaceIds(gid=3)
    await tables.delete(SET, Table.DEFAULTS, "s")
    with pytest.raises(NotFound):
        await tables.delete(SET, Table.DEFAULTS, "s")
    assert await tables.get(SET, Table.DEFAULTS, "s") is None


@ensureDeferred
async def test_tables_of_one_feed_are_not_those_of_another(tables: Tables) -> None:
    await tables.put(SET, Table.USERS, ALICE, uid(7))
    assert await tables.get(OTHER, Table.USERS, ALICE) is None
    await tables.put(OTHER, Table.USERS, ALICE, uid(8))
    await tables.clear(SET)
    assert await tables.get(SET, Table.USERS, ALICE) is None
    assert await tables.get(SET, Table.OWNERS, "7") is None
    assert await tables.get(OTHER, Table.USERS, ALICE) == uid(8)


@ensureDeferred
async def test_uid_of_a_user_leads_back_to_him_for_as_long_as_it_is_his(tables: Tables) -> None:
    await tables.put(SET, Table.USERS, ALICE, uid(7))
    assert await tables.get(SET, Table.OWNERS, "7") == OnedataSubject(subject=ALICE)
    await tables.put(SET, Table.USERS, ALICE, uid(8))
    assert await tables.get(SET, Table.OWNERS, "7") is None
    assert await tables.get(SET, Table.OWNERS, "8") == OnedataSubject(subject=ALICE)
    await tables.delete(SET, Table.USERS, ALICE)
    assert await tables.get(SET, Table.OWNERS, "8") is None


@ensureDeferred
async def test_uid_that_an_administrator_gave_to_another_stays_his(tables: Tables) -> None:
    await tables.put(SET, Table.USERS, ALICE, uid(7))
    await tables.put(SET, Table.OWNERS, "7", OnedataSubject(subject=BOB))
    await tables.delete(SET, Table.USERS, ALICE)
    assert await tables.get(SET, Table.OWNERS, "7") == OnedataSubject(subject=BOB)


@ensureDeferred
async def test_storages_without_owners_keep_no_way_back(tables: Tables) -> None:
    keyed = TableSet("three", KEYED)
    await tables.put(keyed, Table.USERS, ALICE, StorageUser(credentials={"user": "u", "key": "k"}))
    assert await tables.get(keyed, Table.USERS, ALICE) is not None


@ensureDeferred
async def test_changes_of_one_record_by_many_are_all_decided_on_what_is_there(tables: Tables) -> None:
    for _ in range(5):
        await tables.change(
            SET,
            Table.DISPLAY,
            "s",
            lambda found: SpaceIds(uid=((found.uid or 0) if isinstance(found, SpaceIds) else 0) + 1),
        )
    assert await tables.get(SET, Table.DISPLAY, "s") == SpaceIds(uid=5)
