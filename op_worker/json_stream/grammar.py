"""The words of JSON as patterns over whole chunks of UTF-8. Pure."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from op_worker.json_stream.events import InvalidJson, Value

MAX_NUMBER_B = 4300
"""The longest number: as long as Python converts one."""

_CONTROLS = bytes(range(0x20))
_HEX = rb"[0-9a-fA-F]"
_HIGH, _LOW = rb"u[dD][89abAB]" + _HEX * 2, rb"u[dD][c-fC-F]" + _HEX * 2
_ESCAPE = (
    rb"\\(?:[\"\\/bfnrt]|u(?:[0-9a-ce-fA-CE-F]" + _HEX * 3 + rb"|[dD][0-7]" + _HEX * 2 + rb")|"
    rb"" + _HIGH + rb"\\" + _LOW + rb")"
)
_PLAIN = rb"[^\"\\\x00-\x1f]*+"
_INSIDE = _PLAIN + rb"(?:" + _ESCAPE + _PLAIN + rb")*+"
_CUT_LOW = rb"\\(?:u(?:[dD](?:[c-fC-F]" + _HEX + rb"?)?)?)?"
_NUMBER = rb"-?(?:0|[1-9][0-9]{0,%d})(?:\.[0-9]{1,%d})?(?:[eE][+-]?[0-9]{1,%d})?"
_SPACE = rb"[ \t\n\r]*+"
_SCALAR = rb"(?:\"" + _INSIDE + rb"\"|" + _NUMBER % (99, 99, 9) + rb"|true|false|null)"

_INSIDE_RUN = re.compile(_INSIDE)
_CUT_ESCAPE = re.compile(rb"\\(?:u" + _HEX + rb"{0,3}|" + _HIGH + rb"(?:" + _CUT_LOW + rb")?)?")
_FULL_NUMBER = re.compile(_NUMBER % ((MAX_NUMBER_B,) * 3))
_CONSTANTS: dict[bytes, Value] = {b"true": True, b"false": False, b"null": None}

SPACES = re.compile(_SPACE)
WORD = re.compile(rb"[-+.0-9A-Za-z]*+")
RUN_DEPTH = 3
"""How many arrays and objects a value in a run may lie in."""


def _spaced(*parts: bytes) -> bytes:
    return _SPACE + _SPACE.join(parts) + _SPACE


def _member(value: bytes) -> bytes:
    return _spaced(rb"\"" + _INSIDE + rb"\"", rb":", value)


def _several(value: bytes, closing: bytes) -> bytes:
    """Return the pattern of values with commas between them, up to and with what closes them."""
    return (
        rb"(?:" + value + rb"(?:,(?!" + _SPACE + closing + rb")|(?=" + closing + rb")))*+" + _SPACE + closing
    )


def _enclosed(value: bytes) -> bytes:
    """Return the pattern of a value, an array of them or an object of them."""
    array, members = _several(_spaced(value), rb"\]"), _several(_member(value), rb"\}")
    return rb"(?:" + value + rb"|\[" + array + rb"|\{" + members + rb")"


def _nested(depth: int) -> bytes:
    return _enclosed(_nested(depth - 1)) if depth else _SCALAR


ELEMENTS = re.compile(rb"(?:" + _spaced(_nested(RUN_DEPTH)) + rb",)*+")
"""Any number of values with their commas: what can be passed over at once in an array."""
MEMBERS = re.compile(rb"(?:" + _member(_nested(RUN_DEPTH)) + rb",)*+")
"""The same in an object."""


def string_end(text: bytes, at: int) -> int:
    """Return where the inside of a string that goes on at ``at`` ends, or where it can be cut.

    That is at its quote, at the end of ``text``, or before an escape that may go on beyond it.

    Raises:
        InvalidJson: a control character, a bad escape, or half a surrogate pair.
    """
    quote = text.find(b'"', at)
    end = quote if quote >= 0 else len(text)
    if text.find(b"\\", at, end) < 0:
        inside = text[at:end]
        if len(inside.translate(None, _CONTROLS)) != len(inside):
            raise InvalidJson("a control character in a string")
        return end
    found = _INSIDE_RUN.match(text, at)
    end = found.end() if found is not None else at
    if end < len(text) and text[end : end + 1] != b'"' and _CUT_ESCAPE.fullmatch(text, end) is None:
        raise InvalidJson("a control character or a bad escape in a string")
    return end


def unescaped(inside: bytes) -> str:
    """Return the text of a string, or of a piece of one, whose inside was found well-formed."""
    if b"\\" not in inside:
        return inside.decode("utf-8")
    text: str = json.loads(b'"' + inside + b'"')
    return text


def scalar(word: bytes) -> Value:
    """Return the number or constant that a word means.

    Raises:
        InvalidJson: it means none, or an infinite number.
    """
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    check_scalar(word)
    if word.lstrip(b"-").isdigit():
        return _integer(word)
    return _finite(word)


def whole(text: bytes) -> Value | list[Any] | dict[str, Any]:
    """Return the value of a text that was handed on in pieces and is short enough to be held.

    Raises:
        InvalidJson: it holds a number that cannot be converted, or is nested deeper than Python calls go.
    """
    try:
        value: Value | list[Any] | dict[str, Any] = json.loads(text, parse_float=_finite)
    except (ValueError, RecursionError):
        raise InvalidJson("a number beyond all bounds, or too deep") from None
    return value


def check_scalar(word: bytes) -> None:
    """Raise InvalidJson for a word that is no number and no constant."""
    if word not in _CONSTANTS and (len(word) > MAX_NUMBER_B or _FULL_NUMBER.fullmatch(word) is None):
        raise InvalidJson("a word that is no number")


def _integer(word: bytes) -> int:
    try:
        return int(word)
    except ValueError:  # longer than Python converts
        raise InvalidJson("a number of too many digits") from None


def _finite(word: bytes | str) -> float:
    number = float(word)
    if math.isinf(number):
        raise InvalidJson("a number beyond all bounds")
    return number
