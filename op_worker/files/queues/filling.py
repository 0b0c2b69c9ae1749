"""Values that the provider itself adds to queues, together with what must be committed with them."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from cluster_worker.persistence.engine import PreconditionFailed, Step
from cluster_worker.runtime.streams import BytesStream
from onedata.errors import Errno, Posix
from onedata.ids import SpaceId
from op_worker.auth.caller import Caller
from op_worker.files.content.staging import Staging
from op_worker.files.context import FilesContext
from op_worker.files.queues.adding import Adding, Part, wanted_value
from op_worker.files.queues.incoming import xattrs_for
from op_worker.files.queues.values import StagedValue, ValueType
from op_worker.files.rights.permissions import Operation
from op_worker.files.translation import translated


class Overtaken(Exception):
    """What was to be committed with the values does not hold any more; nothing was added."""


@frozen(eq=False)
class Filling:
    """Adds values to queues on behalf of users. Raises what ``FileService`` raises, and ``Overtaken``."""

    _context: FilesContext
    _staging: Staging
    _adding: Adding

    @translated
    async def add(
        self,
        owner: Caller,
        space_id: SpaceId,
        queue: str,
        values: Sequence[bytes],
        type_: ValueType,
        also: Sequence[Step],
    ) -> None:
        """Add values, which belong to ``owner``, and commit ``also`` with them: all of it or nothing.

        The owner needs no right on the queue: whoever ordered this had it. ``also`` says what makes the
        commit happen once, so after an unknown outcome it can be read whether it did.

        Raises: Posix(ENOENT) without the queue; Posix(EINVAL) when it is none; Posix(ENOSPC, EDQUOT);
        Posix(EPERM) under a hold or in a retention period;
        Forbidden when the owner left the space; Overtaken.
        """
        mine = set(also)
        visit = await self._context.access.enter(owner, space_id)
        staged: list[StagedValue] = []

        async def attempt() -> None:
            chain = await self._context.lookup.by_id(space_id, queue)
            if not chain.file.meta.is_queue:
                raise Posix(Errno.EINVAL, "this is not a queue")
            visit.require_unkept(chain, Operation.WRITE_OBJECT)
            try:
                await self._adding.add(visit, chain, staged, [Part(also, (), ())])
            except PreconditionFailed as refusal:
                if refusal.step in mine:
                    raise Overtaken from None
                raise

        try:
            for value in values:
                body = BytesStream(value)
                wanted = wanted_value(self._context)
                content = await self._staging.receive(visit, wanted, body, len(value))
                staged.append(StagedValue(content, xattrs_for(type_)))
        except BaseException:  # whatever it was: nothing refers to these bytes
            await self._adding.drop(space_id, staged)
            raise
        await self._adding.keeping(space_id, staged, attempt)
