"""The id of the request that is being served, known to everything that is done for it.

It is kept in the context of the coroutine that serves the request, which Twisted copies to every coroutine
that is started from there. Whoever begins to serve sets it; logs and calls to other nodes read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from itertools import count

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""``None`` outside of requests."""

_is_well_formed = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch


def well_formed(text: object) -> str | None:
    """Return ``text`` if it may be a request id: 1 to 64 letters, digits, dots, underscores and dashes."""
    return text if isinstance(text, str) and _is_well_formed(text) else None


class RequestIds:
    """Makes ids that no other process makes: a random beginning and a number.

    Args:
        random_bytes: called once.
    """

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._beginning = random_bytes(6).hex()
        self._numbers = count(1)

    def next(self) -> str:
        """Return a new id."""
        return f"{self._beginning}-{next(self._numbers):x}"
