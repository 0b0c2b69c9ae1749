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
from cluster_worker.runtime.clock import WallClock, sleep
from cluster_worker.runtime.services import TaskOwner
from onedata.errors import ServiceUnavailable
from onedata.ids import SpaceId, StorageId, trash_uuid
from op_worker.files.batches import drop_name, give_back
from op_worker.files.documents import BASE, PARENT, encode_parent
from op_worker.files.intents import INTENTS, Intent, IntentKind
from op_worker.files.journal import Journal
from op_worker.files.nodes import Node
from op_worker.files.paths import TRASH, inode_path, trash_path
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
    _wall_clock: WallClock
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
            await self._take_apart(space_id, item.key, _once_each(entries))
        node = Node.found(item)
        steps = [
            Check(INTENTS, path, ABSENT),
            Unlink(trash, item.entry.name, item.entry.value),
            RequireEmpty(item.key),
            Delete(item.key),
            *give_back(node.location),
        ]
        await self._commit(scope, steps, [item.key])

    async def _take_apart(self, space_id: SpaceId, directory: Key, entries: Sequence[Resolved]) -> None:
        """Take entries out of a directory in the trash; bytes that lie apart go with their last name."""
        trash, now_s = Key(trash_uuid(space_id)), self._wall_clock()
        nodes = [Node.found(item) for item in entries]
        steps: list[Step] = [Unlink(directory, item.entry.name, item.entry.value) for item in entries]
        for node in filter(_exists, nodes):
            steps.extend(_into_trash(node, trash) if node.is_directory else drop_name(node, now_s))
        intents = [self._removal_of_bytes(space_id, node) for node in nodes if _ends_apart(node)]
        for intent in intents:
            await self._journal.settle_near(space_id, intent.target)
            steps.extend(intent.put())
        await self._commit(Scope(space_id), steps, [node.key for node in nodes])
        for intent in intents:
            await self._journal.pass_by(space_id, intent.target)

    def _removal_of_bytes(self, space_id: SpaceId, node: Node) -> Intent:
        location = node.location
        storage = self._storages.get(StorageId(location.storage_id)) if location is not None else None
        if storage is None:
            raise ServiceUnavailable()
        path = inode_path(space_id, node.key)
        return self._journal.new(IntentKind.REMOVE, storage, node.key, path)

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


def _once_each(entries: Sequence[Resolved]) -> list[Resolved]:
    """Leave out further names of a file that is among the entries already; they come with the next page."""
    return list({item.key: item for item in reversed(entries)}.values())


def _ends_apart(node: Node) -> bool:
    """Whether this is the last name of a file whose bytes lie at a path of their own."""
    location = node.location
    return location is not None and location.is_apart and node.meta.links == 1


def _exists(node: Node) -> bool:
    return node.exists


def _into_trash(node: Node, trash: Key) -> list[Step]:
    """Return the steps that make a directory an entry of the trash itself."""
    return [
        Link(trash, node.key.encode(), node.entry_value),
        Put(node.key, PARENT, encode_parent(trash), expect=node.revision(PARENT)),
    ]
