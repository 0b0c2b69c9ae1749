"""Queues of CDMI: values in order, added at one end and taken from the other.

A queue is a directory that is marked as one; each value is a regular file in it, named by its number. So
other doors show a queue as a directory of files, and moving, removing, quotas, permissions and protection of
queues are those of directories. What changes the order of values is here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from attrs import frozen

from op_worker.auth.caller import Caller
from op_worker.files.content.copying import custom_of
from op_worker.files.content.reading import Reading
from op_worker.files.content.replacing import Replacing
from op_worker.files.content.staging import Staging
from op_worker.files.context import FilesContext
from op_worker.files.metadata.custom import FIELDS, following
from op_worker.files.metadata.metadata_checks import checked
from op_worker.files.model import CreateOptions, FileStat, MetadataChange, Target
from op_worker.files.queues.adding import Adding
from op_worker.files.queues.copying import QueueCopies
from op_worker.files.queues.filling import Filling
from op_worker.files.queues.finding import ADD, READ, QueueFinding
from op_worker.files.queues.incoming import Incoming
from op_worker.files.queues.making import Making
from op_worker.files.queues.reading import QueueReading, ValueBody
from op_worker.files.queues.taking import Taking
from op_worker.files.queues.transferring import Transferring
from op_worker.files.queues.values import NewValue, Oldest, QueuedValue, QueueView
from op_worker.files.removing.removal import Removal
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored.conditions import NO_CONDITION, ContentCondition
from op_worker.files.translation import translated
from op_worker.files.tree.creation import Creation
from op_worker.files.tree.moving import Moving

_AS_USUAL = CreateOptions()
_NO_CHANGE = MetadataChange()


@frozen(eq=False)
class Queues:
    """Queues of every space. Raises what ``FileService`` raises, but for what is told of each method.

    What is no queue gives Posix(EINVAL). Whatever one call adds or takes is added or taken in one step.
    Removing, moving and copying a whole queue, and changing its metadata, are the file service's.
    """

    copies: QueueCopies
    filling: Filling
    _context: FilesContext
    _staging: Staging
    _replacing: Replacing
    _queues: QueueFinding
    _reading: QueueReading
    _adding: Adding
    _making: Making
    _taking: Taking
    _transferring: Transferring

    @translated
    async def create(
        self,
        caller: Caller,
        target: Target,
        options: CreateOptions = _AS_USUAL,
        metadata: MetadataChange = _NO_CHANGE,
    ) -> FileStat:
        """Make an empty queue together with its metadata. Needs adding a data object to the directory.

        Raises: Posix(EEXIST, ENOENT, ENOTDIR, EACCES, EINVAL, ENAMETOOLONG, EPERM).
        """
        change = await checked(self._context.blocking, metadata)
        return await self._making.create(caller, target, options, change)

    @translated
    async def view(self, caller: Caller, target: Target) -> QueueView:
        """Return how a queue is. Raises: Posix(ENOENT, EACCES, EINVAL)."""
        return await self._reading.view(caller, target)

    @translated
    async def oldest(self, caller: Caller, target: Target, count: int = 1) -> Oldest:
        """Return a queue with up to ``count`` of its values, the oldest first.

        Raises: BadValueTooHigh (``values``) when that would be more than 1000; Posix(ENOENT, EACCES, EINVAL).
        """
        return await self._reading.oldest(caller, target, count)

    async def every(self, caller: Caller, target: Target) -> AsyncGenerator[QueuedValue, None]:
        """Yield all values of a queue, the oldest first. Raises: Posix(ENOENT, EACCES, EINVAL)."""
        visit, queue = await self._queues.queue(caller, target, READ)
        async for value in self._reading.every(visit, queue, None):
            yield value

    @translated
    async def begin(self, caller: Caller, target: Target) -> Incoming:
        """Begin to receive values for a queue. Raises: Posix(ENOENT, EACCES, EPERM, EINVAL)."""
        visit, queue = await self._queues.queue(caller, target, ADD)
        return Incoming(self._context, self._staging, self._adding, caller, target, visit, queue)

    async def enqueue(self, caller: Caller, target: Target, values: Sequence[NewValue]) -> range:
        """Add values in their order; return their numbers, which have no gaps and are never used again.

        Raises: BadValueTooHigh (``values``) for more than 1000; StreamBroken; Posix(ENOSPC, EDQUOT, EACCES).
        """
        incoming = await self.begin(caller, target)
        try:
            for value in values:
                await incoming.receive(value.body, value.expected_b)
            return await incoming.enqueue([value.type for value in values])
        finally:
            await incoming.drop()

    @translated
    async def dequeue(self, caller: Caller, target: Target, count: int = 1) -> int:
        """Remove up to ``count`` of the oldest values for good; return how many there were.

        Raises: BadValueTooHigh (``values``) when that would be more than 1000; Posix(EACCES, EPERM).
        """
        return await self._taking.oldest(caller, target, count)

    @translated
    async def dequeue_range(self, caller: Caller, target: Target, first: int, last: int) -> int:
        """Remove the values with numbers up to ``last``; asked for again, it does nothing.

        Raises: BadData (``values``) when ``first`` is greater than the lowest number; as ``dequeue``.
        """
        return await self._taking.up_to(caller, target, first, last)

    @translated
    async def copy_object(self, caller: Caller, source: Target, target: Target) -> range:
        """Enqueue a copy of a regular file's content, with its mimetype and encoding.

        Raises: Posix(EISDIR, EINVAL); as ``enqueue``.
        """
        return await self._transferring.copy_object(caller, source, target)

    @translated
    async def move_object(self, caller: Caller, source: Target, target: Target) -> range:
        """Enqueue a regular file's content and remove the file, in one step inside a space.

        Between spaces the file is removed after its copy was enqueued. Needs reading and removing the file.

        Raises: as ``copy_object``.
        """
        return await self._transferring.move_object(caller, source, target)

    @translated
    async def copy_values(self, caller: Caller, source: Target, count: int, target: Target) -> range:
        """Enqueue copies of up to ``count`` of the oldest values of a queue.

        Raises: Posix(ENOENT) when one of them was taken meanwhile; as ``oldest`` and ``enqueue``.
        """
        return await self._transferring.copy_values(caller, source, count, target)

    @translated
    async def move_values(self, caller: Caller, source: Target, count: int, target: Target) -> range:
        """Move up to ``count`` of the oldest values to another queue, in one step inside a space.

        Between spaces they are enqueued first and then taken, so a crash in between leaves them in both.

        Raises: as ``dequeue`` and ``enqueue``.
        """
        return await self._transferring.move_values(caller, source, count, target)

    @translated
    async def join(
        self,
        caller: Caller,
        source: Target,
        target: Target,
        *,
        count: int | None = None,
        create: CreateOptions | None = None,
        metadata: MetadataChange = _NO_CHANGE,
        condition: ContentCondition = NO_CONDITION,
    ) -> tuple[FileStat, bool]:
        """Make a file of the values of a queue, one after the other, or replace a file's content by them.

        ``count`` takes that many of the oldest ones, ``None`` all. The file gets the mimetype of the first
        one, is text when all are, and has the queue's metadata; ``metadata`` changes that. See
        ``FileService.replace_content``.

        Raises: Posix(ENOENT) when a value was taken meanwhile; as ``FileService.replace_content``.
        """
        change = await checked(self._context.blocking, metadata)
        visit, queue = await self._queues.queue(caller, source, READ)
        await visit.require(queue, Operation.READ_METADATA)
        found = await self._context.engine.get(visit.scope, queue.file.key, FIELDS)
        type_ = await self._reading.joined_type(visit, queue, count)
        joined = following(custom_of(found, is_file=True), MetadataChange(set_xattrs=type_))
        body = ValueBody(self._reading.every(visit, queue, count))
        try:
            return await self._replacing.replace(
                caller, target, body, None, create, following(joined, change), condition=condition
            )
        finally:
            await body.close()


def make_queues(
    context: FilesContext,
    reading: Reading,
    creation: Creation,
    replacing: Replacing,
    staging: Staging,
    moving: Moving,
    removal: Removal,
) -> Queues:
    """Join the parts."""
    finding = QueueFinding(context)
    queue_reading = QueueReading(reading, finding)
    adding = Adding(context, creation, staging, finding)
    making = Making(context, creation, adding)
    taking = Taking(context, removal, finding)
    transferring = Transferring(
        context, reading, staging, moving, removal, finding, queue_reading, adding, taking
    )
    copies = QueueCopies(context, making, adding, removal, queue_reading, transferring)
    filling = Filling(context, staging, adding)
    return Queues(
        *(copies, filling, context, staging, replacing, finding, queue_reading, adding, making, taking),
        transferring,
    )
