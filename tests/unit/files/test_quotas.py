"""Quotas of users and directories: who is charged, who is refused, and that no total is ever wrong."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest
from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from cluster_worker.persistence.engine import Batch, Delete, Scope
from onedata.errors import (
    BadValueIdNotFound,
    Errno,
    Forbidden,
    MissingAtLeastOneValue,
    NotFound,
    Posix,
)
from onedata.ids import UserId
from op_worker.auth.caller import Caller
from op_worker.files.model import CreateOptions, Existing
from op_worker.files.service import FileService
from op_worker.files.stored.quotas import QUOTAS, Quota, of_directory
from op_worker.files.stored.recharge_jobs import JOBS
from tests.support.accounts import check_counters, check_settled
from tests.support.spaces import (
    ALICE,
    BOB,
    OWNER,
    SPACE,
    STORAGE,
    STRANGER,
    Site,
    alice,
    bob,
    body,
    owner,
    path,
    read,
)

UPDATE = CreateOptions(existing=Existing.UPDATE, create_parents=True)


async def put(files: FileService, text: str, data: bytes, caller: Caller = owner) -> None:
    await files.replace_content(caller, path(text), body(data), expected_b=len(data), create=UPDATE)


async def refused(errno: Errno, work: Awaitable[object]) -> Posix:
    with pytest.raises(Posix) as caught:
        await work
    assert caught.value.errno is errno
    return caught.value


async def used(files: FileService, text: str) -> tuple[int, int]:
    usage = await files.quotas.directory_quota(owner, path(text))
    return usage.used_b, usage.used_files


@ensureDeferred
async def test_everything_below_a_directory_counts_in_its_quota_and_nothing_beside_it() -> None:
    files = await Site().process()
    await put(files, "d/before", b"12345")
    await put(files, "beside", b"1234567")
    await files.quotas.set_directory_quota(owner, path("d"), Quota(size_b=20))
    assert await used(files, "d") == (5, 1)
    await put(files, "d/deep/er/after", b"123")
    assert await used(files, "d") == (8, 2)
    await files.truncate(owner, path("d/before"), 2)
    assert await used(files, "d") == (5, 2)
    await files.remove(owner, path("d/deep"))
    assert await used(files, "d") == (2, 1)


@ensureDeferred
async def test_the_files_of_a_user_count_in_his_quota_wherever_they_are() -> None:
    files = await Site().process()
    await put(files, "a", b"12", alice)
    await put(files, "b", b"123", bob)
    await files.quotas.set_user_quota(owner, SPACE, ALICE, Quota(size_b=10))
    await put(files, "d/a", b"1234", alice)
    usage = await files.quotas.user_quota(alice, SPACE, ALICE)
    assert (usage.used_b, usage.used_files, usage.quota.size_b) == (6, 2, 10)
    await refused(Errno.EDQUOT, put(files, "more", b"12345", alice))
    await put(files, "more", b"12345", bob)


@ensureDeferred
async def test_who_writes_into_a_file_charges_its_owner() -> None:
    files = await Site().process()
    await put(files, "a", b"12", alice)
    await files.quotas.set_user_quota(owner, SPACE, ALICE, Quota(size_b=4))
    await put(files, "a", b"1234")
    await refused(Errno.EDQUOT, put(files, "a", b"12345"))
    assert await read(files, path("a")) == b"1234"


@ensureDeferred
async def test_the_error_names_the_quota_that_is_full() -> None:
    files = await Site(size_b=100).process()
    await put(files, "d/x", b"1")
    await files.quotas.set_directory_quota(owner, path("d"), Quota(size_b=3))
    uuid = (await files.stat(owner, path("d"))).guid.uuid
    error = await refused(Errno.EDQUOT, put(files, "d/y", b"123"))
    assert of_directory(uuid) in error.description
    await refused(Errno.ENOSPC, put(files, "y", bytes(100)))


@ensureDeferred
async def test_a_body_of_unknown_length_that_outgrows_the_quota_leaves_nothing() -> None:
    site = Site()
    files = await site.process()
    await put(files, "d/x", b"old")
    await files.quotas.set_directory_quota(owner, path("d"), Quota(size_b=10))
    big = bytes(600_000)
    for work in (
        files.replace_content(owner, path("d/x"), body(big), expected_b=None),
        files.replace_content(owner, path("d/new"), body(big), expected_b=None, create=UPDATE),
        files.write_content(owner, path("d/x"), 1, body(big), expected_b=None),
    ):
        await refused(Errno.EDQUOT, work)
    assert (await files.stat(owner, path("d/x"))).size_b == 3
    await refused(Errno.ENOENT, files.stat(owner, path("d/new")))
    assert await used(files, "d") == (3, 1)
    await check_counters(site.engine)


class Unread:
    """A body that nobody may begin to read."""

    async def read(self) -> bytes:
        raise AssertionError("the body was read")


@ensureDeferred
async def test_announced_bodies_are_refused_before_they_are_received() -> None:
    files = await Site().process()
    await put(files, "d/x", b"old")
    await files.quotas.set_directory_quota(owner, path("d"), Quota(size_b=1 << 20))
    size_b = (1 << 20) + 4
    body_ = Unread()
    new = files.replace_content(owner, path("d/new"), body_, expected_b=size_b, create=UPDATE)
    await refused(Errno.EDQUOT, new)
    old = files.replace_content(owner, path("d/x"), body_, expected_b=size_b)
    await refused(Errno.EDQUOT, old)


@ensureDeferred
async def test_an_announced_write_in_place_is_refused_before_a_byte_is_overwritten() -> None:
    files = await Site().process()
    await put(files, "d/x", b"old")
    await files.quotas.set_directory_quota(owner, path("d"), Quota(size_b=10))
    size_b = 3 << 20
    work = files.write_content(owner, path("d/x"), 0, body(bytes(size_b)), expected_b=size_b)
    await refused(Errno.EDQUOT, work)
    assert await read(files, path("d/x")) == b"old"


@ensureDeferred
async def test_replacing_content_by_as_much_fits_into_a_full_quota() -> None:
    files = await Site().process()
    await put(files, "d/x", bytes(3 << 20))
    await files.quotas.set_directory_quota(owner, path("d"), Quota(size_b=3 << 20))
    await put(files, "d/x", bytes(3 << 20))
    await put(files, "d/y", b"")
    assert await used(files, "d") == (3 << 20, 2)


@ensureDeferred
async def test_a_quota_below_what_is_there_refuses_growth_until_it_is_below() -> None:
    site = Site()
    files = await site.process()
    await put(files, "d/x", b"1234567890")
    await put(files, "d/y", b"12345")
    await files.quotas.set_directory_quota(owner, path("d"), Quota(size_b=8))
    assert await used(files, "d") == (15, 2)
    await refused(Errno.EDQUOT, put(files, "d/z", b"1"))
    await put(files, "d/x", b"123456789")  # smaller, so it may stay above the limit
    await files.remove(owner, path("d/x"))
    await put(files, "d/z", b"123")
    await refused(Errno.EDQUOT, put(files, "d/w", b"1"))
    await check_counters(site.engine)


@ensureDeferred
async def test_a_quota_of_files_bounds_their_number() -> None:
    files = await Site().process()
    await put(files, "d/x", b"1")
    await files.quotas.set_directory_quota(owner, path("d"), Quota(files=2))
    await files.create_file(owner, path("d/y"), CreateOptions())
    await refused(Errno.EDQUOT, files.create_file(owner, path("d/z"), CreateOptions()))
    await put(files, "d/x", bytes(1000))
    await files.create_directory(owner, path("d/sub"), CreateOptions())
    await files.create_symlink(owner, path("d/l"), CreateOptions(symlink_target="x"))
    await files.remove(owner, path("d/y"))
    await put(files, "d/sub/z", b"1")


@ensureDeferred
async def test_a_moved_file_is_charged_where_it_goes_and_refused_where_it_does_not_fit() -> None:
    site = Site()
    files = await site.process()
    await put(files, "d/x", b"123")
    await put(files, "e/y", b"12345")
    await files.quotas.set_directory_quota(owner, path("d"), Quota(size_b=6))
    await files.quotas.set_directory_quota(owner, path("e"), Quota(size_b=100))
    await refused(Errno.EDQUOT, files.move(owner, path("e/y"), path("d/y")))
    assert await read(files, path("e/y")) == b"12345"
    await files.move(owner, path("e/y"), path("d/x"))
    assert (await used(files, "d"), await used(files, "e")) == ((5, 1), (0, 0))
    await files.move(owner, path("d/x"), path("d/renamed"))
    assert await used(files, "d") == (5, 1)
    await check_counters(site.engine)
    await check_settled(site.engine)


@ensureDeferred
async def test_a_moved_directory_is_charged_behind_and_may_exceed_the_limit() -> None:
    site = Site()
    files = await site.process()
    await files.create_directory(owner, path("d"), CreateOptions())
    for number in range(5):
        await put(files, f"e/{number}/x", b"12345")
    await files.quotas.set_directory_quota(owner, path("d"), Quota(size_b=6))
    await files.move(owner, path("e"), path("d/e"))
    assert await used(files, "d") == (25, 5)
    await refused(Errno.EDQUOT, put(files, "d/more", b"1"))
    await files.move(owner, path("d/e"), path("e"))
    assert await used(files, "d") == (0, 0)
    await check_settled(site.engine)


@ensureDeferred
async def test_nested_quotas_all_count_and_the_tightest_one_refuses() -> None:
    files = await Site().process()
    await put(files, "d/e/x", b"123")
    await files.quotas.set_directory_quota(owner, path(""), Quota(size_b=50))
    await files.quotas.set_directory_quota(owner, path("d"), Quota(size_b=20))
    await files.quotas.set_directory_quota(owner, path("d/e"), Quota(size_b=5))
    await refused(Errno.EDQUOT, put(files, "d/e/y", b"123"))
    await put(files, "d/y", b"123")
    found = [(await used(files, name))[0] for name in ("", "d", "d/e")]
    assert found == [6, 6, 3]


@ensureDeferred
async def test_what_is_in_the_trash_counts_until_it_is_purged() -> None:
    site = Site()
    files = await site.process()
    await put(files, "d/e/x", b"12345")
    await files.quotas.set_directory_quota(owner, path("d"), Quota(size_b=5))
    await files.remove(owner, path("d/e"))
    await put(files, "d/y", b"12345")
    assert await used(files, "d") == (5, 1)
    await check_counters(site.engine)


@ensureDeferred
async def test_a_quota_ends_with_its_directory() -> None:
    site = Site()
    files = await site.process()
    await put(files, "a/d/x", b"12345")
    await put(files, "e/x", b"12345")
    for name in ("a/d", "e"):
        await files.quotas.set_directory_quota(owner, path(name), Quota(size_b=5))
    await files.remove(owner, path("a"))
    await files.remove(owner, path("e/x"))
    await files.remove_empty(owner, path("e"))
    assert (await files.quotas.usage(owner, SPACE)).quotas == []
    await check_counters(site.engine)


@ensureDeferred
async def test_a_lifted_quota_counts_and_refuses_no_more() -> None:
    site = Site()
    files = await site.process()
    await put(files, "d/x", b"12345", alice)
    await files.quotas.set_directory_quota(owner, path("d"), Quota(size_b=5))
    await files.quotas.set_user_quota(owner, SPACE, ALICE, Quota(size_b=5))
    await files.quotas.remove_directory_quota(owner, path("d"))
    await files.quotas.remove_user_quota(owner, SPACE, ALICE)
    await files.quotas.remove_user_quota(owner, SPACE, ALICE)
    await put(files, "d/y", b"12345", alice)
    with pytest.raises(NotFound):
        await files.quotas.directory_quota(owner, path("d"))
    await check_counters(site.engine)
    await check_settled(site.engine)


@ensureDeferred
async def test_a_node_that_knows_old_quotas_cannot_charge_by_them() -> None:
    site = Site()
    one, other = await site.process("one@test"), await site.process("two@test")
    await put(other, "d/x", b"123")
    await one.quotas.set_directory_quota(owner, path("d"), Quota(size_b=5))
    await refused(Errno.EDQUOT, put(other, "d/y", b"123"))
    await one.quotas.set_directory_quota(owner, path("d"), Quota(size_b=6))
    await put(other, "d/y", b"123")
    await one.quotas.remove_directory_quota(owner, path("d"))
    await put(other, "d/z", b"123")
    await other.move(owner, path("d/z"), path("z"))
    await check_counters(site.engine)
    await check_settled(site.engine)


@ensureDeferred
async def test_only_who_may_change_the_space_sets_quotas() -> None:
    files = await Site().process()
    await put(files, "d/x", b"1")
    for work in (
        files.quotas.set_user_quota(alice, SPACE, ALICE, Quota(1)),
        files.quotas.remove_user_quota(alice, SPACE, ALICE),
        files.quotas.set_directory_quota(alice, path("d"), Quota(1)),
        files.quotas.remove_directory_quota(alice, path("d")),
        files.quotas.user_quota(alice, SPACE, BOB),
    ):
        with pytest.raises(Forbidden):
            await work


@ensureDeferred
async def test_members_see_their_own_quota_and_those_of_directories() -> None:
    files = await Site().process()
    await put(files, "d/x", b"123")
    for user in (ALICE, BOB):
        await files.quotas.set_user_quota(owner, SPACE, user, Quota(10))
    await files.quotas.set_directory_quota(owner, path("d"), Quota(10))
    seen = await files.quotas.usage(alice, SPACE)
    assert [(one.user, one.directory is None) for one in seen.quotas] == [(None, False), (ALICE, True)]
    assert seen.storages == {STORAGE: (3, 1 << 30)}
    assert len((await files.quotas.usage(owner, SPACE)).quotas) == 3
    with pytest.raises(Forbidden):
        await files.quotas.usage(Caller(STRANGER), SPACE)


@ensureDeferred
async def test_bad_quotas_are_refused() -> None:
    files = await Site().process()
    await put(files, "f", b"1")
    await refused(Errno.ENOTDIR, files.quotas.set_directory_quota(owner, path("f"), Quota(1)))
    await refused(Errno.ENOENT, files.quotas.set_directory_quota(owner, path("none"), Quota(1)))
    with pytest.raises(BadValueIdNotFound):
        await files.quotas.set_user_quota(owner, SPACE, UserId("nobody"), Quota(1))
    with pytest.raises(MissingAtLeastOneValue):
        await files.quotas.set_user_quota(owner, SPACE, OWNER, Quota())
    with pytest.raises(NotFound):
        await files.quotas.user_quota(owner, SPACE, OWNER)


@ensureDeferred
async def test_a_walk_that_a_node_left_is_done_by_the_next_and_its_progress_is_visible() -> None:
    site = Site()
    files = await site.process()
    for number in range(450):
        await put(files, f"d/{number}", b"12")
    await files.quotas.set_directory_quota(owner, path("d"), Quota(size_b=1))
    scope, uuid = Scope(SPACE), (await files.stat(owner, path("d"))).guid.uuid
    steps = [*await files._context.recharging.order(SPACE, uuid), Delete(QUOTAS, of_directory(uuid))]
    await site.engine.commit(scope, Batch(steps))
    assert uuid in (await files.quotas.usage(owner, SPACE)).recharges
    later = await site.process()
    await later.recover(SPACE)
    assert await site.engine.get_all(scope, JOBS) == {}
    await check_counters(site.engine)
    await check_settled(site.engine)


@ensureDeferred
async def test_what_is_restored_from_the_recycle_bin_is_charged_where_it_goes() -> None:
    site = Site()
    files = await site.process()
    await files.space_settings.change_settings(owner, SPACE, recycle_days=3)
    await put(files, "d/f", b"12345")
    await put(files, "e/sub/x", b"123")
    await files.create_directory(owner, path("q"), CreateOptions())
    await files.remove(owner, path("d/f"))
    await files.remove(owner, path("e/sub"))
    await files.quotas.set_directory_quota(owner, path("q"), Quota(size_b=6))
    page = await files.recycle_bin.items(owner, SPACE, limit=9)
    items = {item.path[-1]: item.item_id for item in page.items}
    await files.recycle_bin.restore(owner, SPACE, items["f"], ("q", "f"))
    assert await used(files, "q") == (5, 1)
    await files.recycle_bin.restore(owner, SPACE, items["sub"], ("q", "sub"))
    assert await used(files, "q") == (8, 2)
    await check_counters(site.engine)
    await check_settled(site.engine)


class SlowPages:
    """An engine whose pages of directories wait while it is ``held``."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.held: list[Deferred[None]] | None = None

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._engine, name)
        if name != "page":
            return method

        async def page(*args: Any) -> Any:
            if self.held is not None:
                waiter: Deferred[None] = Deferred()
                self.held.append(waiter)
                await waiter
            return await method(*args)

        return page


@ensureDeferred
async def test_what_moves_from_where_a_walk_has_yet_to_come_to_where_it_was_is_charged_too() -> None:
    site = Site()
    slow = SlowPages(site.engine)
    files = await evolve(site, engine=slow).process()
    await put(files, "d/a/sub/x", b"12345")
    await put(files, "d/b/y", b"123")
    slow.held = []
    await files.quotas.set_directory_quota(owner, path("d"), Quota(size_b=100))
    for _ in range(2):  # the page of d, and that of d/b, which is walked first
        slow.held.pop().callback(None)
    assert await used(files, "d") == (3, 1)
    await files.move(owner, path("d/a/sub"), path("d/b/sub"))
    waiting, slow.held = slow.held, None
    waiting.pop().callback(None)
    assert await used(files, "d") == (8, 2)
    await check_settled(site.engine)


def outcome(work: Awaitable[object]) -> object:
    """Return the result of work that waits for nothing, or its errno."""
    results: list[object] = []
    Deferred.fromCoroutine(work).addBoth(results.append)  # type: ignore[arg-type]  # a coroutine
    (result,) = results
    if isinstance(result, Failure):
        if isinstance(result.value, Posix):
            return result.value.errno
        result.raiseException()
    return result


paths = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map("/".join)
callers = st.sampled_from([owner, alice, bob])
data = st.binary(max_size=12)
quotas = st.builds(Quota, st.integers(0, 40), st.none() | st.integers(0, 6))


class Quotas(RuleBasedStateMachine):
    """Whatever is done, counters are sums and every file is charged to what is above it."""

    def __init__(self) -> None:
        super().__init__()
        self.site = Site()
        self.nodes: list[Any] = [outcome(self.site.process(f"{name}@test")) for name in ("one", "two")]

    def do(self, node: int, work: Any) -> None:
        outcome(work(self.nodes[node]))

    @rule(node=st.integers(0, 1), name=paths, content=data, caller=callers)
    def put(self, node: int, name: str, content: bytes, caller: Caller) -> None:
        self.do(node, lambda files: put(files, name, content, caller))

    @rule(node=st.integers(0, 1), name=paths, offset_b=st.integers(0, 20), content=data)
    def write(self, node: int, name: str, offset_b: int, content: bytes) -> None:
        self.do(
            node,
            lambda files: files.write_content(owner, path(name), offset_b, body(content), expected_b=None),
        )

    @rule(node=st.integers(0, 1), name=paths, size_b=st.integers(0, 25))
    def truncate(self, node: int, name: str, size_b: int) -> None:
        self.do(node, lambda files: files.truncate(owner, path(name), size_b))

    @rule(node=st.integers(0, 1), source=paths, goal=paths)
    def move(self, node: int, source: str, goal: str) -> None:
        self.do(node, lambda files: files.move(owner, path(source), path(goal)))

    @rule(node=st.integers(0, 1), source=paths, goal=paths)
    def copy(self, node: int, source: str, goal: str) -> None:
        self.do(node, lambda files: files.copy(alice, path(source), path(goal)))

    @rule(node=st.integers(0, 1), name=paths)
    def remove(self, node: int, name: str) -> None:
        self.do(node, lambda files: files.remove(owner, path(name)))

    @rule(node=st.integers(0, 1), name=paths, quota=quotas)
    def limit_directory(self, node: int, name: str, quota: Quota) -> None:
        self.do(node, lambda files: files.quotas.set_directory_quota(owner, path(name), quota))

    @rule(node=st.integers(0, 1), name=paths)
    def lift_directory(self, node: int, name: str) -> None:
        self.do(node, lambda files: files.quotas.remove_directory_quota(owner, path(name)))

    @rule(node=st.integers(0, 1), user=st.sampled_from([OWNER, ALICE, BOB]), quota=quotas)
    def limit_user(self, node: int, user: UserId, quota: Quota) -> None:
        self.do(node, lambda files: files.quotas.set_user_quota(owner, SPACE, user, quota))

    @rule(node=st.integers(0, 1), user=st.sampled_from([OWNER, ALICE, BOB]))
    def lift_user(self, node: int, user: UserId) -> None:
        self.do(node, lambda files: files.quotas.remove_user_quota(owner, SPACE, user))

    @invariant()
    def counters_are_sums_and_charges_are_as_wanted(self) -> None:
        if Scope(SPACE) in self.site.engine._scopes:  # type: ignore[attr-defined]  # in memory
            outcome(check_counters(self.site.engine))
            outcome(check_settled(self.site.engine))


TestQuotas = Quotas.TestCase
TestQuotas.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
