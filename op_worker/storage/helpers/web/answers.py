"""What the answers of an HTTP server mean for a storage. Pure."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from attrs import field, frozen

from op_worker.storage.helper import StorageError, StorageUnavailable

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_UNSATISFIED = re.compile(r"bytes \*/(\d+)")
_NUMBERS = {
    HTTPStatus.UNAUTHORIZED: errno.EACCES,
    HTTPStatus.FORBIDDEN: errno.EACCES,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: errno.EACCES,
    HTTPStatus.NOT_FOUND: errno.ENOENT,
    HTTPStatus.GONE: errno.ENOENT,
    HTTPStatus.METHOD_NOT_ALLOWED: errno.EROFS,
    HTTPStatus.PRECONDITION_FAILED: errno.ESTALE,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: errno.EFBIG,
    HTTPStatus.REQUEST_URI_TOO_LONG: errno.ENAMETOOLONG,
    HTTPStatus.LENGTH_REQUIRED: errno.ENOTSUP,
    HTTPStatus.LOCKED: errno.EBUSY,
    HTTPStatus.FAILED_DEPENDENCY: errno.EBUSY,
    HTTPStatus.NOT_IMPLEMENTED: errno.ENOTSUP,
    HTTPStatus.INSUFFICIENT_STORAGE: errno.ENOSPC,
}
_PASSING = {
    HTTPStatus.REQUEST_TIMEOUT: errno.ETIMEDOUT,
    HTTPStatus.TOO_MANY_REQUESTS: errno.EAGAIN,
    HTTPStatus.INTERNAL_SERVER_ERROR: errno.EIO,
    HTTPStatus.BAD_GATEWAY: errno.EIO,
    HTTPStatus.SERVICE_UNAVAILABLE: errno.EAGAIN,
    HTTPStatus.GATEWAY_TIMEOUT: errno.ETIMEDOUT,
}


@frozen
class Head:
    """The beginning of an answer. ``url`` is where it came from after redirects; header names are small."""

    status: int
    phrase: str
    url: str
    headers: Mapping[str, str] = field(factory=dict)

    def header(self, name: str) -> str:
        """Return a header, or nothing."""
        return self.headers.get(name, "")

    @property
    def is_success(self) -> bool:
        """Whether it is of the 200s."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


def failure(head: Head, path: str) -> StorageError:
    """Return the error that an answer tells of, in the server's own words."""
    words = f"the server says {head.status} {head.phrase}".rstrip()
    number = _PASSING.get(HTTPStatus(head.status)) if head.status in set(HTTPStatus) else None
    if number is not None:
        return StorageUnavailable(number, path, words)
    known = _NUMBERS.get(HTTPStatus(head.status)) if head.status in set(HTTPStatus) else None
    return StorageError(errno.EIO if known is None else known, path, words)


@frozen
class Version:
    """What tells one content of a file from another: its tag where the server has one, else size and time."""

    tag: str = ""
    size_b: int = 0
    modified: str = ""

    def is_same(self, other: Version) -> bool:
        """Whether both can be of one content; what one of them does not tell says nothing."""
        if self.tag and other.tag:
            if _bare(self.tag) == _bare(other.tag):
                return True
            if _is_strong(self.tag) and _is_strong(other.tag):
                return False
        is_same_time = not self.modified or not other.modified or self.modified == other.modified
        return is_same_time and self.size_b == other.size_b

    @property
    def condition(self) -> str:
        """Return what ``If-Match`` asks for; ``*`` when only that there is something."""
        return self.tag if _is_strong(self.tag) else "*"


@frozen
class Extent:
    """Which bytes an answer brings, and how many the whole has."""

    offset_b: int
    size_b: int
    total_b: int


def extent(head: Head) -> Extent | None:
    """Read ``Content-Range`` of a part; ``None`` when it has none that can be used."""
    found = _RANGE.fullmatch(head.header("content-range").strip())
    if found is None or found[3] == "*":
        return None
    first, last, total = int(found[1]), int(found[2]), int(found[3])
    return Extent(first, last - first + 1, total) if first <= last < total else None


def total_of_unsatisfied(head: Head) -> int | None:
    """Return the size of a file of which no part was asked for, where the server tells it."""
    found = _UNSATISFIED.fullmatch(head.header("content-range").strip())
    return None if found is None else int(found[1])


def length(head: Head) -> int | None:
    """Return ``Content-Length``; ``None`` when there is none or it is no number."""
    text = head.header("content-length").strip()
    return int(text) if text.isascii() and text.isdigit() else None


def version(head: Head, size_b: int) -> Version:
    """Return the version that an answer is of."""
    return Version(head.header("etag"), size_b, head.header("last-modified"))


def seconds(date: str) -> float:
    """Return an HTTP date in seconds since the epoch; 0 when it is none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return 0.0


def _is_strong(tag: str) -> bool:
    return tag.startswith('"')


def _bare(tag: str) -> str:
    """Return the text of a tag; weak ones and those that a server forgets to quote are compared, too."""
    return tag.removeprefix("W/").strip('"')
