"""What happened to an object, from how it was when it was last told of and how it is now. Pure.

The feed says that a file changed, not how. Its documents as they were then are remembered, so the difference
tells. Changes that follow each other quickly are told together: what was made and written is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import frozen

from cluster_worker.persistence.engine import Document
from op_worker.files.metadata.custom import FIELDS as CUSTOM
from op_worker.files.metadata.custom import xattrs_of
from op_worker.files.model import FileType
from op_worker.files.stored.documents import PARENT
from op_worker.files.stored.nodes import Node

SNAPSHOTS = "cdmi_snapshots"
"""The container below which snapshots lie."""
_COMPLETION = "cdmi_completion_status"
_PROCESSING = "Processing"


class Event(StrEnum):
    """Clause 21.2; the value is its name.

    Two are never sent: reading changes nothing, and of a copy the feed does not tell that it is one: it is a
    creation.
    """

    CREATE_PROCESSING = "cdmi_create_processing"
    CREATE_COMPLETE = "cdmi_create_complete"
    READ = "cdmi_read"
    MODIFY_PROCESSING = "cdmi_modify_processing"
    MODIFY_COMPLETE = "cdmi_modify_complete"
    RENAME = "cdmi_rename"
    COPY = "cdmi_copy"
    REFERENCE = "cdmi_reference"
    DELETE = "cdmi_delete"
    EXPORT = "cdmi_export"
    SNAPSHOT = "cdmi_snapshot"


RESULTS = {
    Event.CREATE_PROCESSING: "202 Accepted",
    Event.CREATE_COMPLETE: "201 Created",
    Event.REFERENCE: "201 Created",
    Event.SNAPSHOT: "201 Created",
    Event.MODIFY_PROCESSING: "202 Accepted",
}
USUAL_RESULT = "204 No Content"


@frozen(eq=False)
class Sight:
    """An object as it was seen.

    Attributes:
        names: those that lead to it from the root of its space.
        is_being_made: its first series of partial writes is not over.
    """

    node: Node
    names: tuple[str, ...]
    is_being_made: bool = False

    @property
    def is_reference(self) -> bool:
        """Whether this is a symbolic link, which CDMI shows as a reference."""
        return self.node.type is FileType.SYMLNK

    @property
    def is_processing(self) -> bool:
        """Whether a series of partial writes is open."""
        return xattrs_of(self.node.documents).get(_COMPLETION) == _PROCESSING

    @property
    def is_snapshot(self) -> bool:
        """Whether this is the top of a snapshot."""
        return SNAPSHOTS in self.names[-2:-1]


def is_told_of(names: tuple[str, ...]) -> bool:
    """Whether an object is one that events are about: not what a snapshot holds, nor what holds snapshots."""
    return SNAPSHOTS not in (*names[:-2], *names[-1:])


def is_stand_in(names: tuple[str, ...], node: Node) -> bool:
    """Whether this stands for a snapshot that is not complete yet: a directory that is closed to all."""
    return SNAPSHOTS in names[-2:-1] and not node.meta.mode


def created(now: Sight) -> list[Event]:
    """Return the events of an object that is seen for the first time."""
    if now.is_reference:
        return [Event.REFERENCE]
    if now.is_snapshot:
        return [Event.SNAPSHOT]
    return [Event.CREATE_PROCESSING if now.is_processing else Event.CREATE_COMPLETE]


def changed(before: Sight, now: Sight) -> list[Event]:
    """Return the events of an object that is still there, in their order; none for what concerns nobody."""
    events = [Event.RENAME] if _place(before.node) != _place(now.node) else []
    if before.node.meta.shares != now.node.meta.shares:
        events.append(Event.EXPORT)
    if before.is_processing and not now.is_processing:
        return [*events, Event.CREATE_COMPLETE if before.is_being_made else Event.MODIFY_COMPLETE]
    if _state(before.node) == _state(now.node):
        return events
    if not now.is_processing:
        return [*events, Event.MODIFY_COMPLETE]
    return [*events, Event.CREATE_PROCESSING if before.is_being_made else Event.MODIFY_PROCESSING]


def _place(node: Node) -> tuple[str, bytes | None]:
    parent = node.documents.get(PARENT)
    return node.meta.name, None if parent is None else parent.data


def _state(node: Node) -> tuple[object, ...]:
    """Return what a user may change of an object besides its place; not where its bytes are."""
    meta, location = node.meta, node.location
    content = None
    if location is not None:
        content = (location.size_b, location.version, location.generation)
    mtime = None if node.is_directory else node.times.mtime_ms
    return meta.mode, meta.owner, meta.acl, content, mtime, _custom(node.documents)


def _custom(documents: Mapping[str, Document]) -> tuple[object, ...]:
    return tuple(documents[field].data if field in documents else None for field in CUSTOM)
