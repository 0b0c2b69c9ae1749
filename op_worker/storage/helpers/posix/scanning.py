"""Reading a folder in batches, each name with its status. Everything here blocks, but ``status``."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from itertools import islice
from threading import Lock

from op_worker.storage.helper import Scanned, StorageStat

BATCH = 1000


class FolderScan:
    """A folder that is being read. Owns ``fd``, which entries need for as long as they are asked for more."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = Lock()  # a batch that was given up may still run in another thread
        self._is_closed = False
        try:
            self._entries = os.scandir(fd)
        except BaseException:
            os.close(fd)
            raise

    def batch(self, most: int = BATCH) -> Sequence[Scanned] | None:
        """Return up to ``most`` further names; ``None`` at the end. What has gone is left out."""
        with self._lock:
            looked_at, found = 0, []
            for entry in islice(self._entries, most):
                looked_at += 1
                try:
                    found.append(Scanned(entry.name, status(entry.stat(follow_symlinks=False))))
                except FileNotFoundError:
                    continue
            return found if looked_at else None

    def close(self) -> None:
        """Stop reading. Idempotent."""
        with self._lock:
            self._entries.close()
            if not self._is_closed:
                os.close(self._fd)
            self._is_closed = True


def status(found: os.stat_result) -> StorageStat:
    """Return what the system says of a path, in the words of storages."""
    is_directory = stat.S_ISDIR(found.st_mode)
    return StorageStat(
        found.st_size,
        found.st_mtime,
        is_directory,
        not is_directory and not stat.S_ISREG(found.st_mode),
        found.st_ctime,
        found.st_atime,
        stat.S_IMODE(found.st_mode),
        found.st_uid,
        found.st_gid,
    )
