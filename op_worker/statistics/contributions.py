"""What each name in a space adds to the directory it is in, as it was counted last. Pure.

Contributions lie in buckets: documents of the space with a field for each key, few enough in each that
the store keeps them compact. They are the memory that makes every change an exact difference, also when
the file is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zlib import crc32

import msgpack
from attrs import frozen

from cluster_worker.persistence.engine import Document, Key
from onedata.ids import FileUuid, is_space_root
from op_worker.files.model import FileType
from op_worker.files.stored.documents import LOCATION, META, PARENT, Location
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.packing import UnknownSchemaError, pack_id, unpack_id
from op_worker.files.stored.paths import COPIES, NAMELESS
from op_worker.statistics.counts import LOGICAL, NOTHING, OF_DIRECTORY, Counts, at, of_file, on_several

BUCKETS = 1 << 14
"""At a million files about sixty are in each, below the 128 that the store keeps in a compact list."""
_UNKNOWN, _DIRECTORY, _FILE, _LINKED = range(4)
_pack: Callable[[object], bytes] = msgpack.packb
READ = (META, LOCATION, PARENT)
"""The documents of a file that its contribution depends on."""


@frozen
class Contribution:
    """What a key adds to directories.

    ``counts`` are of the key itself, without what is below it. ``parent`` is empty when unknown, and when
    a file lost its first name. ``further`` are the directories of hard links: a file counts in virtual and
    physical size once, by the first of its names, and in logical size and in number by each.
    """

    parent: str
    is_directory: bool
    counts: Counts
    further: tuple[str, ...] = ()

    @property
    def placements(self) -> list[tuple[str, Counts]]:
        """The directories that it counts in, and what it adds to each."""
        if not self.further:
            return [(self.parent, self.counts)] if self.parent else []
        first, *others = (self.parent, *self.further) if self.parent else self.further
        again = (1, 0, 0, at(self.counts, LOGICAL))
        return [(first, self.counts), *((other, again) for other in others)]

    def encode(self) -> bytes:
        """Return the stored form: parent, kind, then of a file its sizes as far as they differ.

        Behind them stand the number and the bytes of each further storage.
        """
        parent = pack_id(self.parent)
        if self.is_directory:
            return _pack([parent, _DIRECTORY if self.counts else _UNKNOWN])
        _, _, virtual_b, logical_b, *physical = self.counts
        held_b, storage = (physical[-1], len(physical) - 1) if physical else (0, 0)
        elsewhere = [number for pair in enumerate(physical[:-1]) if pair[1] for number in pair]
        sizes = [logical_b, virtual_b, held_b, storage, *elsewhere]
        usual = [0, logical_b, logical_b, 0]
        while sizes and not elsewhere and sizes[-1] == usual[len(sizes) - 1]:
            sizes.pop()
        if self.further:
            return _pack([parent, _LINKED, list(map(pack_id, self.further)), *sizes])
        return _pack([parent, _FILE, *sizes])

    @classmethod
    def decode(cls, data: bytes) -> Contribution:
        stored: list[Any] = msgpack.unpackb(data)
        parent, kind, sizes = stored[0], stored[1], stored[2:]
        if kind == _UNKNOWN:
            return cls(unpack_id(parent), True, NOTHING)
        if kind == _DIRECTORY:
            return cls(unpack_id(parent), True, OF_DIRECTORY)
        further: tuple[str, ...] = ()
        if kind == _LINKED:
            further, sizes = tuple(map(unpack_id, sizes[0])), sizes[1:]
        elif kind != _FILE:
            raise UnknownSchemaError(f"contribution of kind {kind}")
        logical_b = sizes[0] if sizes else 0
        usual = [0, logical_b, logical_b, 0]
        _, virtual_b, held_b, storage, *elsewhere = sizes + usual[len(sizes) :]
        held = {storage: held_b, **dict(zip(elsewhere[::2], elsewhere[1::2], strict=True))}
        counts = on_several(logical_b, virtual_b, held)
        return cls(unpack_id(parent), False, counts, further)


UNKNOWN = Contribution("", True, NOTHING)
"""Stands for a directory that was not read yet, or that is nobody's child: a root."""


def bucket_of(key: str) -> Key:
    """Return the document that holds the contribution of a key."""
    return bucket(crc32(key.encode()) % BUCKETS)


def bucket(number: int) -> Key:
    """Return one of the ``BUCKETS`` documents."""
    return Key(f"stat-c:{number:04x}")


def may_have_links(documents: Mapping[str, Document]) -> bool:
    """Whether a file has other names than its first one, as far as its documents tell."""
    return META in documents and (PARENT not in documents or Meta.decode(documents[META].data).links > 1)


def contribution_of(
    documents: Mapping[str, Document], number_of: Callable[[str], int], further: Sequence[str] = ()
) -> Contribution | None:
    """Return what a file adds to its directories now; ``None`` when it is in none.

    Args:
        documents: those of ``READ`` that exist.
        number_of: gives the number of a storage in the space.
        further: the directories of the file's hard links.
    """
    if META not in documents or (PARENT not in documents and not further):
        return None
    parent = documents[PARENT].data.decode() if PARENT in documents else ""
    meta = Meta.decode(documents[META].data)
    if meta.type is FileType.DIR:
        is_nobodys = meta.name in (NAMELESS, COPIES) and is_space_root(FileUuid(parent))
        return Contribution(parent, True, NOTHING if is_nobodys else OF_DIRECTORY)
    if LOCATION not in documents:
        return Contribution(parent, False, of_file(0, 0, 0, 0), tuple(further))
    location = Location.decode(documents[LOCATION].data)
    held = {number_of(storage_id): held_b for storage_id, held_b in location.held_on.items()}
    counts = on_several(location.size_b, location.size_b, held)
    return Contribution(parent, False, counts, tuple(further))


def decode_all(stored: Mapping[str, Document]) -> dict[str, Contribution]:
    """Return the contributions in a bucket."""
    return {key: Contribution.decode(document.data) for key, document in stored.items()}


def by_bucket(keys: Sequence[Key]) -> dict[Key, list[Key]]:
    """Return keys grouped by the bucket that holds their contributions."""
    grouped: dict[Key, list[Key]] = {}
    for key in keys:
        grouped.setdefault(bucket_of(key), []).append(key)
    return grouped
