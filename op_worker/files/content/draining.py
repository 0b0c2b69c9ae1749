"""Moving contents off a storage, piece by piece, while they are read and written.

Each piece is copied, synced, and only then committed as a part; the commit demands that the location is as it
was before the piece was read. What is written meanwhile counts: a piece that somebody wrote to is copied
again, and bytes that a writer put where they were before are taken from there (``stored.parted``). When
nothing is left at the old place, one commit gives it up and declares its removal. A part belongs to the
content from its commit on, so whoever goes on after a crash goes on there, at a place of his own: nobody
writes to a place that another one made.
"""

from __future__ import annotations

import errno
from collections.abc import Callable

from attrs import define, evolve, frozen

from cluster_worker.persistence.engine import Key, Put, Scope, Step
from onedata.errors import Errno, Posix, ServiceUnavailable
from onedata.ids import SpaceId, StorageId
from op_worker.files.committing.transactions import Rest
from op_worker.files.content.reading import MAX_READ_B
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.stored import batches, parted
from op_worker.files.stored.charges import account
from op_worker.files.stored.documents import BASE, LOCATION, Location
from op_worker.files.stored.intents import FileWork, IntentKind
from op_worker.files.stored.landings import Landing, Wanted
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.parts import Place
from op_worker.files.translation import translated
from op_worker.storage.helper import StorageError, StorageFile, StoragePath

PIECE_B = 16 * 1024 * 1024
"""So much is committed at a time, so that a crash or a writer costs no more."""
_MOST_ROUNDS = 100
Check = Callable[[], None]
"""Raises when the work is not wanted any more, or not ours."""


class _OvertakenError(Exception):
    """The content was replaced or removed, or has left the place that it is moved from."""


@define(eq=False)
class _Move:
    """One content on its way from a place. ``is_part``: whether its new place belongs to it already."""

    visit: Visit
    key: Key
    generation: bytes
    source: Place
    landing: Landing
    check: Check
    is_part: bool = False


@frozen(eq=False)
class Draining:
    """Moves contents to other storages of their spaces."""

    _context: FilesContext

    @translated
    async def drain(self, space_id: SpaceId, key: Key, storage_id: StorageId, check: Check) -> None:
        """Leave nothing of a content on a storage; nothing happens when none of it is there.

        What lies under a name that nobody finds, as in the recycle bin, stays.

        Raises: Posix(ENOSPC) when no storage can take it; Posix(EIO) when its storage lost it; what ``check``
            raises; ServiceUnavailable; PersistenceUnavailable.
        """
        visit = await self._context.access.as_space_owner(space_id)
        if visit is None:
            return
        for _ in range(_MOST_ROUNDS):
            check()
            chain = await self._found(space_id, key)
            location = None if chain is None else chain.file.location
            if chain is None or location is None:
                return
            if location.staged:
                await self._context.journal.settle_near(space_id, chain.storage_path)
                continue
            source = next((place for place in _places(location) if place[0] == storage_id), None)
            if source is None:
                return
            await self._move(visit, chain, location, source, check)
        raise ServiceUnavailable()

    async def _found(self, space_id: SpaceId, key: Key) -> Chain | None:
        """Return a file; without its directories when no name is needed to find its bytes."""
        try:
            return await self._context.lookup.by_id(space_id, key)
        except Posix:
            documents = await self._context.engine.get(Scope(space_id), key, BASE)
            chain = Chain(space_id, (Node(key, "", documents),))
            return chain if chain.file.exists and chain.is_apart else None

    async def _move(
        self, visit: Visit, chain: Chain, location: Location, source: Place, check: Check
    ) -> None:
        """Move what lies at a place to one place on another storage."""
        key, size_b = chain.file.key, location.held_on[source[0]]
        wanted = Wanted(key, is_new=False, names=None if chain.is_root else chain.names)
        chosen = await self._context.choosing.storages(visit.support, wanted, size_b)
        others = [storage for storage in chosen if storage.storage_id != source[0]]
        if not others:
            raise Posix(Errno.ENOSPC, "no other storage of the space can take this content now")
        landing = await self._context.places.apart(visit.support, others[0], key)
        move = _Move(visit, key, location.generation, source, landing, check)
        try:
            while not await self._leave(move):
                await self._copy(move)
        except _OvertakenError:
            pass  # the caller looks again
        finally:
            if not move.is_part or not await self._is_place_of(move):
                await self._context.places.give_back(visit.space_id, landing)

    async def _copy(self, move: _Move) -> None:
        """Copy piece after piece until nothing is left at the old place."""
        context = self._context
        source = await self._opened(move)
        try:
            target = await context.storage(move.landing.storage_id).helper.open_write(move.landing.path)
            try:
                while await context.transactions.retrying(
                    move.visit.space_id, lambda: self._piece(move, source, target)
                ):
                    move.check()
            finally:
                await target.close()
        finally:
            await source.close()

    async def _opened(self, move: _Move) -> StorageFile:
        """Open the old place, wherever the file is moved meanwhile."""
        storage = self._context.storage(move.source[0])
        missed = None
        while True:
            chain, location = await self._now(move)
            path = _path_of(move.source, chain, location)
            try:
                return await storage.helper.open_read(path)
            except StorageError as error:
                if error.errno != errno.ENOENT or missed == path:
                    raise
            await self._context.journal.settle_near(move.visit.space_id, path)
            missed = path

    async def _piece(self, move: _Move, source: StorageFile, target: StorageFile) -> bool:
        """Copy and commit a piece; ``False`` when nothing is left. Raises: PreconditionFailed."""
        chain, location = await self._now(move)
        left = parted.blocks_at(location, move.source)
        if not left:
            return False
        block = (left[0][0], min(left[0][1], PIECE_B))
        for at_b in range(block[0], sum(block), MAX_READ_B):
            data = await source.read(at_b, min(MAX_READ_B, sum(block) - at_b))
            if not data:
                raise Posix(Errno.EIO, "the storage does not have the content of this file")
            await target.write(at_b, data)
        await target.sync()
        new = parted.moved(location, block, move.landing.place)
        await self._commit(move, chain, new, [] if move.is_part else move.landing.become_a_file())
        move.is_part = True
        return True

    async def _leave(self, move: _Move) -> bool:
        """Commit that the content has left the old place, whose removal is declared.

        ``False`` when bytes are there, which are to be copied first.
        """
        context, space_id = self._context, move.visit.space_id

        async def attempt() -> bool:
            chain, location = await self._now(move)
            if parted.blocks_at(location, move.source):
                return False
            new = parted.left(location, move.source)
            steps: list[Step] = []
            if new is None:  # it has no bytes at all
                landing = move.landing
                steps, move.is_part = landing.become_a_file(), True
                new = evolve(location, storage_id=landing.storage_id, at=landing.path, is_apart=True)
            if move.source == location.place:
                steps.extend(batches.steady_file(chain))
            path, storage = _path_of(move.source, chain, location), context.storage(move.source[0])
            intent = context.journal.new(IntentKind.REMOVE, storage, move.key, path)

            async def work() -> tuple[None, Rest | None]:
                await self._commit(move, chain, new, [*steps, *intent.put()])
                return None, context.journal.carry_out_files(space_id, [FileWork(intent)])

            await context.transactions.holding(intent.paths, work)
            return True

        return await context.transactions.retrying(space_id, attempt)

    async def _commit(self, move: _Move, chain: Chain, new: Location, also: list[Step]) -> None:
        file, room = chain.file, await self._context.rooms.of(move.visit)
        steps = [
            *also,
            Put(file.key, LOCATION, new.encode(), expect=file.revision(LOCATION)),
            *account(file.location, new, room),
        ]
        await self._context.transactions.commit(move.visit.space_id, steps, [file.key])

    async def _now(self, move: _Move) -> tuple[Chain, Location]:
        """Return the file as it is, while it has the content that is moved and has it at the old place."""
        for _ in range(_MOST_ROUNDS):
            chain = await self._found(move.visit.space_id, move.key)
            location = None if chain is None else chain.file.location
            if chain is None or location is None or location.generation != move.generation:
                raise _OvertakenError
            if move.source not in _places(location):
                raise _OvertakenError
            if not location.staged:
                return chain, location
            await self._context.journal.settle_near(move.visit.space_id, chain.storage_path)
        raise ServiceUnavailable()

    async def _is_place_of(self, move: _Move) -> bool:
        """Whether the new place belongs to the file as it is now."""
        chain = await self._found(move.visit.space_id, move.key)
        location = None if chain is None else chain.file.location
        if location is None:
            return False
        return move.landing.place in _places(location)


def _places(location: Location) -> list[Place]:
    """Return the places of a content, the main one first."""
    return [location.place, *(part.place for part in location.parts)]


def _path_of(place: Place, chain: Chain, location: Location) -> StoragePath:
    return chain.storage_path if place == location.place else StoragePath(place[1])
