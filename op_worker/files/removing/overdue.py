"""Files that were to be removed after their retention: removed then, as anybody would remove them."""

from __future__ import annotations

from attrs import evolve, frozen
from twisted.logger import Logger

from cluster_worker.persistence.engine import Key, PreconditionFailed, Put, Scope, Step, Unlink
from onedata.errors import Errno, Posix
from onedata.ids import SpaceId
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.removing.removal import Removal
from op_worker.files.rights.immutability import DUE, due_name, key_of_due, register_steps
from op_worker.files.stored.documents import META, PARENT
from op_worker.files.stored.hard_links import MAX_NAMES, links_key
from op_worker.files.stored.nodes import Node

_PAGE = 100


@frozen(eq=False)
class Overdue:
    """Looks through what is due in a space; knows no users.

    What is still under a hold, or holds something that is, stays until that has ended.
    """

    _context: FilesContext
    _removal: Removal
    _log = Logger()

    async def sweep(self, space_id: SpaceId) -> None:
        """Remove every file whose time has come. Raises: PersistenceUnavailable; StorageError."""
        engine, scope, now_ms = self._context.engine, Scope(space_id), self._context.lookup.now_ms()
        last, after = due_name(now_ms + 1, Key("")), None
        visit: Visit | None = None
        while found := await engine.page(scope, DUE, after, _PAGE, ()):
            for item in found:
                after = item.entry.name
                if after >= last:
                    return
                visit = visit or await self._context.access.as_space_owner(space_id)
                if visit is None:
                    return
                await self._end(visit, after, item.entry.value)

    async def _end(self, visit: Visit, name: bytes, value: bytes) -> None:
        """Remove all names of a file; forget that it was to be removed when it has none any more."""
        key = key_of_due(name)
        documents = await self._context.engine.get(visit.scope, key, [META, PARENT])
        node = Node(key, "", documents)
        is_there = False
        for one in await self._names(visit, node):
            try:
                await self._removal.remove_overdue(visit, one)
                is_there = True
            except Posix as error:
                if error.errno is not Errno.ENOENT:
                    self._log.debug("{key} is due and stays: {reason}", key=key, reason=error.reason)
                    return
        if not is_there:
            await self._forget(visit, node, name, value)

    async def _names(self, visit: Visit, node: Node) -> list[Key]:
        names = [node.key] if PARENT in node.documents else []
        if node.exists and not node.is_directory and node.meta.links > len(names):
            links = await self._context.engine.page(visit.scope, links_key(node.key), None, MAX_NAMES, ())
            names.extend(item.key for item in links)
        return names

    async def _forget(self, visit: Visit, node: Node, name: bytes, value: bytes) -> None:
        """Take the mark from what lies in the recycle bin: who restores it wants it."""
        kept = node.immutability
        steps: list[Step] = [Unlink(DUE, name, value)]
        if kept is not None:
            free = evolve(kept, autodelete=False)
            meta = evolve(node.meta, immutability=free)
            steps = [
                Put(node.key, META, meta.encode(), expect=node.revision(META)),
                *register_steps(node.key, kept, free, is_directory=node.is_directory),
            ]
        try:
            await self._context.transactions.commit(visit.space_id, steps)
        except PreconditionFailed:
            return  # purged, or restored and changed meanwhile: looked at again next time
