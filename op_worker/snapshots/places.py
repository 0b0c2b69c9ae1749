"""Where snapshots of a directory are: finding, and making, the directory that holds them."""

from __future__ import annotations

from attrs import evolve, frozen

from cluster_worker.persistence.engine import ABSENT, Check, Scope
from onedata.errors import Errno, Posix
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.model import FileType
from op_worker.files.rights.permissions import Operation
from op_worker.files.rights.protection import FROZEN, register_steps
from op_worker.files.stored import batches
from op_worker.files.stored.detached import copied_meta
from op_worker.files.stored.documents import BASE, EntryValue
from op_worker.files.stored.intents import INTENTS
from op_worker.files.stored.nodes import Chain, Node
from op_worker.snapshots.records import DIRECTORY
from op_worker.storage.helper import StoragePath

TO_TAKE = Operation.LIST_CONTAINER | Operation.TRAVERSE | Operation.READ_METADATA | Operation.ADD_SUBCONTAINER
"""What taking a snapshot needs on the directory; rights of what is in it go along with the copies."""
TO_REMOVE = Operation.DELETE_CHILD | Operation.TRAVERSE
"""What removing a snapshot needs on the directory that it is of."""


@frozen(eq=False)
class Places:
    """Directories of snapshots."""

    _context: FilesContext

    async def of(self, container: Chain) -> Chain | None:
        """Return the directory that holds the snapshots of another."""
        found = await self.child(container, DIRECTORY)
        return found if found is not None and found.file.holds_snapshots else None

    async def made(self, visit: Visit, container: Chain) -> Chain:
        """Return the directory for the snapshots of another, made when it is missing.

        It has the rights of its container as they are when it is made.

        Raises: Posix(EEXIST) when something else has its name; PreconditionFailed.
        """
        found = await self.child(container, DIRECTORY)
        if found is None:
            return await self._make(visit, container)
        if not found.file.holds_snapshots:
            raise Posix(Errno.EEXIST, f"something else is called {DIRECTORY}")
        return found

    async def child(self, directory: Chain, name: str) -> Chain | None:
        """Return an entry of a directory."""
        engine, scope = self._context.engine, Scope(directory.space_id)
        found = await engine.resolve(scope, directory.file.key, [name.encode()], BASE)
        if len(found) < 2 or not (node := Node.found(found[1])).exists:
            return None
        return directory.child(node)

    async def _make(self, visit: Visit, container: Chain) -> Chain:
        key, now_s = self._context.new_key(), self._context.wall_clock()
        meta = evolve(
            copied_meta(container.file.meta, DIRECTORY),
            created_s=int(now_s),
            has_metadata=False,
            protection=int(FROZEN),
        )
        documents = batches.first_documents(meta, container.file.key, None, now_s)
        value = EntryValue(key, FileType.DIR).encode()
        path = StoragePath(f"{container.storage_path}/{DIRECTORY}")
        steps = [
            *batches.create(container, key, DIRECTORY.encode(), value, documents, now_s),
            *register_steps(key, 0, meta.protection),
            Check(INTENTS, path, ABSENT),
        ]
        await self._context.transactions.commit(visit.space_id, steps, [key, container.file.key])
        return container.child(Node(key, DIRECTORY, {}).written(documents))
