"""Access control lists of files: read, set and removed; checked wherever a file gets one."""

from __future__ import annotations

from attrs import evolve, frozen

from cluster_worker.persistence.engine import Put
from onedata.errors import Errno, OnedataError, Posix
from onedata.ids import GroupId, UserId
from op_worker.auth.caller import Caller
from op_worker.files.access import Visit, is_member
from op_worker.files.acl import Acl, check_acl
from op_worker.files.acl_forms import cdmi_acl
from op_worker.files.attributes import stat_of
from op_worker.files.context import FilesContext
from op_worker.files.custom import ACL_XATTR
from op_worker.files.documents import META, TIMES
from op_worker.files.model import UNSET, FileStat, Follow, Json, Removed, Target, Unset
from op_worker.files.nodes import Chain
from op_worker.files.permissions import Operation, decide
from op_worker.files.subjects import FileFacts
from op_worker.files.translation import translated
from op_worker.zone.records import SpaceInfo


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
            return await self._commit(visit, chain, _accepted_change(visit, chain, acl))

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
        return stat.acl is None or _is_shown(await self._visit(caller, stat), stat)

    @translated
    async def shown_as_xattr(self, caller: Caller, stat: FileStat) -> dict[str, Json]:
        """Return ``cdmi_acl`` of a file that the caller was just shown; nothing when he may not see it."""
        if stat.acl is None:
            return {}
        visit = await self._visit(caller, stat)
        return await _as_xattr(self._context, visit, stat.acl) if _is_shown(visit, stat) else {}

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


def accepted(space: SpaceInfo, acl: Acl, *, is_directory: bool, present: Acl = ()) -> Acl | None:
    """Return a list that a file of a space may have; ``None`` for one without entries.

    Whoever is in the ``present`` list may stay in it, also when he left the space.

    Raises: Posix(EINVAL, E2BIG), see ``check_acl``.
    """
    users = {ace.who for ace in present if not ace.is_group}
    groups = {ace.who for ace in present if ace.is_group}
    check_acl(
        acl,
        is_directory=is_directory,
        is_user=lambda who: who in users or is_member(space, UserId(who)),
        is_group=lambda who: who in groups or GroupId(who) in space.groups,
    )
    return acl or None


def changed_acl(visit: Visit, chain: Chain, acl: Acl | Unset | Removed) -> Acl | Unset | None:
    """Return the list that a change gives a file. Raises: Posix(EPERM) for roots; Posix(EINVAL, E2BIG)."""
    if acl is UNSET:
        return UNSET
    return _accepted_change(visit, chain, () if isinstance(acl, Removed) else acl)


def _accepted_change(visit: Visit, chain: Chain, acl: Acl) -> Acl | None:
    if chain.is_root:
        raise Posix(Errno.EPERM, "the root of a space keeps its mode")
    file = chain.file
    return accepted(visit.space, acl, is_directory=file.is_directory, present=file.meta.acl or ())


def _is_shown(visit: Visit, stat: FileStat) -> bool:
    facts = FileFacts(stat.owner, stat.mode, stat.is_directory, acl=stat.acl)
    return decide(visit.subject, facts, Operation.READ_ACL).allowed


async def shown_xattr(context: FilesContext, visit: Visit, chain: Chain) -> dict[str, Json]:
    """Return the attribute ``cdmi_acl`` of a file whose list may be read; nothing when it has none."""
    acl = chain.file.meta.acl
    return {} if acl is None else await _as_xattr(context, visit, acl)


async def _as_xattr(context: FilesContext, visit: Visit, acl: Acl) -> dict[str, Json]:
    return {ACL_XATTR: cdmi_acl(acl, await _names(context, visit, acl))}


async def _names(context: FilesContext, visit: Visit, acl: Acl) -> dict[str, str]:
    """Return the names of those groups and users in a list that are known here."""
    groups = visit.space.groups
    names = {ace.who: name for ace in acl if ace.is_group and (name := groups.get(GroupId(ace.who)))}
    for who in {ace.who for ace in acl if not ace.is_group}:
        if is_member(visit.space, UserId(who)):
            try:
                names[who] = (await context.access.zone.user(UserId(who))).full_name
            except OnedataError:
                continue  # shown by the id alone
    return names
