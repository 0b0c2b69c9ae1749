"""Verdicts of permission decisions, each with the fact that decided. Pure."""

from __future__ import annotations

from enum import StrEnum

from attrs import evolve, field, frozen

from onedata.errors import Errno
from op_worker.files.acl import Ace
from op_worker.files.operations import describe


class FactKind(StrEnum):
    """What sort of thing decided."""

    NOTHING_ASKED = "nothingAsked"
    READONLY_TOKEN = "readonlyToken"
    CONFINED_TOKEN = "confinedToken"
    NOT_MEMBER = "notMember"
    SPACE_ROOT = "spaceRoot"
    PRIVILEGE = "missingPrivilege"
    PROTECTION = "protectionFlag"
    HOLD = "hold"
    RETENTION = "retention"
    SPACE_OWNER = "spaceOwner"
    ACL_ENTRY = "aclEntry"
    ACL_END = "aclEnd"
    MODE = "mode"
    STICKY = "stickyBit"
    OWNERSHIP = "ownership"
    ALWAYS = "always"


@frozen
class Fact:
    """What decided.

    Attributes:
        operations: the bits that it decided on.
        what: the privilege, the flag, the triplet, the holds, or the end of the retention period.
        entry: the number of the ACL's entry, from 1, which is ``ace``.
        path: below the root of the space, of the file whose mode, list or flag it is.
    """

    kind: FactKind
    operations: int = 0
    what: str = ""
    mode: int | None = None
    entry: int = 0
    ace: Ace | None = field(default=None)
    is_directory: bool = False
    path: str = ""

    def of(self, path: str) -> Fact:
        """Return the fact with the file that it is about, unless that is known already."""
        return self if self.path else evolve(self, path=path)


@frozen
class Verdict:
    """Whether operations are allowed (``errno`` is ``None``), and the fact that decided."""

    errno: Errno | None
    fact: Fact

    @property
    def allowed(self) -> bool:
        return self.errno is None

    def of(self, path: str) -> Verdict:
        """Return the verdict with the file that it is about."""
        return Verdict(self.errno, self.fact.of(path))

    @property
    def text(self) -> str:
        """One sentence for a person."""
        return sentence(self)


def refused(fact: Fact) -> Verdict:
    """Return the usual refusal."""
    return Verdict(Errno.EACCES, fact)


def sentence(verdict: Verdict) -> str:
    """Say in English what decided."""
    fact, allowed = verdict.fact, verdict.allowed
    operations = describe(fact.operations, is_directory=fact.is_directory)
    at = f" of {fact.path}" if fact.path else ""
    match fact.kind:
        case FactKind.ACL_ENTRY:
            verb = "allows" if allowed else "denies"
            return f"entry {fact.entry} of the ACL{at} {verb} {operations}: {_ace_text(fact)}"
        case FactKind.ACL_END:
            return f"no entry of the ACL{at} allows {operations}; the end of the list denies"
        case FactKind.MODE:
            verb = "allows" if allowed else "denies"
            return f"mode {fact.mode or 0:03o}{at} {verb} {operations} by its {fact.what} triplet"
        case FactKind.STICKY:
            return f"the directory{at} is sticky: only the owner of a file may remove it"
        case FactKind.PROTECTION | FactKind.HOLD | FactKind.RETENTION:
            on = f" on {fact.path}" if fact.path else ""
            return f"{_BINDING.get(fact.kind, '')}{fact.what}{on} forbids {operations}"
        case FactKind.PRIVILEGE:
            return f"privilege {fact.what} is missing"
        case FactKind.OWNERSHIP:
            owner = f"the owner{at or ' of the file'} may {operations}"
            return owner if allowed else f"only {owner}"
        case FactKind.ALWAYS:
            return f"members of the space may {operations} where no ACL decides"
        case _:
            return _PLAIN[fact.kind]


_BINDING = {FactKind.HOLD: "hold ", FactKind.RETENTION: "retention until "}
_PLAIN = {
    FactKind.NOTHING_ASKED: "nothing beyond the way to the file is needed",
    FactKind.READONLY_TOKEN: "the token is confined to reading",
    FactKind.CONFINED_TOKEN: "the token is confined to other files",
    FactKind.NOT_MEMBER: "the user is not a member of the space",
    FactKind.SPACE_ROOT: "members of the space pass its root",
    FactKind.SPACE_OWNER: "the user owns the space",
}


def _ace_text(fact: Fact) -> str:
    ace = fact.ace
    if ace is None:
        return ""
    kind = "group " if ace.is_group else ""
    return f"{ace.kind.name} {kind}{ace.who} {describe(ace.mask, is_directory=fact.is_directory)}"
