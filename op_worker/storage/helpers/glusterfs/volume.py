"""A GlusterFS volume in this process, opened at first use and shared by all threads and users."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any

from attrs import frozen

from op_worker.storage.helpers.glusterfs.libgfapi import Stat, libgfapi
from op_worker.storage.helpers.glusterfs.session import GlusterSession
from op_worker.storage.helpers.glusterfs.translators import TranslatorOption
from op_worker.storage.helpers.native.sessions import Lost, Session, User

_QUIET = 0
_AWAY = frozenset(
    {
        *(errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ECONNREFUSED),
        errno.EBADFD,  # the library opens the files of a brick that came back a moment later
    }
)


@frozen(kw_only=True)
class VolumeAddress:
    """Where the management daemon is, which volume it is asked for, and which folder of it is our root."""

    hostname: str
    port: int
    transport: str
    volume: str
    folder: Sequence[str]
    options: Sequence[TranslatorOption]


class Volume:
    """A volume. Every method blocks.

    A path is walked name by name from the root, each looked up in the directory found before it, and links
    are not followed: nothing that is planted or exchanged meanwhile leads out.
    """

    def __init__(self, address: VolumeAddress) -> None:
        self.library = libgfapi()
        self._address = address
        self._lock = Lock()
        self._volume: int | None = None
        self._root: int | None = None

    @contextmanager
    def session(self, user: User) -> Iterator[Session]:
        """Give a session to the calling thread. Raises: Lost."""
        volume, root = self._opened()  # first: the library crashes on what threads tell it before that
        self._become(user)
        yield GlusterSession(self.library, volume, root, self.checked, self.look_up)

    def close(self) -> None:
        """Leave the volume, in a thread of its own: that takes some ten seconds."""
        with self._lock:
            volume, root, self._volume, self._root = self._volume, self._root, None, None
        if root is not None:
            self.library.glfs_h_close(root)
        if volume is not None:
            self._leave(volume)

    def checked(self, result: Any) -> Any:
        """Return what a call gave. Raises: OSError by ``errno`` when it is -1 or nothing; Lost."""
        if result is None or result == -1:
            number = ctypes.get_errno() or errno.EIO
            kind = Lost if number in _AWAY else OSError
            raise kind(number, os.strerror(number))
        return result

    def look_up(self, volume: int, parent: int | None, name: bytes, found: Stat) -> int:
        """Return the object that a name of a directory leads to, to be closed, and fill ``found``."""
        looked_up: int = self.checked(
            self.library.glfs_h_lookupat(volume, parent, name, ctypes.byref(found), 0)
        )
        return looked_up

    def _opened(self) -> tuple[int, int]:
        with self._lock:
            if self._volume is None or self._root is None:
                self._volume = self._joined()
                try:
                    self._root = self._found_root(self._volume)
                except BaseException:
                    self._leave(self._volume)
                    self._volume = None
                    raise
            return self._volume, self._root

    def _joined(self) -> int:
        address, library = self._address, self.library
        volume: int = self.checked(library.glfs_new(address.volume.encode()))
        try:
            library.glfs_set_logging(volume, b"/dev/null", _QUIET)
            server = (address.transport.encode(), address.hostname.encode(), address.port)
            self.checked(library.glfs_set_volfile_server(volume, *server))
            for each in address.options:
                words = (each.translator.encode(), each.option.encode(), each.value.encode())
                self.checked(library.glfs_set_xlator_option(volume, *words))
            if library.glfs_init(volume) != 0:
                raise self._refused(ctypes.get_errno())
        except BaseException:
            self._leave(volume)
            raise
        return volume

    def _refused(self, number: int) -> Lost:
        where = f"{self._address.hostname}:{self._address.port}"
        words = f"no volume {self._address.volume}" if number == errno.ENOENT else os.strerror(number)
        return Lost(number or errno.EIO, f"GlusterFS at {where}: {words}")

    def _found_root(self, volume: int) -> int:
        found = Stat()
        place = self.look_up(volume, None, b"/", found)
        for name in self._address.folder:
            try:
                inner = self.look_up(volume, place, name.encode(), found)
            except FileNotFoundError as error:
                raise Lost(errno.ENOENT, f"there is no folder {name} in the volume") from error
            finally:
                self.library.glfs_h_close(place)
            place = inner
        if not stat.S_ISDIR(found.mode):
            self.library.glfs_h_close(place)
            raise Lost(errno.ENOTDIR, "mountPoint is no folder of the volume")
        return place

    def _leave(self, volume: int) -> None:
        """Take back what could not be used; that takes long, and nobody needs to wait for it."""
        Thread(target=self.library.glfs_fini, args=(volume,), name="glusterfs-leave", daemon=True).start()

    def _become(self, user: User) -> None:
        """Make further calls of this thread as ``user``, in no other group than his own."""
        groups = (ctypes.c_uint32 * 1)(user.gid)
        for code in (
            self.library.glfs_setfsuid(user.uid),
            self.library.glfs_setfsgid(user.gid),
            self.library.glfs_setfsgroups(1, groups),
        ):
            self.checked(code)
