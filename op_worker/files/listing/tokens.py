"""Opaque tokens that continue a listing: what was the last name, not where it stood. Pure.

A token belongs to the directory whose listing gave it, and a recursive one to what was asked, too.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from attrs import frozen

from onedata.errors import Errno, Posix

_CHILDREN = b"\x02"


def page_token(directory: str, name: bytes) -> str:
    """Return the token that continues the listing of ``directory`` (its uuid) after ``name``."""
    return _encoded(_CHILDREN + directory.encode() + b"\0" + name)


def name_of_token(token: str, directory: str) -> bytes:
    """Return the name to continue after. Raises: Posix(EINVAL), also for a token of another directory."""
    data = _decoded(token)
    listed, separator, name = data[1:].partition(b"\0")
    if data[:1] != _CHILDREN or not separator:
        raise Posix(Errno.EINVAL, "not a listing token")
    if listed != directory.encode():
        raise Posix(Errno.EINVAL, "a token of another listing")
    return name


def listing_id(node_id: str, prefix: str, glob: str | None) -> str:
    """Return the name of a recursive listing: which directory, and what is looked for in it."""
    asked = json.dumps([node_id, prefix, glob]).encode()
    return sha256(asked).hexdigest()[:24]


@frozen
class Position:
    """Where a recursive listing stopped.

    ``listing`` is a ``listing_id``; ``is_passed`` says that the directory at ``start_after`` was reported
    as inaccessible and is not to be tried again.
    """

    listing: str
    start_after: str
    is_passed: bool = False

    def token(self) -> str:
        """Return the token that continues here."""
        return _encoded(json.dumps([self.listing, self.start_after, self.is_passed]).encode())

    @classmethod
    def of_token(cls, token: str, listing: str) -> Position:
        """Return the position of a token of the same listing. Raises: Posix(EINVAL)."""
        try:
            found = json.loads(_decoded(token))
        except (ValueError, RecursionError):
            raise Posix(Errno.EINVAL, "not a listing token") from None
        match found:
            case [str() as listed, str() as start_after, bool() as is_passed] if listed == listing:
                return cls(listed, start_after, is_passed)
        raise Posix(Errno.EINVAL, "a token of another listing")


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(token: str) -> bytes:
    try:
        return urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except ValueError:
        raise Posix(Errno.EINVAL, "not a listing token") from None
