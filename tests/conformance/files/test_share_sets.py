"""All shares of a file replaced at once, over every engine and storage."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from onedata.errors import Errno, LimitReached, Posix
from onedata.ids import ShareId
from op_worker.files.granting.share_sets import WantedShare
from op_worker.files.granting.sharing import Terms
from op_worker.files.model import CreateOptions, FileStat
from op_worker.files.service import FileService
from op_worker.files.stored.share_records import MOST_OF_A_FILE
from tests.support.spaces import SPACE, alice, owner, path


async def stat_of(files: FileService, text: str) -> FileStat:
    return await files.stat(owner, path(text))


async def names_of(files: FileService, text: str) -> list[str]:
    """Return the names of the shares of a file, and demand that the space lists no other ones of it."""
    stat = await stat_of(files, text)
    told = [share.name for share in await files.share_sets.of(owner, stat)]
    listed = await files.sharing.page(owner, SPACE, 1000, None)
    assert sorted(share.name for share in listed.items if share.root == stat.guid.uuid) == told
    return told


@ensureDeferred
async def test_shares_are_made_changed_and_ended_together(files: FileService) -> None:
    guid = (await files.create_directory(owner, path("d"), CreateOptions())).guid
    await files.share_sets.replace(owner, guid, [WantedShare(name="One"), WantedShare(name="Two")])
    assert await names_of(files, "d") == ["One", "Two"]
    one, two = await files.share_sets.of(owner, await stat_of(files, "d"))
    wanted = [WantedShare(name="Three"), WantedShare(name="New", share_id=one.share_id, description="text")]
    await files.share_sets.replace(owner, guid, wanted)
    assert await names_of(files, "d") == ["New", "Three"]
    kept = await files.sharing.get(owner, one.share_id)
    assert (kept.name, kept.description) == ("New", "text")
    assert await files.sharing.find(two.share_id) is None
    await files.share_sets.replace(owner, guid, [])
    assert await names_of(files, "d") == []


@ensureDeferred
async def test_the_same_shares_again_change_nothing(files: FileService) -> None:
    guid = (await files.create_directory(owner, path("d"), CreateOptions())).guid
    share = await files.sharing.add(owner, guid, Terms(name="Share", expires_s=4102444800, password_hash="h"))
    for _ in range(2):
        await files.share_sets.replace(owner, guid, [WantedShare(name="Share")])
    assert await files.share_sets.of(owner, await stat_of(files, "d")) == [share]


@ensureDeferred
async def test_shares_that_expired_are_not_told_and_end_with_the_others(files: FileService) -> None:
    guid = (await files.create_directory(owner, path("d"), CreateOptions())).guid
    over = await files.sharing.add(owner, guid, Terms(name="Share", expires_s=1))
    assert await files.share_sets.of(owner, await stat_of(files, "d")) == []
    await files.share_sets.replace(owner, guid, [])
    assert await files.sharing.find(over.share_id) is None


@ensureDeferred
async def test_what_cannot_be_leaves_every_share_as_it_was(files: FileService) -> None:
    guid = (await files.create_directory(owner, path("d"), CreateOptions())).guid
    await files.share_sets.replace(owner, guid, [WantedShare(name="One")])
    for caller, wanted, errno in (
        (alice, [], Errno.EPERM),
        (owner, [WantedShare(name="New"), WantedShare(name="x", share_id=ShareId("none"))], Errno.EINVAL),
    ):
        with pytest.raises(Posix) as refused:
            await files.share_sets.replace(caller, guid, wanted)
        assert refused.value.errno is errno
    with pytest.raises(LimitReached):
        many = [WantedShare(name=f"S{number}") for number in range(MOST_OF_A_FILE + 1)]
        await files.share_sets.replace(owner, guid, many)
    assert await names_of(files, "d") == ["One"]
