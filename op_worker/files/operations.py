"""What can be done with a file: the operation bits of CDMI and NFSv4 access masks, and their names. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntFlag


class Operation(IntFlag):
    """What can be done with a file or a directory."""

    READ_OBJECT = 0x1
    LIST_CONTAINER = 0x1
    WRITE_OBJECT = 0x2
    ADD_OBJECT = 0x2
    ADD_SUBCONTAINER = 0x4
    READ_METADATA = 0x8
    WRITE_METADATA = 0x10
    TRAVERSE = 0x20
    DELETE_CHILD = 0x40
    READ_ATTRIBUTES = 0x80
    WRITE_ATTRIBUTES = 0x100
    WRITE_RETENTION = 0x200
    WRITE_RETENTION_HOLD = 0x400
    DELETE = 0x10000
    READ_ACL = 0x20000
    WRITE_ACL = 0x40000


NOTHING = Operation(0)
"""What only the way to a file is asked for, such as its attributes."""

_Op = Operation
NEEDS_READ_DATA = _Op.READ_OBJECT | _Op.READ_METADATA
NEEDS_WRITE_DATA = (
    _Op.WRITE_OBJECT
    | _Op.ADD_SUBCONTAINER
    | _Op.WRITE_METADATA
    | _Op.DELETE_CHILD
    | _Op.WRITE_ATTRIBUTES
    | _Op.WRITE_RETENTION
    | _Op.WRITE_RETENTION_HOLD
    | _Op.DELETE
    | _Op.WRITE_ACL
)
READONLY_ALLOWS = _Op.READ_OBJECT | _Op.READ_METADATA | _Op.READ_ATTRIBUTES | _Op.READ_ACL | _Op.TRAVERSE
ON_DIRECTORIES = NEEDS_WRITE_DATA | READONLY_ALLOWS
"""Everything that means something on a directory."""
ON_FILES = ON_DIRECTORIES & ~(_Op.ADD_SUBCONTAINER | _Op.TRAVERSE | _Op.DELETE_CHILD)
"""Everything that means something on a file or a link."""

FILE_NAMES: Mapping[str, Operation] = {
    operation.name.lower(): operation for operation in Operation if operation & ON_FILES and operation.name
}
"""The operations of files by name, in the order of their bits."""
DIRECTORY_NAMES: Mapping[str, Operation] = {
    {"read_object": "list_container", "write_object": "add_object"}.get(name, name): operation
    for name, operation in ((operation.name.lower(), operation) for operation in Operation if operation.name)
}
"""The operations of directories by name, in the order of their bits."""
ALL_NAMES: Mapping[str, Operation] = {**DIRECTORY_NAMES, **FILE_NAMES}
"""Every operation by each of its names."""


def meaningful(*, is_directory: bool) -> Operation:
    """Return everything that means something on a file of this type."""
    return ON_DIRECTORIES if is_directory else ON_FILES


def names_for(*, is_directory: bool) -> Mapping[str, Operation]:
    """Return the operations on files of this type by name."""
    return DIRECTORY_NAMES if is_directory else FILE_NAMES


def describe(operations: int, *, is_directory: bool) -> str:
    """Name operations as they are called for a file or for a directory."""
    names = DIRECTORY_NAMES if is_directory else ALL_NAMES
    bits = {operation: name for name, operation in names.items()}
    return ", ".join(bits[operation] for operation in sorted(bits) if operation & operations)
