"""Whether a directory may leave its place with all it holds: nothing in it may be under retention or hold."""

from __future__ import annotations

from collections.abc import Sequence

from cluster_worker.persistence.engine import ABSENT, Check, Key, Resolved, Step
from onedata.errors import Errno, Posix
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.removing.protected_trees import any_below
from op_worker.files.rights.immutability import REGISTER, REGISTER_MARK
from op_worker.files.stored.documents import META, PARENT
from op_worker.files.stored.hard_links import MAX_NAMES, links_key
from op_worker.files.stored.nodes import Chain, Node

_PAGE = 1000


async def require_free_tree(context: FilesContext, visit: Visit, chain: Chain) -> list[Step]:
    """Return when nothing in a directory has to stay where it is, with what must still hold then.

    Raises: Posix(EPERM) when a file or directory below is under retention or hold, by any of its names.
    """
    mark = (await context.engine.get(visit.scope, REGISTER, [REGISTER_MARK])).get(REGISTER_MARK)
    if mark is None:
        return [Check(REGISTER, REGISTER_MARK, ABSENT)]
    now_ms = context.lookup.now_ms()
    after: bytes | None = None
    while page := await context.engine.page(visit.scope, REGISTER, after, _PAGE, ()):
        after = page[-1].entry.name
        if await any_below(context, visit, chain.file.key, await _bound(context, visit, page, now_ms)):
            raise Posix(Errno.EPERM, reason=f"something in {chain.path} is under retention or hold")
    return [Check(REGISTER, REGISTER_MARK, mark.revision)]


async def _bound(context: FilesContext, visit: Visit, page: Sequence[Resolved], now_ms: int) -> set[Key]:
    """Return the keys of all names of those files that have to stay as they are now."""
    keys = [Key(item.entry.name.decode()) for item in page]
    names: set[Key] = set()
    for key, documents in zip(
        keys, await context.engine.get_many(visit.scope, keys, [META, PARENT]), strict=True
    ):
        node = Node(key, "", documents)
        kept = node.immutability
        if kept is None or not kept.binds(now_ms):
            continue
        names.add(key)
        if (not node.is_directory and node.meta.links > 1) or PARENT not in documents:
            links = await context.engine.page(visit.scope, links_key(key), None, MAX_NAMES, ())
            names.update(item.key for item in links)
    return names
