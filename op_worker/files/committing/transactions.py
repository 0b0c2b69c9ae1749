"""Optimistic changes: decide on what was read, commit, and decide again when it was out of date."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import (
    Add,
    Batch,
    Check,
    Engine,
    Key,
    OutcomeUnknown,
    PersistenceError,
    PersistenceUnavailable,
    PreconditionFailed,
    Put,
    Scope,
    Step,
)
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.randomness import RandomBytes
from cluster_worker.runtime.services import TaskOwner
from onedata.errors import ServiceUnavailable
from onedata.ids import SpaceId
from op_worker.files.committing.journal import Journal
from op_worker.files.committing.known_quotas import KnownQuotas
from op_worker.files.committing.path_locks import PathLocks
from op_worker.files.stored.charges import full
from op_worker.files.stored.intents import INTENTS
from op_worker.files.stored.lives import LIVES
from op_worker.files.stored.quotas import QUOTAS
from op_worker.storage.helper import StorageError, StoragePath

T = TypeVar("T")
Happened = Callable[[], Awaitable[bool]]
Rest = Coroutine[Any, Any, None]

MOST_TRIES = 20
_MOST_QUESTIONS = 8
_FIRST_PAUSE_S = 0.1
_QUICK_TRIES = 3
_CROWD_PAUSE_S = 0.01


class Transactions:
    """Commits for the namespace, with retries and with work that goes on when its caller leaves."""

    _log = Logger()

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        locks: PathLocks,
        tasks: TaskOwner,
        clock: IReactorTime,
        random_bytes: RandomBytes,
        quotas: KnownQuotas,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._locks = locks
        self._tasks = tasks
        self._clock = clock
        self._quotas = quotas
        self._random_bytes = random_bytes

    async def retrying(self, space_id: SpaceId, decide: Callable[[], Awaitable[T]]) -> T:
        """Return what ``decide`` returns; it is called again when what it read was out of date.

        Raises: Posix(ENOSPC, EDQUOT) for a counter at its limit; ServiceUnavailable after too many tries, or
        when this process slept and what it had staged was swept.
        """
        for count in range(MOST_TRIES):
            try:
                return await decide()
            except PreconditionFailed as refusal:
                await self._prepare(space_id, refusal.step)
            if count >= _QUICK_TRIES:
                await self._step_aside(count - _QUICK_TRIES)
        raise ServiceUnavailable()

    async def commit(
        self,
        space_id: SpaceId,
        steps: Sequence[Step],
        announce: Sequence[Key] = (),
        happened: Happened | None = None,
    ) -> None:
        """Commit. ``happened`` tells from the stored state whether a commit without an answer was applied.

        It is asked when the store's replicas have what is there, so that no failover takes back what it saw.

        Raises: PreconditionFailed; OutcomeUnknown when nobody can tell, or when it was not applied.
        """
        try:
            await self._engine.commit(Scope(space_id), Batch(steps, announce))
        except OutcomeUnknown:
            if happened is None or not await self._learn(space_id, happened):
                raise

    async def holding(
        self, paths: Sequence[StoragePath], work: Callable[[], Awaitable[tuple[T, Rest | None]]]
    ) -> T:
        """Run ``work`` holding ``paths``, to its end also when the caller stops waiting.

        ``work`` returns its result and what remains to be done, which happens after the caller was
        answered and before the paths are let go.
        """
        waiter: Deferred[T] = Deferred()
        self._tasks.spawn("file operation", self._held(paths, work, waiter))
        return await waiter

    async def _held(
        self,
        paths: Sequence[StoragePath],
        work: Callable[[], Awaitable[tuple[T, Rest | None]]],
        waiter: Deferred[T],
    ) -> None:
        try:
            async with self._locks.hold(*paths):
                result, rest = await work()
                waiter.callback(result)
                if rest is not None:
                    await self._finish(rest)
        except Exception as error:
            if waiter.called:
                raise
            waiter.errback(error)

    async def _finish(self, rest: Rest) -> None:
        """Do what is left; when the engine or the storage is away the journal finishes it later."""
        try:
            await rest
        except (PersistenceError, StorageError, ServiceUnavailable) as error:
            self._log.warn("a storage operation stays pending: {error}", error=error)

    async def _step_aside(self, count: int) -> None:
        """Wait a random while, so that nodes that change one thing again and again get out of step."""
        share = int.from_bytes(self._random_bytes(2)) / 65536
        await sleep(self._clock, _CROWD_PAUSE_S * (1 + count) * share)

    async def _prepare(self, space_id: SpaceId, step: Step) -> None:
        if isinstance(step, Add):
            raise full(step.counter)
        if isinstance(step, Put | Check) and step.key == INTENTS:
            await self._journal.pass_by(space_id, StoragePath(step.field))
        if isinstance(step, Check) and step.key == LIVES:
            self._journal.begin_anew()
            raise ServiceUnavailable()
        if isinstance(step, Put | Check) and step.key == QUOTAS:
            self._quotas.forget(space_id)

    async def _learn(self, space_id: SpaceId, happened: Happened) -> bool:
        pause_s = _FIRST_PAUSE_S
        for _ in range(_MOST_QUESTIONS):
            try:
                await self._engine.last_seq(Scope(space_id))  # answered when replicas confirm it
                return await happened()
            except PersistenceUnavailable:
                await sleep(self._clock, pause_s)
                pause_s = min(2 * pause_s, 2.0)
        return False
