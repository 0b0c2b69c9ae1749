"""Queues that the provider fills: begun, ended and described for doors, kept going in the background."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.feeds.position import SharedPosition
from cluster_worker.feeds.shared_reader import SharedReader
from cluster_worker.persistence.engine import PersistenceError, Scope
from cluster_worker.runtime.clock import WallClock, sleep
from cluster_worker.runtime.services import TaskService
from cluster_worker.tenure.tenure import Fence, Tenure
from onedata.errors import Errno, Forbidden, NotFound, OnedataError, Posix, Unauthorized
from onedata.ids import FileGuid, SpaceId, UserId
from op_worker.auth.caller import Caller
from op_worker.files.model import Json, Target
from op_worker.files.rights.permissions import Operation
from op_worker.files.service import FileService
from op_worker.files.translation import translated
from op_worker.queue_services.definitions import TYPE, Definition
from op_worker.queue_services.gathering import Representation
from op_worker.queue_services.notifying import READER, Notifying
from op_worker.queue_services.outbox import MAX_WAITING, Outbox
from op_worker.queue_services.querying import Querying, Stopped, why_not
from op_worker.queue_services.records import Entry, Phase
from op_worker.queue_services.registers import Registers
from op_worker.queue_services.sights import Watching
from op_worker.queue_services.telling import Telling

LOOK_S = 5.0
"""How soon a node learns of a queue that another one began, and tries again what did not work."""


class QueueServices(TaskService):
    """Fills query queues and notification queues. Raises what ``FileService`` raises.

    Args:
        spaces: those that we support.
    """

    _log = Logger()

    def __init__(
        self,
        files: FileService,
        representation: Representation,
        spaces: Callable[[], Collection[SpaceId]],
        *,
        clock: IReactorTime,
        wall_clock: WallClock,
    ) -> None:
        super().__init__()
        self._files, self._spaces, self._clock = files, spaces, clock
        self._engine, self._wall_clock = files.context.engine, wall_clock
        self._watched: set[Scope] = set()
        self._walks: dict[str, tuple[Scope, Entry]] = {}
        outbox = Outbox(files)
        self._outbox, self._registers = outbox, Registers(files, outbox)
        works = files.context.works
        self._querying = Querying(files, representation)
        self._walking = works.each("query", self._walks.keys, self._walk)
        self._position = SharedPosition(self._engine, READER)
        telling = Telling(files, representation, wall_clock)
        self._notifying = Notifying(files, self._registers, outbox, telling, self._position, clock)
        self.reader = SharedReader(works, self._notifying, self._position, lambda: self._watched)

    def startService(self) -> None:
        super().startService()
        self.reader.startService()
        self._walking.startService()
        self.spawn("look for queues to fill", self._look_around())

    def stopService(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._stop(super().stopService()))

    async def _stop(self, tasks_ended: Deferred[None]) -> None:
        await tasks_ended
        await self._walking.stopService()
        await self.reader.stopService()

    @translated
    async def begin(self, caller: Caller, queue: FileGuid, definition: Definition) -> None:
        """Fill a queue from now on, with the rights that the caller has at each moment.

        A queue that was filled before begins anew. Needs WRITE_METADATA.

        Raises: Unauthorized for a token with data caveats, which would end here; LimitReached; Posix.
        """
        if caller.is_limited or caller.limits.readonly:
            raise Unauthorized()
        await self._require(caller, queue)
        scope = Scope(queue.space_id)

        async def attempt() -> None:
            register = await self._registers.of(scope)
            known = register.entries.get(queue.uuid)
            after = await self._engine.last_seq(scope)
            began_s = int(self._wall_clock())
            entry = Entry(queue.uuid, str(caller.user_id), definition, after=after, began_s=began_s)
            if known is not None:
                await self._outbox.clear(scope, queue.uuid)
                entry = evolve(entry, run=known.run + 1, revision=known.revision)
            await self._registers.save(scope, register, entry)

        await self._files.context.transactions.retrying(queue.space_id, attempt)
        self.look_soon(queue.space_id)

    @translated
    async def end(self, caller: Caller, queue: FileGuid) -> None:
        """Make a plain queue of one that is filled; its values stay. Needs WRITE_METADATA."""
        await self._require(caller, queue)
        scope = Scope(queue.space_id)

        async def attempt() -> None:
            register = await self._registers.of(scope)
            known = register.entries.get(queue.uuid)
            if known is not None and known.is_on:
                await self._registers.save(scope, register, evolve(known, is_on=False))

        await self._files.context.transactions.retrying(queue.space_id, attempt)
        self.look_soon(queue.space_id)

    @translated
    async def entry(self, queue: FileGuid) -> Entry | None:
        """Return what is known of a queue; ``None`` when it was never filled. The caller may know of it."""
        return await self._registers.entry(Scope(queue.space_id), queue.uuid)

    @translated
    async def items(self, queue: FileGuid) -> Mapping[str, Json]:
        """Return the metadata items that tell what fills a queue, and how that goes; none of a plain queue.

        After the type was removed the definition is still told, since it is frozen.
        """
        scope = Scope(queue.space_id)
        entry = await self._registers.entry(scope, queue.uuid)
        if entry is None:
            return {}
        definition = entry.definition
        if not entry.is_on:
            return definition.given
        status = await (self._notifying_status if entry.is_notifying else self._query_status)(scope, entry)
        return {TYPE: definition.type.value, **definition.given, definition.type.status_item: status}

    def look_soon(self, space_id: SpaceId) -> None:
        """See what there is to do in a space, without waiting for the next look round."""
        if self.running:
            self.spawn("look for queues of a space", self._look_or_log(Scope(space_id)))

    async def _require(self, caller: Caller, queue: FileGuid) -> None:
        visit, chain = await self._files.context.chain(caller, Target(queue))
        await visit.require(chain, Operation.WRITE_METADATA)
        if not chain.file.meta.is_queue:
            raise Posix(Errno.EINVAL, "this is not a queue")

    async def _query_status(self, scope: Scope, entry: Entry) -> str:
        return (await self._querying.progress(scope, entry)).status

    async def _notifying_status(self, scope: Scope, entry: Entry) -> str:
        try:
            await self._files.context.access.enter(Caller(UserId(entry.creator)), SpaceId(scope))
        except (Forbidden, NotFound):
            return "Halted"
        waiting = await self._outbox.waiting(scope, entry.queue)
        if waiting >= MAX_WAITING:
            return "Error: the queue takes no more, so it is not told of what happens"
        watch = await self._notifying.watch(scope)
        is_current = watch.watching is Watching.ON and not waiting
        return "Current" if is_current and await self._has_read_all(scope) else "Processing"

    async def _has_read_all(self, scope: Scope) -> bool:
        return await self._position.reached(scope) >= await self._engine.last_seq(scope)

    async def _look_around(self) -> None:
        while True:
            for space_id in list(self._spaces()):
                await self._look_or_log(Scope(space_id))
            await sleep(self._clock, LOOK_S)

    async def _look_or_log(self, scope: Scope) -> None:
        try:
            await self._look(scope)
        except PersistenceError as error:
            self._log.warn("queues of {scope} are looked up later: {error}", scope=scope, error=error)

    async def _look(self, scope: Scope) -> None:
        """Read the feed of a space if it has notification queues, and walk for its query queues."""
        register = await self._registers.of(scope)
        if register.notifying or await self._is_remembered(scope):
            self._watched.add(scope)
            self.reader.wake(scope)
        else:
            self._watched.discard(scope)
        unanswered = {}
        for entry in register.querying:
            if (await self._querying.progress(scope, entry)).phase is not Phase.CURRENT:
                unanswered[entry.queue] = (scope, entry)
        for queue in [queue for queue, (where, _) in self._walks.items() if where == scope]:
            if queue not in unanswered:
                del self._walks[queue]
        self._walks.update(unanswered)
        for queue in unanswered:
            self._walking.wake(queue)

    async def _is_remembered(self, scope: Scope) -> bool:
        return (await self._notifying.watch(scope)).watching is not Watching.OFF

    async def _walk(self, queue: str, tenure: Tenure) -> None:
        """Answer a query as far as it can be answered now; the next look round goes on."""
        if queue not in self._walks:
            return
        scope, entry = self._walks[queue]
        fence = await tenure.fence(scope)
        try:
            await self._querying.run(scope, entry, fence)
        except Stopped:
            self._log.debug("the query of {queue} ends here", queue=entry.queue)
        except (OnedataError, PersistenceError) as error:
            await self._gave_up(scope, entry, error, fence)

    async def _gave_up(self, scope: Scope, entry: Entry, error: Exception, fence: Fence) -> None:
        """Say why a query does not go on now; one whose queue is gone is struck off."""
        self._log.debug("the query of {queue} goes on later: {error}", queue=entry.queue, error=error)
        try:
            if isinstance(error, Posix) and error.errno in (Errno.ENOENT, Errno.EINVAL):
                await self._registers.strike_off(scope, await self._registers.of(scope), [entry.queue])
            else:
                await self._querying.note(scope, entry, *why_not(error), fence)
        except PersistenceError as failure:
            self._log.warn("the query of {queue}: {error}", queue=entry.queue, error=failure)
