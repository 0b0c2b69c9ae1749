"""What changed in a tree since a position of the feed: directories to be looked at, and entries in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import define, field

from cluster_worker.persistence.engine import Document, Engine, Key, Scope, Seq
from op_worker.files.stored.documents import META, PARENT
from op_worker.files.stored.hard_links import MAX_NAMES, links_key
from op_worker.files.stored.nodes import Node

MOST_DIRECTORIES = 10_000
"""More directories with changes than that are too many to look at one by one."""
_BATCH = 500
_MOST_KNOWN = 50_000

Changed = dict[Key, set[Key]]
"""By the key of a directory: the keys of its entries that changed; a directory itself may be among them."""


class TooMuch(Exception):
    """Too much changes to be followed."""


@define(eq=False)
class TreeChanges:
    """The feed of a space, as far as it concerns what is in a directory.

    Args:
        position: of what is known already.
    """

    _engine: Engine
    _scope: Scope
    _top: Key
    position: Seq
    _inside: dict[Key, bool] = field(factory=dict)

    async def read(self) -> Changed:
        """Return what changed since the last call, and move the position behind it. Raises: TooMuch."""
        found: Changed = {}
        self._inside = {self._top: True}
        while changes := await self._engine.changes(self._scope, self.position, _BATCH):
            self.position = changes[-1].seq
            await self._take([change.key for change in changes], found)
            if len(found) > MOST_DIRECTORIES:
                raise TooMuch
        return found

    async def _take(self, keys: Sequence[Key], found: Changed) -> None:
        documents = await self._engine.get_many(self._scope, keys, (META, PARENT))
        nodes = [Node(key, "", its) for key, its in zip(keys, documents, strict=True) if META in its]
        parents = {node.key: await self._parents(node) for node in nodes}
        await self._climb({parent for several in parents.values() for parent in several})
        for node in nodes:
            if node.key == self._top:
                found.setdefault(node.key, set())
                continue
            for parent in parents[node.key]:
                if self._inside[parent]:
                    found.setdefault(parent, set()).add(node.key)
                    if node.is_directory:
                        found.setdefault(node.key, set())

    async def _parents(self, node: Node) -> list[Key]:
        """Return the directories of every name of a file."""
        first = [] if node.parent_key is None else [node.parent_key]
        if node.is_directory or node.meta.links <= len(first):
            return first
        links = await self._engine.page(self._scope, links_key(node.key), None, MAX_NAMES, (PARENT,))
        return first + _parents_in(item.documents for item in links)

    async def _climb(self, keys: set[Key]) -> None:
        """Learn of directories whether they are in the tree, climbing with all of them at once."""
        if len(self._inside) > _MOST_KNOWN:
            self._inside = {self._top: True}
        way: dict[Key, Key | None] = {}
        asked = {key for key in keys if key not in self._inside}
        while asked:
            order = list(asked)
            found = await self._engine.get_many(self._scope, order, (PARENT,))
            for key, documents in zip(order, found, strict=True):
                way[key] = next(iter(_parents_in([documents])), None)
            asked = {above for above in map(way.__getitem__, order) if above is not None}
            asked -= {*way, *self._inside}
        for key in way:
            self._settle(key, way)

    def _settle(self, key: Key, way: Mapping[Key, Key | None]) -> None:
        passed = [key]
        while (above := way.get(passed[-1])) is not None and above not in self._inside:
            if above in passed:
                break
            passed.append(above)
        is_inside = above is not None and self._inside.get(above, False)
        self._inside.update(dict.fromkeys(passed, is_inside))


def _parents_in(several: Iterable[Mapping[str, Document]]) -> list[Key]:
    return [Key(its[PARENT].data.decode()) for its in several if PARENT in its and its[PARENT].data]
