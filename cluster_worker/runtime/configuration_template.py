"""A configuration class as a commented TOML file: every option, its meaning, its default."""

from __future__ import annotations

import inspect
import json
import textwrap
import types
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Union, get_args, get_origin

from attrs import NOTHING, Attribute, fields, has, resolve_types

_WIDTH = 96


def commented_toml(cls: type[Any]) -> str:
    """Return the text of a file with every option of ``cls`` commented out at its default.

    Loading the text as it is gives the defaults. Options without a default of their own (``None``) show
    the field's ``metadata["example"]`` instead, if there is one.
    """
    head = [*_comment(inspect.cleandoc(cls.__doc__ or cls.__name__)), ""]
    return "\n".join([*head, *_table(cls, "", False)]).rstrip("\n") + "\n"


def _table(cls: type[Any], path: str, is_commented: bool) -> Iterator[str]:
    plain: list[Attribute[Any]] = []
    nested: list[tuple[str, type[Any], bool]] = []
    for attribute in fields(resolve_types(cls)):
        inner, is_mapping = _inner_class(attribute.type)
        if inner is None:
            plain.append(attribute)
        else:
            key = f"{path}{attribute.name}" + (".NAME" if is_mapping else "")
            nested.append((key, inner, is_commented or is_mapping))
    for attribute in plain:
        yield from _option(attribute)
    for key, inner, commented in nested:
        yield from _comment(inspect.cleandoc(inner.__doc__ or ""))
        yield f"{'#' if commented else ''}[{key}]"
        yield ""
        yield from _table(inner, f"{key}.", commented)


def _inner_class(kind: Any) -> tuple[type[Any] | None, bool]:
    """Return the configuration class a field holds, and whether it holds many by name."""
    if has(kind):
        return kind, False
    origin = get_origin(kind)
    if isinstance(origin, type) and issubclass(origin, Mapping) and has(get_args(kind)[1]):
        return get_args(kind)[1], True
    if origin in (Union, types.UnionType):
        return next(((choice, False) for choice in get_args(kind) if has(choice)), (None, False))
    return None, False


def _option(attribute: Attribute[Any]) -> Iterator[str]:
    may_change = " Used at once after SIGHUP." if attribute.metadata.get("reload") else ""
    yield from _comment(attribute.metadata["help"] + may_change)
    default = attribute.default
    factory = getattr(default, "factory", None)
    if factory is not None:
        default = factory()
    example = attribute.metadata.get("example")
    if default is NOTHING or default is None:
        yield "# Required." if default is NOTHING else "# Not set by default."
        yield f"#{attribute.name} =" if example is None else f"#{attribute.name} = {toml_value(example)}"
    else:
        yield f"#{attribute.name} = {toml_value(default)}"
    yield ""


def _comment(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        for line in textwrap.wrap(" ".join(paragraph.split()), _WIDTH, break_on_hyphens=False):
            yield f"# {line}"


def toml_value(value: object) -> str:
    """Return a plain value as TOML."""
    match value:
        case bool():
            return "true" if value else "false"
        case Enum():
            return toml_value(value.value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case int() | float():
            return repr(value)
        case Mapping():
            inner = ", ".join(f"{json.dumps(key)} = {toml_value(item)}" for key, item in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case _:
            assert isinstance(value, (tuple, list))
            return "[" + ", ".join(toml_value(item) for item in value) + "]"
