"""Values that come from elsewhere: from data objects, and from other queues.

Inside a space a move is one commit: the file itself becomes the value, with its bytes where they are until
the storage renames them. What cannot move (a file with several names) or is copied is staged first. Between
spaces a move is a copy, then a removal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from cluster_worker.persistence.engine import Step
from onedata.errors import Errno, Posix
from op_worker.auth.caller import Caller
from op_worker.files.content.copying import ReaderStream
from op_worker.files.content.reading import Reading
from op_worker.files.content.staging import Staging
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.metadata.custom import FIELDS, xattrs_of
from op_worker.files.model import ContentReader, FileType, Json, Target
from op_worker.files.queues.adding import Adding, Part, wanted_value
from op_worker.files.queues.finding import ADD, READ, TAKE, QueueFinding
from op_worker.files.queues.reading import QueueReading
from op_worker.files.queues.taking import Taking
from op_worker.files.queues.values import QueuedValue, StagedValue
from op_worker.files.removing.removal import Removal
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored import batches
from op_worker.files.stored.charges import Room
from op_worker.files.stored.documents import LOCATION
from op_worker.files.stored.intents import FileWork
from op_worker.files.stored.nodes import Chain
from op_worker.files.stored.queues import ENCODING, MIMETYPE, value_name
from op_worker.files.tree.moving import Moving, Place, moved_location

_OF_VALUES = (MIMETYPE, ENCODING)


@frozen(eq=False)
class Transferring:
    """Enqueues what is there already."""

    _context: FilesContext
    _reading: Reading
    _staging: Staging
    _moving: Moving
    _removal: Removal
    _queues: QueueFinding
    _queue_reading: QueueReading
    _adding: Adding
    _taking: Taking

    async def copy_object(self, caller: Caller, source: Target, target: Target) -> range:
        """Enqueue a copy of a file's content. See ``Queues.copy_object``."""
        into, _ = await self._queues.queue(caller, target, ADD)
        visit, chain = await self._object(caller, source)
        staged = await self._staged_object(into, visit, chain)
        return await self._adding.enqueue(caller, target, [staged])

    async def move_object(self, caller: Caller, source: Target, target: Target) -> range:
        """Make a file a value. See ``Queues.move_object``."""
        visit, chain = await self._movable_object(caller, source)
        into, _ = await self._queues.queue(caller, target, ADD)
        if into.space_id != visit.space_id:
            numbers = await self.copy_object(caller, source, target)
            await self._removal.discard(caller, Target(chain.guid))
            return numbers
        if chain.file.meta.links > 1:
            return await self._copy_and_remove(caller, visit, chain, target)

        async def attempt() -> range:
            _, chain = await self._movable_object(caller, source)
            into, queue = await self._queues.queue(caller, target, ADD)
            async with self._queues.turn(queue.file.key):
                return await self._move(into, queue, [chain])

        return await self._context.transactions.retrying(target.base.space_id, attempt)

    async def copy_values(self, caller: Caller, source: Target, count: int, target: Target) -> range:
        """Enqueue copies of the oldest values of a queue. See ``Queues.copy_values``."""
        into, _ = await self._queues.queue(caller, target, ADD)
        oldest = await self._queue_reading.oldest(caller, source, count)
        staged = await self.stage(into, oldest.values)
        return await self._adding.enqueue(caller, target, staged)

    async def move_values(self, caller: Caller, source: Target, count: int, target: Target) -> range:
        """Move the oldest values of a queue. See ``Queues.move_values``."""
        if source.base.space_id != target.base.space_id:
            return await self._move_values_between_spaces(caller, source, count, target)

        async def attempt() -> range:
            into, queue = await self._queues.queue(caller, target, ADD)
            visit, origin = await self._takeable(caller, source)
            async with self._queues.turns(queue.file.key, origin.file.key):
                values = await self._queues.oldest(visit, origin, count)
                if await self._queues.settle(visit, values):
                    values = await self._queues.oldest(visit, origin, count)
                for value in values:
                    visit.require_unprotected(value, Operation.DELETE)
                return await self._move(into, queue, values)

        return await self._context.transactions.retrying(target.base.space_id, attempt)

    async def stage(self, into: Visit, values: Sequence[QueuedValue]) -> list[StagedValue]:
        """Return copies of values in staging files. When this raises, none is left."""
        staged: list[StagedValue] = []
        try:
            for value in values:
                reader = await value.open()
                staged.append(await self._stage(into, reader, value.xattrs))
        except BaseException:
            await self._adding.drop(into.space_id, staged)
            raise
        return staged

    async def _stage(self, into: Visit, reader: ContentReader, xattrs: Mapping[str, Json]) -> StagedValue:
        try:
            size_b = reader.stat.size_b
            wanted = wanted_value(self._context)
            staged = await self._staging.receive(into, wanted, ReaderStream(reader), size_b)
        finally:
            await reader.close()
        return StagedValue(staged, {name: xattrs[name] for name in _OF_VALUES if name in xattrs})

    async def _staged_object(self, into: Visit, visit: Visit, chain: Chain) -> StagedValue:
        documents = await self._context.engine.get(visit.scope, chain.file.key, FIELDS)
        reader = await self._reading.open_chain(visit, chain)
        return await self._stage(into, reader, xattrs_of(documents))

    async def _object(self, caller: Caller, source: Target) -> tuple[Visit, Chain]:
        visit, chain = await self._context.chain(caller, source)
        await visit.require(chain, Operation.READ_OBJECT)
        if chain.file.is_directory:
            raise Posix(Errno.EISDIR)
        if chain.file.type is not FileType.REG:
            raise Posix(Errno.EINVAL, "a symbolic link has no content of its own")
        return visit, chain

    async def _movable_object(self, caller: Caller, source: Target) -> tuple[Visit, Chain]:
        visit, chain = await self._object(caller, source)
        await self._removal.require_movable(visit, chain)
        return visit, chain

    async def _takeable(self, caller: Caller, source: Target) -> tuple[Visit, Chain]:
        visit, origin = await self._queues.queue(caller, source, READ)
        await self._queues.require(visit, origin, TAKE)
        return visit, origin

    async def _copy_and_remove(self, caller: Caller, visit: Visit, chain: Chain, target: Target) -> range:
        """Enqueue a copy and remove the name in one commit, for a file that has others."""
        staged = await self._staged_object(visit, visit, chain)
        source = Target(chain.guid)

        async def attempt() -> range:
            visit, chain = await self._movable_object(caller, source)
            into, queue = await self._queues.queue(caller, target, ADD)
            also = [self._taking.part(visit, chain, self._context.wall_clock())]
            return await self._adding.add(into, queue, [staged], also)

        return await self._adding.keeping(visit.space_id, [staged], attempt)

    async def _move_values_between_spaces(
        self, caller: Caller, source: Target, count: int, target: Target
    ) -> range:
        await self._takeable(caller, source)
        into, _ = await self._queues.queue(caller, target, ADD)
        oldest = await self._queue_reading.oldest(caller, source, count)
        staged = await self.stage(into, oldest.values)
        numbers = await self._adding.enqueue(caller, target, staged)
        if oldest.values:
            await self._taking.up_to(caller, source, 0, oldest.values[-1].number)
        return numbers

    async def _move(self, visit: Visit, queue: Chain, sources: Sequence[Chain]) -> range:
        """Commit that files of the same space become the next values of a queue, whose turn it is."""
        if not sources:
            return range(0)
        now_s, key = self._context.wall_clock(), queue.file.key
        numbering = await self._queues.numbering(visit, queue)
        numbers = numbering.numbers(len(sources))
        room = await self._context.rooms.of(visit)
        parts = [
            await self._part(visit, room, chain, Place(queue, value_name(number), None), now_s)
            for number, chain in zip(numbers, sources, strict=True)
        ]
        steps: list[Step] = [*batches.steady(queue), numbering.give_out(key, len(sources))]
        happened = self._adding.has_value(visit, queue, numbers.start, parts)
        await self._adding.commit(visit, queue, steps, parts, happened)
        return numbers

    async def _part(self, visit: Visit, room: Room, source: Chain, place: Place, now_s: float) -> Part:
        location = moved_location(room, source, place)
        steps = batches.move(source, place.directory, place.name, None, location, now_s)
        steps.extend(await self._moving.charging(visit, room, source, place, location))
        works = []
        for intent in self._moving.intents(visit, source, place):
            steps.extend(intent.put())
            after = self._moving.after(source, place, location, now_s).file
            works.append(FileWork(intent, after.location, after.revision(LOCATION)))
        if not works:
            steps.extend(self._moving.settled(visit, source, place))
        return Part(steps, works, [source.file.key, source.parent.key])
