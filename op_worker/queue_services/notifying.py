"""Notification queues: a reader of the feeds of those spaces that have any.

One commit holds the position in the feed, what is remembered of the objects that changed, and the news for
each queue, so everything is told exactly once. A space without such queues is not read at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, evolve, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.feeds.position import POSITIONS, SharedPosition
from cluster_worker.persistence.engine import Batch, Change, Delete, Document, Key, Scope, Seq, Step
from onedata.errors import Errno, OnedataError, Posix
from onedata.ids import SpaceId
from op_worker.files.model import FileType
from op_worker.files.service import FileService
from op_worker.files.stored.documents import META
from op_worker.files.stored.nodes import Chain, Node
from op_worker.queue_services.events import Event, Sight, changed, created, is_stand_in, is_told_of
from op_worker.queue_services.outbox import MAX_WAITING, Outbox, post
from op_worker.queue_services.records import Register
from op_worker.queue_services.registers import Registers
from op_worker.queue_services.sights import (
    DOCUMENTS,
    SEEN,
    WATCH,
    Watch,
    Watching,
    forget,
    is_object,
    recalled,
    remember,
    seen_key,
)
from op_worker.queue_services.telling import Happening, Telling
from op_worker.queue_services.uris import is_reference

READER = "notifications"
AT_ONCE = 100
"""How many changes are told of in one commit."""
_Read = tuple[Change, Sight | None, Mapping[str, Document]]
"""A change of an object, what is remembered of it, and its documents now."""
REST_S = 5.0
"""A queue that cannot take what waits for it is left alone so long."""
_METADATA_B = 4 << 20
_FORGOTTEN_AT_ONCE = 500


@define(eq=False)
class Notifying:
    """Consumes the feeds of spaces with notification queues, and follows their coming and going."""

    _files: FileService
    _registers: Registers
    _outbox: Outbox
    _telling: Telling
    _position: SharedPosition
    _clock: IReactorTime
    name: str = READER
    _refused: dict[str, float] = field(factory=dict)
    _log = Logger()

    async def position(self, scope: Scope) -> Seq | None:
        """Return where to go on; ``None`` without notification queues, and while another node reads."""
        position = await self._position.load(scope)
        if position is None:
            return None
        register, watch = await self._registers.of(scope), await self.watch(scope)
        if not register.notifying:
            await self._end(scope, watch)
            return None
        if watch.watching is Watching.STOPPING:
            watch = await self._end(scope, watch)
        if watch.watching is Watching.OFF:
            await self._begin(scope, register, watch)
            position = await self._position.load(scope)
        await self._deliver(scope, register)
        return position

    async def consume(self, scope: Scope, changes: Sequence[Change]) -> None:
        """Take in the first changes, as many as are worth a commit. Raises: PersistenceError."""
        register, watch = await self._registers.of(scope), await self.watch(scope)
        if gone := await self._registers.gone(scope, register, [one.key for one in changes]):
            await self._registers.strike_off(scope, register, gone)
            return
        if watch.watching is Watching.STARTING and changes[0].seq > watch.target:
            await self._commit(scope, [await self._started(scope, watch)])
            return
        changes = [one for one in changes[:AT_ONCE] if watch.takes(one.seq)]
        read, last = await self._read(scope, changes)
        try:
            steps = await self._steps(scope, register, watch, read)
            steps += [*self._position.steps(scope, last), *await self._watch_steps(scope, watch, last)]
            await self._files.context.engine.commit(scope, Batch(steps))
        except BaseException:
            self._position.forget(scope)
            raise
        self._position.moved(scope, last)

    async def watch(self, scope: Scope) -> Watch:
        """Return whether objects of a space are remembered."""
        return Watch.decode(await self._files.context.engine.get(scope, WATCH, [SEEN]))

    async def _begin(self, scope: Scope, register: Register, watch: Watch) -> None:
        """Look at everything that was there when the first of the queues was begun."""
        first = min(register.notifying, key=lambda entry: entry.after)
        wanted = evolve(watch, watching=Watching.STARTING, target=first.after, began_s=first.began_s)
        await self._commit(scope, [register.unchanged(), wanted.put()])

    async def _watch_steps(self, scope: Scope, watch: Watch, last: Seq) -> list[Step]:
        """Return the step that ends the first look at everything, or demands that all is as it was."""
        if watch.watching is not Watching.STARTING or last < watch.target:
            return [watch.unchanged()]
        return [await self._started(scope, watch)]

    async def _started(self, scope: Scope, watch: Watch) -> Step:
        settled = await self._files.context.engine.last_seq(scope)
        return evolve(watch, watching=Watching.ON, settled=settled).put()

    async def _end(self, scope: Scope, watch: Watch) -> Watch:
        """Remove all that is remembered of a space, then say so."""
        if watch.watching is Watching.OFF:
            return watch
        engine = self._files.context.engine
        if watch.watching is not Watching.STOPPING:
            await self._commit(scope, [evolve(watch, watching=Watching.STOPPING).put()])
            watch = await self.watch(scope)
        at = Seq(0)
        while found := await engine.changes(scope, at, _FORGOTTEN_AT_ONCE):
            at = found[-1].seq
            steps = [forget(one.key) for one in found if is_object(one.key, SpaceId(scope))]
            await self._commit(scope, [watch.unchanged(), *steps])
        off = evolve(watch, watching=Watching.OFF)
        await self._commit(scope, [off.put(), Delete(POSITIONS, READER)])
        self._position.forget(scope)
        return await self.watch(scope)

    async def _commit(self, scope: Scope, steps: Sequence[Step]) -> None:
        batch = Batch([*self._position.fenced(scope), *steps])
        await self._files.context.engine.commit(scope, batch)

    async def _steps(
        self, scope: Scope, register: Register, watch: Watch, read: Sequence[_Read]
    ) -> list[Step]:
        """Return what a commit says of some changes, besides the position."""
        space_id = SpaceId(scope)
        steps: list[Step] = [register.unchanged()]
        happenings: list[Happening] = []
        for change, before, documents in read:
            chain = await self._chain(space_id, change.key, documents)
            now = None if chain is None else _sight(chain, before)
            if now is not None or before is not None:
                steps.append(forget(change.key) if now is None else remember(change.key, now))
            if watch.watching is Watching.ON:
                happenings += _happening(change.seq, watch, before, now, chain)
        for entry in register.notifying:
            news = await self._telling.news(space_id, entry, happenings)
            if news and await self._outbox.waiting(scope, entry.queue) < MAX_WAITING:
                steps += [step for seq, values in news.items() for step in post(entry.queue, seq, values)]
        return steps

    async def _read(self, scope: Scope, changes: Sequence[Change]) -> tuple[list[_Read], Seq]:
        """Return changed objects as far as they fit in memory, and the number of the last change then."""
        engine = self._files.context.engine
        objects = [one for one in changes if is_object(one.key, SpaceId(scope))]
        keys = [one.key for one in objects]
        documents = await engine.get_many(scope, keys, DOCUMENTS, _METADATA_B) if keys else ()
        seen = await engine.get_many(scope, [seen_key(key) for key in keys[: len(documents)]], [SEEN])
        read = [
            (one, recalled(one.key, found), now)
            for one, found, now in zip(objects, seen, documents, strict=False)
        ]
        return read, (changes if len(read) == len(objects) else objects[: len(read)])[-1].seq

    async def _chain(self, space_id: SpaceId, key: Key, documents: Mapping[str, Document]) -> Chain | None:
        """Return where an object is; ``None`` when it is gone, or none that news are about."""
        if META not in documents:
            return None
        try:
            chain = await self._files.context.lookup.by_id(space_id, key)
        except Posix:
            return None
        file = chain.file
        is_link = file.type is FileType.SYMLNK and not is_reference(file.meta.symlink_target or "")
        if is_link or is_stand_in(chain.names, file):
            return None
        if not is_told_of(chain.names) or any(node.meta.is_queue for node in chain.nodes[:-1]):
            return None
        custom = {name: one for name, one in documents.items() if name not in file.documents}
        return chain.with_file(Node(file.key, file.name, {**custom, **file.documents}, file.link))

    async def _deliver(self, scope: Scope, register: Register) -> None:
        """Turn what waits into values; a queue that cannot take them does not keep the others waiting."""
        for entry in register.notifying:
            if self._clock.seconds() < self._refused.get(entry.queue, 0.0):
                continue
            try:
                await self._outbox.deliver(scope, entry)
            except OnedataError as error:
                if isinstance(error, Posix) and error.errno in (Errno.ENOENT, Errno.EINVAL):
                    await self._registers.strike_off(scope, register, [entry.queue])
                    return
                self._refused[entry.queue] = self._clock.seconds() + REST_S
                self._log.debug("queue {queue} takes nothing now: {error}", queue=entry.queue, error=error)


def _sight(chain: Chain, before: Sight | None) -> Sight:
    sight = Sight(chain.file, chain.names)
    is_being_made = sight.is_processing and (before is None or before.is_being_made)
    return evolve(sight, is_being_made=is_being_made)


def _happening(
    seq: int, watch: Watch, before: Sight | None, now: Sight | None, chain: Chain | None
) -> list[Happening]:
    """Return what happened to an object, if anything did that somebody may want to know."""
    if now is None:
        events = [] if before is None else [Event.DELETE]
    elif before is not None:
        events = changed(before, now)
    else:
        events = created(now) if watch.is_new(now, seq) else [Event.MODIFY_COMPLETE]
    return [Happening(seq, events, before, now, chain)] if events else []
