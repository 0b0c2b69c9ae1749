"""Copies over a directory: made aside, then put in its place in one step."""

from __future__ import annotations

from attrs import frozen
from twisted.internet.defer import CancelledError

from cluster_worker.persistence.engine import Key, OutcomeUnknown
from onedata.errors import Errno, Posix
from op_worker.auth.caller import Caller
from op_worker.files.content.copying import Copying, parted
from op_worker.files.context import FilesContext
from op_worker.files.metadata.metadata_checks import checked
from op_worker.files.model import FileStat, MetadataChange, Target
from op_worker.files.stored.conditions import NO_CONDITION, ContentCondition
from op_worker.files.translation import translated
from op_worker.files.tree.exchanging import Exchanging
from op_worker.files.tree.unfinished_copies import UnfinishedCopies


@frozen(eq=False)
class TreeReplacing:
    """Replaces directories by copies of others. Raises what ``FileService`` raises."""

    _context: FilesContext
    _copying: Copying
    _exchanging: Exchanging
    _unfinished: UnfinishedCopies

    @translated
    async def replace(
        self,
        caller: Caller,
        source: Target,
        target: Target,
        metadata: MetadataChange | None = None,
        condition: ContentCondition = NO_CONDITION,
    ) -> FileStat:
        """Put a copy of a directory, with all it holds, in the place of another directory.

        Readers see the old or the new directory, never a mixture. The new one has ids of its own, its files'
        bytes lie apart from their names; the old one goes into the trash, past the recycle bin. What was
        copied by a process that dies goes at the next start of its node.

        Raises: as ``copy`` and ``remove``; Posix(ENOENT) when nothing is there; Posix(EINVAL) onto itself;
            PreconditionNotMet when ``condition`` does not hold of what is replaced.
        """
        change, kept = parted(await checked(self._context.blocking, metadata or MetadataChange()))
        visit, place = await self._exchanging.replaceable(caller, target, condition)
        _, original = await self._context.chain(caller, source)
        if place.replaced is not None and original.file.key == place.replaced.file.key:
            raise Posix(Errno.EINVAL, "a directory cannot be copied onto itself")
        at = await self._context.transactions.retrying(visit.space_id, lambda: self._unfinished.place(visit))
        try:
            made = await self._copying.copy_aside(caller, source, at, change)
            stat = await self._exchanging.exchange(caller, made.guid, target, condition)
        except (OutcomeUnknown, CancelledError):
            raise  # it may have happened still; the next start drops the copy if not
        except BaseException:
            await self._unfinished.drop(visit.space_id, Key(at.uuid or ""))
            raise
        await self._copying.keep(caller, stat, kept)
        return stat
