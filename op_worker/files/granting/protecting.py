"""Protection flags of files: set, shown, and asked for where whole trees are removed."""

from __future__ import annotations

from attrs import evolve, frozen

from cluster_worker.persistence.engine import Put, Step
from onedata.errors import BadData, Errno, Posix, Unauthorized
from op_worker.auth.caller import Caller
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.model import Target
from op_worker.files.rights.permissions import NOTHING, WRITE_DATA_PRIVILEGE
from op_worker.files.rights.protection import Protection, register_steps
from op_worker.files.rights.verdicts import Fact, FactKind, refused
from op_worker.files.stored.documents import META, TIMES
from op_worker.files.stored.nodes import Chain
from op_worker.files.translation import translated

MANAGE_PRIVILEGE = "space_manage_datasets"
_PAGE = 1000


@frozen(eq=False)
class Protecting:
    """Protection flags of files. Raises what ``FileService`` raises."""

    _context: FilesContext

    @translated
    async def flags(self, caller: Caller, target: Target) -> tuple[int, int]:
        """Return the flags of a file, and those that hold for it, set on any directory above too."""
        visit, chain = await self._context.chain(caller, target)
        await visit.require(chain, NOTHING)
        return chain.file.protection, chain.protection

    @translated
    async def change(self, caller: Caller, target: Target, wanted: int, unwanted: int) -> None:
        """Set some flags and unset others.

        Raises: Posix(EPERM) without ``space_manage_datasets`` and ``space_write_data``, and in snapshots;
            Unauthorized for confined tokens; BadData when metadata would be protected and data not.
        """

        async def attempt() -> None:
            visit, chain = await self._context.chain(caller, target)
            await visit.require(chain, NOTHING)
            _require_managing(visit)
            if chain.protection & Protection.SNAPSHOTS:
                raise Posix(Errno.EPERM, "a snapshot stays as it is")
            await self._commit(visit, chain, (chain.file.protection | wanted) & ~unwanted)

        await self._context.transactions.retrying(target.base.space_id, attempt)

    async def _commit(self, visit: Visit, chain: Chain, flags: int) -> None:
        if flags & Protection.METADATA and not flags & Protection.DATA:
            raise BadData("protectionFlags", "metadata_protection goes with data_protection only")
        file = chain.file
        if flags == file.protection:
            return
        steps: list[Step] = [
            Put(file.key, META, evolve(file.meta, protection=flags).encode(), expect=file.revision(META)),
            Put(file.key, TIMES, file.times.changed(self._context.wall_clock()).encode()),
        ]
        if file.is_directory:
            steps.extend(register_steps(file.key, file.protection, flags))
        await self._context.transactions.commit(visit.space_id, steps, [file.key])


def _require_managing(visit: Visit) -> None:
    if visit.caller.is_limited:
        raise Unauthorized()
    if visit.subject.is_space_owner:
        return
    for privilege in (MANAGE_PRIVILEGE, WRITE_DATA_PRIVILEGE):
        if privilege not in visit.subject.privileges:
            raise Posix(Errno.EPERM, reason=refused(Fact(FactKind.PRIVILEGE, what=privilege)).text)
