"""The documents of a file and their stored form: msgpack arrays that begin with a schema number.

Fields that a newer version appended are kept in ``rest`` and written back. Ids of 32 hex digits are
stored as 16 bytes. ``docs/namespace.md`` shows every layout.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgpack
from attrs import evolve, field, frozen

from cluster_worker.persistence.engine import Key
from op_worker.files.acl import Acl, pack_acl, unpack_acl
from op_worker.files.model import FileType, Json
from op_worker.files.rules import Immutability, Wish
from op_worker.files.stored import blocks as block_lists
from op_worker.files.stored.blocks import Blocks

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

SCHEMA = 1
_USUAL: Sequence[Any] = (None, 0, 1, [], False, False, None, {})
"""The rarely used fields of ``Meta`` as most files have them."""
_ORDINARY = 0x90 | 9
"""How a stored ``Meta`` without rarely used fields begins: a msgpack array of nine."""
UNSETTLED = "!"
"""In ``Location.staged``: a move or a cut is pending; settle it before touching the bytes."""

_LETTERS = {FileType.REG: "R", FileType.DIR: "D", FileType.SYMLNK: "S"}
_TYPES = {letter: type_ for type_, letter in _LETTERS.items()}
_HEX = frozenset("0123456789abcdef")
_pack: Callable[[object], bytes] = msgpack.packb


class UnknownSchemaError(Exception):
    """A stored document is of a version that this program does not know; upgrade the program."""


@frozen
class Meta:
    """What a file is. ``created_s`` in whole seconds since the epoch.

    ``acl`` decides instead of ``mode`` when there is one. ``protection`` holds bits of
    ``protection.Protection``. ``links`` counts the names that lead to the file. ``shares`` are the ids of
    shares that begin here. ``has_quota`` says that what lies below is charged to this directory's quota.
    ``is_queue`` marks a directory whose files are the values of a queue. ``immutability`` and ``wishes`` are
    rules that hold for what is below, too.
    """

    name: str
    type: FileType
    mode: int
    owner: str
    provider_id: str
    created_s: int
    symlink_target: str | None = None
    has_metadata: bool = False
    acl: Acl | None = None
    protection: int = 0
    links: int = 1
    shares: tuple[str, ...] = ()
    has_quota: bool = False
    is_queue: bool = False
    immutability: Immutability | None = None
    wishes: Mapping[str, Wish] = field(factory=dict)
    rest: tuple[Any, ...] = ()

    def encode(self) -> bytes:
        return _pack(
            [
                SCHEMA,
                self.name,
                _LETTERS[self.type],
                self.mode,
                pack_id(self.owner),
                pack_id(self.provider_id),
                self.created_s,
                self.symlink_target,
                self.has_metadata,
                *self._rarities(),
            ]
        )

    def _rarities(self) -> Sequence[Any]:
        """What few files have; left out from where only defaults follow."""
        if self.rest:
            return (*self._rare(), *self.rest)
        rare = self._rare()
        count = len(rare)
        while count and rare[count - 1] == _USUAL[count - 1]:
            count -= 1
        return rare[:count]

    def _rare(self) -> Sequence[Any]:
        acl = None if self.acl is None else pack_acl(self.acl)
        shares = [pack_id(one) for one in self.shares]
        kept = None if self.immutability is None else self.immutability.packed()
        flags = (self.has_quota, self.is_queue)
        return (acl, self.protection, self.links, shares, *flags, kept, dict(self.wishes))

    @classmethod
    def decode(cls, data: bytes) -> Meta:
        _, name, letter, mode, owner, provider_id, created_s, link, custom, *rare = _unpack(data)
        if not rare:
            return cls(
                name,
                _TYPES[letter],
                mode,
                unpack_id(owner),
                unpack_id(provider_id),
                created_s,
                link,
                custom,
            )
        full = (*rare, *_USUAL[len(rare) :])[: len(_USUAL)]
        acl, protection, links, shares, has_quota, is_queue, kept, wishes = full
        return cls(
            name,
            _TYPES[letter],
            mode,
            unpack_id(owner),
            unpack_id(provider_id),
            created_s,
            link,
            custom,
            None if acl is None else unpack_acl(acl),
            protection,
            links,
            tuple(map(unpack_id, shares)),
            has_quota,
            is_queue,
            Immutability.unpacked(kept),
            wishes,
            tuple(rare[len(_USUAL) :]),
        )


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
        return _pack([SCHEMA, mtime, self.atime_ms - mtime, self.ctime_ms - mtime, *self.rest])

    @classmethod
    def decode(cls, data: bytes) -> Times:
        _, mtime, atime, ctime, *rest = _unpack(data)
        return cls(mtime + atime, mtime, mtime + ctime, tuple(rest))


@frozen
class Location:
    """Where the bytes of a regular file are, at this provider.

    ``size_b`` and ``blocks`` govern every read: what is in no block reads as zeros without a look at
    the storage. ``generation`` changes when the content is replaced whole (empty before the first
    time), ``version`` with every change, ``trims`` with every shrinking. ``sha256`` is empty unless
    the content was written whole. ``staged`` names the staging file that the bytes are in until it is
    moved to the file's own path, or is ``UNSETTLED``. ``is_apart`` says that the bytes lie at the inode's
    own path instead of one computed from names. ``charges`` names the optional quotas that the held
    bytes are counted in, besides the support's.
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
    rest: tuple[Any, ...] = ()

    @property
    def held_b(self) -> int:
        """How many bytes take room on the storage."""
        return block_lists.total(self.blocks)

    def encode(self) -> bytes:
        is_whole = self.blocks == block_lists.whole(self.size_b)
        flat = None if is_whole else [number for block in self.blocks for number in block]
        return _pack(
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
        if self.rest or self.charges:
            return (self.is_apart, list(self.charges), *self.rest)
        return (True,) if self.is_apart else ()

    @classmethod
    def decode(cls, data: bytes) -> Location:
        _, storage_id, size_b, flat, version, generation, sha256, staged, trims, *rare = _unpack(data)
        if flat is None:
            held = block_lists.whole(size_b)
        else:
            held = tuple(zip(flat[::2], flat[1::2], strict=True))
        storage_id = unpack_id(storage_id)
        if not rare:
            return cls(storage_id, size_b, held, version, generation, sha256, staged, trims)
        is_apart, charges, *rest = rare if len(rare) > 1 else (*rare, ())
        return cls(
            *(storage_id, size_b, held, version, generation, sha256, staged, trims),
            *(is_apart, tuple(charges), tuple(rest)),
        )


@frozen
class EntryValue:
    """What a directory entry leads to. ``link`` holds the 32 hex digits of a hard link."""

    uuid: str
    type: FileType
    link: str = ""

    def encode(self) -> bytes:
        further = f"/{self.link}" if self.link else ""
        return f"{self.uuid}/{_LETTERS[self.type]}{further}".encode()

    @classmethod
    def decode(cls, value: bytes) -> EntryValue:
        uuid, letter, *further = value.decode().split("/")
        return cls(uuid, _TYPES[letter[:1]], further[0] if further else "")


def has_rarities(meta: bytes) -> bool:
    """Whether a stored ``Meta`` has any of the rarely used fields; much cheaper than decoding it."""
    return meta[0] != _ORDINARY


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
    value: Json = json.loads(_text_body(data))
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


def _unpack(data: bytes) -> list[Any]:
    fields: list[Any] = msgpack.unpackb(data, use_list=True)
    if fields[0] != SCHEMA:
        raise UnknownSchemaError(f"document of version {fields[0]}")
    return fields


def pack_id(text: str) -> bytes | str:
    """Return the stored form of an id: 16 bytes when it has 32 hex digits."""
    if len(text) == 32 and _HEX.issuperset(text):
        return bytes.fromhex(text)
    return text


def unpack_id(stored: bytes | str) -> str:
    """Undo ``pack_id``."""
    return stored.hex() if isinstance(stored, bytes) else stored
