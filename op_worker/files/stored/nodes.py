"""A file with its documents, and the chain of directories that leads to it from its space's root."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import define, field, frozen

from cluster_worker.persistence.engine import ABSENT, Document, Key, Resolved
from onedata.ids import FileGuid, FileUuid, SpaceId, link_uuid
from op_worker.files.model import FileType
from op_worker.files.rights.immutability import Keeping
from op_worker.files.rights.permissions import FileFacts
from op_worker.files.rights.protection import Protected, Protection
from op_worker.files.rules.retention import Immutability
from op_worker.files.rules.rules import NO_RULES, Rules
from op_worker.files.stored.documents import (
    LOCATION,
    META,
    PARENT,
    TIMES,
    EntryValue,
    Location,
    Times,
    link_of_entry,
)
from op_worker.files.stored.meta import Meta, has_rarities
from op_worker.files.stored.paths import storage_path
from op_worker.storage.helper import StoragePath


@define(eq=False)
class Node:
    """A file as one read found it; its documents are decoded when first asked for.

    ``link`` tells the name that it was found by: empty for its first one, else a hard link's hex digits.
    """

    key: Key
    name: str
    documents: Mapping[str, Document]
    link: str = ""
    _meta: Meta | None = field(default=None, init=False)
    _times: Times | None = field(default=None, init=False)
    _location: Location | None = field(default=None, init=False)
    _is_unusual: bool | None = field(default=None, init=False)

    @classmethod
    def found(cls, item: Resolved) -> Node:
        """Return what an entry of a directory leads to."""
        entry = item.entry
        return cls(item.key, entry.name.decode(), item.documents, link_of_entry(entry.value))

    @property
    def name_key(self) -> Key:
        """The key of the name: the file's own, or the hard link's. Users know the file by it."""
        return Key(link_uuid(self.link, self.key)) if self.link else self.key

    @property
    def exists(self) -> bool:
        """Whether there is such a file."""
        return META in self.documents

    @property
    def meta(self) -> Meta:
        if self._meta is None:
            self._meta = Meta.decode(self.documents[META].data)
        return self._meta

    @property
    def times(self) -> Times:
        if self._times is None:
            found = self.documents.get(TIMES)
            self._times = Times.at(self.meta.created_s) if found is None else Times.decode(found.data)
        return self._times

    @property
    def location(self) -> Location | None:
        """Where the bytes are; ``None`` for anything but a regular file."""
        if self._location is None and LOCATION in self.documents:
            self._location = Location.decode(self.documents[LOCATION].data)
        return self._location

    @property
    def type(self) -> FileType:
        return self.meta.type

    @property
    def is_directory(self) -> bool:
        return self.meta.type is FileType.DIR

    @property
    def is_unusual(self) -> bool:
        """Whether any of the rarely used fields of ``Meta`` are set; quick to tell."""
        if self._is_unusual is None:
            found = self.documents.get(META)
            self._is_unusual = found is not None and has_rarities(found.data)
        return self._is_unusual

    @property
    def protection(self) -> int:
        """The protection flags that are set here; those of directories above hold too."""
        return self.meta.protection if self.is_unusual else 0

    @property
    def immutability(self) -> Immutability | None:
        """What was set here to keep the file; what was set on directories above keeps it too."""
        return self.meta.immutability if self.is_unusual else None

    def rules_below(self, above: Rules) -> Rules:
        """Return the rules that hold here, in a directory with the rules ``above``."""
        if self.is_unusual:
            meta = self.meta
            if meta.immutability is not None or meta.wishes:
                return above.below(meta.immutability, meta.wishes)
        return above if above.is_empty else above.below(None, {})

    @property
    def holds_snapshots(self) -> bool:
        """Whether this is a directory of snapshots, which copies leave out."""
        return bool(self.protection & Protection.SNAPSHOTS)

    @property
    def parent_key(self) -> Key | None:
        found = self.documents.get(PARENT)
        return Key(found.data.decode()) if found is not None and found.data else None

    def revision(self, document: str) -> int:
        """Return the revision of one of the documents, ``ABSENT`` when there is none."""
        found = self.documents.get(document)
        return ABSENT if found is None else found.revision

    def written(self, documents: Mapping[str, bytes]) -> Node:
        """Return this file as it is after ``documents`` were written once each."""
        after = {field: Document(self.revision(field) + 1, data) for field, data in documents.items()}
        return Node(self.key, self.name, {**self.documents, **after}, self.link)

    def with_meta(self, meta: Meta) -> Node:
        """Return this file with another ``Meta``, which is yet to be written over the one that was read."""
        node = Node(self.key, self.name, self.documents, self.link)
        node._meta = meta
        return node

    @property
    def entry_value(self) -> bytes:
        """The value of the directory entry that leads here."""
        return EntryValue(self.key, self.meta.type, self.link).encode()


@frozen(eq=False)
class Chain:
    """A file with every directory above it: ``nodes`` begin with the root of the space."""

    space_id: SpaceId
    nodes: Sequence[Node]

    @property
    def file(self) -> Node:
        return self.nodes[-1]

    @property
    def parent(self) -> Node:
        """The directory of the file. The root of a space has none; see ``is_root``."""
        return self.nodes[-2]

    @property
    def is_root(self) -> bool:
        return len(self.nodes) == 1

    @property
    def names(self) -> tuple[str, ...]:
        """The names below the root."""
        return tuple([node.name for node in self.nodes[1:]])

    @property
    def guid(self) -> FileGuid:
        return FileGuid(FileUuid(self.file.name_key), self.space_id)

    @property
    def above(self) -> Chain:
        """The chain of the directory that the file is in."""
        return Chain(self.space_id, self.nodes[:-1])

    @property
    def is_apart(self) -> bool:
        """Whether the bytes lie at a path of their own, whatever names lead to the file."""
        location = self.file.location
        return location is not None and location.is_apart

    @property
    def storage_path(self) -> StoragePath:
        location = self.file.location
        if location is None or not location.is_apart:
            return self.named_path
        return location.apart_path(self.space_id, self.file.key)

    @property
    def named_path(self) -> StoragePath:
        """Where a file with these names lies, unless it lies apart."""
        return storage_path(self.space_id, self.names)

    @property
    def path(self) -> str:
        """``/dir/file`` below the root of the space, which is ``/``."""
        return "/" + "/".join(self.names)

    @property
    def protection(self) -> int:
        """The protection flags that hold here: the file's and those of every directory above."""
        flags = 0
        for node in self.nodes:
            flags |= node.protection
        return flags

    @property
    def canonical_path(self) -> str:
        """``/<space id>/…``, the path that data caveats speak of."""
        return "/" + self.named_path

    def child(self, node: Node) -> Chain:
        """Return the chain of a file in this directory."""
        return Chain(self.space_id, (*self.nodes, node))

    def with_file(self, node: Node) -> Chain:
        """Return the chain with another reading of the file."""
        return Chain(self.space_id, (*self.nodes[:-1], node))

    @property
    def rules(self) -> Rules:
        """What rules the file, set on it or on any directory above."""
        rules = NO_RULES
        for node in self.nodes:
            rules = node.rules_below(rules)
        return rules

    @property
    def rules_above(self) -> Rules:
        """The rules of the directory; none above the root of a space."""
        return NO_RULES if self.is_root else self.above.rules

    def facts(self, now_ms: Callable[[], int]) -> FileFacts:
        """Return what permissions are decided by; the time is asked for only where it counts."""
        meta = self.file.meta
        is_root = self.is_root
        unusual = [at for at, node in enumerate(self.nodes) if node.is_unusual]
        keepings = self._keepings(unusual) if unusual else ()
        return FileFacts(
            meta.owner,
            meta.mode,
            meta.type is FileType.DIR,
            is_root,
            0 if is_root else self.parent.meta.mode,
            meta.acl,
            self._protections(unusual) if unusual else (),
            keepings,
            now_ms() if keepings or meta.acl is not None else 0,
        )

    def _protections(self, unusual: Sequence[int]) -> tuple[Protected, ...]:
        last, nodes = len(self.nodes) - 1, self.nodes
        return tuple(
            Protected(nodes[at].meta.protection, self._path_of(at), at == last)
            for at in unusual
            if nodes[at].meta.protection
        )

    def _keepings(self, unusual: Sequence[int]) -> tuple[Keeping, ...]:
        return tuple(
            Keeping(kept, self._path_of(at))
            for at in unusual
            if (kept := self.nodes[at].meta.immutability) is not None
        )

    def _path_of(self, at: int) -> str:
        return Chain(self.space_id, self.nodes[: at + 1]).path
