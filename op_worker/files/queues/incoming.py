"""Values on their way into a queue: received one after the other, enqueued together or not at all."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen

from cluster_worker.runtime.streams import ByteStream
from onedata.errors import BadValueTooHigh
from op_worker.auth.caller import Caller
from op_worker.files.content.staging import Staged, Staging
from op_worker.files.context import FilesContext
from op_worker.files.finding.lookup import Found
from op_worker.files.finding.visit import Visit
from op_worker.files.model import Json, Target
from op_worker.files.queues.adding import Adding, wanted_value
from op_worker.files.queues.values import MAX_VALUES, StagedValue, ValueType
from op_worker.files.quotas.room import ASK_FIRST_B, require_room
from op_worker.files.stored.nodes import Chain
from op_worker.files.stored.queues import ENCODING, MIMETYPE
from op_worker.files.translation import translated


@frozen(eq=False)
class Incoming:
    """Values that are being received for a queue. End it with ``enqueue`` or ``drop``."""

    _context: FilesContext
    _staging: Staging
    _adding: Adding
    _caller: Caller
    _target: Target
    _visit: Visit
    _queue: Chain
    _received: list[Staged] = field(factory=list)

    @property
    def count(self) -> int:
        """How many values came."""
        return len(self._received)

    @translated
    async def receive(self, body: ByteStream, expected_b: int | None = None) -> None:
        """Take in the next value.

        Raises: BadValueTooHigh for one too many; StreamBroken; Posix(ENOSPC).
        """
        if self.count == MAX_VALUES:
            raise BadValueTooHigh("values", MAX_VALUES)
        if expected_b is not None and expected_b > ASK_FIRST_B:
            await require_room(self._context, self._visit, Found(self._queue, (b"",)), expected_b)
        wanted = wanted_value(self._context, self._queue)
        staged = await self._staging.receive(self._visit, wanted, body, expected_b)
        self._received.append(staged)

    @translated
    async def enqueue(self, types: Sequence[ValueType]) -> range:
        """Add what came to the queue, with a type for each value; return their numbers.

        Raises: Posix(ENOENT, EACCES, ENOSPC, EDQUOT); when it raises, nothing was added.
        """
        values = [
            StagedValue(staged, xattrs_for(type_))
            for staged, type_ in zip(self._received, types, strict=True)
        ]
        self._received.clear()
        return await self._adding.enqueue(self._caller, self._target, values)

    @translated
    async def drop(self) -> None:
        """Forget what came and was not enqueued."""
        values = [StagedValue(staged, {}) for staged in self._received]
        self._received.clear()
        await self._adding.drop(self._visit.space_id, values)


def xattrs_for(type_: ValueType) -> dict[str, Json]:
    """Return the extended attributes of a value of a type."""
    return {MIMETYPE: type_.mimetype, ENCODING: type_.encoding}
