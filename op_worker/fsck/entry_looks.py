"""Another look at an entry and what it leads to, in one read; and the repair."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

from cluster_worker.persistence.engine import (
    ABSENT,
    Check,
    Document,
    Engine,
    Key,
    Link,
    Put,
    Resolved,
    Scope,
    Step,
    Unlink,
)
from onedata.ids import SpaceId
from op_worker.files.stored.documents import BASE, META, NAME, PARENT, encode_parent
from op_worker.files.stored.hard_links import links_key
from op_worker.files.stored.nodes import Node
from op_worker.fsck.findings import Code, Finding
from op_worker.fsck.mend import Mend, standing
from op_worker.fsck.places import BIN, NAMED, expected_parent, place_of
from op_worker.fsck.rules import judge_entry, judge_root_name


@frozen(eq=False)
class EntryLooks:
    """Looks at entries of directories again. Every method may raise PersistenceError."""

    _engine: Engine
    _space_id: SpaceId

    async def look(self, finding: Finding) -> Mend | None:
        """Return how an entry is repaired; ``None`` when nothing is wrong with it any more."""
        scope, directory = Scope(self._space_id), Key(finding.place)
        found = await self._engine.resolve(scope, directory, [finding.name], BASE)
        if len(found) < 2:
            return None
        item = found[1]
        of_link: Mapping[str, Document] = {}
        node = Node.found(item)
        if node.link:
            of_link = await self._engine.get(scope, node.name_key, [NAME, PARENT])
        parent = expected_parent(self._space_id, directory)
        is_named = place_of(self._space_id, directory) == NAMED
        findings = [
            *judge_entry(directory, item, of_link, parent=parent, is_named=is_named),
            *judge_root_name(directory, item),
        ]
        if finding.code not in {one.code for one in findings}:
            return None
        steps = await self._steps(finding.code, directory, item, of_link, parent, is_named=is_named)
        return Mend(steps=steps, announce=[item.key])

    async def _steps(
        self,
        code: Code,
        directory: Key,
        item: Resolved,
        of_link: Mapping[str, Document],
        parent: Key | None,
        *,
        is_named: bool,
    ) -> list[Step]:
        node, name, value = Node.found(item), item.entry.name, item.entry.value
        as_read: list[Step] = [Check(item.key, META, node.revision(META))]
        if code is Code.DANGLING_ENTRY:
            return [Unlink(directory, name, value), *as_read]
        if code is Code.WRONG_TYPE:
            new = Link(directory, name, node.entry_value, replaces=value)
            return [Unlink(directory, name, value), new, *as_read]
        if code is Code.WRONG_LINK and parent is not None:
            return [*standing(directory, name, value), *as_read, *_link_record(node, name, of_link, parent)]
        if code in (Code.WRONG_NAME, Code.WRONG_PARENT) and parent is not None:
            return await self._place_steps(node, directory, value, parent, is_named=is_named)
        return []

    async def _place_steps(
        self, node: Node, directory: Key, value: bytes, parent: Key, *, is_named: bool
    ) -> list[Step]:
        """Return the steps that drop an entry when the file stands where it tells, else tell where it is."""
        as_read = [Check(node.key, field, node.revision(field)) for field in (META, PARENT)]
        name = node.name.encode()
        for told, as_name in await self._told_places(node):
            if (told, as_name) != (directory, name):
                return [Unlink(directory, name, value), *standing(told, as_name, value), *as_read]
        steps: list[Step] = [*standing(directory, name, value)]
        steps.append(Put(node.key, PARENT, encode_parent(parent), node.revision(PARENT)))
        if is_named:
            meta = evolve(node.meta, name=node.name).encode()
            return [*steps, Put(node.key, META, meta, node.revision(META))]
        return [*steps, as_read[0]]

    async def _told_places(self, node: Node) -> list[tuple[Key, bytes]]:
        """Return where an entry stands for a file in the directory that it tells."""
        told = node.parent_key
        if told is None or place_of(self._space_id, told) == BIN:
            return []
        names = [node.meta.name.encode(), node.key.encode()]
        scope, value = Scope(self._space_id), node.entry_value
        return [(told, name) for name in names if await self._engine.lookup(scope, told, name) == value]


def _link_record(node: Node, name: bytes, of_link: Mapping[str, Document], parent: Key) -> list[Step]:
    """Return the steps that write what a hard link's own key has to tell, and list it."""
    key = node.name_key

    def revision(field: str) -> int:
        return of_link[field].revision if field in of_link else ABSENT

    listed = f"{key}/L".encode()
    return [
        Put(key, NAME, name, revision(NAME)),
        Put(key, PARENT, encode_parent(parent), revision(PARENT)),
        Link(links_key(node.key), node.link.encode(), listed, replaces=listed),
    ]
