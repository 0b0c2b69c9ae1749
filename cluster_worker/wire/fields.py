"""Message bodies: a msgpack array of fields, read back with every type checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgpack

from cluster_worker.wire.errors import BadFrame, BadRequest

Payload = object
"""What msgpack carries: None, bool, int of 64 bits, float, str, bytes, and lists and maps of them."""

T = TypeVar("T")

_INFINITE = float("inf")

_pack: Callable[[object], bytes] = msgpack.Packer(use_bin_type=True, autoreset=True).pack


class BadField(ValueError):
    """A field is missing or of another type than its message says."""


def pack_fields(values: Iterable[object]) -> bytes:
    """Return the body of a message.

    Raises:
        BadRequest: a value cannot be written in msgpack.
    """
    try:
        return _pack(values)
    except (TypeError, ValueError, OverflowError, RecursionError) as problem:
        raise BadRequest(f"a value cannot be sent: {problem}") from problem


def unpack_fields(body: bytes) -> list[object]:
    """Return the fields of a body.

    Raises:
        BadFrame: the body is not exactly one msgpack array.
    """
    try:
        values = msgpack.unpackb(body, raw=False, ext_hook=_no_extension)
    except (ValueError, TypeError, OverflowError, RecursionError) as problem:
        raise BadFrame(f"a body is not msgpack: {type(problem).__name__}") from problem
    if not isinstance(values, list):
        raise BadFrame("a body is not an array")
    return values


def _no_extension(code: int, data: bytes) -> object:
    raise ValueError(f"extension type {code} is not used here")


class Fields:
    """Reads fields by position. Fields beyond those a message knows are ignored, for newer peers.

    Every reader raises ``BadField`` for a field that is absent or wrong.
    """

    __slots__ = ("_values",)

    def __init__(self, values: list[object]) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def any(self, index: int) -> Payload:
        if index >= len(self._values):
            raise BadField(f"field {index} is missing")
        return self._values[index]

    def any_or_none(self, index: int) -> Payload:
        """A field that older peers do not send."""
        return self._values[index] if index < len(self._values) else None

    def text(self, index: int) -> str:
        return _exactly(str, self.any(index), index)

    def integer(self, index: int) -> int:
        """A whole number from 0 up."""
        value = _exactly(int, self.any(index), index)
        if value < 0:
            raise BadField(f"field {index} is negative")
        return value

    def number(self, index: int) -> float:
        """A finite number from 0 up."""
        value = self.any(index)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _INFINITE:
            raise BadField(f"field {index} is not a number from 0 up")
        return float(value)

    def flag(self, index: int) -> bool:
        return _exactly(bool, self.any(index), index)

    def optional_text(self, index: int) -> str | None:
        return None if self.any(index) is None else self.text(index)

    def each(self, index: int, read: Callable[[Fields], T]) -> tuple[T, ...]:
        """A list of arrays, each read by ``read``."""
        return tuple(
            read(Fields(_exactly(list, item, index))) for item in _exactly(list, self.any(index), index)
        )

    def texts(self, index: int) -> tuple[str, ...]:
        return tuple(_exactly(str, item, index) for item in _exactly(list, self.any(index), index))

    def nested(self, index: int) -> Fields:
        return Fields(_exactly(list, self.any(index), index))

    def text_map(self, index: int) -> dict[str, Payload] | None:
        """A map with text keys, or nothing."""
        value = self.any(index)
        if value is None:
            return None
        return {_exactly(str, key, index): item for key, item in _exactly(dict, value, index).items()}


def _exactly(kind: type[T], value: object, index: int) -> T:
    if type(value) is not kind:
        raise BadField(f"field {index} is {type(value).__name__}, not {kind.__name__}")
    return value
