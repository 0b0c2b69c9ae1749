"""What a mapping answers, by the feed of the storage."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred

from cluster_worker.persistence.memory import MemoryEngine
from onedata.ids import GroupId
from op_worker.mapping.contract import UnmappedOwnerError
from op_worker.mapping.entries import OnedataSubject, SpaceIds, StorageUser, Table
from op_worker.mapping.external import FeedUnavailable
from op_worker.mapping.feeds import Feed, FeedSettings
from op_worker.mapping.numbers import automatic_id
from tests.support.mapped_site import MappedSite, mapped_site
from tests.support.spaces import ALICE, BOB, SPACE

EXTERNAL = {"feed": "external", "url": "http://feed.test", "tables": "t"}
HERS = {"storageCredentials": {"uid": 77}}


async def site_with(tmp_path: Path, users: dict[str, str]) -> MappedSite:
    return await mapped_site(tmp_path / "s", users)


@ensureDeferred
async def test_automatic_feed_computes_uids_and_takes_all_files_for_the_spaces(tmp_path: Path) -> None:
    site = await site_with(tmp_path, {})
    mapping, record = site.mapping, site.record
    user = await mapping.storage_user(record, ALICE)
    assert user is not None and user.uid == automatic_id(ALICE)
    assert await mapping.space_defaults(record, SPACE) is None
    assert await mapping.owner_of(record, 5) is None
    assert await mapping.user_of_acl(record, "alice@nfs") is None
    assert site.feed.asked == []


@ensureDeferred
async def test_local_feed_answers_from_its_tables_and_names_nobody_else(tmp_path: Path) -> None:
    site = await site_with(tmp_path, {"feed": "local"})
    mapping, record, tables = site.mapping, site.record, site.mapping.table_set(site.record)
    assert tables is not None
    await mapping.tables.put(tables, Table.ACL_GROUPS, "staff", OnedataSubject(subject="g"))
    await mapping.tables.put(tables, Table.ACL_USERS, "x", OnedataSubject(subject="s", idp="google"))
    await mapping.tables.put(tables, Table.USERS, ALICE, StorageUser(credentials={"uid": "7"}))
    assert await mapping.group_of_acl(record, "staff") == GroupId("g")
    assert await mapping.owner_of(record, 7) == ALICE
    assert await mapping.storage_user(record, BOB) is None
    for work in (mapping.owner_of(record, 8), mapping.user_of_acl(record, "x")):
        with pytest.raises(UnmappedOwnerError):
            await work


@ensureDeferred
async def test_external_feed_is_asked_once_for_what_it_knows_and_again_for_what_it_does_not(
    tmp_path: Path,
) -> None:
    site = await site_with(tmp_path, EXTERNAL)
    site.feed.answers[Table.USERS, ALICE] = HERS
    for _ in range(2):
        assert await site.mapping.storage_user(site.record, ALICE) == StorageUser(credentials={"uid": "77"})
        assert await site.mapping.storage_user(site.record, BOB) is None
        await site.mapping.forget()
    assert site.feed.asked == [(Table.USERS, ALICE), (Table.USERS, BOB), (Table.USERS, BOB)]
    assert await site.mapping.owner_of(site.record, 77) == ALICE, "his uid leads back to him"


@ensureDeferred
async def test_other_nodes_use_what_an_external_feed_answered_once(tmp_path: Path) -> None:
    engine = MemoryEngine()
    one = await mapped_site(tmp_path / "s", EXTERNAL, engine=engine)
    other = await mapped_site(tmp_path / "s", EXTERNAL, engine=engine)
    one.feed.answers[Table.DEFAULTS, SPACE] = {"gid": 9}
    assert await one.mapping.space_defaults(one.record, SPACE) == SpaceIds(gid=9)
    assert await other.mapping.space_defaults(other.record, SPACE) == SpaceIds(gid=9)
    assert other.feed.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        FeedUnavailable("away"),
        {"storageCredentials": {"uid": -1}},
        {"storageCredentials": {"uid": 2**32}},
        {"storageCredentials": {"uid": "root"}},
        {"uid": 0},
        [],
        "x",
        7,
    ],
)
@ensureDeferred
async def test_feed_that_fails_or_answers_nonsense_knows_nothing_this_once(
    tmp_path: Path, answer: object
) -> None:
    site = await site_with(tmp_path, EXTERNAL)
    site.feed.answers[Table.USERS, ALICE] = answer
    assert await site.mapping.storage_user(site.record, ALICE) is None
    site.feed.answers[Table.USERS, ALICE] = HERS
    assert await site.mapping.storage_user(site.record, ALICE) is not None


@ensureDeferred
async def test_another_source_of_a_feed_has_other_tables_and_a_new_key_has_the_same() -> None:
    before = FeedSettings(feed=Feed.EXTERNAL, url="http://a", key="k", tables="t")
    assert evolve(before, key="new", tables="").after(before, "n").tables == "t"
    for changed in (
        evolve(before, url="http://b"),
        evolve(before, feed=Feed.LOCAL),
        evolve(before, feed=Feed.AUTO),
    ):
        assert changed.after(before, "n").tables == "n"


def test_settings_of_a_feed_are_what_they_were_after_a_way_through_the_record() -> None:
    settings = FeedSettings(feed=Feed.EXTERNAL, url="http://a", key="secret", tables="t")
    assert settings.to_users() == {"feed": "external", "url": "http://a", "key": "secret", "tables": "t"}
    assert "secret" not in repr(settings)
