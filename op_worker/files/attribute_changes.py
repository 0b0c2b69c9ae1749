"""Changes of permission bits and times."""

from __future__ import annotations

from attrs import evolve, frozen

from cluster_worker.persistence.engine import Check, Put, Step
from onedata.errors import Errno, Posix
from op_worker.auth.caller import Caller
from op_worker.files.access import Visit
from op_worker.files.attributes import stat_of
from op_worker.files.context import FilesContext
from op_worker.files.documents import META, TIMES
from op_worker.files.model import FileStat, Target
from op_worker.files.nodes import Chain
from op_worker.files.permissions import Operation

MAX_MODE = 0o1777


@frozen(eq=False)
class AttributeChanges:
    """Sets modes and times of files."""

    _context: FilesContext

    async def set_mode(self, caller: Caller, target: Target, mode: int) -> FileStat:
        """Set permission bits. See ``FileService.set_mode``."""

        async def attempt() -> FileStat:
            visit, chain = await self._context.chain(caller, target)
            return await set_mode(self._context, visit, chain, mode)

        return await self._context.transactions.retrying(target.base.space_id, attempt)

    async def set_times(
        self, caller: Caller, target: Target, atime_s: float | None, mtime_s: float | None
    ) -> FileStat:
        """Set times. See ``FileService.set_times``."""

        async def attempt() -> FileStat:
            visit, chain = await self._context.chain(caller, target)
            await visit.require_or_own(chain, Operation.WRITE_ATTRIBUTES)
            file = chain.file
            times = file.times.changed(self._context.wall_clock())
            if atime_s is not None:
                times = evolve(times, atime_ms=int(atime_s * 1000))
            if mtime_s is not None:
                times = evolve(times, mtime_ms=int(mtime_s * 1000))
            documents = {TIMES: times.encode()}
            steps: list[Step] = [
                Check(file.key, META, file.revision(META)),
                Put(file.key, TIMES, documents[TIMES], expect=file.revision(TIMES)),
            ]
            await self._context.transactions.commit(visit.space_id, steps, [file.key])
            return stat_of(chain.with_file(file.written(documents)), visit.space, visit.user_id)

        return await self._context.transactions.retrying(target.base.space_id, attempt)


async def set_mode(context: FilesContext, visit: Visit, chain: Chain, mode: int) -> FileStat:
    """Set permission bits of a file that was found; they decide from now on instead of an ACL.

    Raises: Posix(EACCES, EPERM, EINVAL).
    """
    if not 0 <= mode <= MAX_MODE:
        raise Posix(Errno.EINVAL, "a mode is between 0 and 1777")
    if chain.is_root:
        raise Posix(Errno.EPERM, "the root of a space keeps its mode")
    await visit.require(chain, Operation.WRITE_ACL)
    file = chain.file
    documents = {
        META: evolve(file.meta, mode=mode, acl=None).encode(),
        TIMES: file.times.changed(context.wall_clock()).encode(),
    }
    steps = [
        Put(file.key, META, documents[META], expect=file.revision(META)),
        Put(file.key, TIMES, documents[TIMES]),
    ]
    await context.transactions.commit(visit.space_id, steps, [file.key])
    return stat_of(chain.with_file(file.written(documents)), visit.space, visit.user_id)
