"""What permission bits say. Pure."""

from __future__ import annotations

from functools import lru_cache

from op_worker.files.operations import Operation
from op_worker.files.rights.subjects import FileFacts, Subject
from op_worker.files.rights.verdicts import Fact, FactKind, Verdict, refused

STICKY = 0o1000
_Op = Operation
_ALWAYS = int(_Op.READ_ATTRIBUTES | _Op.READ_ACL)
_READ_BIT = int(_Op.READ_OBJECT | _Op.READ_METADATA)
_WRITE_BIT_FILE = int(_Op.WRITE_OBJECT | _Op.WRITE_ATTRIBUTES | _Op.WRITE_METADATA)
_WRITE_BIT_DIR = int(_Op.ADD_SUBCONTAINER | _Op.WRITE_ATTRIBUTES | _Op.WRITE_METADATA)
_WRITE_AND_EXECUTE_DIR = int(_Op.ADD_OBJECT | _Op.DELETE_CHILD)
_DELETE = int(_Op.DELETE)
_OWNER_ALONE = int(_Op.WRITE_ACL | _Op.WRITE_RETENTION | _Op.WRITE_RETENTION_HOLD)
_OWNER = _OWNER_ALONE | _DELETE


def _by_bits(bits: int, *, is_directory: bool) -> int:
    """Return what the three bits of a triplet allow."""
    allowed = _ALWAYS
    if bits & 4:
        allowed |= _READ_BIT
    if bits & 2:
        allowed |= _WRITE_BIT_DIR if is_directory else _WRITE_BIT_FILE
    if bits & 1:
        allowed |= _Op.TRAVERSE
    if is_directory and bits & 3 == 3:
        allowed |= _WRITE_AND_EXECUTE_DIR
    return int(allowed)


_FILE_BITS = tuple(_by_bits(bits, is_directory=False) for bits in range(8))
_BY_BITS = (_FILE_BITS[7] | _by_bits(7, is_directory=True)) & ~_ALWAYS
_DIRECTORY_BITS = tuple(_by_bits(bits, is_directory=True) for bits in range(8))


def posix_verdict(subject: Subject, file: FileFacts, needed: int) -> Verdict:
    """Say whether the permission bits let ``subject`` do all of ``needed``, which is not empty."""
    shift = _shift(subject, file)
    allowed = _allowed(shift, file)
    if needed & ~allowed:
        return _refusal(shift, file, needed & ~allowed)
    return _allowance(shift, file.mode, needed, file.is_directory)


def posix_allows(subject: Subject, file: FileFacts) -> Operation:
    """Return everything that the permission bits let ``subject`` do.

    The owner has the first triplet, any other member of the space the second, guests the third.
    """
    return Operation(_allowed(_shift(subject, file), file))


def _shift(subject: Subject, file: FileFacts) -> int:
    """Return where in a mode the triplet of ``subject`` begins."""
    if subject.user_id is not None and subject.user_id == file.owner:
        return 6
    return 3 if subject.is_member else 0


def _allowed(shift: int, file: FileFacts) -> int:
    table = _DIRECTORY_BITS if file.is_directory else _FILE_BITS
    allowed = table[file.mode >> shift & 7]
    if shift == 6:
        return allowed | _OWNER
    return allowed if file.parent_mode & STICKY else allowed | _DELETE


@lru_cache(maxsize=4096)
def _allowance(shift: int, mode: int, needed: int, is_directory: bool) -> Verdict:
    """Name what allows: the bits, unless what is asked for does not depend on them."""
    if by_bits := needed & _BY_BITS:
        fact = Fact(FactKind.MODE, by_bits, _TRIPLETS[shift], mode, is_directory=is_directory)
    elif by_owner := needed & _OWNER:
        kind = FactKind.OWNERSHIP if shift == 6 else FactKind.ALWAYS
        fact = Fact(kind, by_owner, is_directory=is_directory)
    else:
        fact = Fact(FactKind.ALWAYS, needed, is_directory=is_directory)
    return Verdict(None, fact)


def _refusal(shift: int, file: FileFacts, denied: int) -> Verdict:
    """Name what stands in the way: the bits first, then what only an owner may."""
    by_bits = denied & ~_OWNER
    if by_bits:
        what = _TRIPLETS[shift]
        return refused(Fact(FactKind.MODE, by_bits, what, file.mode, is_directory=file.is_directory))
    kind = FactKind.OWNERSHIP if denied & _OWNER_ALONE else FactKind.STICKY
    return refused(Fact(kind, denied, is_directory=file.is_directory))


_TRIPLETS = {6: "owner", 3: "group", 0: "other"}
