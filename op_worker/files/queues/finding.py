"""Finding queues and their values, and what is asked of a caller who uses one.

A queue's own permissions decide over its values, by the words that CDMI has for data objects: READ_OBJECT
reads values, WRITE_OBJECT adds and takes them. APPEND_DATA alone adds, DELETE_OBJECT alone takes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from attrs import field, frozen

from cluster_worker.persistence.engine import Key
from cluster_worker.runtime.locks import KeyedLocks
from onedata.errors import BadValueTooHigh, Errno, Posix
from op_worker.auth.caller import Caller
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.model import Target
from op_worker.files.queues.values import MAX_VALUES
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored.documents import BASE, XATTRS
from op_worker.files.stored.intents import INTENTS
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.queues import QUEUE, Numbering, value_name, value_number
from op_worker.storage.helper import StoragePath

READ = (Operation.READ_OBJECT,)
ADD = (Operation.WRITE_OBJECT, Operation.ADD_SUBCONTAINER)
TAKE = (Operation.WRITE_OBJECT, Operation.DELETE_CHILD)
"""Any of these is enough; a refusal names the first."""
_AFTER_ALL = b"~"
_FIELDS = (*BASE, XATTRS)


@frozen(eq=False)
class QueueFinding:
    """Finds queues; keeps those of this node who change one of them out of each other's way."""

    _context: FilesContext
    _locks: KeyedLocks = field(factory=KeyedLocks)

    async def queue(
        self, caller: Caller, target: Target, any_of: Sequence[Operation] = ()
    ) -> tuple[Visit, Chain]:
        """Return a queue that the caller may use.

        Raises: Posix(ENOENT, EACCES, EPERM); Posix(EINVAL) for what is no queue.
        """
        visit, chain = await self._context.chain(caller, target)
        await self.require(visit, chain, any_of)
        return visit, chain

    async def require(self, visit: Visit, chain: Chain, any_of: Sequence[Operation]) -> None:
        """Return when this is a queue and the caller has one of the rights on it. Raises: as ``queue``."""
        enough = [needed for needed in any_of if visit.may(chain, needed)]
        await visit.require(chain, (enough or [*any_of, Operation(0)])[0])
        if not chain.file.meta.is_queue:
            raise Posix(Errno.EINVAL, "this is not a queue")

    async def numbering(self, visit: Visit, queue: Chain) -> Numbering:
        """Return how far the values of a queue are numbered; a restored queue is numbered by what it has."""
        found = await self._context.engine.get(visit.scope, queue.file.key, [QUEUE])
        if QUEUE in found:
            return Numbering.decode(found[QUEUE])
        ends = await self.ends(visit, queue)
        return Numbering() if ends is None else Numbering(ends[1] + 1)

    async def oldest(self, visit: Visit, queue: Chain, count: int) -> list[Chain]:
        """Return up to ``count`` values, the oldest first.

        Raises: BadValueTooHigh when there are more than one request may have.
        """
        chains = await self.after(visit, queue, None, min(count, MAX_VALUES + 1))
        check_count(len(chains))
        return chains

    async def after(self, visit: Visit, queue: Chain, number: int | None, limit: int) -> list[Chain]:
        """Return the next values after one, or the first ones; none at the end."""
        name = None if number is None else value_name(number).encode()
        found = await self._context.engine.page(visit.scope, queue.file.key, name, limit, _FIELDS)
        nodes = [Node.found(item) for item in found]
        return [queue.child(node) for node in nodes if node.exists]

    async def ends(self, visit: Visit, queue: Chain) -> tuple[int, int] | None:
        """Return the lowest and the highest number of a queue's values, ``None`` when it is empty."""
        key = queue.file.key
        first = await self._context.engine.page(visit.scope, key, None, 1, ())
        if not first:
            return None
        last = await self._context.engine.page_from(visit.scope, key, _AFTER_ALL, -1, 1, ())
        names = [item.entry.name.decode() for item in (*first, *last)]
        return value_number(names[0]), value_number(names[-1])

    async def settle(self, visit: Visit, chains: Sequence[Chain]) -> bool:
        """Let what goes on at values come to its end; tell whether anything did."""
        space_id = visit.space_id
        paths = [chain.storage_path for chain in chains]
        pending = await self._context.engine.get(visit.scope, INTENTS, paths)
        for path in pending:
            await self._context.journal.pass_by(space_id, StoragePath(path))
        return bool(pending)

    def turn(self, queue: Key) -> AbstractAsyncContextManager[None]:
        """Return a turn at a queue, to be waited for; commits of other nodes may come between."""
        return self._locks.hold(queue)

    @asynccontextmanager
    async def turns(self, *queues: Key) -> AsyncIterator[None]:
        """Hold the turns of several queues."""
        async with AsyncExitStack() as stack:
            for queue in sorted(set(queues)):  # in one order, so that nobody waits in a circle
                await stack.enter_async_context(self.turn(queue))
            yield


def check_count(count: int) -> None:
    """Raise BadValueTooHigh for more values than one request may have."""
    if count > MAX_VALUES:
        raise BadValueTooHigh("values", MAX_VALUES)


def number_of(value: Chain) -> int:
    """Return the number of a value."""
    return value_number(value.file.name)
