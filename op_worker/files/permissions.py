"""May this user do that with this file? Pure: facts in, a verdict with its deciding fact out.

Order of the decision: what the token allows, what the space's privileges allow, whether the user owns
the space, then the file's POSIX mode. Operation bits are those of CDMI and NFSv4 access masks.
"""

from __future__ import annotations

from enum import IntFlag

from attrs import frozen

from onedata.errors import Errno


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
    DELETE = 0x10000
    READ_ACL = 0x20000
    WRITE_ACL = 0x40000


NOTHING = Operation(0)
READ_DATA_PRIVILEGE = "space_read_data"
WRITE_DATA_PRIVILEGE = "space_write_data"
STICKY = 0o1000

_Op = Operation
NEEDS_READ_DATA = _Op.READ_OBJECT | _Op.READ_METADATA
NEEDS_WRITE_DATA = (
    _Op.WRITE_OBJECT
    | _Op.ADD_SUBCONTAINER
    | _Op.WRITE_METADATA
    | _Op.DELETE_CHILD
    | _Op.WRITE_ATTRIBUTES
    | _Op.DELETE
    | _Op.WRITE_ACL
)
READONLY_ALLOWS = _Op.READ_OBJECT | _Op.READ_METADATA | _Op.READ_ATTRIBUTES | _Op.READ_ACL | _Op.TRAVERSE
_ALWAYS = _Op.READ_ATTRIBUTES | _Op.READ_ACL
_READ_BIT = _Op.READ_OBJECT | _Op.READ_METADATA
_WRITE_BIT_FILE = _Op.WRITE_OBJECT | _Op.WRITE_ATTRIBUTES | _Op.WRITE_METADATA
_WRITE_BIT_DIR = _Op.ADD_SUBCONTAINER | _Op.WRITE_ATTRIBUTES | _Op.WRITE_METADATA
_WRITE_AND_EXECUTE_DIR = _Op.ADD_OBJECT | _Op.DELETE_CHILD
_OWNER = _Op.WRITE_ACL | _Op.DELETE


@frozen
class Subject:
    """The user in one space. ``is_member`` is false for guests, who come through shares only."""

    user_id: str | None
    privileges: frozenset[str] = frozenset()
    is_space_owner: bool = False
    is_member: bool = True
    is_readonly: bool = False


@frozen
class FileFacts:
    """What counts of a file. ``parent_mode`` is its directory's mode, for the sticky bit."""

    owner: str
    mode: int
    is_directory: bool
    is_space_root: bool = False
    parent_mode: int = 0


@frozen
class Verdict:
    """Whether the operation is allowed; when not, ``errno`` and the ``fact`` that decided."""

    errno: Errno | None = None
    fact: str = ""

    @property
    def allowed(self) -> bool:
        return self.errno is None


ALLOWED = Verdict()


def decide(subject: Subject, file: FileFacts, needed: Operation) -> Verdict:
    """Say whether ``subject`` may do all of ``needed`` with ``file``. Ancestors are asked apart."""
    if subject.is_readonly and needed & ~READONLY_ALLOWS:
        return Verdict(Errno.EACCES, "the token is confined to reading")
    if subject.is_space_owner and not file.is_space_root:
        return ALLOWED
    missing = missing_privilege(subject, needed)
    if missing is not None:
        return Verdict(Errno.EACCES, f"privilege {missing} is missing")
    denied = needed & ~posix_allows(subject, file)
    if denied:
        return Verdict(Errno.EACCES, f"mode {file.mode:o} denies {describe(denied, file)}")
    return ALLOWED


def missing_privilege(subject: Subject, needed: Operation) -> str | None:
    """Return the space privilege that ``needed`` asks for and the user lacks."""
    if needed & NEEDS_WRITE_DATA and WRITE_DATA_PRIVILEGE not in subject.privileges:
        return WRITE_DATA_PRIVILEGE
    if needed & NEEDS_READ_DATA and READ_DATA_PRIVILEGE not in subject.privileges:
        return READ_DATA_PRIVILEGE
    return None


def posix_allows(subject: Subject, file: FileFacts) -> Operation:
    """Return everything that the permission bits let ``subject`` do.

    The owner has the first triplet, any other member of the space the second, guests the third.
    """
    is_owner = subject.user_id is not None and subject.user_id == file.owner
    bits = triplet(file.mode, is_owner=is_owner, is_member=subject.is_member)
    allowed = _ALWAYS
    if bits & 4:
        allowed |= _READ_BIT
    if bits & 2:
        allowed |= _WRITE_BIT_DIR if file.is_directory else _WRITE_BIT_FILE
    if bits & 1:
        allowed |= _Op.TRAVERSE
    if file.is_directory and bits & 3 == 3:
        allowed |= _WRITE_AND_EXECUTE_DIR
    if is_owner:
        allowed |= _OWNER
    elif not file.parent_mode & STICKY:
        allowed |= _Op.DELETE
    return allowed


def triplet(mode: int, *, is_owner: bool, is_member: bool) -> int:
    """Return the three bits of ``mode`` that apply."""
    if is_owner:
        return mode >> 6 & 7
    return mode >> 3 & 7 if is_member else mode & 7


def describe(operations: Operation, file: FileFacts) -> str:
    """Name operations as they are called for a file or for a directory."""
    names = []
    for operation in Operation:
        if operation & operations:
            name = _DIRECTORY_NAMES.get(operation) if file.is_directory else None
            names.append((name or operation.name or "").lower())
    return ", ".join(names)


_DIRECTORY_NAMES = {_Op.READ_OBJECT: "LIST_CONTAINER", _Op.WRITE_OBJECT: "ADD_OBJECT"}
