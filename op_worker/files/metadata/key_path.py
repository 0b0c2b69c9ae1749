"""Key paths into JSON documents: ``a.b.[2].c``. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard

from onedata.errors import Errno, Posix
from op_worker.files.model import Json

Key = str | int
MAX_INDEX = 1 << 16
"""Lists are padded with null up to an index, so indices are bounded, and all of a path together."""
MAX_KEYS = 128
"""The most keys in a path."""


def parse(text: str) -> tuple[Key, ...]:
    """Return the keys of a path; ``[n]`` is a position in a list.

    Raises: Posix(EINVAL) for an empty key, indices beyond ``MAX_INDEX`` or more than ``MAX_KEYS`` keys.
    """
    parts = text.split(".")
    if len(parts) > MAX_KEYS:
        raise Posix(Errno.EINVAL, f"a path may have up to {MAX_KEYS} keys")
    keys = tuple(map(_key, parts))
    if sum(key for key in keys if isinstance(key, int)) > MAX_INDEX:
        raise Posix(Errno.EINVAL, f"the indices of a path may be up to {MAX_INDEX} together")
    return keys


def find(value: Json, path: Sequence[Key]) -> Json:
    """Return what is at a path. Raises: Posix(ENODATA)."""
    for key in path:
        if isinstance(key, int) and _is_list(value) and key < len(value):
            value = value[key]
        elif isinstance(key, str) and isinstance(value, Mapping) and key in value:
            value = value[key]
        else:
            raise Posix(Errno.ENODATA, f"nothing at {key}")
    return value


def insert(value: Json, path: Sequence[Key], new: Json) -> Json:
    """Return ``value`` with ``new`` at a path; objects and lists on the way are made where null is.

    Raises: Posix(ENODATA) when the path leads through a scalar, or an object is met as a list.
    """
    if not path:
        return new
    key, *rest = path
    if isinstance(key, int) and (value is None or _is_list(value)):
        items = list(value) if _is_list(value) else []
        items.extend([None] * (key + 1 - len(items)))
        items[key] = insert(items[key], rest, new)
        return items
    if isinstance(key, str) and (value is None or isinstance(value, Mapping)):
        fields = dict(value) if isinstance(value, Mapping) else {}
        fields[key] = insert(fields.get(key), rest, new)
        return fields
    raise Posix(Errno.ENODATA, f"{key} leads through a value that has no parts")


def merged(parent: Json, child: Json) -> Json:
    """Return a document with what it inherits: objects are merged deeply, otherwise the child wins."""
    if not isinstance(parent, Mapping) or not isinstance(child, Mapping):
        return child
    result = dict(parent)
    for key, value in child.items():
        result[key] = merged(parent[key], value) if key in parent else value
    return result


def _key(part: str) -> Key:
    if not part:
        raise Posix(Errno.EINVAL, "an empty key in the path")
    if part.startswith("[") and part.endswith("]") and part[1:-1].isascii() and part[1:-1].isdigit():
        index = int(part[1:-1]) if len(part) < 10 else MAX_INDEX + 1
        if index > MAX_INDEX:
            raise Posix(Errno.EINVAL, f"an index may be up to {MAX_INDEX}")
        return index
    return part


def _is_list(value: Json) -> TypeGuard[Sequence[Json]]:
    return isinstance(value, list | tuple)
