"""Purging one removed tree: bytes and documents go together, a page at a time; it can stop anywhere.

The directories of the tree wait in a list of their own, so depth costs nothing. The tree itself leaves the
trash last: until then the next purge, of whatever node, goes on where this one stopped.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence

from attrs import frozen

from cluster_worker.persistence.engine import (
    ABSENT,
    Batch,
    Check,
    Engine,
    Key,
    Link,
    PreconditionFailed,
    Put,
    RequireEmpty,
    Resolved,
    Scope,
    Step,
    Unlink,
)
from cluster_worker.runtime.clock import WallClock
from onedata.errors import ServiceUnavailable
from onedata.ids import SpaceId, StorageId, trash_uuid
from op_worker.files.committing.journal import Journal
from op_worker.files.model import FileType
from op_worker.files.removing.removals import REMOVALS, Progress
from op_worker.files.removing.storage_trees import remove_tree
from op_worker.files.stored.batches import drop_name, forget
from op_worker.files.stored.documents import BASE, PARENT, encode_parent
from op_worker.files.stored.intents import INTENTS, Intent, IntentKind
from op_worker.files.stored.nodes import Node
from op_worker.files.stored.paths import trash_path
from op_worker.storage.helper import StorageError, StoragePath
from op_worker.storage.registry import Storages
from op_worker.storage.supports import Storage

PAGE = 100


def waiting_key(tree: Key) -> Key:
    """Return the key of the directory that lists the directories of a tree that are to be purged."""
    return Key(f"purging_{tree}")


@frozen(eq=False)
class Purging:
    """Purges trees that are in the trash."""

    _engine: Engine
    _storages: Storages
    _journal: Journal
    _wall_clock: WallClock

    async def purge(self, space_id: SpaceId, top: Resolved) -> None:
        """Remove an entry of the trash with all it holds.

        Raises: ServiceUnavailable when others do the same; StorageError; PersistenceUnavailable.
        """
        trash = Key(trash_uuid(space_id))
        found = await self._engine.get(Scope(space_id), REMOVALS, [top.key])
        progress = Progress.of(top.key, found.get(top.key))
        node = Node.found(top)
        if not node.is_directory:
            await self._end_file(space_id, trash, top)
            return
        await self._empty(space_id, progress, top)
        waiting = waiting_key(top.key)
        while entries := await self._engine.page(Scope(space_id), waiting, None, PAGE, BASE):
            for item in entries:
                await self._empty(space_id, progress, item)
                steps = [*_end_directory(space_id, waiting, item), *progress.counted(0, 1, 0)]
                await self._commit(space_id, steps, [item.key])
        steps = [*_end_directory(space_id, trash, top), RequireEmpty(waiting), *progress.ended()]
        await self._commit(space_id, steps, [top.key])

    async def _empty(self, space_id: SpaceId, progress: Progress, directory: Resolved) -> None:
        """Remove what is in a directory; directories in it are put into the list of those that wait."""
        path = trash_path(space_id, directory.key)
        await self._journal.settle_near(space_id, path)
        while entries := await self._engine.page(Scope(space_id), directory.key, None, PAGE, BASE):
            await self._take_apart(space_id, progress, directory.key, _once_each(entries))
        await self._remove_bytes(space_id, path)

    async def _take_apart(
        self, space_id: SpaceId, progress: Progress, directory: Key, entries: Sequence[Resolved]
    ) -> None:
        """Take entries out of a directory; bytes that lie apart go with the last name of their file."""
        nodes = [node for node in map(Node.found, entries) if node.exists]
        steps: list[Step] = [Unlink(directory, item.entry.name, item.entry.value) for item in entries]
        now_s = self._wall_clock()
        for node in nodes:
            await self._take_bytes(space_id, directory, node)
            wait = _wait(space_id, progress.tree, node) if node.is_directory else drop_name(node, now_s)
            steps.extend(wait)
        removals = [removal for node in nodes for removal in self._removals_of_bytes(space_id, node)]
        for removal in removals:
            await self._journal.settle_near(space_id, removal.target)
            steps.extend(removal.put())
        files = [node for node in nodes if not node.is_directory]
        steps.extend(progress.counted(len(files), 0, sum(map(_given_back_b, files))))
        await self._commit(space_id, steps, [item.key for item in entries])
        for removal in removals:
            await self._journal.pass_by(space_id, removal.target)

    async def _take_bytes(self, space_id: SpaceId, directory: Key, node: Node) -> None:
        """Remove the bytes of a file; a directory's move to where they are looked for when its turn comes."""
        storage = self._named(space_id)
        path = StoragePath(f"{trash_path(space_id, directory)}/{node.name}")
        if storage is None or node.type is FileType.SYMLNK:
            return
        if not node.is_directory:
            await remove_tree(storage, path)
        elif storage.renames is not None:
            try:
                await storage.renames.rename(path, trash_path(space_id, node.key))
            except StorageError as error:
                if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                    raise

    async def _end_file(self, space_id: SpaceId, trash: Key, item: Resolved) -> None:
        """Remove a file that is an entry of the trash itself."""
        node, path = Node.found(item), trash_path(space_id, item.key)
        await self._journal.settle_near(space_id, path)
        await self._remove_bytes(space_id, path)
        removals = self._removals_of_bytes(space_id, node)
        steps: list[Step] = [
            Check(INTENTS, path, ABSENT),
            Unlink(trash, item.entry.name, item.entry.value),
            *drop_name(node, self._wall_clock()),
        ]
        for removal in removals:
            await self._journal.settle_near(space_id, removal.target)
            steps.extend(removal.put())
        await self._commit(space_id, steps, [item.key])
        for removal in removals:
            await self._journal.pass_by(space_id, removal.target)

    def _removals_of_bytes(self, space_id: SpaceId, node: Node) -> list[Intent]:
        """Return the removals of bytes that lie apart from names, of a file that ends."""
        location = node.location
        if location is None or node.meta.links > 1:
            return []
        places = [part.place for part in location.parts]
        if location.is_apart:
            places.append((location.storage_id, location.apart_path(space_id, node.key)))
        intents = []
        for storage_id, path in places:
            storage = self._storages.get(StorageId(storage_id))
            if storage is None:
                raise ServiceUnavailable()
            intents.append(self._journal.new(IntentKind.REMOVE, storage, node.key, StoragePath(path)))
        return intents

    async def _commit(self, space_id: SpaceId, steps: Sequence[Step], keys: Sequence[Key]) -> None:
        try:
            await self._engine.commit(Scope(space_id), Batch(steps, announce=keys))
        except PreconditionFailed:
            raise ServiceUnavailable() from None  # another node purges too, or a late commit came in

    async def _remove_bytes(self, space_id: SpaceId, path: StoragePath) -> None:
        storage = self._named(space_id)
        if storage is not None:
            await remove_tree(storage, path)

    def _named(self, space_id: SpaceId) -> Storage | None:
        """Return the storage that has the directories of a space, if any has."""
        support = self._storages.for_space(space_id)
        return None if support is None else support.named


def _once_each(entries: Sequence[Resolved]) -> list[Resolved]:
    """Leave out further names of a file that is among the entries already; they come with the next page."""
    return list({item.key: item for item in reversed(entries)}.values())


def _given_back_b(node: Node) -> int:
    return 0 if node.location is None or node.meta.links > 1 else node.location.held_b


def _wait(space_id: SpaceId, tree: Key, node: Node) -> list[Step]:
    """Return the steps that put a directory into the list of those that wait."""
    parent = encode_parent(Key(trash_uuid(space_id)))
    return [
        Link(waiting_key(tree), node.key.encode(), node.entry_value),
        Put(node.key, PARENT, parent, expect=node.revision(PARENT)),
    ]


def _end_directory(space_id: SpaceId, list_: Key, item: Resolved) -> list[Step]:
    """Return the steps that end an empty directory and take it from a list."""
    return [
        Check(INTENTS, trash_path(space_id, item.key), ABSENT),
        Unlink(list_, item.entry.name, item.entry.value),
        *forget(Node.found(item)),
    ]
