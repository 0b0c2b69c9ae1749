"""Which files of a WebDAV storage are open in this process, and where they lie now.

The server knows no open files: what it deletes or replaces is gone at once. So the helper moves a file that
is open aside instead, below ``HELD``, and deletes it when its last handle is closed.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define

from op_worker.storage.helper import StorageError, StoragePath
from op_worker.storage.helpers.paths import moved
from op_worker.storage.helpers.web.answers import Version
from op_worker.storage.helpers.webdav.upload import Upload

HELD = ".__onedata__held"
"""The directory for files that were removed while they were open. Imports skip names that begin like this."""


@define(eq=False)
class Content:
    """A file that is open, once for all its handles.

    Attributes:
        is_removed: it has no path any more that others know, and goes with its last handle.
        version: what it was when it was last read; ``None`` when it is to be learned, as after own writes.
        changes: how often it was written by this process.
        is_empty: whether it surely has no bytes, so that a sequence of writes can be one upload.
        is_moving: whether its path changes just now.
        upload: the one under way.
        upload_url: where uploads have to go; empty when that is its own URL.
        broken: what became of an upload that failed; bytes that were taken are lost.
    """

    path: StoragePath
    handles: int = 0
    is_removed: bool = False
    version: Version | None = None
    changes: int = 0
    is_empty: bool = False
    is_moving: bool = False
    upload: Upload | None = None
    upload_url: str = ""
    broken: StorageError | None = None


class OpenFiles:
    """The contents that are open, by path.

    Args:
        life: a name that no other process has.
    """

    def __init__(self, life: str) -> None:
        self.held_directory = StoragePath(f"{HELD}/{life}")
        self._contents: dict[StoragePath, Content] = {}
        self._removed: set[Content] = set()
        self._named = 0
        self.has_held = self.is_closing = False

    def enter(self, path: StoragePath) -> Content:
        """Return the content at a path for one more handle."""
        content = self._contents.setdefault(path, Content(path))
        content.handles += 1
        return content

    def leave(self, content: Content) -> bool:
        """Give a handle back; tell whether it was the last one of what has to be deleted now."""
        content.handles -= 1
        if content.handles:
            return False
        if content.is_removed:
            self._removed.discard(content)
        else:
            del self._contents[content.path]
        return content.is_removed

    def at(self, path: StoragePath) -> Content | None:
        """Return what is open at a path."""
        return self._contents.get(path)

    def affected(self, path: StoragePath) -> Iterable[Content]:
        """Return what is open at a path or below it."""
        return [each for each in self._contents.values() if moved(each.path, path, path) is not None]

    def renamed(self, source: StoragePath, target: StoragePath) -> None:
        """``source``, with all below it, is at ``target`` now."""
        for content in self.affected(source):
            del self._contents[content.path]
            content.path = moved(content.path, source, target) or content.path
            self._contents[content.path] = content

    def removed(self, content: Content, held: StoragePath) -> None:
        """A content was moved aside."""
        del self._contents[content.path]
        content.path, content.is_removed = held, True
        self._removed.add(content)

    def new_held_path(self) -> StoragePath:
        """Return a path aside that was never used."""
        self._named, self.has_held = self._named + 1, True
        return StoragePath(f"{self.held_directory}/{self._named}")

    @property
    def is_idle(self) -> bool:
        """Whether nothing is open."""
        return not self._contents and not self._removed
