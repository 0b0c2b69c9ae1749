"""Trees that are made out of sight, and appear by one commit: how they are stored while they grow. Pure.

The top of such a tree has no ``parent`` document, so nobody finds anything in it by path or by id. It is
an entry of ``DETACHED``, and its document ``LEASE`` says which node makes it and when that told so last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve, field, frozen

from cluster_worker.persistence.engine import ABSENT, Key, Link, Put, Step
from op_worker.files.stored.charges import Room, account
from op_worker.files.stored.documents import (
    LOCATION,
    META,
    PARENT,
    TIMES,
    EntryValue,
    Location,
    Times,
    encode_parent,
)
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.packing import SCHEMA, pack, unpack
from op_worker.files.stored.queues import QUEUE

DETACHED = Key("detached")
"""The directory of a space whose entries lead to the tops of trees that are being made."""
LEASE = "lease"
ORIGINAL = "of"
"""Of a directory in a copy: the key of the directory that it is a copy of."""


@frozen
class Lease:
    """Which life of a node makes a tree, and when it told so last, in seconds since the epoch."""

    node: str
    beat_s: float

    def encode(self) -> bytes:
        return pack([SCHEMA, self.node, self.beat_s])

    @classmethod
    def decode(cls, data: bytes) -> Lease:
        _, node, beat_s, *_ = unpack(data, "lease")
        return cls(node, beat_s)


@frozen(kw_only=True)
class NewFile:
    """A file that is added to a tree.

    Attributes:
        parent: the directory in the tree that it is added to; ``None`` for the top.
        custom: documents of extended attributes, JSON and RDF as they are stored.
        location: of a regular file; its bytes lie apart.
        original: of a directory in a copy, what it is a copy of.
        numbering: of a queue, the document that says how far its values are numbered.
    """

    key: Key
    parent: Key | None
    meta: Meta
    times: Times
    custom: Mapping[str, bytes] = field(factory=dict)
    location: Location | None = None
    original: Key | None = None
    numbering: bytes | None = None

    @property
    def entry_value(self) -> bytes:
        """The value of the entry that leads to it."""
        return EntryValue(self.key, self.meta.type).encode()

    def steps(self, room: Room, above: Sequence[Key]) -> list[Step]:
        """Return the steps that make the file, charged as what is below these directories."""
        meta = evolve(self.meta, has_metadata=bool(self.custom))
        documents = {META: meta.encode(), TIMES: self.times.encode(), **self.custom}
        steps: list[Step] = []
        if self.parent is not None:
            documents[PARENT] = encode_parent(self.parent)
            steps.append(Link(self.parent, self.meta.name.encode(), self.entry_value))
        if self.original is not None:
            documents[ORIGINAL] = self.original.encode()
        if self.numbering is not None:
            documents[QUEUE] = self.numbering
        if self.location is not None:
            charges = room.quotas.wanted(self.meta.owner, above)
            location = evolve(self.location, charges=charges)
            documents[LOCATION] = location.encode()
            steps.extend(account(None, location, room))
        return [*steps, *(Put(self.key, name, data, expect=ABSENT) for name, data in documents.items())]


def apart(storage_id: str, generation: bytes, like: Location | None = None, at: str = "") -> Location:
    """Return where bytes lie apart: none yet, or as many, in the same blocks, as in another place."""
    if like is None:
        return Location(storage_id, version=1, generation=generation, is_apart=True, at=at)
    return Location(
        *(storage_id, like.size_b, like.blocks),
        version=1,
        generation=generation,
        sha256=like.sha256,
        is_apart=True,
        at=at,
    )


def copied_meta(meta: Meta, name: str) -> Meta:
    """Return what an exact copy of a file is: all but what belongs to the original alone."""
    alone = evolve(meta, protection=0, links=1, shares=(), has_quota=False, immutability=None)
    return evolve(alone, name=name)
