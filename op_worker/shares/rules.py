"""What a share may be called and promised: names, descriptions, ends, passwords. Pure."""

from __future__ import annotations

import re
from typing import Final

from onedata.errors import BadValueName, BadValuePassword, BadValueTextTooLarge, BadValueTooLow

LONGEST_DESCRIPTION: Final = 100_000
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 1024
LATEST_END_S: Final = 253_402_300_799
"""The last second of the year 9999."""

_NAME = re.compile(r"[\w()][\w() .\-]{0,126}[\w()]")


def check_name(name: str) -> str:
    """Return a legal name of a share. Raises: BadValueName."""
    if _NAME.fullmatch(name) is None:
        raise BadValueName("name")
    return name


def check_description(text: str) -> str:
    """Return a legal description. Raises: BadValueTextTooLarge."""
    if len(text) > LONGEST_DESCRIPTION:
        raise BadValueTextTooLarge("description", LONGEST_DESCRIPTION)
    return text


def check_end(expires_s: int, now_s: float) -> int | None:
    """Return when a share ends; 0 is never, which is ``None``. Raises: BadValueTooLow for the past."""
    if expires_s == 0:
        return None
    if expires_s <= now_s:
        raise BadValueTooLow("expires", int(now_s) + 1)
    return expires_s


def check_password(password: str) -> str:
    """Return a legal password. Raises: BadValuePassword."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise BadValuePassword()
    return password
