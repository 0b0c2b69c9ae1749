"""Whatever step an append dies or fails at, the file is as before, as after, or has a hole of zeros."""

from __future__ import annotations

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from onedata.errors import OnedataError
from op_worker.files.model import CreateOptions
from tests.support.immediate import now
from tests.support.power_cuts import Fuse, FusedEngine, FusedHelper, Trouble, bury
from tests.support.spaces import SPACE, Site, body, owner, path, read
from tests.support.store_checker import check_store

BEGIN = b"begin"


async def prepare(site: Site) -> None:
    files = await site.process()
    await files.replace_content(owner, path("f"), body(BEGIN), expected_b=None, create=CreateOptions())


@pytest.mark.parametrize("size_b", [4, 300_000])
@pytest.mark.parametrize("trouble", list(Trouble))
def test_an_append_is_whole_or_a_hole_and_the_next_one_comes_behind_it(trouble: Trouble, size_b: int) -> None:
    record = b"x" * size_b
    for at in range(100):
        site, fuse = Site(clock=Clock()), Fuse(trouble)
        now(prepare(site))
        fused = evolve(site, engine=FusedEngine(site.engine, fuse), helper=FusedHelper(site.helper, fuse))
        files = now(fused.process())
        fuse.calls, fuse.at = 0, at
        results: list[object] = []
        work = Deferred.fromCoroutine(files.append_content(owner, path("f"), body(record), expected_b=None))
        work.addBoth(results.append)
        for _ in range(100):  # questions about lost answers take their time
            site.clock.advance(1)  # type: ignore[attr-defined]  # a test's clock
        if not fuse.has_blown:
            assert at > 8, "nothing was tried"
            return
        bury(files, work)
        now(check(site, results, record))
    pytest.fail("the append has no end")


async def check(site: Site, results: list[object], record: bytes) -> None:
    """Look at what is left, with the eyes of the next life of the node."""
    files = await site.process()
    await files.recover(SPACE)
    content = await read(files, path("f"))
    assert content in (BEGIN, BEGIN + record, BEGIN + bytes(len(record)))
    if results and isinstance(results[0], Failure):
        results[0].trap(OnedataError)
    elif results:
        assert content == BEGIN + record
    await files.append_content(owner, path("f"), body(b"next"), expected_b=4)
    assert await read(files, path("f")) == content + b"next"
    await files.recover(SPACE)
    await check_store(site)
