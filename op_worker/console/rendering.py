"""Answers of the admin door as tables and lines. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table

Json = Mapping[str, Any]
Rows = Sequence[Sequence[str]]

STORAGE_COLUMNS = ("Id", "Name", "Type", "Spaces", "Flags")
SPACE_COLUMNS = ("Id", "Name", "Size", "Used", "Storages")
_FLAGS = {"importedStorage": "imported", "readonly": "readonly", "draining": "draining"}


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Return rows as a table for terminals."""
    made = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        made.add_row(*row)
    return made


def lines(rows: Rows) -> list[str]:
    """Return rows as lines with tabs, for everything but terminals."""
    return ["\t".join(row) for row in rows]


def storage_row(storage: Json) -> Sequence[str]:
    flags = [word for key, word in _FLAGS.items() if storage.get(key)]
    if storage.get("verificationPassed") is False:
        flags.append("UNUSABLE")
    return (
        storage["id"],
        storage["name"],
        storage["type"],
        str(len(storage.get("spaces", ()))),
        ",".join(flags) or "-",
    )


def space_row(space: Json) -> Sequence[str]:
    storages = ",".join(f"{one['id']}:{size(one['size'])}" for one in space["storages"])
    return (space["id"], space["name"], size(space["size"]), size(space["used"]), storages)


def facts(answer: Json) -> list[tuple[str, str]]:
    """Return the members of an answer, by name, as texts."""
    return [
        (key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for key, value in sorted(answer.items())
    ]


def size(number_b: int) -> str:
    """Return a size that a person can read: three digits and a unit of 1000."""
    value, unit = float(number_b), "B"
    for larger in ("kB", "MB", "GB", "TB", "PB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{number_b} B" if unit == "B" else f"{value:.3g} {unit}"
