"""The documents of a file but ``meta``, their names, and the values of directory entries, as they are stored.

``docs/namespace.md`` shows every layout.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from cluster_worker.persistence.engine import Key
from onedata.ids import SpaceId
from op_worker.files.model import FileType, Json
from op_worker.files.stored import blocks as block_lists
from op_worker.files.stored.blocks import Blocks
from op_worker.files.stored.packing import (
    LETTERS,
    SCHEMA,
    TYPES,
    UnknownSchemaError,
    pack,
    pack_id,
    unpack,
    unpack_id,
)
from op_worker.files.stored.parts import Part, Place
from op_worker.files.stored.paths import inode_path
from op_worker.storage.helper import StoragePath

META = "meta"
TIMES = "times"
LOCATION = "loc"
PARENT = "parent"
NAME = "name"
"""Of a hard link's own key, which has a ``parent`` besides: the name as it is."""
XATTRS = "x"
JSON = "j"
RDF = "r"
SHOWN = (META, TIMES, LOCATION)
"""What a listing tells of a file."""
BASE = (*SHOWN, PARENT)
"""What is read of a file whenever it is touched."""

_USUAL: Sequence[Any] = (False, (), "", ())
"""The rarely used fields of ``Location`` as most files have them."""
UNSETTLED = "!"
"""In ``Location.staged``: a move or a cut is pending; settle it before touching the bytes."""


@frozen
class Times:
    """Milliseconds since the epoch."""

    atime_ms: int
    mtime_ms: int
    ctime_ms: int
    rest: tuple[Any, ...] = ()

    @classmethod
    def at(cls, now_s: float) -> Times:
        """Return the times of a file made now."""
        now_ms = int(now_s * 1000)
        return cls(now_ms, now_ms, now_ms)

    def modified(self, now_s: float) -> Times:
        """Return the times after a change of content or entries."""
        now_ms = int(now_s * 1000)
        return evolve(self, mtime_ms=now_ms, ctime_ms=now_ms)

    def changed(self, now_s: float) -> Times:
        """Return the times after a change of attributes."""
        return evolve(self, ctime_ms=int(now_s * 1000))

    def encode(self) -> bytes:
        mtime = self.mtime_ms
        return pack([SCHEMA, mtime, self.atime_ms - mtime, self.ctime_ms - mtime, *self.rest])

    @classmethod
    def decode(cls, data: bytes) -> Times:
        _, mtime, atime, ctime, *rest = unpack(data)
        return cls(mtime + atime, mtime, mtime + ctime, tuple(rest))


@frozen
class Location:
    """Where the bytes of a regular file are, at this provider.

    ``size_b`` and ``blocks`` govern every read: what is in no block reads as zeros without a look at
    the storage. ``generation`` changes when the content is replaced whole (empty before the first
    time), ``version`` with every change, ``trims`` with every shrinking. ``sha256`` is empty unless
    the content was written whole. ``staged`` names the staging file that the bytes are in until it is
    moved to the file's own path, or is ``UNSETTLED``. ``is_apart`` says that the bytes lie at a path that
    follows no names: at ``at``, or where that is empty at the inode's own. ``parts`` are those of the blocks
    that lie elsewhere. ``charges`` names the optional
    quotas that the held bytes are counted in, besides the support's.
    """

    storage_id: str
    size_b: int = 0
    blocks: Blocks = block_lists.NONE
    version: int = 0
    generation: bytes = b""
    sha256: bytes = b""
    staged: str = ""
    trims: int = 0
    is_apart: bool = False
    charges: tuple[str, ...] = ()
    at: str = ""
    parts: tuple[Part, ...] = ()
    rest: tuple[Any, ...] = ()

    @property
    def place(self) -> Place:
        """The main place: where whatever lies in no part is."""
        return self.storage_id, self.at

    @property
    def main_blocks(self) -> Blocks:
        """Which bytes lie at the main place."""
        held = self.blocks
        for part in self.parts:
            held = block_lists.subtract(held, part.blocks)
        return held

    @property
    def held_on(self) -> Mapping[str, int]:
        """How many bytes take room on which storage."""
        if not self.parts:
            return {self.storage_id: self.held_b}
        held = {self.storage_id: block_lists.total(self.main_blocks)}
        for part in self.parts:
            held[part.storage_id] = held.get(part.storage_id, 0) + block_lists.total(part.blocks)
        return held

    def apart_path(self, space_id: SpaceId, uuid: str) -> StoragePath:
        """Return where the bytes of a file lie that lie apart from names."""
        return StoragePath(self.at) if self.at else inode_path(space_id, uuid)

    @property
    def held_b(self) -> int:
        """How many bytes take room on the storage."""
        return block_lists.total(self.blocks)

    def encode(self) -> bytes:
        is_whole = self.blocks == block_lists.whole(self.size_b)
        flat = None if is_whole else [number for block in self.blocks for number in block]
        return pack(
            [
                SCHEMA,
                pack_id(self.storage_id),
                self.size_b,
                flat,
                self.version,
                self.generation,
                self.sha256,
                self.staged,
                self.trims,
                *self._rarities(),
            ]
        )

    def _rarities(self) -> Sequence[Any]:
        if self.rest or self.parts:
            parts = [part.pack() for part in self.parts]
            return (self.is_apart, list(self.charges), self.at, parts, *self.rest)
        if self.at:
            return (self.is_apart, list(self.charges), self.at)
        if self.charges:
            return (self.is_apart, list(self.charges))
        return (True,) if self.is_apart else ()

    @classmethod
    def decode(cls, data: bytes) -> Location:
        _, storage_id, size_b, flat, version, generation, sha256, staged, trims, *rare = unpack(data)
        if flat is None:
            held = block_lists.whole(size_b)
        else:
            held = tuple(zip(flat[::2], flat[1::2], strict=True))
        storage_id = unpack_id(storage_id)
        if not rare:
            return cls(storage_id, size_b, held, version, generation, sha256, staged, trims)
        is_apart, charges, at, parts, *rest = (*rare, *_USUAL[len(rare) :])
        return cls(
            *(storage_id, size_b, held, version, generation, sha256, staged, trims),
            *(is_apart, tuple(charges), at, tuple(map(Part.unpack, parts)), tuple(rest)),
        )


@frozen
class EntryValue:
    """What a directory entry leads to. ``link`` holds the 32 hex digits of a hard link."""

    uuid: str
    type: FileType
    link: str = ""

    def encode(self) -> bytes:
        further = f"/{self.link}" if self.link else ""
        return f"{self.uuid}/{LETTERS[self.type]}{further}".encode()

    @classmethod
    def decode(cls, value: bytes) -> EntryValue:
        uuid, letter, *further = value.decode().split("/")
        return cls(uuid, TYPES[letter[:1]], further[0] if further else "")


def encode_parent(uuid: str) -> bytes:
    """Return the ``parent`` document: the directory's key as it is."""
    return uuid.encode()


def key_of_entry(value: bytes) -> Key:
    """Return the key that an entry's value leads to."""
    return Key(value.partition(b"/")[0].decode())


def link_of_entry(value: bytes) -> str:
    """Return the hex digits of the hard link that an entry is; empty for a file's first name."""
    parts = value.split(b"/", 2)
    return parts[2].decode() if len(parts) > 2 else ""


def encode_json(value: Json) -> bytes:
    """Return the stored form of a JSON value: a schema byte, then ASCII JSON."""
    return b"\x01" + json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def decode_json(data: bytes) -> Json:
    """Return the value that ``encode_json`` stored."""
    value: Json = json.loads(_text_body(data).decode("ascii"))  # text is parsed faster than bytes
    return value


def encode_rdf(value: bytes) -> bytes:
    """Return the stored form of an RDF document: a schema byte, then the document as it came."""
    return b"\x01" + value


def decode_rdf(data: bytes) -> bytes:
    """Return the document that ``encode_rdf`` stored."""
    return _text_body(data)


def _text_body(data: bytes) -> bytes:
    if data[:1] != b"\x01":
        raise UnknownSchemaError(f"metadata document of version {data[:1]!r}")
    return data[1:]
