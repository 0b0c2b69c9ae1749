"""One configuration value from TOML, or from the text of an environment variable, into its type."""

from __future__ import annotations

import tomllib
import types
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

import cattrs
from attrs import frozen, has


@frozen
class TextValue:
    """Text from the environment: it takes the type of the option it is meant for."""

    text: str


class OptionError(Exception):
    """A value is not what its option takes. ``expected`` completes "``path``: …"."""

    def __init__(self, path: str, expected: str, value: object) -> None:
        super().__init__(f"{path}: {expected}")
        self.path, self.expected = path, expected
        self.value = value.text if isinstance(value, TextValue) else value


Nested = Callable[[type[Any], object, str], object]
"""Builds a configuration class from a table at a path."""


def structure_value(kind: Any, raw: object, path: str, nested: Nested) -> object:
    """Return ``raw`` as ``kind``. Nothing is coerced, except text of the environment.

    Raises:
        OptionError: naming the path of the value that does not fit.
    """
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _optional(kind, raw, path, nested)
    if origin is tuple:
        return _items(get_args(kind)[0], raw, path, nested)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(get_args(kind)[1], raw, path, nested)
    if has(kind):
        return nested(kind, _parsed(raw, path), path)
    try:
        return _CONVERTER.structure(raw, kind)
    except (ValueError, TypeError, KeyError) as error:
        raise OptionError(path, _expectation(kind), raw) from error


def _optional(kind: Any, raw: object, path: str, nested: Nested) -> object:
    if isinstance(raw, TextValue) and raw.text == "":
        return None
    (inner,) = [choice for choice in get_args(kind) if choice is not type(None)]
    return structure_value(inner, raw, path, nested)


def _items(kind: Any, raw: object, path: str, nested: Nested) -> tuple[object, ...]:
    if isinstance(raw, TextValue) and not raw.text.startswith("["):
        parts = [part.strip() for part in raw.text.split(",") if part.strip()]
        return tuple(structure_value(kind, TextValue(part), path, nested) for part in parts)
    listed = _parsed(raw, path)
    if not isinstance(listed, list):
        raise OptionError(path, "expected a list", raw)
    return tuple(structure_value(kind, item, f"{path}[{index}]", nested) for index, item in enumerate(listed))


def _mapping(kind: Any, raw: object, path: str, nested: Nested) -> dict[str, object]:
    table = _parsed(raw, path)
    if not isinstance(table, Mapping):
        raise OptionError(path, "expected a section", raw)
    return {key: structure_value(kind, item, f"{path}.{key}", nested) for key, item in table.items()}


def _parsed(raw: object, path: str) -> object:
    """Text that stands for a list or a section is TOML itself."""
    if not isinstance(raw, TextValue):
        return raw
    try:
        return tomllib.loads(f"value = {raw.text}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise OptionError(path, f"not a TOML value ({error})", raw) from error


def _expectation(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "expected one of " + ", ".join(str(choice) for choice in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "expected one of " + ", ".join(str(choice.value) for choice in kind)
    return f"expected {_WORDS.get(kind, str(kind))}"


def _to_str(raw: object, _: object) -> str:
    if isinstance(raw, TextValue):
        return raw.text
    if not isinstance(raw, str):
        raise TypeError
    return raw


def _to_int(raw: object, _: object) -> int:
    if isinstance(raw, TextValue):
        return int(raw.text)
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise TypeError
    return raw


def _to_float(raw: object, _: object) -> float:
    if isinstance(raw, TextValue):
        return float(raw.text)
    if not isinstance(raw, (int, float)) or isinstance(raw, bool):
        raise TypeError
    return float(raw)


def _to_bool(raw: object, _: object) -> bool:
    if isinstance(raw, TextValue):
        return _BOOLEANS[raw.text.lower()]
    if not isinstance(raw, bool):
        raise TypeError
    return raw


def _to_enum(raw: object, kind: type[Enum]) -> Enum:
    return kind(raw.text if isinstance(raw, TextValue) else raw)


def _is_literal(kind: Any) -> bool:
    return get_origin(kind) is Literal


def _to_literal(raw: object, kind: Any) -> object:
    text = raw.text if isinstance(raw, TextValue) else raw
    return {choice: choice for choice in get_args(kind)}[text]


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=False)
    converter.register_structure_hook(str, _to_str)
    converter.register_structure_hook(int, _to_int)
    converter.register_structure_hook(float, _to_float)
    converter.register_structure_hook(bool, _to_bool)
    converter.register_structure_hook_func(lambda t: isinstance(t, type) and issubclass(t, Enum), _to_enum)
    converter.register_structure_hook_func(_is_literal, _to_literal)
    return converter


_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_WORDS = {str: "a text", int: "an integer", float: "a number", bool: "true or false"}
_CONVERTER = _make_converter()
