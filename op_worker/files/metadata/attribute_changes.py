"""Changes of permission bits and times."""

from __future__ import annotations

from math import isfinite

from attrs import evolve, frozen

from cluster_worker.persistence.engine import Check, Put, Step
from onedata.errors import Errno, Posix
from op_worker.auth.caller import Caller
from op_worker.files.context import FilesContext
from op_worker.files.finding.attributes import stat_of
from op_worker.files.finding.visit import Visit
from op_worker.files.model import NOW, FileStat, Now, Target
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored.documents import META, TIMES
from op_worker.files.stored.nodes import Chain

MAX_MODE = 0o1777
MAX_TIME_S = 2.0**40
"""Some 35 000 years; milliseconds stay exact far beyond."""


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
        self, caller: Caller, target: Target, atime_s: float | Now | None, mtime_s: float | Now | None
    ) -> FileStat:
        """Set times. See ``FileService.set_times``."""
        explicit = [one for one in (atime_s, mtime_s) if one is not None and one is not NOW]
        if not all(isfinite(one) and abs(one) <= MAX_TIME_S for one in explicit):
            raise Posix(Errno.EINVAL, "not a time that a file can have")

        async def attempt() -> FileStat:
            visit, chain = await self._context.chain(caller, target)
            await _require_settable(visit, chain, is_now=not explicit)
            file, now_s = chain.file, self._context.wall_clock()
            times = file.times.changed(now_s)
            if atime_s is not None:
                times = evolve(times, atime_ms=_milliseconds(atime_s, now_s))
            if mtime_s is not None:
                times = evolve(times, mtime_ms=_milliseconds(mtime_s, now_s))
            documents = {TIMES: times.encode()}
            steps: list[Step] = [
                Check(file.key, META, file.revision(META)),
                Put(file.key, TIMES, documents[TIMES], expect=file.revision(TIMES)),
            ]
            await self._context.transactions.commit(visit.space_id, steps, [file.key])
            return stat_of(chain.with_file(file.written(documents)), visit.space, visit.user_id)

        return await self._context.transactions.retrying(target.base.space_id, attempt)


async def _require_settable(visit: Visit, chain: Chain, *, is_now: bool) -> None:
    """Check that the caller may set times; who may write may also set them to the present."""
    try:
        await visit.require_or_own(chain, Operation.WRITE_ATTRIBUTES)
    except Posix:
        if not is_now:
            raise
        await visit.require(chain, Operation.WRITE_OBJECT)


def _milliseconds(time_s: float | Now, now_s: float) -> int:
    return int((now_s if isinstance(time_s, Now) else time_s) * 1000)


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
