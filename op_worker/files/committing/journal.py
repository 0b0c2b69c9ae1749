"""Pending storage operations: carried out once after their commit, and finished after a crash."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import (
    Batch,
    Document,
    Engine,
    Key,
    PersistenceError,
    PreconditionFailed,
    Put,
    Scope,
)
from cluster_worker.persistence.leases import take
from cluster_worker.persistence.lives import Lives
from cluster_worker.runtime.clock import WallClock, sleep
from cluster_worker.runtime.randomness import RandomBytes
from onedata.errors import ServiceUnavailable
from onedata.ids import SpaceId
from op_worker.files.committing.path_locks import PathLocks
from op_worker.files.committing.storage_work import StorageWork
from op_worker.files.stored.documents import LOCATION, UNSETTLED, Location
from op_worker.files.stored.intents import INTENTS, FileWork, Intent, IntentKind
from op_worker.files.stored.lives import enter, life_of, staging_name
from op_worker.files.stored.paths import ancestor_paths, is_below
from op_worker.storage.helper import StorageError, StoragePath
from op_worker.storage.registry import Storages
from op_worker.storage.supports import Storage

SETTLING_S = 15.0
"""Whoever finishes what an ended life left is alone with it for so long."""
_SLEPT_S = 3.0
"""What was committed so long ago others may have finished; less than after what a life is over."""
_POLL_S = 0.05
_MOST_TRIES = 20
_MOST_POLLS = 100
_HARMLESS = frozenset({IntentKind.PLACE})
_OF_DIRECTORIES = frozenset({IntentKind.MOVE, IntentKind.REMOVE_DIRECTORY})


class Journal:
    """The pending storage operations of every space.

    Whoever carries one out in this process holds its paths; whatever of this life is pending at a path that
    nobody holds was left over by an outage. What a life left that is over, any node finishes.
    """

    _log = Logger()

    def __init__(
        self,
        engine: Engine,
        storages: Storages,
        locks: PathLocks,
        clock: IReactorTime,
        wall_clock: WallClock,
        random_bytes: RandomBytes,
        lives: Lives,
    ) -> None:
        self._engine = engine
        self._storages = storages
        self._work = StorageWork(storages, random_bytes)
        self._locks = locks
        self._clock = clock
        self._wall_clock = wall_clock
        self._random_bytes = random_bytes
        self._lives = lives
        self._entered: set[tuple[SpaceId, str]] = set()

    def new_name(self) -> str:
        """Return a name that tells this life from others; for what goes when it ends."""
        return staging_name(self._lives.own, self._random_bytes(8))

    async def new_staging_name(self, space_id: SpaceId) -> str:
        """Return the name of a staging file that only this process writes. Raises: PersistenceUnavailable."""
        name = self.new_name()
        place = (space_id, life_of(name))
        if place not in self._entered:
            try:
                await self._engine.commit(Scope(space_id), Batch([enter(life_of(name))]))
            except PreconditionFailed:
                pass  # somebody here was faster
            self._entered.add(place)
        return name

    def begin_anew(self) -> None:
        """Go on as another life: this one was struck off, so nothing that it staged is placed any more."""
        self._log.warn("this node slept so long that others removed what it had staged")
        self._lives.begin_anew()

    def new(
        self,
        kind: IntentKind,
        storage: Storage,
        uuid: str,
        target: StoragePath,
        source: StoragePath | None = None,
        size_b: int = 0,
    ) -> Intent:
        """Return an operation of this node that begins now."""
        return Intent(
            self._random_bytes(8),
            kind,
            self._lives.own,
            int(self._wall_clock()),
            storage.storage_id,
            uuid,
            target,
            source or StoragePath(""),
            size_b,
        )

    async def carry_out(self, space_id: SpaceId, intent: Intent) -> bool:
        """Do the storage part of a committed operation whose paths are held.

        It is committed, so a storage that fails now does not undo it: the operation stays pending,
        ``False`` is returned, and ``pass_by`` or ``settle_all`` finish it later.
        """
        try:
            if await self._is_done_by_others(space_id, intent):
                return True
            await self._drain(space_id, intent)
            await self._work.perform(space_id, intent)
        except (StorageError, PersistenceError, ServiceUnavailable) as error:
            self._warn(intent, error)
            return False
        return True

    async def _is_done_by_others(self, space_id: SpaceId, intent: Intent) -> bool:
        """Whether this process slept after the commit, and another node has finished the operation."""
        if self._wall_clock() - intent.since_s < _SLEPT_S:
            return False
        found = await self._pending(space_id, intent.target)
        return found is None or found.operation != intent.operation

    def _warn(self, intent: Intent, error: Exception) -> None:
        self._log.warn(
            "{kind} of {path} stays pending: {error}",
            kind=intent.kind.name,
            path=intent.target,
            error=error,
        )

    async def clear_fresh(
        self, space_id: SpaceId, intent: Intent, location: Location | None, revision: int
    ) -> None:
        """Withdraw an operation that was just committed and carried out; one round trip.

        Args:
            location: the file's location as committed with it, with ``revision``; ``None`` for none.
        """
        steps = FileWork(intent, location, revision).clear()
        try:
            await self._engine.commit(Scope(space_id), Batch(steps))
        except PreconditionFailed:
            await self._clear(space_id, intent)

    async def clear_all(self, space_id: SpaceId, works: Sequence[FileWork]) -> None:
        """Withdraw operations of one commit that were just carried out, as ``clear_fresh``."""
        for work in works:
            await self.clear_fresh(space_id, work.intent, work.location, work.revision)

    async def carry_out_files(self, space_id: SpaceId, works: Sequence[FileWork]) -> None:
        """Do and withdraw the storage parts of one commit, whose paths are held; all of them of files.

        What the storage refuses now stays pending, as in ``carry_out``.
        """
        done = []
        for work in works:
            try:
                if not await self._is_done_by_others(space_id, work.intent):
                    await self._work.perform(space_id, work.intent)
            except StorageError as error:
                self._warn(work.intent, error)
                continue
            done.append(work)
        if not done:
            return
        try:
            await self._engine.commit(
                Scope(space_id), Batch([step for work in done for step in work.clear()])
            )
        except PreconditionFailed:
            for work in done:
                await self._clear(space_id, work.intent)

    async def pass_by(self, space_id: SpaceId, path: StoragePath) -> None:
        """Let whoever works at ``path`` finish, or finish what was left over there.

        Hold no paths. Returns after a while even when the operation is another living node's.
        """
        if self._locks.is_held(path):
            await self._locks.pass_by(path)
            return
        intent = await self._pending(space_id, path)
        if intent is not None and not await self._settle(space_id, intent):
            await sleep(self._clock, _POLL_S)

    async def settle_near(self, space_id: SpaceId, path: StoragePath) -> bool:
        """Finish whatever is pending at ``path`` or at a directory above; tell whether anything was."""
        paths = [*ancestor_paths(path), path]
        busy = [one for one in paths if self._locks.is_held(one)]
        found = await self._engine.get(Scope(space_id), INTENTS, paths)
        for one in dict.fromkeys([*busy, *map(StoragePath, found)]):
            await self.pass_by(space_id, one)
        return bool(busy or found)

    async def settle_all(self, space_id: SpaceId) -> int:
        """Finish everything that was left over in a space; return how many operations are pending still."""
        documents = await self._engine.get_all(Scope(space_id), INTENTS)
        intents = {intent.operation: intent for intent in map(_decoded, documents.values())}
        pending = 0
        for intent in sorted(intents.values(), key=lambda intent: (intent.since_s, intent.operation)):
            try:
                pending += not await self._settle(space_id, intent)
            except (StorageError, ServiceUnavailable) as error:
                pending += 1
                self._log.warn("{path} stays pending: {error}", path=intent.target, error=error)
        return pending

    async def _settle(self, space_id: SpaceId, intent: Intent) -> bool:
        """Finish a pending operation; ``False`` when it is another node's and may still be going on."""
        is_free = intent.kind in _HARMLESS or intent.node == self._lives.own
        if not is_free and not await self._lives.is_over(intent.node):
            return False
        async with self._locks.hold(*intent.paths):
            if is_free:
                await self._finish(space_id, intent)
                return True
            return await self._finish_for_another(space_id, intent)

    async def _finish(self, space_id: SpaceId, intent: Intent) -> None:
        """Carry out an operation whose paths are held, and withdraw it, if it is pending still."""
        found = await self._pending(space_id, intent.target)
        if found is not None and found.operation == intent.operation:
            await self._drain(space_id, intent)
            await self._work.perform(space_id, intent)
            await self._clear(space_id, intent)

    async def _finish_for_another(self, space_id: SpaceId, intent: Intent) -> bool:
        """Finish what an ended life left; under a lease, so that only one of the living does."""
        name = f"settle {space_id} {intent.operation.hex()}"
        lease = await take(self._engine, name, self._lives.own, SETTLING_S)
        if lease is None:
            return False
        try:
            await self._finish(space_id, intent)
        finally:
            await self._engine.release(lease)
        return True

    async def _drain(self, space_id: SpaceId, intent: Intent) -> None:
        """Wait until nothing is going on below a directory that is about to move or to give way.

        Files may be on their way out of it, or into it. Nothing new can begin there: this operation
        stands at the directory itself.
        """
        if intent.kind not in _OF_DIRECTORIES:
            return
        await self._locks.drain_below(*intent.paths)
        for _ in range(_MOST_POLLS):
            documents = await self._engine.get_all(Scope(space_id), INTENTS)
            below = [path for path in documents if any(is_below(path, top) for top in intent.paths)]
            if not below:
                return
            for path in below:
                await self.pass_by(space_id, StoragePath(path))
        raise ServiceUnavailable()

    async def _clear(self, space_id: SpaceId, intent: Intent) -> None:
        """Withdraw an operation that was carried out, whoever else may be doing so."""
        scope = Scope(space_id)
        for _ in range(_MOST_TRIES):
            files = await self._engine.get(scope, Key(intent.uuid), [LOCATION])
            documents = await self._engine.get(scope, INTENTS, intent.paths)
            steps = intent.clear(documents)
            if not steps:
                return
            if LOCATION in files:
                location = Location.decode(files[LOCATION].data)
                if location.staged and location.staged in (intent.source.rpartition("/")[2], UNSETTLED):
                    data = evolve(location, staged="").encode()
                    steps.append(Put(Key(intent.uuid), LOCATION, data, files[LOCATION].revision))
            try:
                await self._engine.commit(scope, Batch(steps))
            except PreconditionFailed:
                continue
            return
        raise ServiceUnavailable()

    async def _pending(self, space_id: SpaceId, path: StoragePath) -> Intent | None:
        found = await self._engine.get(Scope(space_id), INTENTS, [path])
        return _decoded(found[path]) if path in found else None


def _decoded(document: Document) -> Intent:
    return Intent.decode(document.data)
