"""What a check can find: stable codes, how bad each is, and what a repair does. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import frozen


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """Users see something wrong, or content may be lost."""
    WARNING = "warning"
    """Something takes room, or will be wrong later."""


class Mending(StrEnum):
    """What it takes that a finding is repaired."""

    SAFE = "safe"
    """``--repair`` does it: nothing that a user could miss goes."""
    ASKED = "asked"
    """Only when its code is named: what is lost already is written off."""
    NONE = "none"
    """A person has to decide."""


class Code(StrEnum):
    """What is wrong. The values never change their meaning."""

    DANGLING_ENTRY = "dangling-entry"
    WRONG_TYPE = "wrong-type"
    WRONG_NAME = "wrong-name"
    WRONG_PARENT = "wrong-parent"
    WRONG_LINK = "wrong-link"
    LINK_COUNT = "link-count"
    ORPHANED_FILE = "orphaned-file"
    UNREADABLE = "unreadable"
    RESERVED_NAME = "reserved-name"
    UNANNOUNCED = "unannounced"
    MISSING_BYTES = "missing-bytes"
    SHORT_BYTES = "short-bytes"
    UNKNOWN_BYTES = "unknown-bytes"
    WRONG_DIGEST = "wrong-digest"
    LEFT_STAGING = "left-staging"
    COUNTER = "counter"
    OLD_INTENT = "old-intent"
    REGISTER = "register"
    SHARE = "share"


@frozen
class Kind:
    """A kind of finding: how bad it is, what it takes to repair it, and what the repair does."""

    severity: Severity
    mending: Mending
    meaning: str
    repair: str


_E, _W = Severity.ERROR, Severity.WARNING
_S, _A, _N = Mending.SAFE, Mending.ASKED, Mending.NONE
KINDS: Mapping[Code, Kind] = {
    Code.DANGLING_ENTRY: Kind(_E, _S, "a name leads to no file", "removes the name"),
    Code.WRONG_TYPE: Kind(_E, _S, "an entry tells another type than its file", "writes the file's type"),
    Code.WRONG_NAME: Kind(
        _E,
        _S,
        "a file tells another name than its entry",
        "writes the entry's name; removes the entry when the file also has the name that it tells",
    ),
    Code.WRONG_PARENT: Kind(
        _E,
        _S,
        "a file tells another directory than the one it is in",
        "writes the directory; removes the entry when the file is where it tells",
    ),
    Code.WRONG_LINK: Kind(
        _E, _S, "the record of a hard link is missing or tells another place", "writes the record"
    ),
    Code.LINK_COUNT: Kind(_E, _S, "a file counts more or fewer names than it has", "writes the number"),
    Code.ORPHANED_FILE: Kind(
        _E,
        _S,
        "no name leads to a file",
        "gives it its name back, or one in `lost+found` when that is taken or its directory is gone",
    ),
    Code.UNREADABLE: Kind(_E, _N, "a document cannot be read by this version", ""),
    Code.RESERVED_NAME: Kind(_W, _N, "a file at the root of a space has a reserved name", ""),
    Code.UNANNOUNCED: Kind(_W, _S, "the change feed does not know a file", "announces it"),
    Code.MISSING_BYTES: Kind(
        _E, _A, "the storage has no bytes of a file", "lets what is missing read as zeros"
    ),
    Code.SHORT_BYTES: Kind(
        _E, _A, "the storage has fewer bytes than a file", "lets what is missing read as zeros"
    ),
    Code.UNKNOWN_BYTES: Kind(
        _W,
        _S,
        "the storage has a file that no name leads to",
        "makes a file of it in `lost+found`; with `--delete-orphans` removes it",
    ),
    Code.WRONG_DIGEST: Kind(
        _E, _A, "content is not as it was written (`--content`)", "takes it as it is, without a digest"
    ),
    Code.LEFT_STAGING: Kind(_W, _S, "a staging file that nobody will use", "removes it"),
    Code.COUNTER: Kind(
        _E, _S, "a counter of bytes or files is not the sum over all files", "adds the difference"
    ),
    Code.OLD_INTENT: Kind(
        _W, _S, "a storage operation is pending for more than an hour", "carries it out, if nobody does"
    ),
    Code.REGISTER: Kind(
        _E, _S, "a register of protected or kept files misses one, or has one too many", "writes the entry"
    ),
    Code.SHARE: Kind(
        _E,
        _S,
        "the list of shares, a share and its file tell different things",
        "removes the entry or the mention that leads nowhere, lists what is missing",
    ),
}


@frozen
class Finding:
    """One thing that is wrong.

    Attributes:
        key: of the file or, for counters, its name.
        place: the key of a directory or register, or a storage path.
        name: of an entry in it.
        detail: for people.
        due: of a counter, what is to be added.
    """

    code: Code
    key: str
    place: str = ""
    name: bytes = b""
    detail: str = ""
    due: int = 0

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes it the same finding when it is met again."""
        return (self.code.value, self.key, self.place, self.name.hex())

    @property
    def kind(self) -> Kind:
        return KINDS[self.code]

    def told(self) -> dict[str, str]:
        """Return it for JSON."""
        return {
            "code": self.code.value,
            "severity": self.kind.severity.value,
            "repair": self.kind.mending.value,
            "key": self.key,
            "place": self.place,
            "name": self.name.decode("utf-8", "replace"),
            "detail": self.detail,
        }
