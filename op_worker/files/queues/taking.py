"""Taking values out of queues: the oldest ones, in one commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from attrs import frozen

from onedata.errors import BadData
from op_worker.auth.caller import Caller
from op_worker.files.committing.transactions import Rest
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.model import Target
from op_worker.files.queues.adding import Part
from op_worker.files.queues.finding import TAKE, QueueFinding, check_count, number_of
from op_worker.files.queues.values import MAX_VALUES
from op_worker.files.removing.removal import Removal
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored import batches
from op_worker.files.stored.intents import FileWork, require_settled
from op_worker.files.stored.nodes import Chain
from op_worker.files.stored.queues import announced, together

Choose = Callable[[Visit, Chain], Awaitable[list[Chain]]]


@frozen(eq=False)
class Taking:
    """Removes values, for good: they pass by the recycle bin."""

    _context: FilesContext
    _removal: Removal
    _queues: QueueFinding

    async def oldest(self, caller: Caller, target: Target, count: int) -> int:
        """Remove up to ``count`` values. See ``Queues.dequeue``."""

        async def choose(visit: Visit, queue: Chain) -> list[Chain]:
            return await self._queues.oldest(visit, queue, count)

        return await self._take(caller, target, choose)

    async def up_to(self, caller: Caller, target: Target, first: int, last: int) -> int:
        """Remove values by their numbers. See ``Queues.dequeue_range``."""

        async def choose(visit: Visit, queue: Chain) -> list[Chain]:
            found = await self._queues.after(visit, queue, None, MAX_VALUES + 1)
            if found and first > number_of(found[0]):
                raise BadData("values", "values are taken from the lowest one on")
            chosen = [value for value in found if number_of(value) <= last]
            check_count(len(chosen))
            return chosen

        return await self._take(caller, target, choose)

    def part(self, visit: Visit, value: Chain, now_s: float) -> Part:
        """Return the part of a commit that removes a file that may be removed."""
        steps = batches.remove(value, now_s)
        intents = self._removal.removal_intents(visit, value)
        steps.extend(step for intent in intents for step in intent.put())
        if not intents and not value.is_apart:
            steps.extend(require_settled(value.storage_path))
        return Part(steps, [FileWork(intent) for intent in intents], [value.file.key, value.parent.key])

    async def _take(self, caller: Caller, target: Target, choose: Choose) -> int:
        async def attempt() -> int:
            visit, queue = await self._queues.queue(caller, target, TAKE)
            async with self._queues.turn(queue.file.key):
                chosen = await choose(visit, queue)
                if await self._queues.settle(visit, chosen):
                    chosen = await choose(visit, queue)
                for value in chosen:
                    visit.require_unprotected(value, Operation.DELETE)
                if chosen:
                    await self._commit(visit, queue, chosen)
                return len(chosen)

        return await self._context.transactions.retrying(target.base.space_id, attempt)

    async def _commit(self, visit: Visit, queue: Chain, chosen: Sequence[Chain]) -> None:
        context, now_s = self._context, self._context.wall_clock()
        parts = [self.part(visit, value, now_s) for value in chosen]
        works = [work for part in parts for work in part.works]
        steps = together(step for part in parts for step in part.steps)
        keys = announced(key for part in parts for key in part.keys)
        first = chosen[0].file

        async def happened() -> bool:
            found = await context.engine.lookup(visit.scope, queue.file.key, first.name.encode())
            return found != first.entry_value

        async def work() -> tuple[None, Rest | None]:
            await context.transactions.commit(visit.space_id, steps, keys, happened)
            return None, context.journal.carry_out_files(visit.space_id, works)

        paths = [path for one in works for path in one.intent.paths] or [queue.storage_path]
        await context.transactions.holding(paths, work)
