"""A query becomes SQL over the tables of ``schema``; every value is a parameter. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from attrs import define, field, frozen

from onedata.errors import BadData
from op_worker.files.model import FileType
from op_worker.search.grammar import KEY
from op_worker.search.schema import path_of
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
    Value,
)

Parameter = str | int | float
_NUMBERS = ("size",)
_TIMES = ("mtime", "atime", "ctime", "created")
_TYPES = {
    **{type_.value.lower(): type_.value for type_ in FileType},
    "file": FileType.REG.value,
    "directory": FileType.DIR.value,
    "link": FileType.SYMLNK.value,
}
_TREE = """WITH RECURSIVE tree(uuid, path) AS MATERIALIZED (
  SELECT ?, '' UNION ALL
  SELECT d.uuid, tree.path || '/' || d.name
  FROM tree CROSS JOIN files d ON d.parent = tree.uuid AND d.type = 'DIR')
"""
_PATH = "(tree.path || '/' || f.name)"


class Order(StrEnum):
    """What results are ordered by; with ``-`` before it the greatest comes first."""

    NAME = "name"
    SIZE = "size"
    MTIME = "mtime"
    CREATED = "created"


_ORDERS = {
    Order.NAME: "f.name",
    Order.SIZE: "ifnull(f.size, -1)",
    Order.MTIME: "f.mtime",
    Order.CREATED: "f.created",
}


@frozen
class Statement:
    """A ``SELECT`` of the value that orders, uuid and link.

    ``reads_metadata`` says that the query looks into custom metadata.
    """

    sql: str
    parameters: Sequence[Parameter]
    reads_metadata: bool


@frozen
class Mark:
    """The last result of a page: the value that orders it, and which name of which file it is."""

    value: str | int | float
    uuid: str
    link: str = ""


def statement(
    query: Query, root: str, order: Order, after: Mark | None, limit: int, *, descending: bool
) -> Statement:
    """Return what selects up to ``limit`` files after a mark.

    Raises: BadData of ``query``, where a field is compared with a value that it never has.
    """
    compiler = _Compiler()
    condition = compiler.condition(query)
    key = _ORDERS[order]
    sql, parameters = "", list[Parameter]()
    if compiler.reads_path:
        sql, parameters = _TREE, [root]
    sql += f"SELECT {key}, f.uuid, f.link FROM files f"
    if compiler.reads_path:
        sql += " JOIN tree ON f.parent = tree.uuid"
    sql += f" WHERE {condition}"
    parameters += compiler.parameters
    if after is not None:
        sql += f" AND ({key}, f.uuid, f.link) {'<' if descending else '>'} (?, ?, ?)"
        parameters += [after.value, after.uuid, after.link]
    direction = " DESC" if descending else ""
    sql += f" ORDER BY {key}{direction}, f.uuid{direction}, f.link{direction} LIMIT ?"
    return Statement(sql, [*parameters, limit], compiler.reads_metadata)


@define
class _Compiler:
    """Collects parameters in the order in which the conditions use them.

    Every condition is true or false, never unknown, so that ``not`` means the rest.
    """

    parameters: list[Parameter] = field(factory=list)
    reads_path: bool = False
    reads_metadata: bool = False

    def condition(self, query: Query) -> str:
        match query:
            case And(parts):
                return "(" + " AND ".join(map(self.condition, parts)) + ")"
            case Or(parts):
                return "(" + " OR ".join(map(self.condition, parts)) + ")"
            case Not(part):
                return f"NOT {self.condition(part)}"
            case Has(Attribute(name)):
                return self._has(name)
            case Has(Part() as part):
                return self._some(part, "", ())
            case Comparison(Part() as part, operator, value):
                return self._part(part, operator, value)
            case Comparison(Attribute(name), operator, value):
                return self._attribute(name, operator, value)
        raise AssertionError(query)

    def _has(self, name: str) -> str:
        if name in ("xattr", "json", "rdf"):
            self.reads_metadata = True
            return f"f.{name}"
        return "f.size IS NOT NULL" if name == "size" else "1"

    def _attribute(self, name: str, operator: Operator, value: Value) -> str:
        if name == "type":
            return self._type(operator, value)
        column = f"f.{name}"
        if name == "path":
            self.reads_path, column = True, _PATH
        if name in _NUMBERS:
            _demand(isinstance(value, Number), name, "numbers")
        elif name in _TIMES:
            _demand(isinstance(value, Instant | Number), name, "dates, or seconds since 1970")
        elif name == "mode":
            value = Number(_octal(value), "")
        else:
            _demand(isinstance(value, str), name, "texts")
        comparison = self._compare(column, operator, value)
        if name == "path" and operator in (Operator.EQ, Operator.GLOB):
            return f"({comparison} AND {self._within(str(value))})"
        return f"(f.size IS NOT NULL AND {comparison})" if name == "size" else comparison

    def _within(self, path: str) -> str:
        """Say again of the directory what a path says: so others are left out before their files are met."""
        fixed = re.split(r"[*?]", path)[0].rpartition("/")[0]
        if not fixed:
            return "1"
        self.parameters += [fixed, fixed.replace("[", "[[]") + "/*"]
        return "(tree.path = ? OR tree.path GLOB ?)"

    def _type(self, operator: Operator, value: Value) -> str:
        known = _TYPES.get(value.lower()) if isinstance(value, str) else None
        _demand(known is not None, "type", '"file", "directory" or "link"')
        _demand(operator in (Operator.EQ, Operator.NE), "type", "= or != only")
        return self._compare("f.type", operator, known)

    def _part(self, part: Part, operator: Operator, value: Value) -> str:
        if operator is Operator.NE:
            return f"({self._some(part, '', ())} AND NOT {self._part(part, Operator.EQ, value)})"
        if value is None or isinstance(value, bool):
            _demand(operator is Operator.EQ, "true, false and null", "= or != only")
            return self._some(part, " AND flag = ?", [2 if value is None else int(value)])
        _demand(not isinstance(value, Instant), "a date", "mtime, atime, ctime and created only")
        column = "number" if isinstance(value, Number) else "text"
        inner = _Compiler()
        comparison = inner._compare(column, operator, value)
        return self._some(part, f" AND {column} IS NOT NULL AND {comparison}", inner.parameters)

    def _some(self, part: Part, more: str, parameters: Sequence[Parameter]) -> str:
        self.reads_metadata = True
        self.parameters += [path_of(part.source, part.keys), *parameters]
        return f"f.node IN (SELECT node FROM fields WHERE path = ?{more})"

    def _compare(self, column: str, operator: Operator, value: Value) -> str:
        if operator is Operator.GLOB:
            _demand(isinstance(value, str), "~", "texts")
            self.parameters.append(str(value).replace("[", "[[]"))
            return f"{column} GLOB ?"
        self.parameters.append(_parameter(value))
        return f"{column} {operator.value} ?"


def _parameter(value: Value) -> Parameter:
    match value:
        case str() | int():
            return value
        case Number(number) | Instant(number):
            return number
    raise AssertionError(value)


def _octal(value: Value) -> int:
    text = value.text if isinstance(value, Number) else ""
    _demand(text.isdigit() and len(text) <= 6 and not set(text) & {"8", "9"}, "mode", "octal digits, as 644")
    return int(text, 8)


def _demand(holds: bool, name: str, known: str) -> None:
    if not holds:
        raise BadData(KEY, f"{name} is compared with {known}")
