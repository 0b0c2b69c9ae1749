"""Which storages an expression is about. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from operator import ge, gt, le, lt
from typing import TypeVar

from op_worker.qos_expression.syntax import AnyStorage, Comparison, Expression, Join, Joined, Relation

I = TypeVar("I", bound=str)  # noqa: E741 - an id
Parameters = Mapping[str, str | float]
"""The parameters of a storage, ``storageId`` and ``providerId`` among them."""
_ORDERS = {Relation.LT: lt, Relation.LE: le, Relation.GT: gt, Relation.GE: ge}


def matching(expression: Expression, storages: Mapping[I, Parameters]) -> frozenset[I]:
    """Return those of the storages of a space that an expression is about.

    A storage without a parameter never matches a comparison of it. A text is never equal to a number.
    """
    match expression:
        case AnyStorage():
            return frozenset(storages)
        case Comparison():
            return frozenset(one for one, known in storages.items() if _holds(expression, known))
        case Joined(left, join, right):
            ours, theirs = matching(left, storages), matching(right, storages)
            if join is Join.AND:
                return ours & theirs
            return ours | theirs if join is Join.OR else ours - theirs


def _holds(comparison: Comparison, parameters: Parameters) -> bool:
    found, value = parameters.get(comparison.key), comparison.value
    if isinstance(found, str) or isinstance(value, str) or found is None:
        return isinstance(found, str) and found == value and comparison.relation is Relation.EQ
    if comparison.relation is Relation.EQ:
        return found == value
    return bool(_ORDERS[comparison.relation](found, value))
