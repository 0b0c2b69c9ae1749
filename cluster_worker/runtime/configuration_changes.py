"""What differs between two configurations, and what of it may change while the daemon runs. Pure.

An option is *reloadable* when its field has ``metadata={"reload": True}``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from attrs import evolve, fields, frozen, has

C = TypeVar("C")


@frozen
class OptionChange:
    """An option that has another value, such as ``http.port``."""

    path: str
    is_reloadable: bool


def changed_options(old: C, new: C) -> tuple[OptionChange, ...]:
    """Return every option of two configurations of one class that differs, in the order of the file."""
    return tuple(_changes(old, new, ""))


def with_reloadable(running: C, wanted: C) -> C:
    """Return ``running`` with the values that ``wanted`` has for reloadable options.

    Raises: ValueError when these do not go together with the others.
    """
    changes: dict[str, object] = {}
    for attribute in fields(type(running)):  # type: ignore[arg-type]  # a configuration class is an attrs class
        ours, theirs = getattr(running, attribute.name), getattr(wanted, attribute.name)
        if _are_sections(ours, theirs):
            changes[attribute.name] = with_reloadable(ours, theirs)
        elif attribute.metadata.get("reload"):
            changes[attribute.name] = theirs
    return evolve(running, **changes)  # type: ignore[misc]  # as above


def _changes(old: Any, new: Any, at: str) -> Iterator[OptionChange]:
    for attribute in fields(type(old)):
        ours, theirs = getattr(old, attribute.name), getattr(new, attribute.name)
        if _are_sections(ours, theirs):
            yield from _changes(ours, theirs, f"{at}{attribute.name}.")
        elif ours != theirs:
            yield OptionChange(f"{at}{attribute.name}", bool(attribute.metadata.get("reload")))


def _are_sections(ours: object, theirs: object) -> bool:
    return has(type(ours)) and type(ours) is type(theirs)
