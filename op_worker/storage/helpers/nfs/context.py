"""One connection to an NFS server, as libnfs has it; used by one thread at a time."""

from __future__ import annotations

import ctypes
import errno
import os
import re
from typing import Any

from attrs import frozen

from op_worker.storage.helpers.native.sessions import Lost, User
from op_worker.storage.helpers.nfs.address import ExportAddress
from op_worker.storage.helpers.nfs.libnfs import libnfs

_LETTER = re.compile(r'(?s:p(?:read|write) call failed with "(.)")')
"""The words for what the server refused when reading and writing: libnfs puts the number as a letter."""
_POSIX = {69: errno.EDQUOT, 70: errno.ESTALE}
"""The errors of NFSv3 of one byte that POSIX numbers otherwise."""


@frozen(kw_only=True)
class ConnectionSettings:
    """How connections are made. Sizes in bytes, times in milliseconds.

    Attributes:
        retries: how often libnfs connects again before a call fails.
        syn_count: how often the system asks for a connection; 0 leaves that to it.
    """

    version: int
    timeout_ms: int
    read_ahead_b: int
    syn_count: int
    caches_directories: bool
    retries: int


class NfsContext:
    """A mounted export.

    Attributes:
        user: as whom calls are made.
        is_lost: whether it is of no use any more.

    Raises: Lost when it cannot be mounted, with what the server said.
    """

    def __init__(self, address: ExportAddress, settings: ConnectionSettings, user: User) -> None:
        self.library = libnfs()
        self.settings, self.is_lost = settings, False
        self._context = ctypes.c_void_p(self.library.nfs_init_context())
        try:
            self._configure(address, settings)
            self.user = user
            self._set_user(user)
            host, volume = address.host.encode(), os.fsencode(address.volume)
            code = self.library.nfs_mount(self._context, host, volume)
            if code < 0:
                raise Lost(-code, self._words() or os.strerror(-code))
        except BaseException:
            self.destroy()
            raise

    def become(self, user: User) -> None:
        """Make further calls as ``user``."""
        if user != self.user:
            self._set_user(user)
            self.user = user

    def call(self, name: str, *arguments: Any) -> int:
        """Call a function of libnfs and return its result.

        Raises: OSError by what the server answered; Lost when it did not answer.
        """
        code: int = getattr(self.library, name)(self._context, *arguments)
        if code >= 0:
            return code
        words = self._words()
        if code == -errno.EFAULT and (letter := _LETTER.fullmatch(words)):
            number = _POSIX.get(ord(letter[1]), ord(letter[1]))
            raise OSError(number, os.strerror(number))
        if code == -errno.EINTR:  # the time is over
            self.is_lost = True
            raise Lost(errno.ETIMEDOUT, words)
        if code == -errno.EIO and "NFS3ERR_IO" not in words and "NFS4ERR_IO" not in words:
            self.is_lost = True
            raise Lost(errno.ENOTCONN, words or "the connection is lost")
        raise OSError(-code, words or os.strerror(-code))

    def give(self, name: str, *arguments: Any) -> Any:
        """Call a function that cannot fail."""
        return getattr(self.library, name)(self._context, *arguments)

    def destroy(self) -> None:
        """Close the connection."""
        self.library.nfs_destroy_context(self._context)

    def _configure(self, address: ExportAddress, settings: ConnectionSettings) -> None:
        library, context = self.library, self._context
        url = library.nfs_parse_url_incomplete(context, address.url(settings.version).encode())
        if not url:
            raise Lost(errno.EINVAL, self._words())
        library.nfs_destroy_url(url)
        library.nfs_set_timeout(context, settings.timeout_ms)
        library.nfs_set_autoreconnect(context, settings.retries)
        library.nfs_set_dircache(context, int(settings.caches_directories))
        library.nfs_umask(context, 0)
        if settings.read_ahead_b:
            library.nfs_set_readahead(context, settings.read_ahead_b)
        if settings.syn_count:
            library.nfs_set_tcp_syncnt(context, settings.syn_count)

    def _set_user(self, user: User) -> None:
        self.library.nfs_set_uid(self._context, _signed(user.uid))
        self.library.nfs_set_gid(self._context, _signed(user.gid))

    def _words(self) -> str:
        words: bytes | None = self.library.nfs_get_error(self._context)
        return (words or b"").decode("utf-8", "replace")


def _signed(number: int) -> int:
    """Return the C int that has the bits of an unsigned one."""
    return ctypes.c_int(number).value
