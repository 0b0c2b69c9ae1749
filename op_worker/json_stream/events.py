"""What a JSON document consists of, in the order in which it is read. Pure."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

Value = str | int | float | bool | None


class InvalidJson(ValueError):
    """The text is no JSON, or holds what cannot be sent back (NaN, half a surrogate pair)."""


class JsonTooLong(ValueError):
    """More had to be held in memory than was allowed."""


class Mark(Enum):
    """Beginnings and ends."""

    OBJECT = "{"
    END_OBJECT = "}"
    ARRAY = "["
    END_ARRAY = "]"


class Take(Enum):
    """How the value of a member is handed on.

    ``PIECES`` concerns strings, also those in an array below the member; ``TEXT`` any value.
    """

    EVENTS = "as events"
    PIECES = "strings in pieces, without their quotes and with their escapes"
    TEXT = "as its JSON text, in pieces, exactly as it was sent"


@frozen
class Key:
    """The name of a member; its value follows."""

    name: str


@frozen
class Scalar:
    """A whole string, number, boolean or null."""

    value: Value


@frozen
class Piece:
    """A part of a long value. No escape, surrogate pair or character is cut between two pieces.

    The last one of a value may be empty.
    """

    text: bytes
    is_last: bool


Event = Mark | Key | Scalar | Piece
