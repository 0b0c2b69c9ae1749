"""Answers to questions for the series of a space or of one of its users."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from attrs import frozen

from cluster_worker.persistence.engine import Engine, PersistenceUnavailable, Scope
from cluster_worker.runtime.clock import WallClock
from onedata.errors import NotFound, ServiceUnavailable
from onedata.ids import SpaceId, UserId
from op_worker.auth.caller import Caller
from op_worker.files.context import FilesContext
from op_worker.files.finding.access import is_member
from op_worker.files.finding.visit import Visit
from op_worker.metrics.kinds import REMOTE_TRANSFER, STORAGE_USED, MetricKind
from op_worker.metrics.records import METRICS, USAGE, user_key
from op_worker.metrics.sampling import empty_handed, shown, until
from op_worker.metrics.series import SLOT_S, Rows, Series
from op_worker.metrics.usage import Usage

T = TypeVar("T")
VIEW = "space_view_statistics"


@frozen
class Export:
    """The rows of a metric, as one provider gathered them.

    Attributes:
        data: the oldest row first; ``None`` where nothing is known.
    """

    start_s: int
    end_s: int
    step_s: int
    legend: Sequence[str]
    data: Sequence[Sequence[float | None]]


@frozen
class ProviderExport:
    """What a supporting provider gathered; ``None`` is nothing yet."""

    provider_id: str
    export: Export | None


@frozen(eq=False)
class MetricAnswers:
    """Reads what is kept, whichever node keeps it.

    Raises what ``FileService`` raises besides what is said.
    """

    _engine: Engine
    _context: FilesContext
    _wall_clock: WallClock

    async def space(
        self, caller: Caller, space_id: SpaceId, kind: MetricKind, step: str
    ) -> list[ProviderExport]:
        """Return a metric of a space for every supporting provider.

        Raises: Forbidden without ``space_view_statistics``.
        """
        visit = await self._entered(caller, space_id)
        series = await self._series(space_id, kind)
        rows = None if series is None else series.rows(step)
        return self._all(visit, kind, None, rows)

    async def user(
        self, caller: Caller, space_id: SpaceId, user_id: UserId, kind: MetricKind, step: str
    ) -> list[ProviderExport]:
        """Return what a user has to do with a metric of a space, for every supporting provider.

        Raises: Forbidden without ``space_view_statistics``; NotFound for who is no member and has no series.
        """
        visit = await self._entered(caller, space_id)
        found = await _reaching(self._engine.get(Scope(space_id), user_key(user_id), [kind.name]))
        if not found and not is_member(visit.space, user_id):
            raise NotFound()
        of_space = await self._series(space_id, kind)
        if of_space is None:
            return self._all(visit, kind, user_id, None)
        own = Series.decode(found[kind.name].data) if kind.name in found else None
        if own is None and kind is STORAGE_USED and await self._holds_nothing(space_id, user_id):
            own = empty_handed(of_space)
        is_transfer = kind is REMOTE_TRANSFER
        rows = of_space.rows(step) if is_transfer else shown(kind, step, own, of_space)
        return self._all(visit, kind, user_id, rows)

    async def _entered(self, caller: Caller, space_id: SpaceId) -> Visit:
        visit = await self._context.access.enter(caller, space_id)
        visit.require_privilege(VIEW)
        return visit

    async def _holds_nothing(self, space_id: SpaceId, user_id: UserId) -> bool:
        """Whether the last walk found nothing of a user."""
        found = await _reaching(self._engine.get(Scope(space_id), METRICS, [USAGE]))
        usage = Usage.decode(found.get(USAGE))
        return usage is not None and usage.of(user_id) == 0

    async def _series(self, space_id: SpaceId, kind: MetricKind) -> Series | None:
        """Return the series of a space up to now; nothing is known of transfers."""
        sampled = STORAGE_USED if kind is REMOTE_TRANSFER else kind
        found = await _reaching(self._engine.get(Scope(space_id), METRICS, [sampled.name]))
        if sampled.name not in found:
            return None
        series = until(Series.decode(found[sampled.name].data), int(self._wall_clock() // SLOT_S))
        return Series.begin(kind.kind, len(kind.sources), series.end) if sampled is not kind else series

    def _all(
        self, visit: Visit, kind: MetricKind, user_id: str | None, rows: Rows | None
    ) -> list[ProviderExport]:
        own = self._context.access.provider_id
        others = [provider for provider in visit.space.supports if provider != own]
        export = None
        if rows is not None:
            data = [[None if math.isnan(one) else one for one in row] for row in rows.values]
            legend = kind.legend(visit.space_id, user_id, own)
            export = Export(rows.start_s, rows.end_s, rows.step.row_s, legend, data)
        return [ProviderExport(own, export), *(ProviderExport(one, None) for one in others)]


async def _reaching(question: Awaitable[T]) -> T:
    """Return the answer of the store. Raises: ServiceUnavailable when it is away."""
    try:
        return await question
    except PersistenceUnavailable as error:
        raise ServiceUnavailable() from error
