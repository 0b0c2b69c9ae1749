"""What must be there of each file a client made, from what it was told. Pure.

A file is changed only by the client that made it, and a name is used once. A change whose outcome is not
known leaves several states possible; the file is then left alone, since a request that still lies in a
paused process may take effect at any later time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from enum import Enum

from attrs import define, evolve, field, frozen


class Harm(Enum):
    """How a file may differ from what it must be."""

    LOST = "lost"
    """An acknowledged change is not there."""
    HALF = "half there"
    """Something that no request ever asked for: parts of a content, two names of one file."""


@frozen
class Found:
    """What a read of one path returned: digest of the content and value of the metadata item."""

    digest: str
    tag: str | None


def digest_of(content: bytes) -> str:
    """Return the digest by which contents are known."""
    return hashlib.sha256(content).hexdigest()


@frozen(kw_only=True)
class Fate:
    """The states in which one file may be: at one of ``paths`` with one of ``digests`` and ``tags``.

    Attributes:
        may_be_gone: whether the file may be missing; without any digest it must be.
        ever: every digest that the file was ever to have.
    """

    paths: tuple[str, ...]
    digests: frozenset[str]
    tags: frozenset[str | None] = frozenset([None])
    may_be_gone: bool = False
    ever: frozenset[str] = frozenset()

    def judge(self, found: Mapping[str, Found]) -> Harm | None:
        """Compare with what is there. ``found`` has the paths at which there is anything."""
        here = [found[path] for path in self.paths if path in found]
        if not here:
            return None if self.may_be_gone else Harm.LOST
        if len(here) > 1:
            return Harm.HALF
        if not self.digests:
            return Harm.LOST  # the removal
        if here[0].digest not in self.digests:
            return Harm.HALF if here[0].digest not in self.ever else Harm.LOST
        return None if here[0].tag in self.tags else Harm.LOST

    def written(self, digest: str, sure: bool) -> Fate:
        """Return the fate after a new content, which is there for sure or perhaps."""
        digests = frozenset([digest]) if sure else self.digests | {digest}
        return evolve(self, digests=digests, ever=self.ever | {digest})

    def tagged(self, tag: str, sure: bool) -> Fate:
        """Return the fate after a change of the metadata item."""
        return evolve(self, tags=frozenset([tag]) if sure else self.tags | {tag})

    def renamed(self, path: str, sure: bool) -> Fate:
        """Return the fate after a move."""
        return evolve(self, paths=(path,) if sure else (*self.paths, path))

    def removed(self, sure: bool) -> Fate:
        """Return the fate after a removal."""
        return evolve(self, may_be_gone=True, digests=frozenset() if sure else self.digests)


@define
class Ledger:
    """The fates of all files, by the number of the file."""

    fates: dict[str, Fate] = field(factory=dict)

    def paths(self) -> Iterable[str]:
        """Return every path at which something may be."""
        return [path for fate in self.fates.values() for path in fate.paths]

    def harms(self, found: Mapping[str, Found]) -> Iterable[tuple[str, Harm]]:
        """Return what is wrong, each with a description."""
        for fate in self.fates.values():
            harm = fate.judge(found)
            if harm is not None:
                here = {path: found[path] for path in fate.paths if path in found}
                yield f"{fate.paths[0]}, which is to be {fate}, is {here or 'not there'}", harm
