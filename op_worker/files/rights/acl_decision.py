"""What an access control list says: entries in order, each for those that it names. Pure."""

from __future__ import annotations

from op_worker.files.acl import Ace, AceFlag, AceKind, Acl
from op_worker.files.rights.subjects import FileFacts, Subject
from op_worker.files.rights.verdicts import Fact, FactKind, Verdict, refused

_INHERIT_ONLY = int(AceFlag.INHERIT_ONLY)
ADMIN_PRIVILEGE = "space_set_privileges"
"""Who has it may give himself every other privilege."""
_GROUP_FLAG = int(AceFlag.IDENTIFIER_GROUP)
_DENY, _AUDIT = AceKind.DENY, AceKind.AUDIT


def acl_verdict(acl: Acl, subject: Subject, file: FileFacts, needed: int) -> Verdict:
    """Say whether ``acl`` lets ``subject`` do all of ``needed``, which is not empty.

    An entry that denies something still needed ends it, entries that allow add up, and the end of the list
    denies what is left. The owner of the file has no rights but those of the entries. Entries that audit, or
    that have expired, decide nothing.
    """
    left = needed
    for number, ace in enumerate(acl, 1):
        hit = ace.mask & left
        if not hit or not applies(ace, subject, file):
            continue
        if ace.kind is _DENY:
            return refused(_fact(FactKind.ACL_ENTRY, hit, file, number, ace))
        left &= ~hit
        if not left:
            return Verdict(None, _fact(FactKind.ACL_ENTRY, hit, file, number, ace))
    return refused(_fact(FactKind.ACL_END, left, file))


def applies(ace: Ace, subject: Subject, file: FileFacts) -> bool:
    """Whether an entry speaks of this subject at this file."""
    if ace.flags & _INHERIT_ONLY or ace.kind is _AUDIT or ace.is_expired(file.now_ms):
        return False
    match ace.who:
        case "OWNER@":
            return subject.user_id is not None and subject.user_id == file.owner
        case "GROUP@" | "AUTHENTICATED@":
            return subject.is_member
        case "EVERYONE@":
            return True
        case "ANONYMOUS@":
            return not subject.is_member
        case "ADMINISTRATOR@":
            return subject.is_space_owner
        case "ADMINUSERS@":
            return subject.is_space_owner or ADMIN_PRIVILEGE in subject.privileges
    if ace.flags & _GROUP_FLAG:
        return ace.who in subject.groups
    return ace.who == subject.user_id


def _fact(kind: FactKind, operations: int, file: FileFacts, entry: int = 0, ace: Ace | None = None) -> Fact:
    return Fact(kind, operations, entry=entry, ace=ace, is_directory=file.is_directory)
