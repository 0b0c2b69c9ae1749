"""Copying a tree as it is walked: a page at a time, nothing remembered but directories that wait."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from attrs import define, evolve, field, frozen

from cluster_worker.persistence.engine import Engine, Key, Scope
from onedata.errors import Errno, Posix
from op_worker.files.content.detached import DetachedTree
from op_worker.files.content.duplicating import AT_ONCE, Duplicating
from op_worker.files.stored.documents import BASE
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.paths import MAX_PATH_B, is_reserved
from op_worker.snapshots.records import Work

_PAGE = 320


@frozen(eq=False)
class _Waiting:
    """A directory that was copied itself, and what is in it not yet. ``path_b``: of the copy's path."""

    original: Chain
    copy: Key
    path_b: int


@define(eq=False)
class TreeCopy:
    """One copy of what is in a directory into a detached tree. Directories of snapshots are left out."""

    _engine: Engine
    _duplicates: Duplicating
    _tree: DetachedTree
    work: Work = field(factory=Work)

    async def copy(self, original: Chain, copy: Key) -> None:
        """Copy all that is in ``original`` into ``copy``, its copy at the top of the tree.

        Raises: Posix(ENAMETOOLONG) when paths get too long; as ``Duplicating.duplicate``.
        """
        await self._copy_all([_Waiting(original, copy, self._path_b(()))])

    async def copy_entries(
        self, original: Chain, nodes: Sequence[Node], copy: Key, names: Sequence[str]
    ) -> None:
        """Copy some entries of a directory, with all in them, into its copy, which has these names.

        Raises: as ``copy``.
        """
        directory = _Waiting(original, copy, self._path_b(names))
        for first in range(0, len(nodes), AT_ONCE):
            await self._copy_all(await self._copied(directory, nodes[first : first + AT_ONCE]))

    async def _copy_all(self, waiting: list[_Waiting]) -> None:
        while waiting:
            directory = waiting.pop()
            await self._expect(directory)
            async for nodes in self._pages(directory.original):
                waiting.extend(await self._copied(directory, nodes))

    def _path_b(self, names: Sequence[str]) -> int:
        above = (*self._tree.place.names, self._tree.top.meta.name)
        return sum(len(name.encode()) + 1 for name in (*above, *names))

    async def _expect(self, directory: _Waiting) -> None:
        count = await self._engine.count(Scope(self._tree.space_id), directory.original.file.key)
        self.work = evolve(self.work, entries=self.work.entries + count)

    async def _pages(self, directory: Chain) -> AsyncIterator[Sequence[Node]]:
        after: bytes | None = None
        scope = Scope(directory.space_id)
        while found := await self._engine.page(scope, directory.file.key, after, _PAGE, BASE):
            after = found[-1].entry.name
            nodes = [node for node in map(Node.found, found) if belongs(directory, node)]
            for first in range(0, len(nodes), AT_ONCE):
                yield nodes[first : first + AT_ONCE]

    async def _copied(self, directory: _Waiting, nodes: Sequence[Node]) -> list[_Waiting]:
        """Copy entries of a directory; return those that are directories."""
        longest_b = directory.path_b + max(len(node.name.encode()) for node in nodes) + 1
        if longest_b > MAX_PATH_B:
            raise Posix(Errno.ENAMETOOLONG, "paths in the snapshot would have more than 4096 bytes")
        size_b = sum(node.location.held_b for node in nodes if node.location is not None)
        self.work = evolve(self.work, entries_b=self.work.entries_b + size_b)
        copies = await self._duplicates.duplicate(
            self._tree, directory.original, nodes, directory.copy, self._add_b
        )
        self.work = evolve(self.work, done=self.work.done + len(nodes))
        return [
            _Waiting(
                directory.original.child(node),
                copies[node.key],
                directory.path_b + len(node.name.encode()) + 1,
            )
            for node in nodes
            if node.key in copies
        ]

    def _add_b(self, size_b: int) -> None:
        self.work = evolve(self.work, done_b=self.work.done_b + size_b)


def belongs(directory: Chain, node: Node) -> bool:
    """Whether an entry of a directory is part of a copy of it."""
    return node.exists and not node.holds_snapshots and not (directory.is_root and is_reserved(node.name))
