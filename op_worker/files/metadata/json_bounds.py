"""What JSON values custom metadata may hold: bounds on depth and on what can be written back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from onedata.errors import BadData, BadValueJSON
from op_worker.files.model import Json

MAX_DEPTH = 128
"""How deep arrays and objects may be nested; far from where recursive code would fail."""


def check_json(value: Json, key: str = "metadata") -> None:
    """Return when a value may be stored. Does not recurse, whatever it is given.

    Raises:
        BadData: of ``key``, nested deeper than ``MAX_DEPTH``.
        BadValueJSON: of ``key``, it holds an infinite number, NaN or half a surrogate pair.
    """
    level: list[Json] = [value]
    depth = 0
    while level:
        inner: list[Json] = []
        for each in level:
            if isinstance(each, Mapping):
                for name in each:
                    _check_text(name, key)
                inner.extend(each.values())
            elif isinstance(each, list | tuple):
                inner.extend(each)
            elif isinstance(each, str):
                _check_text(each, key)
            elif isinstance(each, float) and not isfinite(each):
                raise BadValueJSON(key)
        if any(isinstance(each, Mapping | list | tuple) for each in level):
            depth += 1
            if depth > MAX_DEPTH:
                raise BadData(key, f"JSON may be nested {MAX_DEPTH} levels deep")
        level = inner


def _check_text(text: str, key: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadValueJSON(key) from None
