"""Opaque tokens that continue a listing: what was the last name, not where it stood. Pure."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

from attrs import frozen

from onedata.errors import Errno, Posix


def page_token(name: bytes) -> str:
    """Return the token that continues after ``name``."""
    return urlsafe_b64encode(b"\x01" + name).decode().rstrip("=")


def name_of_token(token: str) -> bytes:
    """Return the name to continue after. Raises: Posix(EINVAL)."""
    data = _decoded(token)
    if data[:1] != b"\x01" or len(data) < 2:
        raise Posix(Errno.EINVAL, "not a listing token")
    return data[1:]


@frozen
class Position:
    """Where a recursive listing stopped.

    ``node_id`` is the object id of the listed directory; ``is_passed`` says that the directory at
    ``start_after`` was reported as inaccessible and is not to be tried again.
    """

    node_id: str
    start_after: str
    is_passed: bool = False

    def token(self) -> str:
        """Return the token that continues here."""
        text = json.dumps([self.node_id, self.start_after, self.is_passed])
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def of_token(cls, token: str, node_id: str) -> Position:
        """Return the position of a token of the directory ``node_id``. Raises: Posix(EINVAL)."""
        try:
            found = json.loads(_decoded(token))
        except (ValueError, RecursionError):
            raise Posix(Errno.EINVAL, "not a listing token") from None
        match found:
            case [str() as listed, str() as start_after, bool() as is_passed] if listed == node_id:
                return cls(listed, start_after, is_passed)
        raise Posix(Errno.EINVAL, "a token of another listing")


def _decoded(token: str) -> bytes:
    try:
        return urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except ValueError:
        raise Posix(Errno.EINVAL, "not a listing token") from None
