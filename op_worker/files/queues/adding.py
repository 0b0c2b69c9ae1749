"""Adding values to queues: bytes are staged first, then one commit makes all values and numbers them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from attrs import evolve, frozen
from twisted.internet.defer import CancelledError

from cluster_worker.persistence.engine import Key, OutcomeUnknown, Step
from onedata.ids import SpaceId
from op_worker.auth.caller import Caller
from op_worker.files.charging.rooms import wanted
from op_worker.files.committing.becoming import becoming
from op_worker.files.committing.transactions import Happened, Rest
from op_worker.files.content.staging import Staging
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.metadata.custom import custom_steps
from op_worker.files.model import CreateOptions, FileType, MetadataChange, Target
from op_worker.files.queues.finding import ADD, QueueFinding, check_count
from op_worker.files.queues.values import StagedValue
from op_worker.files.stored import batches
from op_worker.files.stored.charges import Room, account
from op_worker.files.stored.documents import EntryValue, key_of_entry
from op_worker.files.stored.intents import FileWork
from op_worker.files.stored.landings import Wanted
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.queues import announced, together, value_name
from op_worker.files.tree.creation import Creation

T = TypeVar("T")


@frozen(eq=False)
class Part:
    """A part of a commit of values: one file that appears, moves or goes.

    ``works`` are what the storage has to do, ``keys`` are announced.
    """

    steps: Sequence[Step]
    works: Sequence[FileWork]
    keys: Sequence[Key]


@frozen(eq=False)
class Adding:
    """Commits values that were staged."""

    _context: FilesContext
    _creation: Creation
    _staging: Staging
    _queues: QueueFinding

    async def enqueue(self, caller: Caller, target: Target, values: Sequence[StagedValue]) -> range:
        """Add staged values; return their numbers. Nothing is left of them when this fails for good."""

        async def attempt() -> range:
            visit, queue = await self._queues.queue(caller, target, ADD)
            return await self.add(visit, queue, values)

        return await self.keeping(target.base.space_id, values, attempt)

    async def keeping(
        self,
        space_id: SpaceId,
        values: Sequence[StagedValue],
        attempt: Callable[[], Awaitable[T]],
    ) -> T:
        """Return what an attempt to commit staged values returns, made again as long as it is worth it.

        The bytes are removed when it fails for good.
        """
        try:
            return await self._context.transactions.retrying(space_id, attempt)
        except (OutcomeUnknown, CancelledError):
            raise  # the commit may still happen, so its bytes stay; the next start sweeps them if not
        except BaseException:
            await self.drop(space_id, values)
            raise

    async def add(
        self,
        visit: Visit,
        queue: Chain,
        values: Sequence[StagedValue],
        also: Sequence[Part] = (),
    ) -> range:
        """Commit staged values, and what belongs to it, with the next numbers; return these.

        Raises: PreconditionFailed when somebody was quicker; BadValueTooHigh.
        """
        check_count(len(values))
        if not values:
            return range(0)
        now_s, key = self._context.wall_clock(), queue.file.key
        async with self._queues.turn(key):
            numbering = await self._queues.numbering(visit, queue)
            numbers = numbering.numbers(len(values))
            parts = [*await self.parts(visit, queue, values, numbers, now_s), *also]
            steps = [
                *batches.steady(queue),
                batches.touch(queue.file, now_s),
                numbering.give_out(key, len(values)),
            ]
            await self.commit(visit, queue, steps, parts, self.has_value(visit, queue, numbers.start, parts))
        return numbers

    async def parts(
        self,
        visit: Visit,
        queue: Chain,
        values: Sequence[StagedValue],
        numbers: range,
        now_s: float,
    ) -> list[Part]:
        """Return the parts of a commit that make staged values files of a queue."""
        room = await self._context.rooms.of(visit)
        return [
            self._part(visit, queue, room, value_name(number), value, now_s)
            for number, value in zip(numbers, values, strict=True)
        ]

    async def commit(
        self, visit: Visit, queue: Chain, steps: Sequence[Step], parts: Sequence[Part], happened: Happened
    ) -> None:
        """Commit ``steps`` with the parts of a change; the storage's share of it is done behind.

        A value can be read before its bytes are moved into place. Raises: PreconditionFailed.
        """
        context = self._context
        works = [work for part in parts for work in part.works]
        everything = together([*steps, *(step for part in parts for step in part.steps)])
        keys = announced([*(key for part in parts for key in part.keys), queue.file.key])

        async def work() -> tuple[None, Rest | None]:
            await context.transactions.commit(visit.space_id, everything, keys, happened)
            return None, context.journal.carry_out_files(visit.space_id, works)

        paths = [path for one in works for path in one.intent.paths] or [queue.storage_path]
        await context.transactions.holding(paths, work)

    def has_value(self, visit: Visit, queue: Chain, number: int, parts: Sequence[Part]) -> Happened:
        """Return a question whether the value with a number is the one that the first of ``parts`` makes."""
        key, name = parts[0].keys[0], value_name(number).encode()

        async def happened() -> bool:
            found = await self._context.engine.lookup(visit.scope, queue.file.key, name)
            return found is not None and key_of_entry(found) == key

        return happened

    async def drop(self, space_id: SpaceId, values: Sequence[StagedValue]) -> None:
        """Remove the bytes of staged values that no commit refers to."""
        for value in values:
            await self._staging.discard(space_id, value.staged)

    def _part(
        self,
        visit: Visit,
        queue: Chain,
        room: Room,
        name: str,
        value: StagedValue,
        now_s: float,
    ) -> Part:
        context, parent = self._context, queue.file.key
        staged = value.staged
        key = staged.landing.key
        custom = custom_steps(key, {}, MetadataChange(set_xattrs=value.xattrs))
        meta = self._creation.new_meta(visit, queue, name, FileType.REG, CreateOptions(), now_s)
        meta = evolve(meta, has_metadata=custom.has_metadata)
        location = staged.location(1, wanted(room, meta.owner, queue), is_apart=value.is_apart)
        documents = batches.first_documents(meta, parent, location, now_s)
        entry = EntryValue(key, FileType.REG).encode()
        made = queue.child(Node(key, name, {}).written(documents))
        share = becoming(context.journal, context.storages, staged.landing, made)
        steps = [
            *batches.new_file(parent, key, name.encode(), entry, documents),
            *custom.steps,
            *account(None, location, room),
            *share.steps,
        ]
        return Part(steps, [] if share.placing is None else [share.placing], [key])


def wanted_value(context: FilesContext, queue: Chain | None = None) -> Wanted:
    """Return what is told of a value to find a place for it; its number comes with the commit."""
    key = context.new_key()
    return Wanted(key) if queue is None else Wanted.of_new(key, queue, None)
