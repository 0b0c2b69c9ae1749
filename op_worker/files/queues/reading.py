"""Reading queues: how they are, and their oldest values."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from attrs import frozen

from op_worker.auth.caller import Caller
from op_worker.files.content.reading import MAX_READ_B, Reading
from op_worker.files.finding.visit import Visit
from op_worker.files.metadata.custom import xattrs_of
from op_worker.files.model import ContentReader, Json, Target
from op_worker.files.queues.finding import READ, QueueFinding, number_of
from op_worker.files.queues.values import (
    DEFAULT_ENCODING,
    DEFAULT_MIMETYPE,
    MAX_VALUES,
    Oldest,
    QueuedValue,
    QueueView,
)
from op_worker.files.stored.nodes import Chain
from op_worker.files.stored.queues import ENCODING, MIMETYPE
from op_worker.files.translation import translated


@frozen(eq=False)
class QueueReading:
    """Reads queues."""

    _reading: Reading
    _queues: QueueFinding

    async def view(self, caller: Caller, target: Target) -> QueueView:
        """Return how a queue is. See ``Queues.view``."""
        visit, queue = await self._queues.queue(caller, target, READ)
        return await self._view(visit, queue)

    async def oldest(self, caller: Caller, target: Target, count: int) -> Oldest:
        """Return a queue with its oldest values. See ``Queues.oldest``."""
        visit, queue = await self._queues.queue(caller, target, READ)
        chains = await self._queues.oldest(visit, queue, count)
        return Oldest(await self._view(visit, queue), [self.value(visit, chain) for chain in chains])

    async def every(self, visit: Visit, queue: Chain, count: int | None) -> AsyncGenerator[QueuedValue, None]:
        """Yield the oldest values, all of them without ``count``, page after page."""
        last: int | None = None
        left = count
        while left is None or left > 0:
            limit = MAX_VALUES if left is None else min(left, MAX_VALUES)
            chains = await self._queues.after(visit, queue, last, limit)
            if not chains:
                return
            for chain in chains:
                yield self.value(visit, chain)
            last = number_of(chains[-1])
            left = None if left is None else left - len(chains)

    async def joined_type(self, visit: Visit, queue: Chain, count: int | None) -> dict[str, Json]:
        """Return the attributes for the mimetype and encoding of values that are put together."""
        mimetype: Json = DEFAULT_MIMETYPE
        encodings = set()
        is_first = True
        async with aclosing(self.every(visit, queue, count)) as values:
            async for value in values:
                if is_first and MIMETYPE in value.xattrs:
                    mimetype = value.xattrs[MIMETYPE]
                is_first = False
                encodings.add(value.xattrs.get(ENCODING))
        return {
            MIMETYPE: mimetype,
            ENCODING: "base64" if encodings - {DEFAULT_ENCODING} else DEFAULT_ENCODING,
        }

    def value(self, visit: Visit, chain: Chain) -> QueuedValue:
        """Return a value that was found."""

        @translated
        async def opened() -> ContentReader:
            return await self._reading.open_chain(visit, chain)

        return QueuedValue(number_of(chain), visit.stat(chain), xattrs_of(chain.file.documents), opened)

    async def _view(self, visit: Visit, queue: Chain) -> QueueView:
        lowest, highest = await self._queues.ends(visit, queue) or (None, None)
        return QueueView(visit.stat(queue), lowest, highest)


class ValueBody:
    """The bytes of a value, or of several one after the other, as a body. Close it."""

    def __init__(self, values: AsyncGenerator[QueuedValue, None]) -> None:
        self._values = values
        self._reader: ContentReader | None = None
        self._offset_b = 0

    async def read(self) -> bytes:
        """Return the next piece. Raises: Posix(ENOENT) when a value was taken meanwhile."""
        while True:
            if self._reader is None:
                try:
                    value = await anext(self._values)
                except StopAsyncIteration:
                    return b""
                self._reader, self._offset_b = await value.open(), 0
            data = await self._reader.read(self._offset_b, MAX_READ_B)
            if data:
                self._offset_b += len(data)
                return data
            await self._close_value()

    async def close(self) -> None:
        """Give back what is open."""
        await self._close_value()
        await self._values.aclose()

    async def _close_value(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()
