"""The bytes of files in trees that are made out of sight: apart from names, after their documents."""

from __future__ import annotations

import hashlib

from attrs import evolve, frozen

from cluster_worker.persistence.engine import Key, Put
from cluster_worker.runtime.streams import ByteStream
from op_worker.files.committing.places import empty_location
from op_worker.files.content.detached import DetachedTree, DetachedTrees, TreeLost
from op_worker.files.content.staging import CHUNK_B, Chunks
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.stored import blocks as block_lists
from op_worker.files.stored.charges import account
from op_worker.files.stored.detached import NewFile, apart
from op_worker.files.stored.documents import LOCATION, Location
from op_worker.files.stored.landings import Wanted


@frozen(eq=False)
class DetachedContents:
    """Contents of files in detached trees. Raises what ``DetachedTrees`` raises."""

    _context: FilesContext
    _trees: DetachedTrees

    async def new_location(self, visit: Visit, key: Key, like: Location | None = None) -> Location:
        """Return where the bytes of a file in a tree will be: none yet, or as many as in ``like``.

        Raises: Posix(ENOSPC) when no storage can take them.
        """
        support, size_b = visit.support, None if like is None else like.held_b
        storage = (await self._context.choosing.storages(support, Wanted(key), size_b))[0]
        at = empty_location(support, storage, key).at
        return apart(storage.storage_id, self._context.new_generation(), like, at)

    def filled(self, file: NewFile, content: bytes) -> NewFile:
        """Return a new file as it will be with this content; see ``write_small``."""
        assert file.location is not None, "only regular files have content"
        size_b, sha256 = len(content), hashlib.sha256(content).digest()
        location = evolve(file.location, size_b=size_b, blocks=block_lists.whole(size_b), sha256=sha256)
        return evolve(file, location=location)

    async def write_small(self, tree: DetachedTree, file: NewFile, content: bytes) -> None:
        """Store the bytes of a file that was added with its content."""
        assert file.location is not None, "only regular files have content"
        if not content:
            return
        administered = self._context.storage(file.location.storage_id)
        storage = await self._context.storage_for(tree.visit, administered)
        path = file.location.apart_path(tree.space_id, file.key)
        if storage.whole is not None:
            await storage.whole.write_whole(path, content)
            return
        handle = await storage.helper.open_write(path)
        try:
            await handle.write(0, content)
            await handle.sync()
        finally:
            await handle.close()

    async def write(self, tree: DetachedTree, file: NewFile, body: ByteStream) -> None:
        """Give a file that was added empty its content."""
        assert file.location is not None, "only regular files have content"
        chunks, administered = Chunks(body, None), self._context.storage(file.location.storage_id)
        storage = await self._context.storage_for(tree.visit, administered)
        hasher = hashlib.sha256()
        data = await chunks.next(CHUNK_B)
        if data:
            handle = await storage.helper.open_write(file.location.apart_path(tree.space_id, file.key))
            try:
                while data:
                    await handle.write(chunks.total_b - len(data), data)
                    await self._context.blocking.run(hasher.update, data)
                    await self._trees.keep(tree)
                    data = await chunks.next(CHUNK_B)
                await handle.sync()
            finally:
                await handle.close()
        await self._settle(tree, file.key, chunks.total_b, hasher.digest())

    async def _settle(self, tree: DetachedTree, key: Key, size_b: int, sha256: bytes) -> None:
        """Commit what was written into a file."""

        async def attempt() -> None:
            found = (await self._context.engine.get(tree.scope, key, [LOCATION])).get(LOCATION)
            if found is None:
                raise TreeLost
            before = Location.decode(found.data)
            after = evolve(before, size_b=size_b, blocks=block_lists.whole(size_b), sha256=sha256)
            room = await self._context.rooms.of(tree.visit)
            put = Put(key, LOCATION, after.encode(), expect=found.revision)
            await self._trees.commit(tree, [put, *account(before, after, room)], [key])

        await self._context.transactions.retrying(tree.space_id, attempt)
