"""The root of all errors that leave a Onedata system, and their JSON form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import ClassVar

from attrs import NOTHING, Attribute

NESTED = {"nested": True}
"""Metadata of a field that holds another error; in JSON it has the same shape, without a wrapper."""

HIDDEN = {"hidden": True}
"""Metadata of a field that only helps to phrase the description and is not part of the details."""


ON_REQUEST = {"on_request": True}
"""Metadata of a field that is part of the details only for those who ask for it."""


class OnedataError(Exception):
    """An error that a user, a client or a peer can act on.

    A concrete error is a subclass with a ``text``, the sentence shown to people, in which ``{field}``
    stands for a detail. Its ``id`` is the class name with a small first letter unless given. Its attrs
    fields are the ``details`` of the JSON form, in camelCase; a field that is None by default is left out
    while it is None.
    """

    id: ClassVar[str] = ""
    text: ClassVar[str] = ""
    http_status: int = 400
    retryable: bool = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "id" not in cls.__dict__:
            cls.id = cls.__name__[0].lower() + cls.__name__[1:]

    def __init__(self) -> None:
        super().__init__()

    def __str__(self) -> str:
        return self.description

    @property
    def description(self) -> str:
        """One or two sentences for a person."""
        fields = attributes(type(self))
        return self.text.format_map({field.name: phrase(getattr(self, field.name)) for field in fields})

    @property
    def details(self) -> dict[str, object] | None:
        """The arguments of the error as JSON values; None when it has none."""
        return dict(self._details()) or None

    def _details(self, *, in_full: bool = False) -> Iterator[tuple[str, object]]:
        for field in detail_attributes(type(self)):
            value = getattr(self, field.name)
            if field.metadata.get("on_request") and not in_full:
                continue
            if value is not None or field.default is NOTHING:
                yield camel_case(field.name), _json_value(value)

    def to_json(self, *, in_full: bool = False) -> dict[str, object]:
        """``{"id", "description", "details"?}``: the form in which errors are nested in one another.

        ``in_full`` adds the details that are given on request only.
        """
        body: dict[str, object] = {"id": self.id, "description": self.description}
        details = dict(self._details(in_full=in_full))
        if details:
            body["details"] = details
        return body

    def wrapped(self, *, in_full: bool = False) -> dict[str, object]:
        """``{"error": …}``: the body of an HTTP reply."""
        return {"error": self.to_json(in_full=in_full)}


def attributes(error: type[OnedataError]) -> tuple[Attribute[object], ...]:
    """The constructor arguments of an error class, in their order."""
    found: tuple[Attribute[object], ...] = getattr(error, "__attrs_attrs__", ())
    return found


def detail_attributes(error: type[OnedataError]) -> tuple[Attribute[object], ...]:
    """The arguments that appear in the details."""
    return tuple(field for field in attributes(error) if not field.metadata.get("hidden"))


def camel_case(name: str) -> str:
    """``space_id`` → ``spaceId``."""
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def _json_value(value: object) -> object:
    if isinstance(value, OnedataError):
        return value.to_json()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _json_value(each) for key, each in value.items()}
    if isinstance(value, AbstractSet):
        return sorted((_json_value(each) for each in value), key=str)
    if isinstance(value, (list, tuple)):
        return [_json_value(each) for each in value]
    return value


def phrase(value: object) -> str:
    """A detail as it appears within a sentence."""
    if isinstance(value, OnedataError):
        return value.description
    plain = _json_value(value)
    if isinstance(plain, str):
        return plain
    if isinstance(plain, list):
        return ", ".join(map(phrase, plain))
    return json.dumps(plain, ensure_ascii=False, default=str)
