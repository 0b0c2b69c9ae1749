"""Copying again what changed while a tree was copied, until nothing does: then the copy is of one moment."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from attrs import frozen

from cluster_worker.persistence.engine import Engine, Key, Resolved
from onedata.errors import Posix
from op_worker.files.content.detached import DetachedTree, DetachedTrees
from op_worker.files.content.duplicating import AT_ONCE, Duplicating
from op_worker.files.finding.lookup import Lookup
from op_worker.files.stored.detached import ORIGINAL
from op_worker.files.stored.documents import BASE
from op_worker.files.stored.nodes import Chain, Node
from op_worker.snapshots.changes import Changed, TooMuch, TreeChanges
from op_worker.snapshots.tree_copy import TreeCopy, belongs

MOST_ROUNDS = 8
"""After so many rounds a tree that does not come to rest is taken as it is."""
_PAGE = 500
_COPIED = (*BASE, ORIGINAL)


@frozen(eq=False)
class _Copied:
    """An entry of a copied directory, with what it is a copy of if it is one of a directory."""

    node: Node
    original: Key | None


@frozen(eq=False)
class CatchingUp:
    """Brings a copied tree up to date."""

    _engine: Engine
    _lookup: Lookup
    _trees: DetachedTrees
    _duplicates: Duplicating
    _copy: TreeCopy
    _source: Chain
    _tree: DetachedTree
    _changes: TreeChanges

    async def until_quiet(self) -> bool:
        """Copy again until nothing changed meanwhile; ``False`` when it did not come to rest.

        Raises: as ``Duplicating.duplicate``.
        """
        for _ in range(MOST_ROUNDS):
            try:
                changed = await self._changes.read()
            except TooMuch:
                return False
            if not changed:
                return True
            for chain in await self._located(changed):
                await self._repair(chain, changed[chain.file.key])
        return False

    async def _located(self, changed: Changed) -> list[Chain]:
        """Return the directories with changes, the highest first; what is not in the tree is left out."""
        found = []
        for key in changed:
            try:
                chain = await self._lookup.by_id(self._tree.space_id, key)
            except Posix:
                continue  # it left, which its directory tells
            below = chain.nodes[len(self._source.nodes) :]
            top = chain.nodes[: len(self._source.nodes)]
            if top[-1].key == self._source.file.key and not any(node.holds_snapshots for node in below):
                found.append(chain)
        return sorted(found, key=lambda chain: len(chain.nodes))

    async def _repair(self, original: Chain, changed: set[Key]) -> None:
        """Make the copy of a directory what the directory is now; directories in it have their own turn."""
        copy = await self._copy_of(original)
        if copy is None:
            return  # it was moved again, which the next round tells
        await self._duplicates.refresh(self._tree, original, copy)
        drops: list[Node] = []
        adds: list[Node] = []
        async for entry, copied in self._pairs(original, copy.key):
            if entry is not None and copied is not None and _is_right(entry, copied, changed):
                continue
            drops.extend([] if copied is None else [copied.node])
            adds.extend([] if entry is None else [entry])
            if len(drops) + len(adds) >= AT_ONCE:
                await self._replace(original, copy.key, drops, adds)
                drops, adds = [], []
        await self._replace(original, copy.key, drops, adds)

    async def _replace(self, original: Chain, copy: Key, drops: list[Node], adds: list[Node]) -> None:
        if drops:
            await self._trees.drop(self._tree, copy, drops)
        if adds:
            names = original.names[len(self._source.names) :]
            await self._copy.copy_entries(original, adds, copy, names)

    async def _copy_of(self, original: Chain) -> Node | None:
        """Return the directory in the tree that is the copy of a directory, if it is where it should be."""
        names = original.names[len(self._source.names) :]
        raw = [name.encode() for name in names]
        found = await self._engine.resolve(self._tree.scope, self._tree.key, raw, _COPIED)
        if len(found) <= len(names):
            return None
        copied = _copied(found[-1])
        if copied.original != original.file.key:
            return None
        node = copied.node
        return node if names else Node(node.key, self._tree.top.meta.name, node.documents)

    async def _pairs(
        self, original: Chain, copy: Key
    ) -> AsyncGenerator[tuple[Node | None, _Copied | None], None]:
        """Yield entries of a directory and of its copy, those with one name together, in order of names."""
        left, right = self._entries(original), self._copies(copy)
        try:
            entry, copied = await anext(left, None), await anext(right, None)
            while entry is not None or copied is not None:
                order = _order(entry, copied)
                yield entry if order <= 0 else None, copied if order >= 0 else None
                if order <= 0:
                    entry = await anext(left, None)
                if order >= 0:
                    copied = await anext(right, None)
        finally:
            await left.aclose()
            await right.aclose()

    async def _entries(self, directory: Chain) -> AsyncGenerator[Node, None]:
        after: bytes | None = None
        key, scope = directory.file.key, self._tree.scope
        while found := await self._engine.page(scope, key, after, _PAGE, BASE):
            after = found[-1].entry.name
            for node in map(Node.found, found):
                if belongs(directory, node):
                    yield node

    async def _copies(self, directory: Key) -> AsyncGenerator[_Copied, None]:
        after: bytes | None = None
        while found := await self._engine.page(self._tree.scope, directory, after, _PAGE, _COPIED):
            after = found[-1].entry.name
            for item in found:
                yield _copied(item)


def _copied(item: Resolved) -> _Copied:
    of = item.documents.get(ORIGINAL)
    return _Copied(Node.found(item), None if of is None else Key(of.data.decode()))


def _order(entry: Node | None, copied: _Copied | None) -> int:
    """Say which of two names comes first: negative for the entry's, positive for the copy's."""
    if entry is None or copied is None:
        return 1 if entry is None else -1
    left, right = entry.name.encode(), copied.node.name.encode()
    return (left > right) - (left < right)


def _is_right(entry: Node, copied: _Copied, changed: set[Key]) -> bool:
    """Whether a copied entry can stay: what did not change since it was copied, and every directory."""
    if entry.is_directory:
        return copied.original == entry.key
    return entry.key not in changed and entry.type is copied.node.type
