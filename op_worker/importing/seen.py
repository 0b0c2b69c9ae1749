"""What the storage said when a file or a directory was looked at last, as it is stored. Pure.

A change that was made through us is told from one that came from elsewhere by the version of the content:
it is kept beside what the storage said.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from attrs import frozen

from op_worker.files.stored.documents import Location
from op_worker.files.stored.nodes import Node
from op_worker.files.stored.packing import SCHEMA, pack, unpack
from op_worker.storage.helper import Scanned, StorageStat

SEEN = "seen"
"""The document of a file: ``Seen``."""
LISTED = "listed"
"""The document of a directory: ``Listed``."""
SETTLED_S = 2.0
"""What changed so short a while ago may change once more without another time, so it is not relied on."""
_DIGEST_B = 16
NO_DIGEST = bytes(_DIGEST_B)


@frozen
class Seen:
    """What a storage said of a path. Times in microseconds, 0 where the storage has none.

    ``version`` and ``generation`` are those of the location, of a file.
    """

    size_b: int
    mtime_us: int
    ctime_us: int
    mode: int | None
    uid: int | None
    gid: int | None
    tag: str = ""
    version: int = 0
    generation: bytes = b""
    rest: tuple[Any, ...] = ()

    @classmethod
    def of(cls, stat: StorageStat, location: Location | None) -> Seen:
        """Return what to remember of a path that was looked at, together with the location it has now."""
        return cls(
            size_b=0 if stat.is_directory else stat.size_b,
            mtime_us=_us(stat.mtime_s),
            ctime_us=_us(stat.ctime_s or 0.0),
            mode=stat.mode,
            uid=stat.uid,
            gid=stat.gid,
            tag=stat.tag,
            version=0 if location is None else location.version,
            generation=b"" if location is None else location.generation,
        )

    def is_of(self, location: Location) -> bool:
        """Whether nobody changed the content through us since."""
        return self.version == location.version and self.generation == location.generation

    def has_content_of(self, other: Seen) -> bool:
        """Whether the storage said the same of the content."""
        return (self.size_b, self.mtime_us, self.tag) == (other.size_b, other.mtime_us, other.tag)

    def has_attributes_of(self, other: Seen) -> bool:
        """Whether the storage said the same of everything else."""
        ours = (self.ctime_us, self.mode, self.uid, self.gid)
        return ours == (other.ctime_us, other.mode, other.uid, other.gid)

    def encode(self) -> bytes:
        return pack(
            [
                *(SCHEMA, self.size_b, self.mtime_us, self.ctime_us - self.mtime_us),
                *(self.mode, self.uid, self.gid, self.tag, self.version, self.generation, *self.rest),
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> Seen:
        _, size_b, mtime_us, later_us, mode, uid, gid, tag, version, generation, *rest = unpack(data)
        return cls(
            *(size_b, mtime_us, mtime_us + later_us, mode, uid, gid, tag, version, generation),
            tuple(rest),
        )


def seen_of(node: Node) -> Seen | None:
    """Return what was seen of a file last; ``None`` when it was not seen on the storage yet."""
    found = node.documents.get(SEEN)
    return None if found is None else Seen.decode(found.data)


@frozen
class Listed:
    """How a directory was listed last: its own time, and a digest of each batch of its names, in order."""

    mtime_us: int = 0
    digests: bytes = b""
    rest: tuple[Any, ...] = ()

    @classmethod
    def now(cls, directory: StorageStat | None, digests: Sequence[bytes], *, is_whole: bool) -> Listed:
        """Return how a directory was listed; without its time when not all could be looked at."""
        is_known = directory is not None and is_whole
        return cls(_us(directory.mtime_s) if directory is not None and is_known else 0, b"".join(digests))

    def has_digest(self, index: int, digest: bytes) -> bool:
        """Whether the batch at a place was the same."""
        return digest != NO_DIGEST and self.digests[index * _DIGEST_B :][:_DIGEST_B] == digest

    def has_names_of(self, directory: StorageStat | None) -> bool:
        """Whether no name can have come or gone since."""
        return directory is not None and self.mtime_us != 0 and self.mtime_us == _us(directory.mtime_s)

    def encode(self) -> bytes:
        return pack([SCHEMA, self.mtime_us, self.digests, *self.rest])

    @classmethod
    def decode(cls, data: bytes) -> Listed:
        _, mtime_us, digests, *rest = unpack(data)
        return cls(mtime_us, digests, tuple(rest))


def digest_of(batch: Sequence[Scanned], now_s: float) -> bytes:
    """Return the digest of a batch; ``NO_DIGEST`` when a file in it changed just now.

    Directories tell of their own changes when they are listed themselves.
    """
    hash_ = blake2b(digest_size=_DIGEST_B)
    for item in batch:
        stat = item.stat
        told: tuple[object, ...] = (item.name, stat.is_directory, stat.mode, stat.uid, stat.gid)
        if not stat.is_directory:
            if not is_settled(stat, now_s):
                return NO_DIGEST
            told = (*told, stat.size_b, stat.mtime_s, stat.ctime_s, stat.tag)
        hash_.update(repr(told).encode("utf-8", "surrogatepass"))
    return hash_.digest()


def is_settled(stat: StorageStat, now_s: float) -> bool:
    """Whether what changes from now on gets another time."""
    return max(stat.mtime_s, stat.ctime_s or 0.0) < now_s - SETTLED_S


def _us(time_s: float) -> int:
    return round(time_s * 1e6)
