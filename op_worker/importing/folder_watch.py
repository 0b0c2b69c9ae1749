"""Watching the tree below a folder: what changes is collected by directory and name until it is asked for."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from cluster_worker.runtime.pool import Blocking
from op_worker.files.stored.paths import RESERVED_PREFIX
from op_worker.importing import inotify
from op_worker.importing.inotify import Event
from op_worker.importing.watches import Names, Watches

MOST_WATCHES = 100_000
MOST_CHANGES = 20_000
"""With more names than this it is quicker to scan."""
_WATCHED_AT_ONCE = 200


class NoWatching(Exception):
    """The tree cannot be watched; the text says why."""


@frozen
class Changes:
    """What changed since it was asked for last.

    Attributes:
        names: by directory.
        is_incomplete: whether there was more, so that only a scan helps.
    """

    names: dict[Names, set[str]]
    is_incomplete: bool


@implementer(IReadDescriptor)
@define(eq=False)
class FolderWatch:
    """Watches directories below ``root``, each from when it is added.

    Args:
        reactor: reads the events.
    """

    _root: Path
    _reactor: Any
    _blocking: Blocking
    _most: int = MOST_WATCHES
    _watches: Watches = field(factory=Watches, init=False)
    _fd: int = field(default=-1, init=False)
    _names: dict[Names, set[str]] = field(factory=dict, init=False)
    _count: int = field(default=0, init=False)
    _is_incomplete: bool = field(default=False, init=False)
    _waiter: Deferred[None] | None = field(default=None, init=False)

    def open(self) -> None:
        """Begin to read events. Raises: NoWatching."""
        try:
            self._fd = inotify.open_inotify()
        except OSError as error:
            raise NoWatching(f"this system has no more instances of inotify: {error}") from error
        self._reactor.addReader(self)

    def close(self) -> None:
        """Read no more. Idempotent."""
        if self._fd >= 0:
            self._reactor.removeReader(self)
            os.close(self._fd)
            self._fd = -1

    @property
    def count(self) -> int:
        """How many directories are watched."""
        return len(self._watches)

    async def add_tree(self, names: Names) -> None:
        """Watch a directory with all directories in it, each before what is in it is looked at.

        One that is gone is passed over. Raises: NoWatching.
        """
        stack = [names]
        while stack:
            some, stack = stack[-_WATCHED_AT_ONCE:], stack[:-_WATCHED_AT_ONCE]
            if len(self._watches) + len(some) > self._most:
                raise NoWatching(f"there are more than {self._most} directories")
            for path, watch, inside in await self._blocking.run(self._add, some):
                self._watches.add(
                    watch, self._watches.find(path[:-1]) if path else None, path[-1] if path else ""
                )
                stack.extend((*path, name) for name in inside)

    def take(self) -> Changes:
        """Return what changed, and begin anew."""
        changes = Changes(self._names, self._is_incomplete)
        self._names, self._count, self._is_incomplete = {}, 0, False
        return changes

    async def changed(self) -> None:
        """Return when something has changed."""
        if not self._names and not self._is_incomplete:
            self._waiter = Deferred()
            await self._waiter

    def fileno(self) -> int:
        return self._fd

    def logPrefix(self) -> str:
        return "inotify"

    def connectionLost(self, reason: Failure) -> None:
        """There is no connection."""

    def doRead(self) -> None:
        """Take what there is; the reactor comes again when there is more."""
        try:
            data = os.read(self._fd, inotify.READ_B)
        except BlockingIOError:
            return
        for event in inotify.parse(data):
            self._heard(event)
        waiter = self._waiter
        if waiter is not None and (self._names or self._is_incomplete):
            self._waiter = None
            waiter.callback(None)

    def _heard(self, event: Event) -> None:
        if event.mask & inotify.IN_Q_OVERFLOW:
            self._is_incomplete = True
            return
        if event.mask & inotify.IN_IGNORED:
            self._watches.forget(event.watch)
            return
        directory = self._watches.path(event.watch)
        if directory is None or not event.name or event.name.startswith(RESERVED_PREFIX):
            return
        if event.mask & inotify.IN_MOVED_FROM:
            self._forget(event.watch, event.name)
        names = self._names.setdefault(directory, set())
        self._count += event.name not in names
        names.add(event.name)
        if self._count > MOST_CHANGES:
            self._names, self._count, self._is_incomplete = {}, 0, True

    def _forget(self, watch: int, name: str) -> None:
        """Watch a directory that was moved away no more, nor what is in it."""
        inside = self._watches.inside(watch, name)
        for one in () if inside is None else self._watches.forget(inside):
            inotify.remove_watch(self._fd, one)

    def _add(self, paths: Sequence[Names]) -> list[tuple[Names, int, list[str]]]:
        """Watch directories, then list the directories in them. Blocks. Raises: NoWatching."""
        added = []
        for names in paths:
            try:
                fd = _open_beneath(self._root, names)
            except OSError:
                continue  # it is gone, or is no directory any more
            try:
                watch = inotify.add_watch(self._fd, fd)
                added.append((names, watch, _directories(fd)))
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.ENOMEM):
                    raise NoWatching(f"this system allows no more watches: {error}") from error
            finally:
                os.close(fd)
        return added


def _open_beneath(root: Path, names: Names) -> int:
    """Open a directory below a folder without following links."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    fd = os.open(root, flags)
    for name in names:
        try:
            inner = os.open(name, flags | os.O_NOFOLLOW, dir_fd=fd)
        finally:
            os.close(fd)
        fd = inner
    return fd


def _directories(fd: int) -> list[str]:
    with os.scandir(fd) as entries:
        return [
            entry.name
            for entry in entries
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(RESERVED_PREFIX)
        ]


WatchOf = Callable[[Path], FolderWatch]
"""Makes the watch of a folder."""
