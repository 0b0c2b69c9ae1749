"""Typed parameters of a request: declared once, taken from query string and JSON body, checked. Pure.

A door declares ``Param``s; ``sanitise`` turns what came into a dict of checked values by parameter name.
The same declarations make the door's OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import unquote_plus

from attrs import frozen

from onedata.errors import (
    BadValueBoolean,
    BadValueEmpty,
    BadValueInteger,
    BadValueJSON,
    BadValueListOfStrings,
    BadValueNotAllowed,
    BadValueNotInRange,
    BadValueString,
    BadValueTooHigh,
    BadValueTooLow,
    MissingRequiredValue,
    OnedataError,
)

_TRUTHS = {"true": True, "false": False}


class Kind(Protocol):
    """A type of parameter."""

    def parse(self, key: str, value: Any) -> Any:
        """Return the typed value of ``value``, which is never ``None``. Raises an ``OnedataError``."""

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of the type."""


@frozen
class Boolean:
    """true, false, or their names as text."""

    @property
    def schema(self) -> Mapping[str, Any]:
        return {"type": "boolean"}

    def parse(self, key: str, value: Any) -> bool:
        found = _TRUTHS.get(value) if isinstance(value, str) else value
        if not isinstance(found, bool):
            raise BadValueBoolean(key)
        return found


@frozen
class Integer:
    """A whole number, also as decimal text; bounds are inclusive."""

    low: int | None = None
    high: int | None = None

    @property
    def schema(self) -> Mapping[str, Any]:
        bounds = {"minimum": self.low, "maximum": self.high}
        return {"type": "integer", **{name: bound for name, bound in bounds.items() if bound is not None}}

    def parse(self, key: str, value: Any) -> int:
        return check_bounds(key, _whole_number(key, value, 10), self.low, self.high)


@frozen
class IntegerOr:
    """A whole number, or one word that stands for none."""

    word: str
    low: int | None = None

    @property
    def schema(self) -> Mapping[str, Any]:
        return {"oneOf": [Integer(self.low).schema, {"type": "string", "enum": [self.word]}]}

    def parse(self, key: str, value: Any) -> int | str:
        return self.word if value == self.word else Integer(self.low).parse(key, value)


@frozen
class Octal:
    """Text of octal digits, such as permission bits; bounds are inclusive, in plain numbers."""

    low: int
    high: int

    @property
    def schema(self) -> Mapping[str, Any]:
        return {"type": "string", "pattern": "^[0-7]+$"}

    def parse(self, key: str, value: Any) -> int:
        if not isinstance(value, str):
            raise BadValueInteger(key)
        return check_bounds(key, _whole_number(key, value, 8), self.low, self.high)


@frozen
class Text:
    """Any text that is not empty."""

    @property
    def schema(self) -> Mapping[str, Any]:
        return {"type": "string", "minLength": 1}

    def parse(self, key: str, value: Any) -> str:
        if not isinstance(value, str):
            raise BadValueString(key)
        if not value:
            raise BadValueEmpty(key)
        return value


@frozen
class AnyText:
    """Any text, also an empty one."""

    @property
    def schema(self) -> Mapping[str, Any]:
        return {"type": "string"}

    def parse(self, key: str, value: Any) -> str:
        if not isinstance(value, str):
            raise BadValueString(key)
        return value


@frozen
class Choice:
    """One of a few words."""

    allowed: tuple[str, ...]

    @property
    def schema(self) -> Mapping[str, Any]:
        return {"type": "string", "enum": list(self.allowed)}

    def parse(self, key: str, value: Any) -> str:
        if value not in self.allowed:
            raise BadValueNotAllowed(key, list(self.allowed))
        return str(value)


@frozen
class TextList:
    """A list of texts; a single text counts as a list of one when ``or_one``."""

    or_one: bool = True

    @property
    def schema(self) -> Mapping[str, Any]:
        return {"type": "array", "items": {"type": "string"}}

    def parse(self, key: str, value: Any) -> list[str]:
        if self.or_one and isinstance(value, str):
            return [value]
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise BadValueListOfStrings(key)
        return value


@frozen
class JsonObject:
    """A JSON object."""

    @property
    def schema(self) -> Mapping[str, Any]:
        return {"type": "object"}

    def parse(self, key: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise BadValueJSON(key)
        return value


@frozen
class Param:
    """A parameter. It is known by ``name`` and by each of ``aliases``; ``help`` is one sentence."""

    name: str
    kind: Kind
    help: str = ""
    default: Any = None
    required: bool = False
    aliases: tuple[str, ...] = ()


def parse_query(query: bytes) -> dict[str, Any]:
    """Return the parameters of a query string.

    A key that comes more than once gives a list, a key without ``=`` gives true. Bytes that are not
    UTF-8 become replacement characters.
    """
    found: dict[str, Any] = {}
    for pair in query.decode("latin-1").split("&") if query else ():
        if not pair:
            continue
        name, mark, text = pair.partition("=")
        key, value = unquote_plus(name), unquote_plus(text) if mark else True
        if key not in found:
            found[key] = value
        elif isinstance(found[key], list):
            found[key].append(value)
        else:
            found[key] = [found[key], value]
    return found


def sanitise(params: Iterable[Param], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of every parameter by its name, defaults included; unknown keys are dropped.

    ``null`` counts as not given.

    Raises:
        OnedataError: the error of the first parameter that is missing or wrong.
    """
    return {param.name: _value_of(param, given) for param in params}


def check_bounds(key: str, number: int, low: int | None, high: int | None) -> int:
    """Return ``number`` when it lies within the inclusive bounds.

    Raises:
        BadValueNotInRange: both bounds are given; BadValueTooLow, BadValueTooHigh: only one is.
    """
    if (low is None or number >= low) and (high is None or number <= high):
        return number
    raise _out_of_bounds(key, low, high)


def _out_of_bounds(key: str, low: int | None, high: int | None) -> OnedataError:
    if low is not None and high is not None:
        return BadValueNotInRange(key, low, high)
    return BadValueTooHigh(key, high) if low is None else BadValueTooLow(key, low)


def _value_of(param: Param, given: Mapping[str, Any]) -> Any:
    for key in (param.name, *param.aliases):
        value = given.get(key)
        if value is not None:
            return param.kind.parse(key, value)
    if param.required:
        raise MissingRequiredValue(param.name)
    return param.default


def _whole_number(key: str, value: Any, base: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or len(value) > 32 or not value.isascii():
        raise BadValueInteger(key)
    digits = value[1:] if value[:1] == "-" and base == 10 else value
    if not digits.isdigit():
        raise BadValueInteger(key)
    try:
        return int(value, base)
    except ValueError:
        raise BadValueInteger(key) from None
