"""Statistics of directories as users see them: layout and slices of their history, and their sizes."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeVar

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from cluster_worker.feeds.position import SharedPosition
from cluster_worker.feeds.shared_reader import SharedReader
from cluster_worker.persistence.engine import Engine, PersistenceUnavailable, Scope
from cluster_worker.runtime.clock import WallClock, sleep
from cluster_worker.runtime.services import OrderedService
from onedata.errors import (
    DirStatsDisabledForSpace,
    DirStatsNotReady,
    Errno,
    Posix,
    ServiceUnavailable,
    TimeSeriesCollectionMissingLayout,
)
from onedata.ids import SpaceId, trash_uuid
from op_worker.auth.caller import Caller
from op_worker.files.model import FileStat, Target
from op_worker.files.service import FileService
from op_worker.files.settings import Settings
from op_worker.statistics.consumer import READER, StatisticsConsumer
from op_worker.statistics.counts import LOGICAL, NOTHING, VIRTUAL, Counts, at, series_of, value_of
from op_worker.statistics.history import (
    BY_NAME,
    PRESENT,
    Totals,
    Window,
    totals_key,
    windows,
)
from op_worker.statistics.states import FIELD, STATE, Phase, State
from op_worker.statistics.switched import Switched
from op_worker.storage.registry import Storages

T = TypeVar("T")

PATIENCE_S = 2.0
"""A question waits so long for the reader to come up to the feed."""
_LOOK_S = 0.02

Layout = Mapping[str, Sequence[str]]
Slice = Mapping[str, Mapping[str, Sequence["Value"]]]


@frozen
class Value:
    """The last value in a window, and when the first and the last change in it were."""

    start_s: int
    value: int
    first_s: int
    last_s: int


@frozen(kw_only=True)
class Span:
    """Which windows are wanted, the newest first. Moments in seconds since the epoch, both included."""

    start_s: int | None = None
    stop_s: int | None = None
    limit: int = 1000

    def cut(self, found: Sequence[Window]) -> list[Window]:
        """Return the windows that begin within the span."""
        chosen = [
            one
            for one in found
            if (self.start_s is None or one.start_s <= self.start_s)
            and (self.stop_s is None or one.start_s >= self.stop_s)
        ]
        return chosen[: self.limit]


@frozen
class DirectorySizes:
    """What is below a directory, in bytes; physical sizes by storage."""

    virtual_b: int
    logical_b: int
    physical_b: Mapping[str, int]


@frozen(eq=False)
class Statistics:
    """Answers questions about directories. Raises what ``FileService`` raises besides what is said."""

    _engine: Engine
    _files: FileService
    _settings: Settings
    _position: SharedPosition
    _clock: IReactorTime

    async def layout(self, caller: Caller, target: Target) -> Layout:
        """Return the names of the series and of their metrics.

        Raises: Posix(ENOTDIR); DirStatsDisabledForSpace; DirStatsNotReady.
        """
        _, state = await self._directory(caller, target)
        return {series: list(BY_NAME) for series in series_of(state.storages)}

    async def slice(self, caller: Caller, target: Target, layout: Layout, span: Span) -> Slice:
        """Return windows of those series and metrics, everything up to the moment of the question.

        Raises: TimeSeriesCollectionMissingLayout for what there is not; as ``layout``.
        """
        stat, state = await self._directory(caller, target)
        missing = _missing(layout, series_of(state.storages))
        if missing:
            raise TimeSeriesCollectionMissingLayout(missing)
        known = await self._windows(stat)
        return {
            series: {name: _values(series, state, span.cut(known[name])) for name in names}
            for series, names in layout.items()
        }

    async def windows(self, caller: Caller, target: Target) -> Mapping[str, Sequence[Window]]:
        """Return all windows of a directory by metric, the newest first, up to the moment of the question.

        There are none where nothing ever was. Raises: as ``layout``.
        """
        stat, _ = await self._directory(caller, target)
        return await self._windows(stat)

    async def sizes(self, caller: Caller, target: Target) -> DirectorySizes:
        """Return the sizes of a directory, up to the moment of the question. Raises: as ``layout``."""
        stat, state = await self._directory(caller, target)
        space_id = stat.guid.space_id
        await self._wait(Scope(space_id))
        counts = (await self._counts(space_id, [stat.guid.uuid]))[0]
        physical = {
            storage_id: value_of(counts, f"physical_size_{storage_id}", state.storages)
            for storage_id in state.storages
        }
        return DirectorySizes(at(counts, VIRTUAL), at(counts, LOGICAL), physical)

    async def logical_sizes(self, stats: Sequence[FileStat]) -> Mapping[str, int]:
        """Return the logical sizes of those directories among files that have statistics, by uuid.

        These are the totals of this moment; changes of the last instants may be missing.
        """
        found: dict[str, int] = {}
        directories = [stat.guid for stat in stats if stat.is_directory]
        for space_id in {guid.space_id for guid in directories}:
            uuids = [guid.uuid for guid in directories if guid.space_id == space_id]
            if await self._is_enabled(space_id):
                counts = await self._counts(space_id, uuids)
                found.update({uuid: at(one, LOGICAL) for uuid, one in zip(uuids, counts, strict=True)})
        return found

    async def waiting_for_purge(self, space_id: SpaceId) -> Counts | None:
        """Return what is still in the trash of a space; ``None`` while there are no statistics."""
        if not await self._is_enabled(space_id):
            return None
        return (await self._counts(space_id, [trash_uuid(space_id)]))[0]

    async def _windows(self, stat: FileStat) -> Mapping[str, Sequence[Window]]:
        scope, key = Scope(stat.guid.space_id), totals_key(stat.guid.uuid)
        await self._wait(scope)
        found = await _reaching(self._engine.get(scope, key, [PRESENT, *BY_NAME]))
        stored = {name: document.data for name, document in found.items()}
        if PRESENT not in stored:
            return dict.fromkeys(BY_NAME, ())
        totals = Totals.decode(stored[PRESENT])
        return {name: windows(stored.get(name), metric, totals) for name, metric in BY_NAME.items()}

    async def _directory(self, caller: Caller, target: Target) -> tuple[FileStat, State]:
        stat = await self._files.stat(caller, target)
        if not stat.is_directory:
            raise Posix(Errno.ENOTDIR)
        if not (await _reaching(self._settings.of(stat.guid.space_id))).statistics:
            raise DirStatsDisabledForSpace()
        state = await self._state(stat.guid.space_id)
        if state.phase is not Phase.ENABLED:
            raise DirStatsNotReady()
        return stat, state

    async def _is_enabled(self, space_id: SpaceId) -> bool:
        if not (await _reaching(self._settings.of(space_id))).statistics:
            return False
        return (await self._state(space_id)).phase is Phase.ENABLED

    async def _state(self, space_id: SpaceId) -> State:
        found = await _reaching(self._engine.get(Scope(space_id), STATE, [FIELD]))
        return State.decode(found.get(FIELD))

    async def _counts(self, space_id: SpaceId, uuids: Sequence[str]) -> list[Counts]:
        keys = [totals_key(uuid) for uuid in uuids]
        found = await _reaching(self._engine.get_many(Scope(space_id), keys, [PRESENT]))
        return [Totals.decode(one[PRESENT].data).counts if PRESENT in one else NOTHING for one in found]

    async def _wait(self, scope: Scope) -> None:
        """Return when the reader has come up to what the feed holds now, or patience is over."""
        until_s = self._clock.seconds() + PATIENCE_S
        newest = await _reaching(self._engine.last_seq(scope))
        while self._clock.seconds() < until_s:
            reached = await _reaching(self._position.reached(scope))
            following = await _reaching(self._engine.changes(scope, reached, 1))
            if not following or following[0].seq > newest:
                return
            await sleep(self._clock, _LOOK_S)


class StatisticsService(OrderedService):
    """The statistics of a node: what answers, and what keeps them where it is this node's turn.

    Attributes:
        answers: tells what is kept, whichever node keeps it.
        reader: reads the feeds of spaces.
    """

    def __init__(self, answers: Statistics, reader: SharedReader, switched: Switched) -> None:
        super().__init__()
        self.answers, self.reader = answers, reader
        for service in (reader, switched):
            service.setServiceParent(self)


def make_statistics(
    engine: Engine,
    files: FileService,
    storages: Storages,
    *,
    clock: IReactorTime,
    wall_clock: WallClock,
) -> StatisticsService:
    """Return the statistics of all spaces that are supported here, not started."""
    position = SharedPosition(engine, READER)
    settings = files.context.settings

    def storage_of(space_id: SpaceId) -> str | None:
        support = storages.for_space(space_id)
        return None if support is None else support.storage.storage_id

    def supported() -> list[Scope]:
        return [Scope(support.space_id) for support in storages.supported()]

    consumer = StatisticsConsumer(engine, settings, position, storage_of, wall_clock)
    reader = SharedReader(files.context.works, consumer, position, lambda: switched.scopes)
    switched = Switched(engine, settings, supported, clock, reader.wake)
    return StatisticsService(Statistics(engine, files, settings, position, clock), reader, switched)


def _missing(layout: Layout, known: Sequence[str]) -> dict[str, list[str]]:
    """Return what a layout asks for and there is not."""
    missing = {
        series: [name for name in names if series not in known or name not in BY_NAME]
        for series, names in layout.items()
    }
    return {series: names for series, names in missing.items() if names or series not in known}


def _values(series: str, state: State, found: Sequence[Window]) -> list[Value]:
    return [
        Value(one.start_s, value_of(one.counts, series, state.storages), one.first_s, one.last_s)
        for one in found
    ]


async def _reaching(question: Awaitable[T]) -> T:
    """Return the answer of the store. Raises: ServiceUnavailable when it is away."""
    try:
        return await question
    except PersistenceUnavailable as error:
        raise ServiceUnavailable() from error
