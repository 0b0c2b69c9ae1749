"""What the store keeps of queues that are filled: the register of a space, and how far each one is. Pure.

The register has a version that changes with it. Whoever fills queues demands the version that he read in his
commits, so nothing is done by a register that is out of date.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum

from attrs import evolve, field, frozen

from cluster_worker.persistence.engine import ABSENT, Check, Delete, Document, Key, Put, Step
from op_worker.files.stored.packing import SCHEMA, pack, unpack
from op_worker.queue_services.definitions import TYPE, Definition, ServiceType, parse_definition

REGISTER = Key("queue-services")
"""The document of a space whose fields are its queues that are, or were, filled, by their uuids."""
VERSION = "version"
MOST = 100
"""The most such queues in a space."""
_PROGRESS = "p"


@frozen
class Entry:
    """A queue in the register.

    Attributes:
        creator: the user with whose rights it is filled.
        is_on: it is filled; ``False`` after its type was removed.
        run: how often it was switched on.
        after: changes up to this number of the feed happened before it was switched on.
        began_s: when it was switched on, in seconds since the epoch.
    """

    queue: str
    creator: str
    definition: Definition
    is_on: bool = True
    run: int = 1
    after: int = 0
    began_s: int = 0
    revision: int = ABSENT

    @property
    def is_notifying(self) -> bool:
        return self.definition.type is ServiceType.NOTIFICATION

    def put(self) -> Step:
        """Return the step that stores this over what was read."""
        items = {TYPE: self.definition.type.value, **self.definition.given}
        text = json.dumps(items, separators=(",", ":"))
        data = pack([SCHEMA, self.creator, self.is_on, self.run, self.after, self.began_s, text])
        return Put(REGISTER, self.queue, data, expect=self.revision)

    def unchanged(self) -> Step:
        """Demand that this is what is stored."""
        return Check(REGISTER, self.queue, self.revision)

    @classmethod
    def decode(cls, queue: str, document: Document) -> Entry:
        _, creator, is_on, run, after, began_s, text, *_ = unpack(document.data, "record of a queue")
        definition = parse_definition(json.loads(text))
        return cls(queue, creator, definition, is_on, run, after, began_s, document.revision)


@frozen
class Register:
    """The queues of a space that are filled, and the version of what was read."""

    entries: Mapping[str, Entry] = field(factory=dict)
    version: int = ABSENT

    @classmethod
    def decode(cls, found: Mapping[str, Document]) -> Register:
        entries = {
            queue: Entry.decode(queue, document) for queue, document in found.items() if queue != VERSION
        }
        return cls(entries, found[VERSION].revision if VERSION in found else ABSENT)

    @property
    def notifying(self) -> list[Entry]:
        """Those that are told of changes now."""
        return [one for one in self.entries.values() if one.is_on and one.is_notifying]

    @property
    def querying(self) -> list[Entry]:
        """Those that get the results of a query now."""
        return [one for one in self.entries.values() if one.is_on and not one.is_notifying]

    def unchanged(self) -> Step:
        """Demand that this is the register that is stored."""
        return Check(REGISTER, VERSION, self.version)

    def changed(self) -> Step:
        """Return the step that tells everybody who knows this register that it changed."""
        return Put(REGISTER, VERSION, b"\x01", expect=self.version)


class Phase(Enum):
    """How a query fares; the value is stored."""

    PROCESSING = 0
    CURRENT = 1
    HALTED = 2
    ERROR = 3


@frozen
class Progress:
    """How far a run of a query is.

    Attributes:
        spaces: those that are still to be walked, the present one first; ``None`` before the start.
        path: the last object that was looked at in the present one; ``None`` before its root.
        is_passed: nothing below that object is to be looked at.
        detail: what is wrong, in the phase ``ERROR``.
    """

    run: int
    spaces: tuple[str, ...] | None = None
    path: tuple[str, ...] | None = None
    is_passed: bool = False
    phase: Phase = Phase.PROCESSING
    detail: str = ""
    revision: int = ABSENT

    @property
    def status(self) -> str:
        if self.phase is Phase.ERROR:
            return f"Error: {self.detail}"
        return self.phase.name.capitalize()

    def next_space(self) -> Progress:
        """Return the progress when the present space is done; after the last one the query is."""
        left = (self.spaces or ())[1:]
        phase = Phase.PROCESSING if left else Phase.CURRENT
        return evolve(self, spaces=left, path=None, is_passed=False, phase=phase, detail="")

    def put(self, queue: str) -> Step:
        """Return the step that stores this over what was read."""
        data = pack([SCHEMA, self.run, self.spaces, self.path, self.is_passed, self.phase.value, self.detail])
        return Put(progress_key(queue), _PROGRESS, data, expect=self.revision)

    @classmethod
    def of(cls, entry: Entry, found: Mapping[str, Document]) -> Progress:
        """Return the progress of the present run of a query."""
        if _PROGRESS not in found:
            return cls(entry.run)
        document = found[_PROGRESS]
        _, run, spaces, path, is_passed, phase, detail, *_ = unpack(document.data, "record of a queue")
        if run != entry.run:
            return cls(entry.run, revision=document.revision)
        return cls(
            run,
            None if spaces is None else tuple(spaces),
            None if path is None else tuple(path),
            is_passed,
            Phase(phase),
            detail,
            document.revision,
        )


PROGRESS_FIELDS = (_PROGRESS,)


def progress_key(queue: str) -> Key:
    """Return the document that tells how far a query is."""
    return Key(f"queue-service:{queue}")


def outbox_key(queue: str) -> Key:
    """Return the directory of what is to be put into a queue, in its order."""
    return Key(f"queue-outbox:{queue}")


def forget_steps(entry: Entry) -> list[Step]:
    """Return the steps that strike a queue off, but for what waits in its outbox."""
    return [Delete(REGISTER, entry.queue, expect=entry.revision), Delete(progress_key(entry.queue))]
