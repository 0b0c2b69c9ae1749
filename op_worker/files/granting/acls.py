"""Access control lists of files: read, set and removed; checked wherever a file gets one."""

from __future__ import annotations

from attrs import evolve, frozen

from cluster_worker.persistence.engine import Put
from op_worker.auth.caller import Caller
from op_worker.files.acl import Acl
from op_worker.files.context import FilesContext
from op_worker.files.finding.attributes import stat_of
from op_worker.files.finding.visit import Visit
from op_worker.files.metadata.acl_changes import accepted_change, as_xattr, shown_xattr
from op_worker.files.model import FileStat, Follow, Json, Target
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored.documents import META, TIMES
from op_worker.files.stored.nodes import Chain
from op_worker.files.translation import translated


@frozen(eq=False)
class Acls:
    """Access control lists of files. Raises what ``FileService`` raises."""

    _context: FilesContext

    @translated
    async def get(self, caller: Caller, target: Target, follow: Follow = Follow.NO) -> Acl:
        """Return the list of a file, empty when its mode decides. Raises: Posix(EACCES) without READ_ACL."""
        visit, chain = await self._context.chain(caller, target, follow)
        await visit.require(chain, Operation.READ_ACL)
        return chain.file.meta.acl or ()

    @translated
    async def set(self, caller: Caller, target: Target, acl: Acl, follow: Follow = Follow.NO) -> FileStat:
        """Give a file a list, which decides from now on instead of the mode; an empty one removes it.

        Raises: Posix(EACCES) without WRITE_ACL; Posix(EPERM) for roots; Posix(EINVAL, E2BIG) for wrong ones.
        """

        async def attempt() -> FileStat:
            visit, chain = await self._context.chain(caller, target, follow)
            await visit.require(chain, Operation.WRITE_ACL)
            return await self._commit(visit, chain, accepted_change(visit, chain, acl))

        return await self._context.transactions.retrying(target.base.space_id, attempt)

    @translated
    async def as_xattr(self, caller: Caller, target: Target) -> dict[str, Json]:
        """Return the list as the extended attribute ``cdmi_acl``, which files without a list do not have.

        Raises: Posix(EACCES) without READ_ACL.
        """
        visit, chain = await self._context.chain(caller, target)
        await visit.require(chain, Operation.READ_ACL)
        return await shown_xattr(self._context, visit, chain)

    @translated
    async def shown(self, caller: Caller, stat: FileStat) -> bool:
        """Whether the caller may see the list of a file that he was just shown."""
        return stat.acl is None or (await self._visit(caller, stat)).may_read_acl(stat)

    @translated
    async def shown_as_xattr(self, caller: Caller, stat: FileStat) -> dict[str, Json]:
        """Return ``cdmi_acl`` of a file that the caller was just shown; nothing when he may not see it."""
        if stat.acl is None:
            return {}
        visit = await self._visit(caller, stat)
        return await as_xattr(self._context, visit, stat.acl) if visit.may_read_acl(stat) else {}

    async def _visit(self, caller: Caller, stat: FileStat) -> Visit:
        return await self._context.access.enter(caller, stat.guid.space_id)

    async def _commit(self, visit: Visit, chain: Chain, acl: Acl | None) -> FileStat:
        file = chain.file
        documents = {
            META: evolve(file.meta, acl=acl).encode(),
            TIMES: file.times.changed(self._context.wall_clock()).encode(),
        }
        steps = [
            Put(file.key, META, documents[META], expect=file.revision(META)),
            Put(file.key, TIMES, documents[TIMES]),
        ]
        await self._context.transactions.commit(visit.space_id, steps, [file.key])
        return stat_of(chain.with_file(file.written(documents)), visit.space, visit.user_id)
