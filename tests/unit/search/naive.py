"""The meaning of the query language in a few lines of Python, over files in a list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from op_worker.files.model import Json
from op_worker.search.syntax import (
    And,
    Attribute,
    Comparison,
    Has,
    Instant,
    Not,
    Number,
    Operator,
    Or,
    Part,
    Query,
    Source,
    Value,
)

MISSING = object()


@frozen
class File:
    """A file with its custom metadata; ``document`` may be ``MISSING``."""

    uuid: str
    path: str
    type: str
    size: int | None
    mode: int
    owner: str
    mtime: float
    xattrs: Mapping[str, Json]
    document: Any = MISSING

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def holds(query: Query, file: File) -> bool:
    """Whether a query describes a file."""
    match query:
        case And(parts):
            return all(holds(part, file) for part in parts)
        case Or(parts):
            return any(holds(part, file) for part in parts)
        case Not(part):
            return not holds(part, file)
        case Has(Attribute(name)):
            wholes = {"xattr": bool(file.xattrs), "json": file.document is not MISSING, "rdf": False}
            return wholes.get(name, name != "size" or file.size is not None)
        case Has(Part() as part):
            return found(part, file) is not MISSING
        case Comparison(field, operator, value):
            return compares(field, operator, value, file)
    raise AssertionError(query)


def found(part: Part, file: File) -> Any:
    value: Any = file.xattrs if part.source is Source.XATTR else file.document
    for key in part.keys:
        if isinstance(key, str) and isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(key, int) and isinstance(value, list) and key < len(value):
            value = value[key]
        else:
            return MISSING
    return value


def compares(field: Attribute | Part, operator: Operator, value: Value, file: File) -> bool:
    if isinstance(field, Part):
        there = found(field, file)
        if there is MISSING:
            return False
        if operator is Operator.NE:
            return not compares(field, Operator.EQ, value, file)
        if isinstance(value, Number) and isinstance(there, str) and field.source is Source.XATTR:
            there = as_number(there)
    else:
        there = getattr(file, field.name)
        if field.name == "mode":
            assert isinstance(value, Number)
            value = Number(int(value.text, 8), "")
        if field.name == "type":
            value = {"file": "REG", "directory": "DIR"}[str(value)]
    plain: Any = value.value if isinstance(value, Number) else value
    plain = plain.seconds if isinstance(plain, Instant) else plain
    if kind(there) != kind(plain):
        return False
    return answers(there, operator, plain)


def as_number(text: str) -> float | str:
    try:
        return float(text) if re.fullmatch(r"[-+.0-9][^_]*", text) else text
    except ValueError:
        return text


def kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return {str: "text", int: "number", float: "number", type(None): "null"}.get(type(value), "other")


def answers(left: Any, operator: Operator, right: Any) -> bool:
    match operator:
        case Operator.EQ:
            return bool(left == right)
        case Operator.NE:
            return bool(left != right)
        case Operator.LT:
            return bool(left < right)
        case Operator.LE:
            return bool(left <= right)
        case Operator.GT:
            return bool(left > right)
        case Operator.GE:
            return bool(left >= right)
    pattern = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in right)
    return re.fullmatch(pattern, left, re.DOTALL) is not None
