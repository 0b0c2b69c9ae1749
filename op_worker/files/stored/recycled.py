"""What lies in the recycle bin of a space: its stored form, and the steps in and out. Pure.

The bin is a directory of entries named by the moment of their expiry and the file's key, so that the next
to expire is always the last one; the entry's value is the one that the file had in its own directory. The
file's ``bin`` document says where it came from. Its bytes wait in the trash folder of the storage, unless
they lie apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgpack
from attrs import evolve, frozen

from cluster_worker.persistence.engine import ABSENT, Check, Delete, Key, Link, Put, Resolved, Step, Unlink
from onedata.ids import SpaceId
from op_worker.files.stored import batches, hard_links
from op_worker.files.stored.documents import BASE, LOCATION, META, PARENT, TIMES, UNSETTLED, encode_parent
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.packing import UnknownSchemaError
from op_worker.files.stored.paths import trash_path
from op_worker.storage.helper import StoragePath

BIN = "bin"
"""The document of a file that lies in the bin."""
FIELDS: Sequence[str] = (*BASE, BIN)
_SCHEMA = 1
_LATEST_MS = 16**12 - 1
DAY_S = 24 * 60 * 60.0


def bin_key(space_id: SpaceId) -> Key:
    """Return the key of the directory that is the bin of a space."""
    return Key(f"bin_{space_id}")


def item_id(expires_s: float, key: Key) -> str:
    """Return the name of an item; the later one expires, the earlier its name in byte order."""
    expires_ms = min(max(int(expires_s * 1000), 0), _LATEST_MS)
    return f"{_LATEST_MS - expires_ms:012x}.{key}"


def expires_s(item: str) -> float:
    """Return when an item expires, in seconds since the epoch."""
    return (_LATEST_MS - int(item.partition(".")[0], 16)) / 1000


@frozen
class Origin:
    """Where an item came from: its path below the space root, who removed it, and when."""

    names: tuple[str, ...]
    removed_by: str
    removed_s: float
    rest: tuple[Any, ...] = ()

    def encode(self) -> bytes:
        packed: bytes = msgpack.packb(
            [_SCHEMA, list(self.names), self.removed_by, int(self.removed_s * 1000), *self.rest]
        )
        return packed

    @classmethod
    def decode(cls, data: bytes) -> Origin:
        schema, names, removed_by, removed_ms, *rest = msgpack.unpackb(data)
        if schema != _SCHEMA:
            raise UnknownSchemaError(f"recycled file of version {schema}")
        return cls(tuple(names), removed_by, removed_ms / 1000, tuple(rest))


@frozen(eq=False)
class Item:
    """A file or a directory in the bin as one read found it."""

    item_id: str
    node: Node
    origin: Origin

    @classmethod
    def found(cls, item: Resolved) -> Item | None:
        """Return what an entry of the bin leads to; ``None`` when it is just leaving."""
        node = Node.found(item)
        if not node.exists or BIN not in node.documents:
            return None
        return cls(node.name, node, Origin.decode(node.documents[BIN].data))

    @property
    def expires_s(self) -> float:
        """When it is removed for good, in seconds since the epoch."""
        return expires_s(self.item_id)

    def storage_path(self, space_id: SpaceId) -> StoragePath:
        """Return where its bytes wait."""
        location = self.node.location
        if location is not None and location.is_apart:
            return location.apart_path(space_id, self.node.key)
        return trash_path(space_id, self.node.key)

    def leave(self, space_id: SpaceId) -> list[Step]:
        """Return the steps that take it out of the bin."""
        node = self.node
        return [
            Unlink(bin_key(space_id), self.item_id.encode(), node.entry_value),
            Delete(node.key, BIN, expect=node.revision(BIN)),
        ]


def moves_bytes(node: Node) -> bool:
    """Whether the bytes of a file follow it into the bin and out of it."""
    location = node.location
    return batches.has_bytes(node) and not (location is not None and location.is_apart)


def unsettled(node: Node) -> dict[str, bytes]:
    """Return the document that tells readers of a file to wait for its bytes, when these move."""
    location = node.location
    if location is None or location.is_apart:
        return {}
    return {LOCATION: evolve(location, staged=UNSETTLED).encode()}


def recycle(chain: Chain, item: str, origin: Origin) -> list[Step]:
    """Return the steps that move a file with one name, or a directory, into the bin."""
    file, bin_ = chain.file, bin_key(chain.space_id)
    return [
        *batches.steady_name(chain),
        Unlink(chain.parent.key, file.name.encode(), file.entry_value),
        Link(bin_, item.encode(), file.entry_value),
        Check(file.key, META, file.revision(META)),
        _moved_to(file, bin_),
        Put(file.key, BIN, origin.encode(), expect=ABSENT),
        *(Put(file.key, name, data, file.revision(name)) for name, data in unsettled(file).items()),
        batches.touch(chain.parent, origin.removed_s),
    ]


def restored(item: Item, directory: Key, name: str, now_s: float) -> dict[str, bytes]:
    """Return the documents that an item gets with a place in a directory."""
    node = item.node
    documents = {TIMES: node.times.changed(now_s).encode(), **unsettled(node)}
    if not node.link:
        documents[META] = evolve(node.meta, name=name).encode()
        documents[PARENT] = encode_parent(directory)
    return documents


def restore(
    item: Item, directory: Chain, name: str, documents: Mapping[str, bytes], now_s: float
) -> list[Step]:
    """Return the steps that give an item a place in a directory, and ``documents``."""
    node, parent = item.node, directory.file
    return [
        *batches.steady(directory),
        *item.leave(directory.space_id),
        Link(parent.key, name.encode(), node.entry_value),
        *(Put(node.key, field, data, expect=node.revision(field)) for field, data in documents.items()),
        *(hard_links.rename(node, parent.key, name) if node.link else []),
        batches.touch(parent, now_s),
    ]


def give_up(item: Item, space_id: SpaceId, trash: Key) -> list[Step]:
    """Return the steps that move an item into the trash, where it is purged; its bytes are there already."""
    node = item.node
    return [
        *item.leave(space_id),
        Link(trash, node.key.encode(), node.entry_value),
        _moved_to(node, trash),
    ]


def _moved_to(node: Node, directory: Key) -> Step:
    """Return the step that says in which directory a name is now; its entry is moved along."""
    expect = None if node.link else node.revision(PARENT)
    return Put(node.name_key, PARENT, encode_parent(directory), expect=expect)
