"""Custom metadata that were read together with the file they belong to."""

from __future__ import annotations

from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.metadata.acl_changes import shown_xattr
from op_worker.files.metadata.custom import shown_xattrs
from op_worker.files.model import Json
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored.nodes import Chain


async def attached(
    context: FilesContext, visit: Visit, chain: Chain, *, internal: bool = True
) -> dict[str, Json]:
    """Return the attributes of a file that was found with its ``FIELDS``; internal ones with the ACL."""
    found = shown_xattrs(chain.file.documents, internal=internal)
    if internal and chain.file.meta.acl is not None and visit.may(chain, Operation.READ_ACL):
        found.update(await shown_xattr(context, visit, chain))
    return found


async def custom_of(context: FilesContext, visit: Visit, chain: Chain) -> dict[str, Json] | None:
    """Return what ``FileStat.custom`` is of a file that was found with its ``FIELDS``.

    ``None`` for confined tokens, which may see a file by its place and not its metadata, and so have to ask
    ``Metadata``; and for files that have none, or none that the caller may read.
    """
    if not chain.file.meta.has_metadata or visit.caller.is_limited:
        return None
    if not visit.may(chain, Operation.READ_METADATA):
        return None
    return await attached(context, visit, chain)
