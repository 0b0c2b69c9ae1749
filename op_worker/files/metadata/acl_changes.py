"""Access control lists as changes of files: which ones a file may get, and how they are shown."""

from __future__ import annotations

from onedata.errors import Errno, OnedataError, Posix
from onedata.ids import GroupId, UserId
from op_worker.files.acl import Acl, check_acl
from op_worker.files.context import FilesContext
from op_worker.files.finding.access import is_member
from op_worker.files.finding.visit import Visit
from op_worker.files.metadata.custom import ACL_XATTR
from op_worker.files.model import UNSET, Json, Removed, Unset
from op_worker.files.rights.acl_forms import cdmi_acl
from op_worker.files.stored.nodes import Chain
from op_worker.zone.records import SpaceInfo


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
    return accepted_change(visit, chain, () if isinstance(acl, Removed) else acl)


def accepted_change(visit: Visit, chain: Chain, acl: Acl) -> Acl | None:
    if chain.is_root:
        raise Posix(Errno.EPERM, "the root of a space keeps its mode")
    file = chain.file
    return accepted(visit.space, acl, is_directory=file.is_directory, present=file.meta.acl or ())


async def shown_xattr(context: FilesContext, visit: Visit, chain: Chain) -> dict[str, Json]:
    """Return the attribute ``cdmi_acl`` of a file whose list may be read; nothing when it has none."""
    acl = chain.file.meta.acl
    return {} if acl is None else await as_xattr(context, visit, acl)


async def as_xattr(context: FilesContext, visit: Visit, acl: Acl) -> dict[str, Json]:
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
