"""Walks every directory of a space, a page at a time, and tells what looks wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

from attrs import frozen

from cluster_worker.persistence.engine import Engine, Key, Resolved, Scope
from cluster_worker.runtime.pool import Blocking
from onedata.ids import SpaceId, StorageId
from op_worker.files.finding.lookup import MOST_ANCESTORS
from op_worker.files.stored import blocks
from op_worker.files.stored.documents import BASE, META, NAME, PARENT
from op_worker.files.stored.hard_links import links_key
from op_worker.files.stored.nodes import Node
from op_worker.files.stored.paths import trash_path
from op_worker.fsck.findings import Finding
from op_worker.fsck.places import BIN, NAMED, TRASH, expected_parent, named_path, roots, waiting_list
from op_worker.fsck.registers import missing_entries
from op_worker.fsck.rules import judge_entry, judge_links, judge_root_name, mentions, readable
from op_worker.fsck.tally import Folder, Placed, Tally

PAGE = 1000
Suspect = Callable[[Finding], Awaitable[object]]
Progress = Callable[[int], None]


@frozen(eq=False)
class Walk:
    """Everything that names lead to; ``storage_id`` is the storage that the space is on."""

    _engine: Engine
    _blocking: Blocking
    _tally: Tally
    _space_id: SpaceId
    _storage_id: StorageId | None

    async def begin(self) -> None:
        """Let the walk begin at the roots of the space."""
        await self._blocking.run(self._tally.add, roots(self._space_id), (), ())

    async def begin_at(self, key: Key) -> None:
        """Let the walk also go from a file that no name leads to, where it would lie by what it tells."""
        way = await self._engine.ancestors(Scope(self._space_id), key, PARENT, BASE, MOST_ANCESTORS)
        nodes = [Node(each, "", documents) for each, documents in way]
        if any(readable(node.key, node.documents) is not None for node in nodes):
            return
        path = named_path(self._space_id, nodes) or ""
        folder = Folder("", path.rpartition("/")[0], NAMED)
        found = Node(key, path.rpartition("/")[2], nodes[0].documents)
        folders = [Folder(key, path, NAMED)] if found.is_directory else []
        await self._blocking.run(self._tally.add, folders, [key], self._placed(folder, [found]))

    async def go_on(self, suspect: Suspect, progress: Progress) -> None:
        """Walk every directory that waits; ``progress`` is told how many entries each page had."""
        while (folder := await self._blocking.run(self._tally.next_folder)) is not None:
            after: bytes | None = None
            while page := await self._page(folder, after):
                after = page[-1].entry.name
                await self._judge(folder, page, suspect)
                progress(len(page))
                if len(page) < PAGE:
                    break

    async def _page(self, folder: Folder, after: bytes | None) -> Sequence[Resolved]:
        return await self._engine.page(Scope(self._space_id), Key(folder.key), after, PAGE, BASE)

    async def _judge(self, folder: Folder, page: Sequence[Resolved], suspect: Suspect) -> None:
        await self._judge_entries(folder, page, suspect)
        whole = [Node.found(item) for item in page if _is_whole(item)]
        await self._judge_files(whole, suspect)
        reached = [item.key for item in page]
        folders, placed = self._folders(folder, whole), self._placed(folder, whole)
        await self._blocking.run(self._tally.add, folders, reached, placed)

    async def _judge_entries(self, folder: Folder, page: Sequence[Resolved], suspect: Suspect) -> None:
        """Judge entries by themselves, with the records of hard links."""
        directory = Key(folder.key)
        links = [item for item in page if META in item.documents and Node.found(item).link]
        names = [Node.found(item).name_key for item in links]
        found = await self._engine.get_many(Scope(self._space_id), names, [NAME, PARENT]) if links else ()
        of_links = {item.entry.name: documents for item, documents in zip(links, found, strict=True)}
        parent, is_named = expected_parent(self._space_id, folder.key), folder.place == NAMED
        is_root = folder.key == roots(self._space_id)[0].key
        for item in page:
            of_link = of_links.get(item.entry.name, {})
            for finding in judge_entry(directory, item, of_link, parent=parent, is_named=is_named):
                await suspect(finding)
            for finding in judge_root_name(directory, item) if is_root else ():
                await suspect(finding)

    async def _judge_files(self, nodes: Sequence[Node], suspect: Suspect) -> None:
        """Judge files by what lists and registers say of them."""
        scope = Scope(self._space_id)
        for node in nodes:
            if node.link:
                listed = await self._engine.count(scope, links_key(node.key))
                for finding in judge_links(node.key, node.documents, listed):
                    await suspect(finding)
            for finding in mentions(node):
                await suspect(finding)
        for finding in await missing_entries(self._engine, scope, nodes):
            await suspect(finding)

    def _folders(self, folder: Folder, nodes: Iterable[Node]) -> list[Folder]:
        """Return the directories among the entries of a page."""
        folders = []
        for node in nodes:
            if node.is_directory:
                folders.append(Folder(node.key, self._path(folder, node), NAMED))
                if folder.place == TRASH:
                    folders.append(waiting_list(node.key))
        return folders

    def _placed(self, folder: Folder, nodes: Iterable[Node]) -> list[Placed]:
        """Return where the bytes of files have to lie."""
        placed = []
        for node in nodes:
            location = node.location
            if location is None:
                continue
            path = self._path(folder, node)
            if location.is_apart:
                path = location.apart_path(self._space_id, node.key)
            if path and location.storage_id == self._storage_id:
                placed.append(Placed(path, node.key, blocks.upper(location.main_blocks)))
            placed.extend(
                Placed(part.at, node.key, blocks.upper(part.blocks))
                for part in location.parts
                if part.storage_id == self._storage_id
            )
        return placed

    def _path(self, folder: Folder, node: Node) -> str:
        if folder.place == BIN:
            return trash_path(self._space_id, node.key)
        return f"{folder.path}/{node.name}" if folder.path else ""


def _is_whole(item: Resolved) -> bool:
    return META in item.documents and readable(item.key, item.documents) is None
