"""May this user do that with this file? Pure: facts in, a verdict with its deciding fact out.

Order of the decision: what the token allows, what the space's privileges allow, protection flags, holds and
retention, whether the user owns the space, then the file's access control list, or its mode when it has none.
``docs/permissions.md`` shows all of it in one table.
"""

from __future__ import annotations

from onedata.errors import Errno
from op_worker.files.operations import (
    NEEDS_READ_DATA,
    NEEDS_WRITE_DATA,
    READONLY_ALLOWS,
)
from op_worker.files.operations import NOTHING as NOTHING
from op_worker.files.operations import Operation as Operation
from op_worker.files.rights.acl_decision import acl_verdict
from op_worker.files.rights.posix_decision import posix_verdict
from op_worker.files.rights.protection import Protected, names_of
from op_worker.files.rights.subjects import FileFacts as FileFacts
from op_worker.files.rights.subjects import Subject as Subject
from op_worker.files.rights.verdicts import Fact, FactKind, refused
from op_worker.files.rights.verdicts import Verdict as Verdict

READ_DATA_PRIVILEGE = "space_read_data"
WRITE_DATA_PRIVILEGE = "space_write_data"

_READING = int(READONLY_ALLOWS)
_WRITES_DATA = int(NEEDS_WRITE_DATA)
_READS_DATA = int(NEEDS_READ_DATA)
_ALLOWED_ALL = Verdict(None, Fact(FactKind.NOTHING_ASKED))
_OWNS_SPACE = Verdict(None, Fact(FactKind.SPACE_OWNER))
_CONFINED_TO_READING = refused(Fact(FactKind.READONLY_TOKEN))
PROTECTED_ELSEWHERE = Verdict(
    Errno.EPERM,
    Fact(FactKind.PROTECTION, Operation.WRITE_OBJECT, "data_protection above another name of the file"),
)
"""About the content of a file with hard links, one of which is in a protected directory."""


def decide(subject: Subject, file: FileFacts, needed: Operation) -> Verdict:
    """Say whether ``subject`` may do all of ``needed`` with ``file``. Ancestors are asked apart."""
    wanted = int(needed)
    if not wanted:
        return _ALLOWED_ALL
    if subject.is_readonly and wanted & ~_READING:
        return _CONFINED_TO_READING
    is_owner = subject.is_space_owner and not file.is_space_root
    if not is_owner:
        missing = missing_privilege(subject, wanted)
        if missing is not None:
            return refused(Fact(FactKind.PRIVILEGE, wanted, missing, is_directory=file.is_directory))
    if (fact := _against_everybody(file, wanted)) is not None:
        return Verdict(Errno.EPERM, fact)
    if is_owner:
        return _OWNS_SPACE
    if file.acl is not None:
        return acl_verdict(file.acl, subject, file, wanted)
    return posix_verdict(subject, file, wanted)


def missing_privilege(subject: Subject, needed: int) -> str | None:
    """Return the space privilege that ``needed`` asks for and the user lacks."""
    if needed & _WRITES_DATA and WRITE_DATA_PRIVILEGE not in subject.privileges:
        return WRITE_DATA_PRIVILEGE
    if needed & _READS_DATA and READ_DATA_PRIVILEGE not in subject.privileges:
        return READ_DATA_PRIVILEGE
    return None


def _against_everybody(file: FileFacts, wanted: int) -> Fact | None:
    """Return what binds owners of the space, too: protection flags, then holds and retention."""
    for protected in file.protections:
        if (flag := protected.forbids(wanted)) is not None:
            return _protected(protected, flag, wanted, file)
    for keeping in file.keepings:
        fact = keeping.fact(wanted, file.now_ms, is_directory=file.is_directory)
        if fact is not None:
            return fact
    return None


def _protected(protected: Protected, flag: int, wanted: int, file: FileFacts) -> Fact:
    [name] = names_of(flag)
    operations = wanted & protected.forbidden_by(flag)
    return Fact(FactKind.PROTECTION, operations, name, is_directory=file.is_directory, path=protected.path)
