"""Which files this process has open, by their present paths. Pure.

For storages that forget a removed file at once: it is moved to a hidden name until its last handle is closed.
"""

from __future__ import annotations

from attrs import define, field

from op_worker.storage.helper import StoragePath

HIDDEN_FOLDER = StoragePath(".__onedata__deleted")
"""Where removed files that are still open lie, below the root of the storage."""


@define(eq=False)
class OpenFile:
    """A file with at least one handle in this process.

    Attributes:
        path: where it is now, also when it is hidden.
        handles: how many there are, those that are about to be opened included.
        is_hidden: whether nobody but its handles knows it any more.
        version: another after every write by this process.
    """

    path: StoragePath
    handles: int = 0
    is_hidden: bool = False
    version: int = 0


@define(eq=False)
class OpenFiles:
    """The files that are open."""

    _by_path: dict[StoragePath, OpenFile] = field(factory=dict)

    def find(self, path: StoragePath) -> OpenFile | None:
        """Return the file that is open at ``path``."""
        return self._by_path.get(path)

    def enter(self, path: StoragePath) -> OpenFile:
        """Count a handle of the file at ``path``."""
        file = self._by_path.setdefault(path, OpenFile(path))
        file.handles += 1
        return file

    def leave(self, file: OpenFile) -> bool:
        """Count a handle less; return whether that was the last one of a hidden file, to be removed now."""
        file.handles -= 1
        if file.handles:
            return False
        if file.is_hidden:
            return True
        if self._by_path.get(file.path) is file:
            del self._by_path[file.path]
        return False

    def hide(self, file: OpenFile, hidden: StoragePath) -> None:
        """Note that a file is at a hidden path now; its old path is free."""
        if self._by_path.get(file.path) is file:
            del self._by_path[file.path]
        file.path, file.is_hidden = hidden, True

    def move(self, source: StoragePath, target: StoragePath) -> None:
        """Note that what was at ``source``, a file or a directory, is at ``target`` now."""
        below = f"{source}/"
        moved = [each for path, each in self._by_path.items() if path == source or path.startswith(below)]
        for file in moved:
            del self._by_path[file.path]
            file.path = StoragePath(target + file.path[len(source) :])
        self._by_path.update({file.path: file for file in moved})
