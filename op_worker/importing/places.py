"""Directories as they were read before their storage was asked about them."""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

from attrs import field, frozen
from twisted.internet.defer import Deferred, FirstError, gatherResults

from cluster_worker.persistence.engine import Key, Scope
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.stored.documents import BASE
from op_worker.files.stored.intents import INTENTS
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.paths import is_below
from op_worker.importing.configuration import ScanOptions
from op_worker.importing.seen import LISTED, SEEN, Listed
from op_worker.storage.helper import StorageError, StoragePath, StorageStat
from op_worker.storage.supports import Storage

FIELDS = (*BASE, SEEN)
"""What is read of each entry."""
PAGE = 1000
_AT_ONCE = 100
_FEW = 10


@frozen(eq=False)
class Place:
    """A directory, and what was pending in it, before the storage was asked.

    ``count`` is how many entries it had. ``pending`` are names at or below which something is to be done.
    """

    visit: Visit
    storage: Storage
    chain: Chain
    options: ScanOptions
    count: int
    pending: Collection[str] = field(factory=frozenset)

    @property
    def scope(self) -> Scope:
        return self.visit.scope

    @property
    def key(self) -> Key:
        return self.chain.file.key

    def path_of(self, name: str) -> StoragePath:
        """Return where a name of the directory is on the storage."""
        return StoragePath(f"{self.chain.storage_path}/{name}")

    def shown(self, name: str) -> str:
        """Return the path of a name as it is told to people."""
        return f"{self.chain.path.rstrip('/')}/{name}"

    @property
    def listed(self) -> Listed:
        """How the directory was listed last."""
        found = self.chain.file.documents.get(LISTED)
        return Listed() if found is None else Listed.decode(found.data)


@frozen(eq=False)
class Places:
    """Reads directories of imported storages."""

    _context: FilesContext

    async def at(
        self,
        visit: Visit,
        storage: Storage,
        names: Sequence[str],
        options: ScanOptions,
        *,
        is_new: bool = False,
    ) -> Place | None:
        """Return a directory; ``None`` when there is none of these names.

        ``is_new`` spares the question how many entries it has; nothing goes wrong when it has some.
        """
        lookup = self._context.lookup
        raw = tuple(name.encode() for name in names)
        found = await lookup.walk(visit.space_id, raw, (LISTED,))
        if found.missing or not found.chain.file.is_directory:
            return None
        chain = found.chain
        top = chain.storage_path
        intents = await self._context.engine.get_all(visit.scope, INTENTS)
        below = frozenset(path[len(top) + 1 :].partition("/")[0] for path in intents if is_below(path, top))
        count = 0 if is_new else await self._context.engine.count(visit.scope, chain.file.key)
        return Place(visit, storage, chain, options, count, below)

    async def again(self, place: Place) -> Place | None:
        """Return the directory as it is now; ``None`` when it is not there any more."""
        return await self.at(place.visit, place.storage, place.chain.names, place.options)

    async def nodes(self, place: Place, names: Sequence[str]) -> dict[str, Node]:
        """Return what the space has under these names."""
        if place.count == 0:
            return {}
        if place.count <= max(2 * len(names), _AT_ONCE):
            wanted = set(names)
            return {node.name: node for node in await self._all(place) if node.name in wanted}
        return await self._some(place, names)

    async def page(self, place: Place, after: bytes | None) -> Sequence[bytes]:
        """Return the next names of the directory."""
        found = await self._context.engine.page(place.scope, place.key, after, PAGE, ())
        return [item.entry.name for item in found]

    async def stats(self, place: Place, names: Sequence[str]) -> dict[str, StorageStat]:
        """Return what the storage says of names now; those that it has not are left out.

        Raises: StorageError.
        """
        found: dict[str, StorageStat] = {}
        if len(names) > _FEW and not place.chain.is_root:
            directory = await stat_or_none(place.storage, place.chain.storage_path)
            if directory is None or not directory.is_directory:
                return {}

        async def look(name: str) -> None:
            stat = await stat_or_none(place.storage, place.path_of(name))
            if stat is not None:
                found[name] = stat

        await _for_each(names, look)
        return found

    async def _all(self, place: Place) -> list[Node]:
        nodes: list[Node] = []
        after: bytes | None = None
        while True:
            page = await self._context.engine.page(place.scope, place.key, after, PAGE, FIELDS)
            nodes.extend(map(Node.found, page))
            if len(page) < PAGE:
                return nodes
            after = page[-1].entry.name

    async def _some(self, place: Place, names: Sequence[str]) -> dict[str, Node]:
        engine = self._context.engine
        found: dict[str, Node] = {}

        async def look(name: str) -> None:
            items = await engine.resolve(place.scope, place.key, (name.encode(),), FIELDS)
            if len(items) > 1:
                found[name] = Node.found(items[1])

        await _for_each(names, look)
        return found


async def _for_each(names: Sequence[str], look: Callable[[str], Coroutine[Any, Any, None]]) -> None:
    """Look at names, some at a time. Raises: what the first look that fails raises."""
    for first in range(0, len(names), _AT_ONCE):
        looks = [Deferred.fromCoroutine(look(name)) for name in names[first : first + _AT_ONCE]]
        try:
            await gatherResults(looks, consumeErrors=True)
        except FirstError as error:
            error.subFailure.raiseException()


async def stat_or_none(storage: Storage, path: StoragePath) -> StorageStat | None:
    """Return what the storage says of a path, ``None`` when it is not there. Raises: StorageError."""
    try:
        return await storage.helper.stat(path)
    except StorageError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise
