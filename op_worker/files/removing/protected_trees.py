"""Whether a directory may go with all it holds: nothing in it may be protected."""

from __future__ import annotations

from cluster_worker.persistence.engine import ABSENT, Check, Key, Step
from onedata.errors import Errno, Posix
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.rights.protection import OF_SNAPSHOTS, REGISTER, REGISTER_MARK, Protection
from op_worker.files.stored.documents import PARENT
from op_worker.files.stored.nodes import Chain

_PAGE = 1000


async def require_unprotected_tree(context: FilesContext, visit: Visit, chain: Chain) -> list[Step]:
    """Return when nothing forbids to remove a directory with all it holds, with what must still hold then.

    Raises: Posix(EPERM) when the directory or one below it is protected; directories of snapshots
            go along.
    """
    mark = (await context.engine.get(visit.scope, REGISTER, [REGISTER_MARK])).get(REGISTER_MARK)
    if mark is None:
        return [Check(REGISTER, REGISTER_MARK, ABSENT)]
    if chain.file.protection & Protection.DATA:
        raise Posix(Errno.EPERM, reason=f"data_protection on {chain.path} forbids to remove what is in it")
    after: bytes | None = None
    while page := await context.engine.page(visit.scope, REGISTER, after, _PAGE, ()):
        after = page[-1].entry.name
        entries = [item.entry for item in page if item.entry.value != OF_SNAPSHOTS]
        if await any_below(context, visit, chain.file.key, {Key(one.name.decode()) for one in entries}):
            raise Posix(Errno.EPERM, reason=f"a directory in {chain.path} is protected")
    return [Check(REGISTER, REGISTER_MARK, mark.revision)]


async def any_below(context: FilesContext, visit: Visit, top: Key, keys: set[Key]) -> bool:
    """Whether any of these directories lies below another, climbing with all of them at once."""
    seen: set[Key] = set()
    while keys:
        if top in keys:
            return True
        seen |= keys
        found = await context.engine.get_many(visit.scope, list(keys), [PARENT])
        parents = {Key(documents[PARENT].data.decode()) for documents in found if PARENT in documents}
        keys = parents - seen
    return False
