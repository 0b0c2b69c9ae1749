"""What a query says: comparisons of fields with values, and how they are joined. Pure values."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from attrs import frozen


class Operator(StrEnum):
    """How a field is compared. ``GLOB`` matches text with ``*`` and ``?``."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    GLOB = "~"


class Source(StrEnum):
    """Where a part comes from that users name themselves."""

    XATTR = "xattr"
    JSON = "json"


@frozen
class Attribute:
    """Something that every file has, such as ``size``."""

    name: str


@frozen
class Part:
    """An extended attribute, or what lies in it or in the JSON document at ``keys``."""

    source: Source
    keys: tuple[str | int, ...]


Field = Attribute | Part


@frozen
class Number:
    """A number, and how it was written."""

    value: float
    text: str


@frozen
class Instant:
    """A moment, in seconds since the epoch."""

    seconds: float


Value = str | Number | Instant | bool | None


@frozen
class Comparison:
    """A field has a value that compares so."""

    field: Field
    operator: Operator
    value: Value


@frozen
class Has:
    """A field is there; an attribute may also be ``xattr``, ``json`` or ``rdf`` as a whole."""

    field: Field


@frozen
class And:
    """Every part holds."""

    parts: Sequence[Query]


@frozen
class Or:
    """Some part holds."""

    parts: Sequence[Query]


@frozen
class Not:
    """The part does not hold."""

    part: Query


Query = Comparison | Has | And | Or | Not
