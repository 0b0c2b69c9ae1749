"""A changed file as its documents are now, and the revisions of these. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b

from attrs import define, field, frozen

from cluster_worker.persistence.engine import Document, Key
from onedata.ids import FileGuid, FileUuid, SpaceId, space_root_uuid
from op_worker.changes.specification import Section
from op_worker.files.metadata.custom import FIELDS as CUSTOM
from op_worker.files.stored.documents import LOCATION, META, TIMES
from op_worker.files.stored.nodes import Node

DOCUMENTS = (META, TIMES, LOCATION, *CUSTOM)
"""What is read of each changed file."""
_FILE = re.compile(r"[0-9a-f]{32}")
_LINK = re.compile(r"link_[0-9a-f]+_file_([0-9a-f]{32})")
_OF_SECTION = {
    Section.FILE_META: (META,),
    Section.FILE_LOCATION: (LOCATION,),
    Section.TIMES: (TIMES,),
    Section.CUSTOM_METADATA: CUSTOM,
}


def file_key(key: Key, space_id: SpaceId) -> Key | None:
    """Return the file that a key of the feed speaks of: a link's is its inode's; ``None`` is no file's."""
    if key == Key(space_root_uuid(space_id)) or _FILE.fullmatch(key):
        return key
    found = _LINK.fullmatch(key)
    return Key(found[1]) if found else None


def is_forgettable(key: Key) -> bool:
    """Whether a key of the feed is a file's, which has a key for its life and leaves it to nobody."""
    return _FILE.fullmatch(key) is not None or _LINK.fullmatch(key) is not None


@frozen
class FileState:
    """A changed file. A file that cannot be reached any more, or is gone, ``is_deleted``.

    ``path`` begins with the name of the space and is empty when there is none.
    """

    space_id: SpaceId
    provider_id: str
    key: Key
    seq: int
    documents: Mapping[str, Document]
    path: str = ""
    is_deleted: bool = False

    @property
    def file_id(self) -> str:
        return FileGuid(FileUuid(self.key), self.space_id).object_id()

    @property
    def node(self) -> Node:
        return Node(self.key, "", self.documents)

    def revision(self, section: Section) -> str | None:
        """Return ``<times written>-<digest of the content>``; ``None`` when there is no document."""
        if self.is_deleted:
            return None
        if section is Section.FILE_LOCATION:
            return self._content_revision()
        found = [self.documents[name] for name in _OF_SECTION[section] if name in self.documents]
        if not found:
            return None
        digest = blake2b(digest_size=16)
        for document in found:
            digest.update(len(document.data).to_bytes(8, "big") + document.data)
        return f"{sum(document.revision for document in found)}-{digest.hexdigest()}"

    def _content_revision(self) -> str | None:
        """Of the location what concerns others: that bytes moved to their place counts as no change."""
        location = self.node.location
        if location is None:
            return None
        shown = (location.storage_id, location.size_b, location.version, location.generation, location.blocks)
        return f"{location.version + 1}-{blake2b(repr(shown).encode(), digest_size=16).hexdigest()}"

    def never_had(self, section: Section) -> bool:
        """Whether a missing document has been missing ever since the file was made."""
        meta = self.documents.get(META)
        return meta is not None and (meta.revision == 1 or section is Section.FILE_LOCATION)


@define
class Seen:
    """The revisions that a stream has told last, of up to ``limit`` files.

    A file that is not remembered counts as changed in everything: too much is told rather than too little.
    """

    limit: int = 4096
    _revisions: dict[Key, tuple[str | None, ...]] = field(factory=dict)

    def changed(self, state: FileState) -> frozenset[Section]:
        """Return the sections that differ from what was told last, and remember them as told."""
        now = tuple(state.revision(section) for section in Section)
        before = self._revisions.pop(state.key, None)
        self._revisions[state.key] = now
        if len(self._revisions) > self.limit:
            del self._revisions[next(iter(self._revisions))]
        if before is not None:
            pairs = zip(Section, before, now, strict=True)
            return frozenset(section for section, old, new in pairs if old != new)
        return frozenset(
            section
            for section, revision in zip(Section, now, strict=True)
            if revision is not None or state.is_deleted or not state.never_had(section)
        )
