"""The table of all errors by id, and errors read back from JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType, ModuleType
from typing import Any, ClassVar

from attrs import NOTHING, Attribute, define, field

from onedata.errors import (
    automation,
    automation_data,
    cluster,
    connections,
    credentials,
    data,
    general,
    onepanel,
    oneprovider,
    onezone,
    posix,
)
from onedata.errors.base import HIDDEN, OnedataError, camel_case, detail_attributes

_MODULES = (
    general,
    credentials,
    connections,
    data,
    posix,
    oneprovider,
    automation_data,
    automation,
    onezone,
    onepanel,
    cluster,
)


def _concrete_errors(module: ModuleType) -> Iterator[type[OnedataError]]:
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, OnedataError) and "text" in vars(value):
            yield value


CATALOGUE: Mapping[str, type[OnedataError]] = MappingProxyType(
    {
        error.id: error
        for module in _MODULES
        for error in _concrete_errors(module)
        if error is not OnedataError
    }
)
"""Error id → class, in the order of the documentation."""


@define(slots=False)
class UnrecognisedError(OnedataError):
    """An error of another system whose id or details are not known here; its JSON is passed on as it is."""

    id: ClassVar[str] = "unrecognisedError"
    text: ClassVar[str] = "Another service answered with an error that is not known here: {payload}"
    http_status = 500

    payload: object = field(metadata=HIDDEN)

    def to_json(self, *, in_full: bool = False) -> dict[str, object]:
        """The original object when it has the shape of an error, else a wrapping of it."""
        if isinstance(self.payload, dict) and isinstance(self.payload.get("id"), str):
            return self.payload
        return super().to_json()


def error_from_json(obj: object) -> OnedataError:
    """Return the error that ``obj`` (the inner object, without ``error`` around it) describes.

    Never raises: what cannot be understood becomes an ``UnrecognisedError`` that keeps it.
    """
    try:
        return _known_error(obj)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return UnrecognisedError(obj)


def _known_error(obj: Any) -> OnedataError:
    error = CATALOGUE[obj["id"]]
    details = obj.get("details") or {}
    arguments = {attribute.name: _argument(attribute, details) for attribute in detail_attributes(error)}
    return error(**arguments)


def _argument(attribute: Attribute[object], details: Mapping[str, object]) -> object:
    value = details.get(camel_case(attribute.name), attribute.default)
    if value is NOTHING:
        raise KeyError(attribute.name)
    if attribute.metadata.get("nested") and value is not None:
        return error_from_json(value)
    return value
