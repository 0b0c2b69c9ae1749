"""How objects were when they were last told of, as it is stored where there are notification queues. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum

from attrs import frozen

from cluster_worker.persistence.engine import ABSENT, Check, Delete, Document, Key, Put, Step
from onedata.ids import SpaceId, space_root_uuid
from op_worker.files.metadata.custom import FIELDS as CUSTOM
from op_worker.files.stored.documents import BASE, META
from op_worker.files.stored.nodes import Node
from op_worker.files.stored.packing import SCHEMA, pack, unpack
from op_worker.queue_services.events import Sight

DOCUMENTS = (*BASE, *CUSTOM)
"""What is remembered of an object."""
SEEN = "s"
WATCH = Key("notifications")
"""The document of a space that says whether its objects are remembered."""
MAX_CUSTOM_B = 16 * 1024
"""Custom metadata that take more are not remembered: when the object is deleted, they are not known."""
_FILE = re.compile(r"[0-9a-f]{32}")


class Watching(Enum):
    """Whether objects of a space are remembered; the value is stored."""

    OFF = 0
    STARTING = 1
    """All that there is, is being looked at for the first time."""
    ON = 2
    STOPPING = 3
    """What was remembered is being removed."""


@frozen
class Watch:
    """The state of a space.

    Attributes:
        target: the number of the feed at which ``STARTING`` ends.
        settled: what changed first after the start and up to this number may have been there before.
        began_s: when it started, in seconds since the epoch.
    """

    watching: Watching = Watching.OFF
    target: int = 0
    settled: int = 0
    began_s: int = 0
    revision: int = ABSENT

    def put(self) -> Step:
        """Return the step that stores this over what was read."""
        data = pack([SCHEMA, self.watching.value, self.target, self.settled, self.began_s])
        return Put(WATCH, SEEN, data, expect=self.revision)

    def unchanged(self) -> Step:
        """Demand that this is what is stored."""
        return Check(WATCH, SEEN, self.revision)

    def takes(self, seq: int) -> bool:
        """Whether a change may be taken in at this stage."""
        return self.watching is not Watching.STARTING or seq <= self.target

    def is_new(self, sight: Sight, seq: int) -> bool:
        """Whether an object that is not remembered was made, rather than changed while all was looked at."""
        return seq > self.settled or sight.node.meta.created_s >= self.began_s

    @classmethod
    def decode(cls, found: Mapping[str, Document]) -> Watch:
        if SEEN not in found:
            return cls()
        _, watching, target, settled, began_s, *_ = unpack(found[SEEN].data, "record of notifications")
        return cls(Watching(watching), target, settled, began_s, found[SEEN].revision)


def is_object(key: Key, space_id: SpaceId) -> bool:
    """Whether a key of the feed is that of a file, by its first name."""
    return key == Key(space_root_uuid(space_id)) or _FILE.fullmatch(key) is not None


def seen_key(key: Key) -> Key:
    """Return the document in which an object is remembered."""
    return Key(f"seen:{key}")


def remember(key: Key, sight: Sight) -> Step:
    """Return the step that remembers an object."""
    found = sight.node.documents
    documents = {name: document.data for name, document in found.items() if name in DOCUMENTS}
    if sum(len(documents.get(name, b"")) for name in CUSTOM) > MAX_CUSTOM_B:
        documents = {name: data for name, data in documents.items() if name not in CUSTOM}
    return Put(seen_key(key), SEEN, pack([SCHEMA, sight.names, sight.is_being_made, documents]))


def forget(key: Key) -> Step:
    """Return the step that forgets an object."""
    return Delete(seen_key(key))


def recalled(key: Key, found: Mapping[str, Document]) -> Sight | None:
    """Return what is remembered of an object."""
    if SEEN not in found:
        return None
    _, names, is_being_made, documents, *_ = unpack(found[SEEN].data, "record of notifications")
    stored = {name: Document(1, data) for name, data in documents.items()}
    node = Node(key, names[-1] if names else "", stored)
    return Sight(node, tuple(names), is_being_made) if META in documents else None
