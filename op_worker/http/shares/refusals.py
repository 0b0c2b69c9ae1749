"""What a visitor of a share is told when something is refused. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from onedata.errors import (
    BadSharePassword,
    BadValueFilePath,
    Errno,
    Forbidden,
    NotFound,
    OnedataError,
    Posix,
    ShareExpired,
    SpaceNotSupportedBy,
    Unauthorized,
)

_NOTHING = 404
_STATUS_OF_ERRNO: Mapping[Errno, int] = {
    Errno.ENOENT: _NOTHING,
    Errno.ENOTDIR: _NOTHING,
    Errno.ELOOP: _NOTHING,
    Errno.ENAMETOOLONG: _NOTHING,
    Errno.EACCES: 403,
    Errno.EPERM: 403,
    Errno.EIO: 500,
}


@frozen
class Refusal:
    """A status with its words for a page."""

    status: int
    title: str
    sentence: str


_WORDS: Mapping[int, tuple[str, str]] = {
    400: ("Bad request", "The address holds something that cannot be understood."),
    401: ("Password needed", "This share is protected. Ask whoever gave you the link for its password."),
    403: ("Not open to visitors", "This file is part of the share, but its owner keeps it closed."),
    404: ("Nothing here", "There is no such share or file. It may have been removed."),
    410: ("This share has ended", "Ask whoever gave you the link to prolong it."),
    500: ("Something went wrong", "The provider could not read this file."),
    503: ("Not available now", "The provider cannot answer at the moment. Please try again in a while."),
}
_WRONG = ("Wrong password", "The password does not fit this share.")


def refusal_of(error: OnedataError) -> Refusal:
    """Return what is told of an error; nothing of what it says about the file."""
    if isinstance(error, Unauthorized) and isinstance(error.auth_error, BadSharePassword):
        return Refusal(401, *_WRONG)
    status = _status_of(error)
    if status not in _WORDS:
        status = 500 if status > 500 else 400
    return Refusal(status, *_WORDS[status])


def _status_of(error: OnedataError) -> int:
    if isinstance(error, Posix):
        return _STATUS_OF_ERRNO.get(error.errno, 400)
    if isinstance(error, ShareExpired):
        return 410
    if isinstance(error, NotFound | BadValueFilePath | SpaceNotSupportedBy | Forbidden):
        return _NOTHING
    return error.http_status
