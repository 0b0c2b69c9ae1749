"""What a look at a suspect came to. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from cluster_worker.persistence.engine import Key, Link, Step, Unlink
from op_worker.storage.helper import StoragePath


@frozen(kw_only=True)
class Mend:
    """The suspect is guilty; how it is repaired.

    Attributes:
        steps: one commit; its preconditions are what the verdict rests on.
        announce: the keys that the feed tells of with it.
        settles: the storage path at which the commit leaves an operation to be carried out.
        removes: a file of the storage that is to be removed instead of a commit.
        is_settling: whether all pending operations of the space are to be finished instead.
    """

    steps: Sequence[Step] = ()
    announce: Sequence[Key] = ()
    settles: StoragePath | None = None
    removes: StoragePath | None = None
    is_settling: bool = False


def standing(directory: Key, name: bytes, value: bytes) -> list[Step]:
    """Demand that an entry stands as it was read."""
    return [Unlink(directory, name, value), Link(directory, name, value, replaces=value)]
