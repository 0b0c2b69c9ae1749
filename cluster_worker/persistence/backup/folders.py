"""Folders that appear whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster_worker.persistence.backup.errors import FolderTaken


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``path``, which becomes ``path`` when the body succeeds.

    Its name ends with ``.partial`` until then. What an earlier try left there is removed, and so is this one
    when the body fails. Files in it must be on the disk at the end of the body.

    Raises: FolderTaken.
    """
    if os.path.lexists(path):
        raise FolderTaken(f"{path} is there already")
    partial = path.with_name(f"{path.name}.partial")
    partial.mkdir(mode=0o700, parents=True, exist_ok=True)
    owned = os.open(partial, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _claim(owned, partial)
        for left in partial.iterdir():
            _remove(left)
        try:
            yield partial
            os.fsync(owned)
            os.rename(partial, path)
            _sync_folder(path.parent)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    finally:
        os.close(owned)


def sync_tree(folder: Path) -> None:
    """Bring every file below a folder to the disk."""
    for name, _, files in os.walk(folder):
        for file in files:
            _sync_folder(Path(name, file))
        _sync_folder(Path(name))


def write_file(path: Path, data: bytes) -> None:
    """Write a new file, readable by us alone, and bring it to the disk."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _claim(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FolderTaken(f"{path} is being written by another process") from None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
