"""Which files of an object storage are open in this process, and what is kept until they are closed."""

from __future__ import annotations

import errno

from attrs import define

from op_worker.storage.helper import StorageError, StoragePath
from op_worker.storage.objects.contents import Content


@define(eq=False)
class Shared:
    """A file that is open, by ``handles`` handles.

    ``is_removed``: it goes when the last of them is closed.
    """

    path: StoragePath
    content: Content
    handles: int = 0
    is_removed: bool = False


@define(eq=False)
class Before:
    """What was open at a path before somebody looked at the storage; see ``OpenFiles.join``."""

    shared: Shared | None
    changes: int


class OpenFiles:
    """The files that are open, by path. All who open one share its content, so they agree on its size."""

    def __init__(self) -> None:
        self._by_path: dict[StoragePath, Shared] = {}
        self._removed: dict[StoragePath, Shared] = {}
        self.handles = 0

    def before(self, path: StoragePath) -> Before:
        """Return what is open at a path now. Raises StorageError(ENOENT) when it was removed."""
        if path in self._removed:
            raise StorageError(errno.ENOENT, path)
        shared = self._by_path.get(path)
        return Before(shared, 0 if shared is None else shared.content.changes)

    def join(self, path: StoragePath, fresh: Content, before: Before) -> Shared:
        """Return the file to read and write through, now with one handle more.

        It is the one that is open unless ``fresh``, what was found on the storage since ``before``, is
        another and no change made here explains that.
        """
        if path in self._removed:
            raise StorageError(errno.ENOENT, path)
        shared = self._by_path.get(path)
        if shared is None or not (_is_changing(shared, before) or shared.content.is_same(fresh)):
            shared = self._by_path[path] = Shared(path, fresh)
        shared.handles += 1
        self.handles += 1
        return shared

    def get(self, path: StoragePath) -> Shared | None:
        """Return what is open at a path."""
        return self._by_path.get(path)

    def removed(self, path: StoragePath) -> Shared | None:
        """Return what was removed while open, and still lies at this path."""
        return self._removed.get(path)

    def remove(self, path: StoragePath) -> bool:
        """Remember that what is open at a path is to go when it is closed;

        false when nothing is open there.
        """
        shared = self._by_path.pop(path, None)
        if shared is None:
            return path in self._removed
        shared.is_removed = True
        self._removed[path] = shared
        return True

    def forget_removed(self, shared: Shared) -> None:
        """What was removed does not lie at its path any more."""
        if self._removed.get(shared.path) is shared:
            del self._removed[shared.path]

    def let_go(self, shared: Shared) -> bool:
        """Give a handle back; true when the file was removed and this was the last."""
        shared.handles -= 1
        self.handles -= 1
        if not shared.handles and self._by_path.get(shared.path) is shared:
            del self._by_path[shared.path]
        return shared.is_removed and not shared.handles


def _is_changing(shared: Shared, before: Before) -> bool:
    return shared is not before.shared or shared.content.is_busy or shared.content.changes != before.changes
