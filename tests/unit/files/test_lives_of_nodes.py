"""What a node leaves when it dies, or sleeps: others finish it, and a sleeper undoes nothing."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from cluster_worker.persistence.engine import Scope
from cluster_worker.persistence.lives import SHOWN_S, node_of
from onedata.errors import ServiceUnavailable
from op_worker.files.committing.staging_sweep import PATIENCE_S
from op_worker.files.model import CreateOptions, Existing
from op_worker.files.service import FileService
from op_worker.files.stored.intents import INTENTS, IntentKind
from op_worker.files.stored.lives import LIVES
from op_worker.files.stored.paths import STAGING, storage_path
from op_worker.storage.helper import StoragePath
from op_worker.storage.helpers.memory import MemoryHelper
from tests.support.immediate import now
from tests.support.power_cuts import Fuse, FusedEngine, FusedHelper, Trouble, bury
from tests.support.spaces import SPACE, Site, body, die, live, living_site, owner, path, read

LONG = b"x" * 300_000
UPDATE = CreateOptions(existing=Existing.UPDATE)


class Slow:
    """A body whose end comes when the test says so."""

    def __init__(self) -> None:
        self.end: Deferred[None] = Deferred()
        self._pieces = [LONG, b"."]

    async def read(self) -> bytes:
        if not self._pieces:
            return b""
        if len(self._pieces) == 1:
            await self.end
        return self._pieces.pop(0)


def uploading(files: FileService, name: str) -> tuple[Slow, Deferred[object]]:
    """Begin to upload; the staging file is there when this returns."""
    slow = Slow()
    work: Deferred[object] = Deferred.fromCoroutine(
        files.replace_content(owner, path(name), slow, expected_b=None, create=UPDATE)
    )
    return slow, work


def staged(site: Site) -> list[str]:
    assert isinstance(site.helper, MemoryHelper)
    return list(now(site.helper.list_directory(StoragePath(f"{SPACE}/{STAGING}"))))


def pass_time(site: Site, seconds: float) -> None:
    assert isinstance(site.clock, Clock)
    for _ in range(int(seconds * 2)):
        site.clock.advance(0.5)


@pytest.mark.parametrize("name", ["worker2", "worker1-2", "worker1-0badcafe"])
@ensureDeferred
async def test_a_node_that_starts_again_sweeps_what_it_staged_and_nothing_of_others(name: str) -> None:
    site = living_site()
    first, other = await site.process("worker1"), await site.process(name)
    live(first)
    live(other)
    lost = uploading(first, "a")  # kept, so that it goes on waiting
    slow, work = uploading(other, "b")
    assert len(staged(site)) == 2
    die(first)
    again = await site.process("worker1")
    await again.recover(SPACE)
    (left,) = staged(site)
    assert left.startswith(other.context.lives.own)
    slow.end.callback(None)
    await work
    assert await read(again, path("b")) == LONG + b"."
    assert not lost[1].called


@ensureDeferred
async def test_what_a_node_staged_that_never_comes_back_is_swept_by_another_one() -> None:
    site = living_site()
    gone, other = await site.process("worker1"), await site.process("worker2")
    live(gone)
    lost = uploading(gone, "a")  # kept, so that it goes on waiting
    await other.recover(SPACE)
    assert len(staged(site)) == 1, "its node lives"
    die(gone)
    pass_time(site, SHOWN_S)
    await other.recover(SPACE)
    assert len(staged(site)) == 1, "it may come back"
    pass_time(site, PATIENCE_S)
    await other.recover(SPACE)
    assert staged(site) == []
    assert await site.engine.get_all(Scope(SPACE), LIVES) == {}
    assert not lost[1].called


@ensureDeferred
async def test_a_node_that_slept_while_its_staging_was_swept_places_none_of_it() -> None:
    site = living_site()
    sleeper, other = await site.process("worker1"), await site.process("worker2")
    live(sleeper)
    slow, work = uploading(sleeper, "a")
    before = sleeper.context.lives.own
    die(sleeper)
    await other.recover(SPACE)
    pass_time(site, SHOWN_S)
    await other.recover(SPACE)
    pass_time(site, PATIENCE_S)
    await other.recover(SPACE)
    slow.end.callback(None)
    with pytest.raises(ServiceUnavailable):
        await work
    assert await site.engine.get_all(Scope(SPACE), INTENTS) == {}
    assert sleeper.context.lives.own != before
    await sleeper.replace_content(owner, path("a"), body(LONG), expected_b=None, create=UPDATE)
    assert await read(other, path("a")) == LONG


@ensureDeferred
async def test_a_node_that_only_lost_its_way_to_the_store_for_a_while_keeps_its_uploads() -> None:
    site = living_site()
    lost, other = await site.process("worker1"), await site.process("worker2")
    live(lost)
    slow, work = uploading(lost, "a")
    die(lost)
    pass_time(site, SHOWN_S)
    await other.recover(SPACE)
    live(lost)
    pass_time(site, PATIENCE_S)
    await other.recover(SPACE)
    slow.end.callback(None)
    await work
    assert await read(other, path("a")) == LONG + b"."


@pytest.mark.parametrize("trouble", [Trouble.CUT_BEFORE, Trouble.CUT_AFTER])
def test_whatever_step_a_node_dies_at_another_one_finishes_what_is_pending(trouble: Trouble) -> None:
    """A rename, an overwrite and a removal: the other node serves at once, and leaves nothing pending."""
    for step in range(200):
        site, fuse = living_site(), Fuse(trouble)
        helper = site.helper
        files = now(site.process("worker1"))
        for name in ("old", "gone"):
            now(files.replace_content(owner, path(name), body(LONG), expected_b=None, create=UPDATE))
        wired = Site(
            engine=FusedEngine(site.engine, fuse), helper=FusedHelper(helper, fuse), clock=site.clock
        )
        dying, other = now(wired.process("worker1")), now(site.process("worker2"))
        fuse.at, fuse.calls = step, 0
        bury(Deferred.fromCoroutine(_some_work(dying)), dying)
        if not fuse.has_blown:
            return
        pass_time(site, SHOWN_S)
        now(other.recover(SPACE))
        assert now(site.engine.get_all(Scope(SPACE), INTENTS)) == {}, f"step {step}"
        for name in ("old", "new"):
            now(other.replace_content(owner, path(name), body(b"mine"), expected_b=None, create=UPDATE))
            assert now(read(other, path(name))) == b"mine", f"step {step}"
    pytest.fail("the work does not end")


async def _some_work(files: FileService) -> None:
    await files.replace_content(owner, path("old"), body(LONG[:100]), expected_b=None, create=UPDATE)
    await files.move(owner, path("old"), path("new"))
    await files.remove(owner, path("gone"))


@ensureDeferred
async def test_an_operation_that_others_finished_while_its_node_slept_is_not_done_again() -> None:
    site = living_site()
    sleeper = await site.process("worker1")
    await sleeper.replace_content(owner, path("theirs"), body(b"1"), expected_b=1, create=UPDATE)
    storage = sleeper.context.storages.all()
    source, target = storage_path(SPACE, ("theirs",)), storage_path(SPACE, ("elsewhere",))
    intent = sleeper.context.journal.new(IntentKind.MOVE, next(iter(storage)), "nobody", target, source)
    site.now_s += SHOWN_S
    assert await sleeper.context.journal.carry_out(SPACE, intent)
    assert await read(sleeper, path("theirs")) == b"1", "what came to that path meanwhile is somebody else's"


def test_the_node_of_a_life_is_told_also_for_names_that_look_like_lives() -> None:
    assert node_of("worker@a-0badcafe") == "worker@a"
    assert node_of("worker@a-0badcafe-01234567") == "worker@a-0badcafe"
    assert node_of("worker@a") == "worker@a"
