"""What a client of a change stream asks for: which documents cause a line, and what each line shows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from attrs import frozen

from onedata.errors import (
    BadData,
    BadValueBoolean,
    BadValueEmpty,
    BadValueJSON,
    BadValueListNotAllowed,
    BadValueListOfStrings,
    BadValueNotAllowed,
)

KEY = "changesSpecification"
_MOST_NAMES = 1000


class Section(StrEnum):
    """The documents of a file that are told apart."""

    FILE_META = "fileMeta"
    FILE_LOCATION = "fileLocation"
    TIMES = "times"
    CUSTOM_METADATA = "customMetadata"


FIELDS: Mapping[Section, tuple[str, ...]] = {
    Section.FILE_META: ("name", "type", "mode", "owner", "provider_id", "shares", "deleted"),
    Section.FILE_LOCATION: ("provider_id", "storage_id", "size", "space_id", "storage_file_created"),
    Section.TIMES: ("atime", "mtime", "ctime"),
}
"""The fields that may be asked for; of custom metadata any."""


@frozen
class Wanted:
    """What is shown of one section: fields, and which keys exist; ``always``, or when it changed."""

    fields: tuple[str, ...] = ()
    exists: tuple[str, ...] = ()
    always: bool = False


@frozen
class Specification:
    """``triggers`` are the sections whose changes cause a line."""

    triggers: frozenset[Section]
    wanted: Mapping[Section, Wanted]


def parse_specification(body: Any) -> Specification:
    """Return what a JSON body asks for.

    Raises:
        BadValueJSON, BadValueEmpty: of ``changesSpecification``, no object or without any section.
        BadData, BadValueNotAllowed, BadValueListNotAllowed, BadValueListOfStrings, BadValueBoolean: of the
            part that is wrong.
    """
    if not isinstance(body, Mapping):
        raise BadValueJSON(KEY)
    wanted = {_section(name): _wanted(name, value) for name, value in body.items() if name != "triggers"}
    if not wanted:
        raise BadValueEmpty(KEY)
    return Specification(_triggers(body.get("triggers")), wanted)


def _triggers(given: Any) -> frozenset[Section]:
    if given is None:
        return frozenset(Section)
    names = _names("triggers", given)
    if not set(names) <= set(Section):
        raise BadValueListNotAllowed("triggers", [section.value for section in Section])
    return frozenset(map(Section, names))


def _section(name: str) -> Section:
    try:
        return Section(name)
    except ValueError:
        raise BadData(name, f"there are {', '.join(Section)}") from None


def _wanted(name: str, given: Any) -> Wanted:
    section = _section(name)
    if not isinstance(given, Mapping):
        raise BadValueJSON(name)
    known = {"fields", "always", *(["exists"] if section is Section.CUSTOM_METADATA else [])}
    for key in given:
        if key not in known:
            raise BadData(f"{name}.{key}", f"there are {', '.join(sorted(known))}")
    fields = _names(f"{name}.fields", given.get("fields"))
    allowed = FIELDS.get(section)
    if allowed is not None and not set(fields) <= set(allowed):
        raise BadValueNotAllowed(f"{name}.fields", list(allowed))
    always = given.get("always", False)
    if not isinstance(always, bool):
        raise BadValueBoolean(f"{name}.always")
    return Wanted(fields, _names(f"{name}.exists", given.get("exists")), always)


def _names(key: str, given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise BadValueListOfStrings(key)
    if not all(isinstance(each, str) for each in given):
        raise BadValueListOfStrings(key)
    if len(given) > _MOST_NAMES:
        raise BadData(key, f"at most {_MOST_NAMES} names")
    return tuple(dict.fromkeys(given))
