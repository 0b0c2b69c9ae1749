"""The query language: text → ``syntax.Query``. The grammar is on the page ``docs/search.md``. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from onedata.errors import BadData
from op_worker.search.syntax import (
    And,
    Attribute,
    Comparison,
    Field,
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

KEY = "query"
MAX_LENGTH = 4096
MAX_DEPTH = 32
MAX_TERMS = 100
ATTRIBUTES = ("name", "path", "type", "size", "mode", "owner", "mtime", "atime", "ctime", "created")
WHOLES = ("xattr", "json", "rdf")

GRAMMAR = r"""
query: disjunction
?disjunction: conjunction ("or" conjunction)*
?conjunction: condition ("and" condition)*
?condition: "not" condition          -> negation
          | "(" disjunction ")"
          | field OPERATOR value     -> comparison
          | "has" "(" field ")"      -> presence
field: NAME step*
step: "." (NAME | STRING) | "[" NUMBER "]"
value: STRING | NUMBER | DATE | TRUE | FALSE | NULL

TRUE: "true"
FALSE: "false"
NULL: "null"
OPERATOR: "=" | "!=" | "<=" | "<" | ">=" | ">" | "~"
NAME: /[A-Za-z_][A-Za-z0-9_-]*/
STRING: /"(\\.|[^"\\])*"/
DATE.2: /[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?/
NUMBER: /-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?([KMGT](iB|B)?)?/
%ignore /[ \t\r\n]+/
"""

_WORDS = {
    "NAME": "a field",
    "OPERATOR": "one of = != < <= > >= ~",
    "STRING": "a text in double quotes",
    "NUMBER": "a number",
    "DATE": "a date",
    "TRUE": "true",
    "FALSE": "false",
    "NULL": "null",
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "[",
    "RSQB": "]",
    "DOT": ".",
    "$END": "the end",
}
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class _Refused(Exception):
    """What is wrong with a part that is well formed."""


def parse_query(text: str) -> Query:
    """Return what a query says.

    Raises:
        BadData: of ``query``; the hint says where it stops making sense and what was expected there.
    """
    if len(text) > MAX_LENGTH:
        raise BadData(KEY, f"a query may have up to {MAX_LENGTH} characters")
    try:
        query: Query = _PARSER.parse(text)  # type: ignore[assignment]  # what the transformer made
    except VisitError as error:
        raise BadData(KEY, str(error.orig_exc)) from None
    except _Refused as error:
        raise BadData(KEY, str(error)) from None
    except UnexpectedInput as error:
        raise BadData(KEY, _explain(error, text)) from None
    if _count(query) > MAX_TERMS:
        raise BadData(KEY, f"a query may have up to {MAX_TERMS} comparisons")
    return query


def _explain(error: UnexpectedInput, text: str) -> str:
    if isinstance(error, UnexpectedCharacters):
        at, expected = error.pos_in_stream or 0, error.allowed
        found = repr(text[at : at + 10])
    else:
        assert isinstance(error, UnexpectedToken), "the other kind of bad input"
        is_end = error.token.type == "$END"
        at, expected = (len(text) if is_end else error.token.start_pos or 0), error.expected
        found = "the end" if is_end else repr(str(error.token)[:20])
    words = sorted(_WORDS.get(name, name.lower()) for name in expected or ())
    return f"at character {at + 1}: found {found}, expected {' or '.join(words)}"


@v_args(inline=True)
class _Making(Transformer[Token, Any]):
    """Makes values of what the parser recognised, while it does."""

    def query(self, part: tuple[Query, int]) -> Query:
        return part[0]

    def disjunction(self, *parts: tuple[Query, int]) -> tuple[Query, int]:
        return Or(tuple(part for part, _ in parts)), _deeper(parts)

    def conjunction(self, *parts: tuple[Query, int]) -> tuple[Query, int]:
        return And(tuple(part for part, _ in parts)), _deeper(parts)

    def negation(self, part: tuple[Query, int]) -> tuple[Query, int]:
        return Not(part[0]), _deeper([part])

    def comparison(self, field: Field, operator: Token, value: Value) -> tuple[Query, int]:
        if isinstance(field, Attribute) and field.name not in ATTRIBUTES:
            raise _Refused(f"{field.name} is not compared as a whole; use has({field.name})")
        return Comparison(field, Operator(str(operator)), value), 1

    def presence(self, field: Field) -> tuple[Query, int]:
        return Has(field), 1

    def field(self, name: Token, *steps: str | int) -> Field:
        if name in (Source.XATTR, Source.JSON) and steps:
            if name == Source.XATTR and not isinstance(steps[0], str):
                raise _Refused(f"at character {_place(name)}: an attribute's name follows xattr")
            return Part(Source(str(name)), steps)
        if steps or name not in (*ATTRIBUTES, *WHOLES):
            known = ", ".join((*ATTRIBUTES, "xattr.NAME", "json.KEY"))
            raise _Refused(f"at character {_place(name)}: no field is called so; there are {known}")
        return Attribute(str(name))

    def step(self, token: Token) -> str | int:
        if token.type == "STRING":
            return _text(token)
        if token.type == "NUMBER":
            if not token.isdigit() or len(token) > 9:
                raise _Refused(f"at character {_place(token)}: a position is a whole number")
            return int(token)
        return str(token)

    def value(self, token: Token) -> Value:
        match token.type:
            case "STRING":
                return _text(token)
            case "NUMBER":
                return _number(token)
            case "DATE":
                return _instant(token)
            case "NULL":
                return None
        return token.type == "TRUE"


def _deeper(parts: Sequence[tuple[Query, int]]) -> int:
    depth = 1 + max(depth for _, depth in parts)
    if depth > MAX_DEPTH:
        raise _Refused(f"a query may be nested {MAX_DEPTH} levels deep")
    return depth


def _count(query: Query) -> int:
    if isinstance(query, Not):
        return _count(query.part)
    if isinstance(query, And | Or):
        return sum(map(_count, query.parts))
    return 1


def _place(token: Token) -> int:
    return (token.start_pos or 0) + 1


def _text(token: Token) -> str:
    try:
        text: str = json.loads(token, strict=False)
        text.encode()
    except ValueError:
        raise _Refused(f"at character {_place(token)}: a text is written as in JSON") from None
    return text


def _number(token: Token) -> Number:
    text = str(token).removesuffix("B").removesuffix("i")
    factor = _UNITS.get(text[-1:], 1)
    value = float(text.rstrip("KMGT")) * factor
    if not isfinite(value):
        raise _Refused(f"at character {_place(token)}: the number is too large")
    return Number(value, str(token))


def _instant(token: Token) -> Instant:
    try:
        moment = datetime.fromisoformat(str(token))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return Instant(moment.timestamp())
    except (ValueError, OverflowError):
        raise _Refused(f"at character {_place(token)}: there is no such date") from None


_PARSER = Lark(GRAMMAR, start="query", parser="lalr", transformer=_Making())
