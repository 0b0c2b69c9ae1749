"""The query part of a CDMI URI: fields, ranges, metadata names. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from attrs import frozen

from onedata.errors import BadData

MOST_RANGES = 64
"""A request for more ranges would cost more than it is worth."""

_RANGE = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")
_COUNT = re.compile(r"[0-9]{1,18}")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


@frozen
class Span:
    """Positions ``first`` to ``last``, both included, counted from 0; ``first <= last``."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many positions there are."""
        return self.last - self.first + 1


@frozen
class Query:
    """What the query part asks for.

    Attributes:
        fields: the fields listed; ``None`` when there was no query, which means all.
        value_ranges: the ranges of the value, in their order; several of them need multi-part MIME.
        metadata: arguments of ``metadata:`` items: prefixes when reading, names when updating; empty
            for the whole metadata.
        exports: by what exports are looked for.
        values: how many values of a queue, or those with which numbers.
    """

    fields: frozenset[str] | None = None
    value_ranges: tuple[Span, ...] = ()
    children: Span | None = None
    metadata: tuple[str, ...] = ()
    values: int | Span | None = None
    exports: str | None = None

    @property
    def value(self) -> Span | None:
        """The only range of the value; ``None`` when the whole is meant.

        Raises:
            BadData: there are several (key ``range``).
        """
        if len(self.value_ranges) > 1:
            raise BadData("range", "several ranges need multi-part MIME")
        return self.value_ranges[0] if self.value_ranges else None

    def wants(self, field: str) -> bool:
        """Whether a read should return ``field``."""
        return self.fields is None or field in self.fields


_WHOLE = Query()


def parse_query(raw_query: bytes) -> Query:
    """Parse ``item;item…`` with ``item = name[:argument]``; unknown names stay and match nothing.

    Raises:
        BadData: bad escapes (``query string``), or a bad range (``range`` for values, ``childrenrange``
            for children, ``values`` for values of queues).
    """
    if not raw_query:
        return _WHOLE
    if _BAD_ESCAPE.search(raw_query):
        raise BadData("query string", "a percent sign must be followed by two hexadecimal digits")
    items = [_item(part) for part in raw_query.split(b";") if part]
    if not items:
        return _WHOLE
    prefixes = [argument for name, argument in items if name == "metadata"]
    return Query(
        fields=frozenset(name for name, _ in items),
        value_ranges=_spans(items, "value", "range"),
        children=_only_span(items, "children", "childrenrange"),
        metadata=() if None in prefixes else tuple(p for p in prefixes if p is not None),
        values=_values(items),
        exports=next((argument for name, argument in items if name == "exports"), None),
    )


def _item(part: bytes) -> tuple[str, str | None]:
    name, colon, argument = part.partition(b":")
    return _decoded(name), _decoded(argument) if colon else None


def _decoded(text: bytes) -> str:
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        raise BadData("query string", "the query part is UTF-8") from None


def _spans(items: list[tuple[str, str | None]], name: str, key: str) -> tuple[Span, ...]:
    arguments = [argument for item, argument in items if item == name and argument is not None]
    if len(arguments) > MOST_RANGES:
        raise BadData(key, f"at most {MOST_RANGES} ranges in one request")
    return tuple(parse_span(argument, key) for argument in arguments)


def _only_span(items: list[tuple[str, str | None]], name: str, key: str) -> Span | None:
    spans = _spans(items, name, key)
    if len(spans) > 1:
        raise BadData(key, "only one range")
    return spans[0] if spans else None


def _values(items: list[tuple[str, str | None]]) -> int | Span | None:
    arguments = [argument for item, argument in items if item == "values"]
    if not arguments:
        return None
    [argument, *more] = arguments
    if more or argument is None:
        raise BadData("values", "expected: values:COUNT, or values:FIRST-LAST, once")
    if _COUNT.fullmatch(argument):
        return int(argument)
    return parse_span(argument, "values")


def parse_span(text: str, key: str) -> Span:
    """Parse ``digits-digits``. Raises BadData(key) for anything else and for a reversed range."""
    match = _RANGE.fullmatch(text)
    if match is None:
        raise BadData(key, "a range is two numbers joined by a dash")
    span = Span(int(match[1]), int(match[2]))
    if span.first > span.last:
        raise BadData(key, "a range cannot end before it begins")
    return span
