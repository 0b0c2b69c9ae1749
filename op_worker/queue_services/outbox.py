"""News that wait to become values of a queue, in the order in which things happened.

They are committed together with the position in the feed, so each is here once. They become values in the
commit that takes them out of here, so each becomes one once.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from cluster_worker.persistence.engine import Batch, Link, Scope, Step, Unlink
from onedata.ids import SpaceId, UserId
from op_worker.auth.caller import Caller
from op_worker.files.queues.filling import Overtaken
from op_worker.files.queues.values import ValueType
from op_worker.files.service import FileService
from op_worker.queue_services.records import Entry, outbox_key

MAX_WAITING = 10_000
"""While so many wait, since their queue cannot take them, what happens is not told to that queue."""
_AT_ONCE = 16
"""News with metadata may take megabytes each."""
JSON_VALUE = ValueType("application/json", "utf-8")


@frozen(eq=False)
class Outbox:
    """The outboxes of queues."""

    _files: FileService

    async def waiting(self, scope: Scope, queue: str) -> int:
        """Return how many news wait."""
        return await self._files.context.engine.count(scope, outbox_key(queue))

    async def deliver(self, scope: Scope, entry: Entry) -> None:
        """Turn all that waits into values. Raises: what ``Filling.add`` raises, but ``Overtaken``."""
        key, owner = outbox_key(entry.queue), Caller(UserId(entry.creator))
        while found := await self._files.context.engine.page(scope, key, None, _AT_ONCE, ()):
            entries = [item.entry for item in found]
            values = [entry.value for entry in entries]
            taken: list[Step] = [Unlink(key, entry.name, entry.value) for entry in entries]
            filling, space_id = self._files.queues.filling, SpaceId(scope)
            try:
                await filling.add(owner, space_id, entry.queue, values, JSON_VALUE, taken)
            except Overtaken:
                continue  # another node delivered them

    async def clear(self, scope: Scope, queue: str) -> None:
        """Drop all that waits."""
        key, engine = outbox_key(queue), self._files.context.engine
        while found := await engine.page(scope, key, None, _AT_ONCE, ()):
            steps = [Unlink(key, item.entry.name, item.entry.value) for item in found]
            await engine.commit(scope, Batch(steps))


def post(queue: str, seq: int, values: Sequence[bytes]) -> list[Step]:
    """Return the steps that leave values, which have no NUL in them, for a queue; all are of one change."""
    key = outbox_key(queue)
    return [Link(key, f"{seq:016x}-{at:02x}".encode(), value) for at, value in enumerate(values)]
