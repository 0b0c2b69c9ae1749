"""How records are stored: msgpack arrays that begin with a schema number.

Fields that a newer version appended are kept in ``rest`` and written back. Ids of 32 hex digits are
stored as 16 bytes, types of files as letters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgpack

from op_worker.files.model import FileType

SCHEMA = 1
LETTERS = {FileType.REG: "R", FileType.DIR: "D", FileType.SYMLNK: "S"}
TYPES = {letter: type_ for type_, letter in LETTERS.items()}
_HEX = frozenset("0123456789abcdef")
pack: Callable[[object], bytes] = msgpack.packb


class UnknownSchemaError(Exception):
    """A stored document is of a version that this program does not know; upgrade the program."""


def unpack(data: bytes, what: str = "document") -> list[Any]:
    """Return the fields of a record, the schema number first. Raises: UnknownSchemaError."""
    fields: list[Any] = msgpack.unpackb(data)
    if fields[0] != SCHEMA:
        raise UnknownSchemaError(f"{what} of version {fields[0]}")
    return fields


def pack_id(text: str) -> bytes | str:
    """Return the stored form of an id: 16 bytes when it has 32 hex digits."""
    if len(text) == 32 and _HEX.issuperset(text):
        return bytes.fromhex(text)
    return text


def unpack_id(stored: bytes | str) -> str:
    """Undo ``pack_id``."""
    return stored.hex() if isinstance(stored, bytes) else stored
