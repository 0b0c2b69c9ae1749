"""The tables of a search index, and how a file becomes rows of them. Pure.

``files`` has a row for each name of a file; ``link`` is empty but for hard links, and all names of a file
have one ``node``. ``fields`` has a row for each value in extended attributes and in the JSON document,
containers included: ``path`` is a JSON array of source and keys, and of ``text``, ``number``
and ``flag`` (0 false, 1 true, 2 null) those are set that the value can be compared as.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from op_worker.files.model import Json
from op_worker.search.syntax import Source

VERSION = 1
"""Counted up with every change of the tables or of what is put into them; old indexes are made anew."""

TABLES = """
CREATE TABLE files (
  id INTEGER PRIMARY KEY, node INTEGER NOT NULL, uuid TEXT NOT NULL, link TEXT NOT NULL, parent TEXT NOT NULL,
  name TEXT NOT NULL, type TEXT NOT NULL, size INTEGER, mode INTEGER NOT NULL, owner TEXT NOT NULL,
  mtime REAL NOT NULL, atime REAL NOT NULL, ctime REAL NOT NULL, created REAL NOT NULL,
  xattr INTEGER NOT NULL, json INTEGER NOT NULL, rdf INTEGER NOT NULL);
CREATE UNIQUE INDEX files_by_uuid ON files (uuid, link);
CREATE INDEX files_by_node ON files (node);
CREATE INDEX files_by_parent ON files (parent, type);
CREATE INDEX files_by_name ON files (name, uuid, link);
CREATE INDEX files_by_size ON files (size);
CREATE INDEX files_by_mtime ON files (mtime);
CREATE TABLE fields (node INTEGER NOT NULL, path TEXT NOT NULL, text TEXT, number REAL, flag INTEGER);
CREATE INDEX fields_by_node ON fields (node);
CREATE INDEX fields_by_text ON fields (path, text, node);
CREATE INDEX fields_by_number ON fields (path, number, node) WHERE number IS NOT NULL;
CREATE TABLE position (seq INTEGER NOT NULL, last_node INTEGER NOT NULL);
INSERT INTO position VALUES (0, 0);
"""

MAX_FIELDS = 1000
"""The most values of a file that are indexed; the first ones in the order of the document."""
MAX_TEXT = 1024
"""Longer texts are known to be there, and compare with nothing."""
MAX_PATH = 1024

NameRow = tuple[str, str, str]
"""``link``, ``parent``, ``name``."""
FileRow = tuple[str, int | None, int, str, float, float, float, float, bool, bool, bool]
"""The columns of ``files`` from ``type`` on."""
FieldRow = tuple[str, str | None, float | None, int | None]
"""``path``, ``text``, ``number``, ``flag``."""


@frozen
class Indexed:
    """A file with its names and its values."""

    names: Sequence[NameRow]
    file: FileRow
    fields: Sequence[FieldRow] = ()


def path_of(source: Source, keys: Sequence[str | int]) -> str:
    """Return the ``path`` of a value."""
    return json.dumps([source.value, *keys], ensure_ascii=False, separators=(",", ":"))


def field_rows(xattrs: Mapping[str, Json], document: Json, *, has_document: bool) -> list[FieldRow]:
    """Return the rows of a file's extended attributes and JSON document."""
    rows: list[FieldRow] = []
    for name, value in xattrs.items():
        rows.extend(_rows(Source.XATTR, (name,), value, MAX_FIELDS - len(rows)))
    if has_document:
        rows.extend(_rows(Source.JSON, (), document, MAX_FIELDS - len(rows)))
    return rows


def _rows(source: Source, keys: tuple[str | int, ...], value: Json, limit: int) -> Iterator[FieldRow]:
    left: list[tuple[tuple[str | int, ...], Json]] = [(keys, value)]
    while left and limit > 0:
        at, each = left.pop()
        path = path_of(source, at)
        if len(path) > MAX_PATH:
            continue
        yield (path, *_scalar(source, each))
        limit -= 1
        if isinstance(each, Mapping):
            left.extend((((*at, key), inner) for key, inner in reversed(list(each.items())[:limit])))
        elif isinstance(each, list | tuple):
            left.extend(((*at, index), each[index]) for index in reversed(range(min(limit, len(each)))))


def _scalar(source: Source, value: Json) -> tuple[str | None, float | None, int | None]:
    if isinstance(value, bool):
        return None, None, int(value)
    if isinstance(value, int | float):
        return None, _number(value), None
    if isinstance(value, str):
        reads_as_number = source is Source.XATTR and value[:1] in "+-.0123456789" and value.isascii()
        number = _number(value) if reads_as_number and len(value) < 40 and "_" not in value else None
        return value if len(value) <= MAX_TEXT else None, number, None
    return None, None, 2 if value is None else None


def _number(value: float | str) -> float | None:
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if number - number == 0 else None
