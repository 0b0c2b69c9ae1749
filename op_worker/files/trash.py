"""The trash of a space: directories that were removed wait here until their content is purged.

What is in the trash is nobody's any more: its files cannot be found by id or path. A purge first
removes the bytes, then the documents in pages, and gives the room back; it can stop anywhere and
begins anew at the next start.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import (
    ABSENT,
    Batch,
    Check,
    Delete,
    Engine,
    Entry,
    Key,
    Link,
    PersistenceError,
    PreconditionFailed,
    Put,
    RequireEmpty,
    Resolved,
    Scope,
    Step,
    Unlink,
)
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskOwner
from onedata.errors import ServiceUnavailable
from onedata.ids import SpaceId, trash_uuid
from op_worker.files.batches import give_back
from op_worker.files.documents import BASE, LOCATION, PARENT, encode_parent
from op_worker.files.intents import INTENTS
from op_worker.files.journal import Journal
from op_worker.files.nodes import Node
from op_worker.files.paths import TRASH, trash_path
from op_worker.storage.helper import StorageError, StoragePath, SupportsDirectories
from op_worker.storage.registry import Storage, Storages

PAGE = 100
_MOST_FAILURES = 5
_PAUSE_S = 1.0


@define(eq=False)
class Trash:
    """Purges the trash of each space, one purge at a time in each."""

    _engine: Engine
    _storages: Storages
    _journal: Journal
    _tasks: TaskOwner
    _clock: IReactorTime
    _purging: set[SpaceId] = field(factory=set)
    _again: set[SpaceId] = field(factory=set)
    _log = Logger()

    def purge_soon(self, space_id: SpaceId) -> None:
        """Start a purge, or let the one that runs go around once more."""
        if space_id in self._purging:
            self._again.add(space_id)
            return
        self._purging.add(space_id)
        self._tasks.spawn("purge", self._purge_with_retries(space_id))

    async def purge(self, space_id: SpaceId) -> None:
        """Empty the trash of a space; returns when nothing is left that can be removed now."""
        scope, trash = Scope(space_id), Key(trash_uuid(space_id))
        while entries := await self._engine.page(scope, trash, None, PAGE, BASE):
            for item in entries:
                await self._purge_directory(space_id, item)
        await self._sweep_storage(space_id)

    async def _purge_with_retries(self, space_id: SpaceId) -> None:
        failures = 0
        try:
            while failures < _MOST_FAILURES:
                self._again.discard(space_id)
                try:
                    await self.purge(space_id)
                except (PersistenceError, StorageError, ServiceUnavailable) as error:
                    failures += 1
                    self._log.warn("purging {space} goes on later: {error}", space=space_id, error=error)
                    await sleep(self._clock, _PAUSE_S * 2**failures)
                    continue
                if space_id not in self._again:
                    return
        finally:
            self._purging.discard(space_id)

    async def _purge_directory(self, space_id: SpaceId, item: Resolved) -> None:
        """Remove one directory of the trash: its bytes, then the files in it, then itself.

        Directories in it become entries of the trash themselves, so depth costs nothing.
        """
        scope, trash = Scope(space_id), Key(trash_uuid(space_id))
        path = trash_path(space_id, item.key)
        await self._journal.settle_near(space_id, path)
        await self._remove_bytes(space_id, path)
        while entries := await self._engine.page(scope, item.key, None, PAGE, BASE):
            steps: list[Step] = []
            for child in entries:
                steps.extend(_take_apart(child, item.key, trash))
            await self._commit(scope, steps, [child.key for child in entries])
        node = Node(item.key, "", item.documents)
        steps = [
            Check(INTENTS, path, ABSENT),
            Unlink(trash, item.entry.name, item.entry.value),
            RequireEmpty(item.key),
            Delete(item.key),
            *give_back(node.location),
        ]
        await self._commit(scope, steps, [item.key])

    async def _commit(self, scope: Scope, steps: Sequence[Step], keys: Sequence[Key]) -> None:
        try:
            await self._engine.commit(scope, Batch(steps, announce=keys))
        except PreconditionFailed:
            raise ServiceUnavailable() from None  # another node purges too, or a late commit came in

    async def _remove_bytes(self, space_id: SpaceId, path: StoragePath) -> None:
        support = self._storages.for_space(space_id)
        if support is not None:
            await remove_tree(support.storage, path)

    async def _sweep_storage(self, space_id: SpaceId) -> None:
        """Remove what lies in the trash folder of the storage and no document speaks of."""
        support = self._storages.for_space(space_id)
        if support is None or support.storage.directories is None:
            return
        pending = await self._engine.get_all(Scope(space_id), INTENTS)
        for name in await _names(support.storage.directories, StoragePath(f"{space_id}/{TRASH}")):
            path = trash_path(space_id, name)
            if path not in pending:
                await remove_tree(support.storage, path)


async def remove_tree(storage: Storage, path: StoragePath) -> None:
    """Remove whatever is at a storage path with all below; symbolic links are removed, not followed."""
    directories = storage.directories
    stack = [path]
    while stack:
        top = stack[-1]
        try:
            await storage.helper.remove(top)
            stack.pop()
            continue
        except StorageError as error:
            if directories is None or error.errno not in (errno.EISDIR, errno.EPERM):
                raise
        names = await _names(directories, top)
        if names:
            stack.extend(StoragePath(f"{top}/{name}") for name in names)
        else:
            await directories.remove_directory(top)
            stack.pop()


async def _names(directories: SupportsDirectories, path: StoragePath) -> Sequence[str]:
    try:
        return await directories.list_directory(path)
    except StorageError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return ()
        raise


def _take_apart(child: Resolved, directory: Key, trash: Key) -> list[Step]:
    """Return the steps that take an entry out of a directory in the trash."""
    entry, node = child.entry, Node(child.key, "", child.documents)
    steps: list[Step] = [Unlink(directory, entry.name, entry.value)]
    if not node.exists:
        return steps
    if node.is_directory:
        moved = Entry(child.key.encode(), entry.value)
        return [
            *steps,
            Link(trash, moved.name, moved.value),
            Put(child.key, PARENT, encode_parent(trash), expect=node.revision(PARENT)),
        ]
    return [
        *steps,
        Check(child.key, LOCATION, node.revision(LOCATION)),
        Delete(child.key),
        *give_back(node.location),
    ]
