"""How CDMI refuses: which status an error gets here, and what is no error but a redirect. Pure."""

from __future__ import annotations

from onedata.errors import Errno, OnedataError, Posix
from onedata.ids import FileGuid

_NOT_PERMITTED = frozenset({Errno.EACCES, Errno.EPERM})
_READING = frozenset({"GET", "HEAD", "DELETE"})


class Refused(Exception):
    """An error that is answered with another status than its own."""

    def __init__(self, status: int, error: OnedataError) -> None:
        super().__init__(status, error)
        self.status, self.error = status, error


class Redirected(Exception):
    """The resource is of the other kind: ask again with, or without, the slash.

    Args:
        path: percent-encoded, below the CDMI root, with a leading slash.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class Referred(Exception):
    """The resource is a reference, which leads clients to another URI.

    Args:
        guid: of the reference itself.
    """

    def __init__(self, uri: str, guid: FileGuid) -> None:
        super().__init__(uri)
        self.uri, self.guid = uri, guid


def status_of(error: OnedataError, method: str) -> int:
    """Return the status for an error of the file service.

    The file system's refusals differ from the REST door's, where they are all 400: what is not there is
    404, what is not permitted is 403, what is not complete yet is 409. A path through a data object names
    nothing, but a create there is a bad request.
    """
    if not isinstance(error, Posix):
        return error.http_status
    if error.errno in _NOT_PERMITTED:
        return 403
    if error.errno is Errno.ENOENT:
        return 404
    if error.errno is Errno.EBUSY:
        return 409
    if error.errno is Errno.ENOTDIR and method in _READING:
        return 404
    return error.http_status


def redirect_status(method: str) -> int:
    """Return the status of a redirect: clients repeat other methods than GET only after a 308."""
    return 301 if method in ("GET", "HEAD") else 308
