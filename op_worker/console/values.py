"""What is written on the command line into values. Pure, but for files that are named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

_SIZE = re.compile(r"(\d{1,18})\s*([kmgtp]i?)?b?", re.IGNORECASE)
_UNITS: dict[str, int] = {unit: 1000 ** (n + 1) for n, unit in enumerate("kmgtp")} | {
    f"{unit}i": 1024 ** (n + 1) for n, unit in enumerate("kmgtp")
}
_QOS, _QOS_PREFIX = "qosParameters", "qos."
ReadFile = Callable[[str], str]


class BadArgument(Exception):
    """A word of the command line is wrong; the text says which and why."""


def size_b(text: str) -> int:
    """Read a size in bytes: ``500``, ``10GB`` (powers of 1000), ``10GiB`` (of 1024)."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise BadArgument(f"{text}: not a size such as 10GB or 10GiB")
    return int(match[1]) * _UNITS.get((match[2] or "").lower(), 1)


def description(words: Sequence[str], read: ReadFile) -> dict[str, Any]:
    """Read ``key=value`` words as a description of a storage.

    ``key=@file`` is the content of a file, without the line break at its end; ``qos.key=value`` is one of the
    parameters for rules of placement, a number where it reads as one.
    """
    found: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not key or not equals:
            raise BadArgument(f"{word}: not key=value")
        if value.startswith("@"):
            value = read(value[1:]).rstrip("\n")
        if key.startswith(_QOS_PREFIX):
            found.setdefault(_QOS, {})[key.removeprefix(_QOS_PREFIX)] = _number_or_text(value)
        else:
            found[key] = value
    return found


def json_object(text: str, name: str) -> dict[str, Any]:
    """Read a JSON object from a file called ``name``."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise BadArgument(f"{name}: no JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadArgument(f"{name}: no JSON object")
    return found


def _number_or_text(text: str) -> str | float:
    try:
        return int(text) if re.fullmatch(r"-?\d{1,15}", text) else float(text) if "." in text else text
    except ValueError:
        return text
