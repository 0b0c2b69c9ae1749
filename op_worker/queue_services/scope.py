"""Scope specifications: which objects a queue is about. Pure.

Clause 18 of CDMI 1.1.1: an array of objects of the shape of a representation, one of which has to match (none
at all: everything does); in an object every member has to.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from attrs import field, frozen

from onedata.errors import BadData
from op_worker.files.model import Json
from op_worker.queue_services.expressions import KEY, Expression, Operator, parse_expression
from op_worker.queue_services.uris import URI_MEMBERS, with_plain_uri

MAX_DEPTH = 8
MAX_EXPRESSIONS = 256
MAX_REGEXES = 16


@frozen
class _Missing:
    """Stands for a member that is not there."""


_MISSING = _Missing()
_Value = Json | _Missing


@frozen
class Conditions:
    """What has to hold of one value.

    Attributes:
        expressions: asked of the value, or of the elements of an array: each of them has to hold of one.
        objects: the members wanted, likewise asked of the value or of the elements of an array.
    """

    expressions: tuple[Expression, ...] = ()
    objects: tuple[Mapping[str, Conditions], ...] = ()


@frozen
class ScopeSpecification:
    """A parsed scope. ``filters`` are alternatives; without any, everything matches."""

    filters: tuple[Mapping[str, Conditions], ...] = ()

    @property
    def members(self) -> frozenset[str]:
        """The members of a representation that are asked about."""
        return frozenset(name for one in self.filters for name in one)


@frozen
class Candidate:
    """An object that may match: its representation, and further ways to write URIs among its members."""

    members: Mapping[str, Json]
    uris: Mapping[str, Sequence[str]] = field(factory=dict)


def parse_scope(given: Json) -> ScopeSpecification:
    """Return the scope that a metadata item is. Raises: BadData (``cdmi_scope_specification``)."""
    if not isinstance(given, list | tuple):
        raise BadData(KEY, "a scope is an array of objects")
    parser = _Parser()
    return ScopeSpecification(tuple(parser.members(one, 1) for one in given))


def matches(scope: ScopeSpecification, candidate: Candidate) -> bool:
    """Whether an object lies in a scope."""
    return not scope.filters or any(_fits(one, candidate) for one in scope.filters)


def text_of(value: Json) -> str | None:
    """Return a scalar as the text that expressions are asked of; ``None`` for null and what is no scalar."""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, bool | int | float) else None


class _Parser:
    """Parses one scope and counts what it holds."""

    def __init__(self) -> None:
        self._expressions, self._regexes = 0, 0

    def members(self, given: Json, depth: int, above: str | None = None) -> Mapping[str, Conditions]:
        if not isinstance(given, Mapping):
            raise BadData(KEY, "a scope is an array of objects")
        if depth > MAX_DEPTH:
            raise BadData(KEY, f"nested deeper than {MAX_DEPTH}")
        return {
            name: self._conditions(name if above is None else None, value, depth)
            for name, value in given.items()
        }

    def _conditions(self, name: str | None, given: Json, depth: int) -> Conditions:
        several = given if isinstance(given, list | tuple) else [given]
        expressions, objects = [], []
        for one in several:
            self._count()
            if isinstance(one, str):
                expressions.append(self._expression(name, one))
            else:
                objects.append(self.members(one, depth + 1, above=name or ""))
        return Conditions(tuple(expressions), tuple(objects))

    def _count(self) -> None:
        self._expressions += 1
        if self._expressions > MAX_EXPRESSIONS:
            raise BadData(KEY, f"a scope may have up to {MAX_EXPRESSIONS} expressions")

    def _expression(self, name: str | None, text: str) -> Expression:
        expression = parse_expression(text)
        if expression.operator is Operator.REGEX:
            self._regexes += 1
            if self._regexes > MAX_REGEXES:
                raise BadData(KEY, f"a scope may have up to {MAX_REGEXES} regular expressions")
        return with_plain_uri(expression) if name in URI_MEMBERS else expression


def _fits(wanted: Mapping[str, Conditions], candidate: Candidate) -> bool:
    return all(
        _holds(conditions, candidate.members.get(name, _MISSING), candidate.uris.get(name, ()))
        for name, conditions in wanted.items()
    )


def _holds(conditions: Conditions, value: _Value, other_forms: Sequence[str] = ()) -> bool:
    elements: Sequence[_Value] = value if isinstance(value, list | tuple) else (value,)
    return all(
        _asked(expression, value, elements, other_forms) for expression in conditions.expressions
    ) and all(any(_has_members(wanted, one) for one in elements) for wanted in conditions.objects)


def _asked(
    expression: Expression, value: _Value, elements: Iterable[_Value], other_forms: Sequence[str]
) -> bool:
    if isinstance(value, _Missing):
        return expression.holds_of_nothing
    if expression.operator in (Operator.EXISTS, Operator.IS_MISSING):
        return expression.holds(())
    texts = [text_of(one) for one in elements if not isinstance(one, _Missing)]
    return any(expression.holds((text, *other_forms)) for text in texts if text is not None)


def _has_members(wanted: Mapping[str, Conditions], value: _Value) -> bool:
    members = value if isinstance(value, Mapping) else {}
    return all(_holds(conditions, members.get(name, _MISSING)) for name, conditions in wanted.items())
