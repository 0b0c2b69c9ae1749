"""Streams of changes of a space: the feed, for whoever may see it, for as long as he listens."""

from __future__ import annotations

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime

from cluster_worker.feeds.compaction import horizon_of
from cluster_worker.persistence.engine import Seq
from onedata.errors import ChangesForgotten, LimitReached
from onedata.ids import SpaceId
from op_worker.auth.caller import Caller
from op_worker.changes.lines import View
from op_worker.changes.stream import PRIVILEGE, ChangeStream, Framing
from op_worker.files.context import FilesContext
from op_worker.files.translation import translated

MOST_STREAMS = 500


class ChangeStreams(Service):
    """Opens streams, and ends them when it stops, so that no door waits for them."""

    def __init__(self, context: FilesContext, clock: IReactorTime) -> None:
        self._context, self._clock = context, clock
        self._open: set[ChangeStream] = set()

    def stopService(self) -> None:
        super().stopService()
        for stream in list(self._open):
            stream.end()

    @translated
    async def open(
        self,
        caller: Caller,
        space_id: SpaceId,
        view: View,
        framing: Framing,
        *,
        after: int | None,
        timeout_s: float | None,
    ) -> ChangeStream:
        """Return the changes after the number ``after``, by default those from now on.

        The stream ends when it had nothing to tell for ``timeout_s``.

        Raises:
            Forbidden: without the privilege ``space_view_changes_stream``.
            Unauthorized: to a guest, or a token with data caveats.
            ChangesForgotten: removals after ``after`` are no longer known. Everything (0) can always be had.
            LimitReached: so many streams are open already.
        """
        visit = await self._context.access.enter(caller, space_id)
        visit.require_privilege(PRIVILEGE)
        if len(self._open) >= MOST_STREAMS:
            raise LimitReached(MOST_STREAMS, "change streams open at a node")
        first = await self._context.engine.last_seq(visit.scope) if after is None else Seq(after)
        if after and after < (horizon := await horizon_of(self._context.engine, visit.scope)):
            raise ChangesForgotten(horizon)
        stream = ChangeStream(
            *(self._context, self._clock, visit, first, view, framing, timeout_s), self._open.discard
        )
        self._open.add(stream)
        return stream
