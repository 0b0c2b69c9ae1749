"""Pending storage operations as they are stored, so that a crash leaves none unexplained. Pure.

An intent is committed together with the metadata that presumes it, and cleared when the storage
agrees. It stands in the document ``intents`` of its space under each storage path that it occupies:
at most one intent for each path.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import evolve, frozen

from cluster_worker.persistence.engine import ABSENT, Check, Delete, Document, Key, Put, Step
from op_worker.files.stored.documents import LOCATION, Location
from op_worker.files.stored.lives import require_life_of
from op_worker.files.stored.packing import SCHEMA, pack, unpack
from op_worker.files.stored.paths import ancestor_paths
from op_worker.storage.helper import StoragePath

INTENTS = Key("intents")
_NOWHERE = StoragePath("")


class IntentKind(StrEnum):
    """What remains to be done on the storage."""

    PLACE = "P"
    """Move the staging file ``source`` to ``target``; anybody may, at any time, more than once."""
    MOVE = "M"
    """Move the file or directory ``source`` to ``target``."""
    REMOVE = "R"
    """Remove the file ``target``."""
    TOUCH = "T"
    """Make the empty file ``target``."""
    TRIM = "C"
    """Cut the file ``target`` to ``size_b``."""
    REMOVE_DIRECTORY = "D"
    """Remove the empty directory ``target``."""


@frozen
class Intent:
    """One pending storage operation.

    ``operation`` is its random name, the life ``node`` of a node began it at ``since_s`` (seconds since the
    epoch), ``uuid`` is the file that it serves.
    """

    operation: bytes
    kind: IntentKind
    node: str
    since_s: int
    storage_id: str
    uuid: str
    target: StoragePath
    source: StoragePath = _NOWHERE
    size_b: int = 0
    rest: tuple[Any, ...] = ()

    @property
    def paths(self) -> tuple[StoragePath, ...]:
        """The paths that nobody else may touch until this is done."""
        if self.kind is IntentKind.MOVE:
            return (self.source, self.target)
        return (self.target,)

    def encode(self) -> bytes:
        return pack(
            [
                SCHEMA,
                self.operation,
                self.kind.value,
                self.node,
                self.since_s,
                self.storage_id,
                self.uuid,
                self.target,
                self.source,
                self.size_b,
                *self.rest,
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> Intent:
        _, operation, kind, *others = unpack(data, "intent")
        node, since_s, storage_id, uuid, target, source, size_b, *rest = others
        return cls(
            operation,
            IntentKind(kind),
            node,
            since_s,
            storage_id,
            uuid,
            target,
            source,
            size_b,
            tuple(rest),
        )

    def put(self) -> list[Step]:
        """Return the steps that declare this, each demanding that its path is free.

        A staging file that is to be placed must not have been swept.
        """
        data = self.encode()
        steps: list[Step] = [Put(INTENTS, path, data, expect=ABSENT) for path in self.paths]
        if self.kind is IntentKind.PLACE:
            steps += require_life_of(self.source.rpartition("/")[2])
        return steps

    def clear_first(self) -> list[Step]:
        """Return the steps that withdraw this while it is as it was put."""
        return [Delete(INTENTS, path, expect=ABSENT + 1) for path in self.paths]

    def clear(self, documents: Mapping[str, Document]) -> list[Step]:
        """Return the steps that withdraw this, given the present documents of ``INTENTS``."""
        data = self.encode()
        return [
            Delete(INTENTS, path, expect=found.revision)
            for path in self.paths
            if (found := documents.get(path)) is not None and found.data == data
        ]


@frozen(eq=False)
class FileWork:
    """A storage operation that was just committed, and its file's location if it is to be settled then.

    ``revision`` is the location's as committed.
    """

    intent: Intent
    location: Location | None = None
    revision: int = ABSENT

    def clear(self) -> list[Step]:
        """Return the steps that withdraw the operation while all is as committed."""
        steps = self.intent.clear_first()
        if self.location is not None:
            settled = evolve(self.location, staged="").encode()
            steps.append(Put(Key(self.intent.uuid), LOCATION, settled, expect=self.revision))
        return steps


def require_settled(path: StoragePath) -> list[Step]:
    """Return the steps that demand that nothing is pending at ``path`` or at a directory above it."""
    return [Check(INTENTS, above, ABSENT) for above in (*ancestor_paths(path), path)]


def require_settled_above(path: StoragePath) -> list[Step]:
    """Return the steps that demand that nothing is pending at any directory above ``path``."""
    return [Check(INTENTS, above, ABSENT) for above in ancestor_paths(path)]
