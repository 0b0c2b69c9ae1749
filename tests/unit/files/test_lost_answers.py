"""The store goes away around a commit, or the caller does; and the service looks after itself."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from cluster_worker.persistence.engine import Batch, OutcomeUnknown, PersistenceUnavailable, Scope
from cluster_worker.persistence.memory import MemoryEngine
from onedata.errors import ServiceUnavailable
from op_worker.files.model import CreateOptions, Existing, MetadataChange
from op_worker.files.service import FileService
from op_worker.files.stored.intents import INTENTS, Intent, IntentKind
from op_worker.files.stored.paths import staging_path, storage_path
from op_worker.storage.helpers.memory import MemoryHelper
from tests.support.spaces import SPACE, STORAGE, Site, body, names_in, owner, path, read

UPDATE = CreateOptions(existing=Existing.UPDATE)


class FlakyEngine(MemoryEngine):
    """Loses the answer of one commit, which may have been applied, then is away for some calls."""

    is_armed = False
    is_applied = True
    away = 0

    async def commit(self, scope: Scope, batch: Batch) -> Any:
        self._check()
        if not self.is_armed or scope != Scope(SPACE):
            return await super().commit(scope, batch)
        self.is_armed = False
        if self.is_applied:
            await super().commit(scope, batch)
        raise OutcomeUnknown

    async def get(self, *args: Any) -> Any:
        self._check()
        return await super().get(*args)

    async def lookup(self, *args: Any) -> Any:
        self._check()
        return await super().lookup(*args)

    def _check(self) -> None:
        if not self.is_armed and self.away > 0:
            self.away -= 1
            raise PersistenceUnavailable


class ForgettingEngine(MemoryEngine):
    """A primary that is cut off from its replicas: the failover takes back what only it had.

    While it is cut off it answers reads, and nothing that replicas must confirm.
    """

    before: dict[Scope, Any] | None = None
    refusals = 2

    async def commit(self, scope: Scope, batch: Batch) -> Any:
        if self.before is None or scope != Scope(SPACE):
            return await super().commit(scope, batch)
        self.before = deepcopy(self._scopes)
        await super().commit(scope, batch)
        raise OutcomeUnknown

    async def last_seq(self, scope: Scope) -> Any:
        if self.before and self.refusals:
            self.refusals -= 1
            raise PersistenceUnavailable
        if self.before:
            self._scopes, self.before = self.before, None
        return await super().last_seq(scope)


def settle(site: Site, work: Any) -> Any:
    """Turn the clock until ``work`` has ended; return its result or failure."""
    outcome: list[Any] = []
    Deferred.fromCoroutine(work).addBoth(outcome.append)
    assert isinstance(site.clock, Clock)
    for _ in range(200):
        if outcome:
            return outcome[0]
        site.clock.advance(0.1)
    pytest.fail("the work hangs")


def put(files: FileService, text: str, data: bytes) -> Any:
    return files.replace_content(owner, path(text), body(data), expected_b=len(data), create=UPDATE)


@pytest.mark.parametrize("name", ["new", "old"])
def test_a_commit_that_was_applied_is_recognised_when_the_store_is_back(name: str) -> None:
    engine = FlakyEngine()
    site = Site(engine)
    files = settle(site, site.process())
    settle(site, put(files, "old", b"before"))
    engine.is_armed, engine.away = True, 5
    assert not isinstance(settle(site, put(files, name, b"after")), Failure)
    assert settle(site, read(files, path(name))) == b"after"


def test_a_commit_that_a_failover_takes_back_moves_nothing_on_the_storage() -> None:
    engine = ForgettingEngine()
    site = Site(engine)
    files = settle(site, site.process())
    settle(site, put(files, "old", b"kept"))
    engine.before = {}
    assert settle(site, files.move(owner, path("old"), path("new"))).check(ServiceUnavailable)
    assert settle(site, read(files, path("old"))) == b"kept"


def test_metadata_that_are_as_wanted_already_count_only_when_the_store_confirms_them() -> None:
    engine = FlakyEngine()
    site = Site(engine)
    files = settle(site, site.process())
    settle(site, put(files, "f", b"content"))
    change = MetadataChange(set_xattrs={"k": "v"})
    settle(site, files.metadata.change(owner, path("f"), change))
    seq = settle(site, engine.last_seq(Scope(SPACE)))
    assert settle(site, files.metadata.change(owner, path("f"), change)) is None
    assert settle(site, engine.last_seq(Scope(SPACE))) == seq
    engine.is_armed = True
    assert settle(site, files.metadata.change(owner, path("f"), change)).check(ServiceUnavailable)


def test_a_commit_that_was_not_applied_is_a_temporary_failure() -> None:
    engine = FlakyEngine()
    site = Site(engine)
    files = settle(site, site.process())
    settle(site, put(files, "old", b"before"))
    engine.is_armed, engine.is_applied = True, False
    outcome = settle(site, put(files, "old", b"after"))
    assert outcome.check(ServiceUnavailable)
    assert settle(site, read(files, path("old"))) == b"before"
    assert not isinstance(settle(site, put(files, "old", b"again")), Failure)
    later = settle(site, site.process())
    settle(site, later.recover(SPACE))
    assert isinstance(site.helper, MemoryHelper)
    folder: Any = staging_path(SPACE, "x").rpartition("/")[0]
    assert settle(site, site.helper.list_directory(folder)) == []


def test_a_store_that_stays_away_is_a_temporary_failure_and_loses_no_bytes() -> None:
    engine = FlakyEngine()
    site = Site(engine)
    files = settle(site, site.process())
    settle(site, put(files, "f", b"before"))
    engine.is_armed, engine.away = True, 10_000
    assert settle(site, put(files, "f", b"after")).check(ServiceUnavailable)
    engine.away = 0
    assert settle(site, read(files, path("f"))) == b"after"


class SlowHelper(MemoryHelper):
    """Renames when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.gate: Deferred[None] | None = None

    async def rename(self, *args: Any) -> None:
        if self.gate is not None:
            await self.gate
        await super().rename(*args)


def test_a_caller_that_leaves_does_not_stop_a_commit_half_way() -> None:
    helper = SlowHelper()
    site = Site(helper=helper)
    files = settle(site, site.process())
    settle(site, put(files, "f", b"before"))
    helper.gate = Deferred()
    work: Deferred[Any] = Deferred.fromCoroutine(put(files, "f", b"after"))
    work.addErrback(lambda _: None)
    work.cancel()
    assert settle(site, read(files, path("f"))) == b"after"
    gate, helper.gate = helper.gate, None
    gate.callback(None)
    assert settle(site, site.engine.get_all(Scope(SPACE), INTENTS)) == {}
    assert settle(site, read(files, path("f"))) == b"after"


@ensureDeferred
async def test_a_started_service_finishes_what_was_left_and_looks_again_every_minute() -> None:
    site = Site()
    files = await site.process("worker1")
    await put(files, "f", b"1")
    await leave_remove(site, "f2")
    files.startService()
    assert await site.engine.get_all(Scope(SPACE), INTENTS) == {}
    await leave_remove(site, "f3")
    assert isinstance(site.clock, Clock)
    site.clock.advance(60)
    assert await site.engine.get_all(Scope(SPACE), INTENTS) == {}
    assert await names_in(files, path("")) == ["f"]
    await files.stopService()
    assert site.clock.getDelayedCalls() == []


@ensureDeferred
async def test_maintenance_survives_a_store_that_is_away() -> None:
    site = Site()
    files = await site.process()
    broken = evolve(site)
    engine = broken.engine
    original = engine.get_all

    async def away(*_: Any) -> Any:
        raise PersistenceUnavailable

    engine.get_all = away  # type: ignore[method-assign, assignment]  # it goes away
    files.startService()
    engine.get_all = original  # type: ignore[method-assign]  # and comes back
    await leave_remove(site, "f")
    assert isinstance(site.clock, Clock)
    site.clock.advance(60)
    assert await engine.get_all(Scope(SPACE), INTENTS) == {}
    await files.stopService()


async def leave_remove(site: Site, name: str) -> None:
    """Leave a removal behind, as a crash of this node would."""
    target = storage_path(SPACE, (name,))
    node = "worker1" if name != "f" else "worker@test"
    intent = Intent(b"12345678", IntentKind.REMOVE, node, int(site.now_s), STORAGE, "nobody", target)
    await site.engine.commit(Scope(SPACE), Batch(intent.put()))
