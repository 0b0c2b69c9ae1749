"""Tokens that continue a search: the last result, bound to what was searched. Pure."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from onedata.errors import BadData
from op_worker.search.compiling import Mark


def token_of(mark: Mark, *search: str) -> str:
    """Return the token that continues ``search`` after a mark."""
    text = json.dumps([_digest(search), mark.value, mark.uuid, mark.link])
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def mark_of(token: str, *search: str) -> Mark:
    """Return the mark in a token. Raises: BadData of ``token``, for one of another search too."""
    try:
        found = json.loads(urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4)))
    except (ValueError, RecursionError):
        raise BadData("token", "not a token of a search") from None
    match found:
        case [str() as digest, (str() | int() | float()) as value, str() as uuid, str() as link]:
            if digest == _digest(search):
                return Mark(value, uuid, link)
    raise BadData("token", "a token of another search")


def _digest(search: tuple[str, ...]) -> str:
    return sha256(json.dumps(search).encode()).hexdigest()[:16]
