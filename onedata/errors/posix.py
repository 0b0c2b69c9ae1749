"""File system failures: one error with the name of a POSIX errno."""

from __future__ import annotations

import errno as numbers
from enum import StrEnum
from typing import ClassVar

from attrs import define, field

from onedata.errors.base import HIDDEN, ON_REQUEST, OnedataError


class Errno(StrEnum):
    """The errno names that may leave a provider, in the lower case of the wire."""

    EPERM = "eperm"
    ENOENT = "enoent"
    ESRCH = "esrch"
    EINTR = "eintr"
    EIO = "eio"
    ENXIO = "enxio"
    E2BIG = "e2big"
    ENOEXEC = "enoexec"
    EBADF = "ebadf"
    ECHILD = "echild"
    EAGAIN = "eagain"
    ENOMEM = "enomem"
    EACCES = "eacces"
    EFAULT = "efault"
    EBUSY = "ebusy"
    EEXIST = "eexist"
    EXDEV = "exdev"
    ENODEV = "enodev"
    ENOTDIR = "enotdir"
    EISDIR = "eisdir"
    EINVAL = "einval"
    ENFILE = "enfile"
    EMFILE = "emfile"
    ENOTTY = "enotty"
    ETXTBSY = "etxtbsy"
    EFBIG = "efbig"
    ENOSPC = "enospc"
    ESPIPE = "espipe"
    EROFS = "erofs"
    EMLINK = "emlink"
    EPIPE = "epipe"
    EDOM = "edom"
    ERANGE = "erange"
    EDEADLK = "edeadlk"
    ENAMETOOLONG = "enametoolong"
    ENOLCK = "enolck"
    ENOSYS = "enosys"
    ENOTEMPTY = "enotempty"
    ELOOP = "eloop"
    ENOMSG = "enomsg"
    EIDRM = "eidrm"
    ENOSTR = "enostr"
    ENODATA = "enodata"
    ETIME = "etime"
    ENOSR = "enosr"
    ENOLINK = "enolink"
    EPROTO = "eproto"
    EBADMSG = "ebadmsg"
    EOVERFLOW = "eoverflow"
    EILSEQ = "eilseq"
    ENOTSOCK = "enotsock"
    EDESTADDRREQ = "edestaddrreq"
    EMSGSIZE = "emsgsize"
    EPROTOTYPE = "eprototype"
    ENOPROTOOPT = "enoprotoopt"
    EPROTONOSUPPORT = "eprotonosupport"
    ENOTSUP = "enotsup"
    EAFNOSUPPORT = "eafnosupport"
    EADDRINUSE = "eaddrinuse"
    EADDRNOTAVAIL = "eaddrnotavail"
    ENETDOWN = "enetdown"
    ENETUNREACH = "enetunreach"
    ENETRESET = "enetreset"
    ECONNABORTED = "econnaborted"
    ECONNRESET = "econnreset"
    ENOBUFS = "enobufs"
    EISCONN = "eisconn"
    ENOTCONN = "enotconn"
    ETIMEDOUT = "etimedout"
    ECONNREFUSED = "econnrefused"
    EHOSTUNREACH = "ehostunreach"
    EALREADY = "ealready"
    EINPROGRESS = "einprogress"
    ESTALE = "estale"
    EDQUOT = "edquot"
    ECANCELED = "ecanceled"
    EOWNERDEAD = "eownerdead"
    ENOTRECOVERABLE = "enotrecoverable"

    @property
    def number(self) -> int:
        """The errno number on this machine."""
        number: int = getattr(numbers, self.name)
        return number


_BY_NUMBER = {errno.number: errno for errno in Errno}
_WORTH_ANOTHER_TRY = frozenset({Errno.EAGAIN, Errno.EBUSY})


@define(slots=False)
class Posix(OnedataError):
    """A file operation failed; ``hint`` goes into the description only.

    ``reason`` is the fact that a refusal rests on, given to those who may know it and ask for it: an addition
    of ours to the published details, which clients compare as a whole.

    ``retryable`` is true for EAGAIN and EBUSY.
    """

    text: ClassVar[str] = "Operation failed with POSIX error: {errno}."

    errno: Errno = field(converter=Errno)
    hint: str | None = field(default=None, metadata=HIDDEN)
    reason: str | None = field(default=None, metadata=ON_REQUEST)

    def __attrs_post_init__(self) -> None:
        self.retryable = self.errno in _WORTH_ANOTHER_TRY

    @property
    def description(self) -> str:
        """``Operation failed with POSIX error: enoent.``, then the hint."""
        said = super().description
        return said if self.hint is None else f"{said} {self.hint}"

    @classmethod
    def from_oserror(cls, error: OSError) -> Posix:
        """The same failure without the path that the operating system named; EIO when it has no errno."""
        return cls(_BY_NUMBER.get(error.errno or 0, Errno.EIO))
