"""Whether statistics of a space are kept: off, being made, complete, or being taken away. Pure."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from cluster_worker.persistence.engine import ABSENT, Check, Document, Key, Put, Step
from op_worker.files.stored.packing import SCHEMA, pack, unpack

STATE = Key("statistics")
"""The document of a space that says what its statistics are worth."""
FIELD = "s"


class Phase(Enum):
    """A stage in the life of a space's statistics; the value is stored."""

    DISABLED = 0
    INITIALIZING = 1
    """Everything that was ever changed is being read; totals are incomplete."""
    ENABLED = 2
    STOPPING = 3
    """Totals are being removed."""


@frozen
class State:
    """``target`` is the number in the feed where initializing ends; ``storages`` gives storages numbers."""

    revision: int = ABSENT
    phase: Phase = Phase.DISABLED
    target: int = 0
    storages: tuple[str, ...] = ()

    @classmethod
    def decode(cls, document: Document | None) -> State:
        """Return the stored state; there is none before statistics are switched on for the first time."""
        if document is None:
            return cls()
        _, phase, target, storages, *_ = unpack(document.data, "state of statistics")
        return cls(document.revision, Phase(phase), target, tuple(storages))

    def put(self) -> Step:
        """Return the step that stores this over the state of the same revision."""
        data = pack([SCHEMA, self.phase.value, self.target, self.storages])
        return Put(STATE, FIELD, data, expect=self.revision)

    def unchanged(self) -> Step:
        """Demand that the state is as it was read."""
        return Check(STATE, FIELD, self.revision)
