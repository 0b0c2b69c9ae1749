"""The registers of spaces: which queues are filled there."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from attrs import frozen

from cluster_worker.persistence.engine import ABSENT, Batch, Scope, Step
from onedata.errors import LimitReached, Posix
from onedata.ids import SpaceId
from op_worker.files.service import FileService
from op_worker.queue_services.outbox import Outbox
from op_worker.queue_services.records import MOST, REGISTER, Entry, Register, forget_steps


@frozen(eq=False)
class Registers:
    """Reads and changes registers."""

    _files: FileService
    _outbox: Outbox

    async def of(self, scope: Scope) -> Register:
        """Return the register of a space."""
        return Register.decode(await self._files.context.engine.get_all(scope, REGISTER))

    async def entry(self, scope: Scope, queue: str) -> Entry | None:
        """Return what is registered of one queue; ``None`` for a plain one."""
        found = await self._files.context.engine.get(scope, REGISTER, [queue])
        return Entry.decode(queue, found[queue]) if queue in found else None

    async def save(self, scope: Scope, register: Register, entry: Entry, also: Sequence[Step] = ()) -> None:
        """Register a queue, or what changed of it. Raises: LimitReached; PreconditionFailed."""
        if entry.revision == ABSENT and len(register.entries) >= MOST:
            register = await self._swept(scope, register)
            if len(register.entries) >= MOST:
                raise LimitReached(MOST, "queues that are filled in one space")
        await self._files.context.engine.commit(scope, Batch([entry.put(), register.changed(), *also]))

    async def strike_off(self, scope: Scope, register: Register, queues: Sequence[str]) -> None:
        """Forget queues that are gone. Raises: PreconditionFailed."""
        for queue in queues:
            await self._outbox.clear(scope, queue)
        steps = [step for queue in queues for step in forget_steps(register.entries[queue])]
        await self._files.context.engine.commit(scope, Batch([register.changed(), *steps]))

    async def gone(self, scope: Scope, register: Register, queues: Collection[str]) -> list[str]:
        """Return those of some queues that are registered, and are not there any more."""
        asked = [queue for queue in queues if queue in register.entries]
        return [queue for queue in asked if await self._is_gone(scope, queue)]

    async def _swept(self, scope: Scope, register: Register) -> Register:
        if gone := await self.gone(scope, register, register.entries):
            await self.strike_off(scope, register, gone)
        return await self.of(scope)

    async def _is_gone(self, scope: Scope, queue: str) -> bool:
        try:
            await self._files.context.lookup.by_id(SpaceId(scope), queue)
        except Posix:
            return True
        return False
