"""The checksum that a verification computed of a content that has none of its own. Pure.

It stands in a document of its own, ``[1, version, generation, sha256]``, and counts only while the
content is the version that it was computed of.
"""

from __future__ import annotations

from typing import Any

import msgpack
from attrs import frozen

from op_worker.files.stored.documents import Location
from op_worker.files.stored.packing import UnknownSchemaError

MEASURED = "sum"
"""The field of a file's document."""
_SCHEMA = 1


@frozen
class Measured:
    """A SHA-256 with the content that it is of."""

    version: int
    generation: bytes
    sha256: bytes

    def is_of(self, location: Location) -> bool:
        """Whether the content is still the one that was measured."""
        return (self.version, self.generation) == (location.version, location.generation)

    def encode(self) -> bytes:
        packed: bytes = msgpack.packb([_SCHEMA, self.version, self.generation, self.sha256])
        return packed

    @classmethod
    def decode(cls, data: bytes) -> Measured:
        fields: list[Any] = msgpack.unpackb(data)
        if fields[0] != _SCHEMA:
            raise UnknownSchemaError(f"checksum of version {fields[0]}")
        return cls(*fields[1:4])


def known_sha256(location: Location, document: bytes | None) -> bytes:
    """Return the SHA-256 of a content, from its location or measured; empty when none is known."""
    if location.sha256 or document is None:
        return location.sha256
    measured = Measured.decode(document)
    return measured.sha256 if measured.is_of(location) else b""
