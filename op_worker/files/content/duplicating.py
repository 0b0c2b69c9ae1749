"""Exact copies of files into a tree that is being made: as they are, whoever may read them.

Copies keep owners, modes, lists, times and custom metadata, so what they show to whom is as with the
originals. They are files of their own: with one name each, in no share.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen
from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from cluster_worker.persistence.engine import Delete, Key, Put, Scope, Step
from onedata.errors import Errno, Posix
from op_worker.files.content.detached import DetachedTree, DetachedTrees
from op_worker.files.content.detached_contents import DetachedContents
from op_worker.files.content.reading import MAX_READ_B, Reader, Reading
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.metadata.custom import FIELDS
from op_worker.files.stored.detached import NewFile, copied_meta
from op_worker.files.stored.documents import LOCATION, META, TIMES, Location
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.queues import QUEUE

AT_ONCE = 32
"""How many files are copied together; so many may be open."""
_GONE = frozenset({Errno.ENOENT, Errno.ENOTDIR})
Progress = Callable[[int], None]
"""Is told how many bytes were copied."""


@frozen(eq=False)
class _Opened:
    """A file to be copied; ``reader`` of one that has bytes."""

    node: Node
    reader: Reader | None = None


@frozen(eq=False)
class Duplicating:
    """Copies entries of directories into directories of detached trees."""

    _context: FilesContext
    _reading: Reading
    _trees: DetachedTrees
    _contents: DetachedContents

    async def top(self, source: Chain, name: str) -> NewFile:
        """Return what the top of a copy of a directory will be, made now; nothing is written."""
        node = source.file
        [custom] = await self._custom(source, [node])
        meta = evolve(copied_meta(node.meta, name), created_s=int(self._context.wall_clock()))
        key = self._context.new_key()
        return NewFile(key=key, parent=None, meta=meta, times=node.times, custom=custom, original=node.key)

    async def duplicate(
        self, tree: DetachedTree, source: Chain, nodes: Sequence[Node], into: Key, progress: Progress
    ) -> Mapping[Key, Key]:
        """Copy entries of a directory, at most ``AT_ONCE``; of directories just themselves.

        Returns the keys of the copies of directories by those of the originals. What is gone meanwhile is
        left out. A file that is written in place meanwhile may be copied in between, and one that is cut
        may have zeros where its end was: such a change is in the feed, and whoever wants the file as of one
        moment copies it again.

        Raises: TreeLost; Posix(ENOSPC, EDQUOT); ServiceUnavailable; StorageError; PersistenceError.
        """
        opened = [one for one in [await self._open(tree.visit, source, node) for node in nodes] if one]
        try:
            custom = await self._custom(source, [one.node for one in opened])
            files = [
                await self._new(tree, source, one, into, its) for one, its in zip(opened, custom, strict=True)
            ]
            await self._trees.add(tree, files)
            made = zip(files, opened, strict=True)
            await _together([self._copy_bytes(tree, file, one, progress) for file, one in made])
        finally:
            for one in opened:
                if one.reader is not None:
                    await one.reader.close()
        return {file.original: file.key for file in files if file.original is not None}

    async def refresh(self, tree: DetachedTree, original: Chain, copy: Node) -> None:
        """Make a copied directory itself, not what is in it, as its original is now."""
        [custom] = await self._custom(original, [original.file])
        meta = copied_meta(original.file.meta, copy.name)
        meta = evolve(meta, has_metadata=bool(custom), created_s=copy.meta.created_s)
        put = {META: meta.encode(), TIMES: original.file.times.encode(), **custom}
        numbering = await self._numbering(original.file, original)
        if numbering is not None:
            put[QUEUE] = numbering
        steps: list[Step] = [Put(copy.key, name, data) for name, data in put.items()]
        steps.extend(Delete(copy.key, name) for name in FIELDS if name not in custom)
        await self._trees.add(tree, (), steps)

    async def _open(self, visit: Visit, source: Chain, node: Node) -> _Opened | None:
        location = node.location
        if location is None or not location.blocks:
            return _Opened(node)
        try:
            reader = await self._reading.open_chain(visit, source.child(node))
        except Posix as error:
            if error.errno in _GONE:
                return None
            raise
        return _Opened(node, reader)

    async def _new(
        self, tree: DetachedTree, source: Chain, one: _Opened, into: Key, custom: Mapping[str, bytes]
    ) -> NewFile:
        node, like = one.node, one.node.location if one.reader is None else one.reader.location
        key = self._context.new_key()
        return NewFile(
            key=key,
            parent=into,
            meta=copied_meta(node.meta, node.name),
            times=node.times,
            custom=custom,
            location=None if like is None else await self._contents.new_location(tree.visit, key, like),
            original=node.key if node.is_directory else None,
            numbering=await self._numbering(node, source),
        )

    async def _numbering(self, node: Node, source: Chain) -> bytes | None:
        """Return how far the values of a queue are numbered; ``None`` for anything else."""
        if not node.meta.is_queue:
            return None
        found = await self._context.engine.get(Scope(source.space_id), node.key, [QUEUE])
        return found[QUEUE].data if QUEUE in found else None

    async def _custom(self, source: Chain, nodes: Sequence[Node]) -> list[Mapping[str, bytes]]:
        rich = [node.key for node in nodes if node.meta.has_metadata]
        found: dict[Key, Mapping[str, bytes]] = {}
        for key in rich:
            documents = await self._context.engine.get(Scope(source.space_id), key, FIELDS)
            found[key] = {name: document.data for name, document in documents.items()}
        return [found.get(node.key, {}) for node in nodes]

    async def _copy_bytes(
        self, tree: DetachedTree, file: NewFile, source: _Opened, progress: Progress
    ) -> None:
        if source.reader is None or file.location is None:
            return
        administered = self._context.storage(file.location.storage_id)
        storage = await self._context.storage_for(tree.visit, administered)
        handle = await storage.helper.open_write(file.location.apart_path(tree.space_id, file.key))
        try:
            for offset_b, size_b in file.location.blocks:
                for at_b in range(offset_b, offset_b + size_b, MAX_READ_B):
                    piece_b = min(MAX_READ_B, offset_b + size_b - at_b)
                    await handle.write(at_b, await self._read(tree, source, at_b, piece_b))
                    progress(piece_b)
                    await self._trees.keep(tree)
            await handle.sync()
        finally:
            await handle.close()

    async def _read(self, tree: DetachedTree, source: _Opened, at_b: int, size_b: int) -> bytes:
        """Read a part of a file, or zeros where it was cut since it was opened."""
        assert source.reader is not None, "the file has bytes"
        try:
            return await source.reader.read(at_b, size_b)
        except Posix as error:
            if error.errno is not Errno.EIO:
                raise
            now = await self._context.engine.get(tree.scope, source.node.key, [LOCATION])
            if LOCATION in now and Location.decode(now[LOCATION].data) == source.reader.location:
                raise  # the storage lost it
            return bytes(size_b)


async def _together(work: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Wait until all work has ended, then raise what failed first, if anything did."""
    ended = await DeferredList([Deferred.fromCoroutine(one) for one in work], consumeErrors=True)
    for is_good, result in ended:
        if not is_good:
            assert isinstance(result, Failure)
            result.raiseException()
