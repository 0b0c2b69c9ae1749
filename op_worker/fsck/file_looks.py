"""Another look at files: whether a name leads to them, how many names they have, what registers say."""

from __future__ import annotations

from attrs import evolve, frozen

from cluster_worker.persistence.engine import Check, Delete, Engine, Key, Link, Put, Scope, Step
from onedata.ids import SpaceId, trash_uuid
from op_worker.files.finding.lookup import MOST_ANCESTORS
from op_worker.files.stored.documents import BASE, META, NAME, PARENT, EntryValue
from op_worker.files.stored.hard_links import MAX_NAMES, links_key
from op_worker.files.stored.nodes import Node
from op_worker.files.stored.recycled import BIN as BINNED
from op_worker.files.stored.recycled import bin_key
from op_worker.fsck.findings import Finding
from op_worker.fsck.lost_found import LostFound
from op_worker.fsck.mend import Mend
from op_worker.fsck.places import roots, waiting_list
from op_worker.fsck.registers import mending
from op_worker.fsck.rules import judge_links, readable

_PAGE = 1000


@frozen(eq=False)
class FileLooks:
    """Looks at files by their keys. Every method may raise PersistenceError."""

    _engine: Engine
    _space_id: SpaceId
    _lost_found: LostFound

    async def unreadable(self, finding: Finding) -> Mend | None:
        """Whether documents still cannot be read; nobody repairs them."""
        documents = await self._engine.get(self._scope, Key(finding.key), BASE)
        return None if readable(Key(finding.key), documents) is None else Mend()

    async def link_count(self, finding: Finding) -> Mend | None:
        """The number of names, which every commit that changes it writes into ``meta``."""
        key = Key(finding.key)
        documents = await self._engine.get(self._scope, key, BASE)
        listed = await self._engine.count(self._scope, links_key(key))
        again = await self._engine.get(self._scope, key, BASE)
        is_same = all(again.get(field) == documents.get(field) for field in (META, PARENT))
        if not is_same or not list(judge_links(key, documents, listed)):
            return None
        node = Node(key, "", documents)
        meta = evolve(node.meta, links=listed + (PARENT in documents))
        return Mend(steps=[Put(key, META, meta.encode(), node.revision(META))], announce=[key])

    async def unannounced(self, finding: Finding) -> Mend | None:
        """A file that the feed does not tell of: announcing it once too often does no harm."""
        key = Key(finding.key)
        node = Node(key, "", await self._engine.get(self._scope, key, [META]))
        return Mend(steps=[Check(key, META, node.revision(META))], announce=[key]) if node.exists else None

    async def register(self, finding: Finding) -> Mend | None:
        """An entry of a register against the file that it is about."""
        node = Node(Key(finding.key), "", await self._engine.get(self._scope, Key(finding.key), BASE))
        value = await self._engine.lookup(self._scope, Key(finding.place), finding.name)
        steps = mending(Key(finding.place), finding.name, node, value)
        return Mend(steps=steps) if steps else None

    async def orphaned(self, finding: Finding, *, is_repaired: bool) -> Mend | None:
        """A file that no name leads to; ``is_repaired`` lets ``lost+found`` be made when it is needed."""
        key = Key(finding.key)
        documents = await self._engine.get(self._scope, key, (*BASE, BINNED))
        if META not in documents or readable(key, documents) is not None:
            return None
        node = Node(key, "", documents)
        if await self._is_named(node):
            return None
        if not is_repaired:
            return Mend()
        as_read = [Check(key, field, node.revision(field)) for field in (META, PARENT)]
        back = await self._way_back(node)
        if back is not None:
            return Mend(steps=[back, *as_read], announce=[key])
        directory = await self._lost_found.find()
        if directory is None:
            return Mend()
        listed = await self._engine.count(self._scope, links_key(key))
        steps = self._lost_found.adopt(directory, node, listed)
        forgotten: list[Step] = [Delete(key, BINNED)] if BINNED in documents else []
        return Mend(steps=[*steps, *forgotten], announce=[key, directory.file.key])

    @property
    def _scope(self) -> Scope:
        return Scope(self._space_id)

    async def _way_back(self, node: Node) -> Step | None:
        """Return the step that gives a file the name back that it tells; ``None`` when that cannot be."""
        parent = node.parent_key
        if parent is None or parent == bin_key(self._space_id):
            return None
        value = EntryValue(node.key, node.type).encode()
        trash = Key(trash_uuid(self._space_id))
        if parent == trash:
            return Link(trash, node.key.encode(), value)
        way = await self._engine.ancestors(self._scope, parent, PARENT, [META], MOST_ANCESTORS)
        keys = [key for key, _ in way]
        if not way[-1][1] or node.key in keys or keys[-1] not in {one.key for one in roots(self._space_id)}:
            return None
        name = node.meta.name.encode()
        if not name or await self._engine.lookup(self._scope, parent, name) is not None:
            return None
        return Link(parent, name, value)

    async def _is_named(self, node: Node) -> bool:
        """Whether an entry leads to a file by any of the names that it tells, or a list of the trash does."""
        value, parent = EntryValue(node.key, node.type).encode(), node.parent_key
        names = [(parent, node.meta.name.encode()), (parent, node.key.encode())] if parent is not None else []
        for item in await self._engine.page(
            self._scope, links_key(node.key), None, MAX_NAMES, [NAME, PARENT]
        ):
            if NAME in item.documents and PARENT in item.documents:
                place = Key(item.documents[PARENT].data.decode())
                names.append((place, item.documents[NAME].data))
        for directory, name in names:
            found = await self._engine.lookup(self._scope, directory, name) if name else None
            if found is not None and found.startswith(value):
                return True
        return parent is not None and await self._is_listed(node, parent)

    async def _is_listed(self, node: Node, parent: Key) -> bool:
        """Whether the bin, or a list of a tree that is being purged, has a file."""
        if parent == bin_key(self._space_id):
            return await self._has(parent, node.key)
        if parent != Key(trash_uuid(self._space_id)):
            return False
        for tree in await self._engine.page(self._scope, parent, None, _PAGE, ()):
            waiting = Key(waiting_list(tree.key).key)
            if await self._engine.lookup(self._scope, waiting, node.key.encode()) is not None:
                return True
        return False

    async def _has(self, directory: Key, key: Key) -> bool:
        after: bytes | None = None
        while page := await self._engine.page(self._scope, directory, after, _PAGE, ()):
            if any(item.key == key for item in page):
                return True
            after = page[-1].entry.name
        return False
