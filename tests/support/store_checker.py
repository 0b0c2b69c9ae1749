"""Walks everything that is stored of a space and demands that it fits together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from attrs import define, field

from cluster_worker.persistence.engine import Document, Entry, Key, Resolved, Scope
from cluster_worker.persistence.memory import MemoryEngine
from onedata.ids import SpaceId, copies_uuid, link_uuid, nameless_uuid, space_root_uuid, trash_uuid
from op_worker.files.removing.removals import REMOVALS
from op_worker.files.rights.immutability import DUE as KEPT_UNTIL
from op_worker.files.rights.immutability import REGISTER as KEPT
from op_worker.files.rights.immutability import due_name
from op_worker.files.rights.protection import REGISTER
from op_worker.files.stored.documents import BASE, META, NAME, PARENT, EntryValue
from op_worker.files.stored.hard_links import links_key
from op_worker.files.stored.nodes import Node
from op_worker.files.stored.paths import COPIES, NAMELESS, storage_path, trash_path
from op_worker.files.stored.recycled import BIN, Item, bin_key
from op_worker.files.stored.share_records import DUE, RECORD, SHARES, Share
from op_worker.fsck.check import Check
from op_worker.fsck.report import Options
from op_worker.fsck.tools import Tools
from op_worker.storage.helper import StorageError, StoragePath
from op_worker.storage.helpers.memory import MemoryHelper
from tests.support.spaces import SECOND, SPACE, STORAGE, FlatMemoryHelper, Site

OF_TASKS = ("tasks:", "masters:", "audit:")
"""Background jobs keep their lists in the scope of the space; no name of a file leads there."""

Documents = dict[str, Document]


@define(eq=False)
class Checker:
    """What one walk found: the names of every file, and where its bytes should be.

    Attributes:
        paths: path below the root of the space → path on the storage, of regular files.
        parts: further paths on any storage, of contents that lie at several places.
        binned: item of the recycle bin, or path that begins with one → path on the storage.
    """

    space_id: SpaceId
    documents: dict[Key, Documents]
    directories: dict[Key, dict[bytes, bytes]]
    names: Counter[Key] = field(factory=Counter)
    reached: set[Key] = field(factory=set)
    paths: dict[str, StoragePath] = field(factory=dict)
    binned: dict[str, StoragePath] = field(factory=dict)
    parts: set[StoragePath] = field(factory=set)

    def walk(self, directory: Key, names: tuple[str, ...] = ()) -> None:
        """Check every entry below a directory of the namespace."""
        for node in self._entries(directory):
            self._check_name(node)
            path = (*names, node.name)
            if node.is_directory:
                self.walk(node.key, path)
            else:
                self._place(self.paths, node, "/".join(path), storage_path(self.space_id, path))

    def walk_bin(self) -> None:
        """Check everything that lies in the recycle bin."""
        for node in self._entries(bin_key(self.space_id)):
            item = Item.found(Resolved(Entry(node.name.encode(), node.entry_value), node.key, node.documents))
            assert item is not None
            assert item.expires_s >= item.origin.removed_s
            self._walk_binned(node, node.name, trash_path(self.space_id, node.key))

    def _walk_binned(self, node: Node, name: str, stored: StoragePath) -> None:
        self._place(self.binned, node, name, stored)
        if node.is_directory:
            for child in self._entries(node.key):
                self._check_name(child)
                inner = StoragePath(f"{stored}/{child.name}")
                self._walk_binned(child, f"{name}/{child.name}", inner)

    def _entries(self, directory: Key) -> Iterator[Node]:
        self.reached.add(directory)
        for raw, value in self.directories.get(directory, {}).items():
            entry = EntryValue.decode(value)
            key = Key(entry.uuid)
            node = Node(key, raw.decode(), self.documents.get(key, {}), entry.link)
            assert node.exists, f"{node.name} leads nowhere"
            assert node.type is entry.type
            assert self.documents[node.name_key][PARENT].data.decode() == directory
            self.names[key] += 1
            self.reached.update((key, node.name_key))
            yield node

    def _place(self, paths: dict[str, StoragePath], node: Node, name: str, stored: StoragePath) -> None:
        location = node.location
        if location is not None:
            self.parts.update(StoragePath(part.at) for part in location.parts)
            paths[name] = location.apart_path(self.space_id, node.key) if location.is_apart else stored

    def _check_name(self, node: Node) -> None:
        if node.link:
            assert self.documents[node.name_key][NAME].data.decode() == node.name
            listed = self.directories[links_key(node.key)][node.link.encode()]
            assert listed == f"{node.name_key}/L".encode()
        else:
            assert node.meta.name == node.name
        assert BIN not in node.documents

    def _check_register(self) -> None:
        """Demand that the register of protected directories has just these."""
        directories = [
            Node(key, "", self.documents[key]) for key in {*self.names, Key(space_root_uuid(self.space_id))}
        ]
        protected = {node.key.encode() for node in directories if node.is_directory and node.protection}
        assert set(self.directories.get(REGISTER, {})) == protected
        self.reached.add(REGISTER)

    def _check_kept(self) -> None:
        """Demand that the registers of what is kept and of what is due have just these, also in the bin."""
        nodes = [Node(key, "", documents) for key, documents in self.documents.items() if META in documents]
        found = [(node.key, kept) for node in nodes if (kept := node.immutability) is not None]
        kept_keys = {key.encode() for key, kept in found if kept.may_bind}
        due = {due_name(kept.due_ms, key) for key, kept in found if kept.due_ms is not None}
        assert set(self.directories.get(KEPT, {})) == kept_keys
        assert set(self.directories.get(KEPT_UNTIL, {})) == due
        self.reached.update((KEPT, KEPT_UNTIL))

    def check_counts(self) -> None:
        """Demand that link counts are right and that nothing is there that no name leads to."""
        for key, count in self.names.items():
            node = Node(key, "", self.documents[key])
            assert node.meta.links == count
            links = self.directories.get(links_key(key), {})
            first = [key] if PARENT in node.documents else []
            assert len(links) + len(first) == count
            assert all(Key(link_uuid(link.decode(), key)) in self.reached for link in links)
            self.reached.add(links_key(key))
        self._check_register()
        self._check_kept()
        filed = {key for key, documents in self.documents.items() if set(documents) & {*BASE, NAME}}
        assert filed <= self.reached, filed - self.reached
        named = {key for key in self.directories if not key.startswith(OF_TASKS)}
        assert named <= self.reached, named - self.reached

    def check_shares(self) -> None:
        """Demand that files, records, the list of shares and the list of their ends tell the same."""
        shares = {
            Share.decode(self.space_id, name.decode(), self.documents[Key(key.decode())][RECORD].data)
            for name, key in self.directories.get(SHARES, {}).items()
        }
        due = {share.due_name: share.key.encode() for share in shares if share.due_name is not None}
        assert self.directories.get(DUE, {}) == due
        of_files = {
            (key, share_id)
            for key, documents in self.documents.items()
            if META in documents
            for share_id in Node(key, "", documents).meta.shares
        }
        living = {(share.file_key, share.share_id) for share in shares if META in self.file_of(share)}
        assert of_files == living
        records = {key for key in self.documents if key.startswith("share_")}
        assert records == {share.key for share in shares}
        self.reached.update((SHARES, DUE))

    def file_of(self, share: Share) -> Documents:
        """Return the documents of a shared file; none when it is gone."""
        return self.documents.get(share.file_key, {})

    def held_b(self, storage_id: str | None = None) -> int:
        """Return how many bytes the locations speak of, of one storage or of all."""
        locations = [Node(key, "", documents).location for key, documents in self.documents.items()]
        held = [item for one in locations if one is not None for item in one.held_on.items()]
        return sum(held_b for one, held_b in held if storage_id in (None, one))


def check_metadata(
    space_id: SpaceId, documents: dict[Key, Documents], directories: dict[Key, dict[bytes, bytes]]
) -> Checker:
    """Check the documents and entries of a space: every name leads to a file, every file has its names."""
    checker = Checker(space_id, documents, directories)
    checker.walk(Key(space_root_uuid(space_id)))
    for uuid, name in ((nameless_uuid(space_id), NAMELESS), (copies_uuid(space_id), COPIES)):
        unlisted = Key(uuid)
        if META in documents.get(unlisted, {}):
            assert documents[unlisted][PARENT].data.decode() == space_root_uuid(space_id)
            checker.names[unlisted] += 1
            checker.walk(unlisted, (name,))
    checker.walk_bin()
    checker.reached.add(Key(trash_uuid(space_id)))
    checker.check_shares()
    checker.check_counts()
    return checker


async def check_store(site: Site) -> Checker:
    """Check a space over memory: names, counts, room, and that the storage holds its files only."""
    engine = site.engine
    assert isinstance(engine, MemoryEngine)
    state = engine._scopes[Scope(SPACE)]  # no engine lists its keys
    entries = {key: directory.values for key, directory in state.directories.items()}
    checker = check_metadata(SPACE, state.documents, entries)
    for storage_id in (STORAGE, SECOND):
        assert state.counters.get(f"used:{storage_id}", 0) == checker.held_b(storage_id)
    stored = set(await stored_files(site))
    known = {*checker.paths.values(), *checker.binned.values(), *checker.parts}
    assert stored <= known, stored - known
    assert REMOVALS not in state.documents or checker.directories.get(Key(trash_uuid(SPACE)))
    return checker


async def check_sound(site: Site) -> None:
    """Demand that the provider's own check, which takes some milliseconds, finds nothing in a space."""
    files = await site.process("fsck")
    report = await Check(Tools.of(files.context), SPACE, Options(contents=True)).run()
    assert (report.findings, report.is_settled) == ([], True)


async def stored_files(site: Site, folder: str = SPACE) -> dict[StoragePath, bytes]:
    """Return every file on the storages below a folder, by its path."""
    found: dict[StoragePath, bytes] = {}
    for helper in (site.helper, site.second):
        if helper is not None:
            inner = helper.inner if isinstance(helper, FlatMemoryHelper) else helper
            assert isinstance(inner, MemoryHelper)
            found.update(await _files_below(inner, folder))
    return found


async def _files_below(helper: MemoryHelper, folder: str) -> dict[StoragePath, bytes]:
    found: dict[StoragePath, bytes] = {}
    try:
        names = await helper.list_directory(StoragePath(folder))
    except StorageError:
        return found
    for name in names:
        inner = StoragePath(f"{folder}/{name}")
        if (await helper.stat(inner)).is_directory:
            found.update(await _files_below(helper, inner))
        else:
            file = await helper.open_read(inner)
            found[inner] = await file.read(0, 1 << 30)
    return found
