"""The policy of a space: rules about which storages take which contents, and their form in JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from onedata.errors import BadData, InvalidQosExpression
from op_worker.glob import Glob
from op_worker.qos_expression.grammar import parse_expression
from op_worker.qos_expression.syntax import ANY_STORAGE, Expression

PLACEMENT_XATTR = "onedata_placement"
"""The attribute of a file or a directory that says which storages new contents may go to."""
MAX_RULES = 100
MAX_WEIGHT = 1_000_000
_FIELDS = frozenset({"name", "minSize", "maxSize", "expression", "weights", "prefer", "otherwise"})


class Prefer(StrEnum):
    """Which of the storages of a rule are likelier."""

    NOTHING = "nothing"
    """None, but for their weights."""
    FREE = "free"
    """Those with more room: a share of the contents that is as great as their share of the room."""


class Otherwise(StrEnum):
    """What happens when no storage of a rule can take a content."""

    NEXT = "next"
    """The next rule that is about it is asked; after the last one any storage may take it."""
    REFUSE = "refuse"
    """It is refused as if the space were full."""


@frozen(kw_only=True)
class Rule:
    """Which storages take the contents that it is about.

    Attributes:
        name: pattern of paths below the root of the space, or without a slash of names; ``None`` is any.
        min_size_b, max_size_b: bounds of sizes, both included. A size that is not known is in no bounds.
        expression: the storages.
        weights: of storages by their ids, 1 for others; those of weight 0 take nothing by this rule.
    """

    name: str | None = None
    min_size_b: int | None = None
    max_size_b: int | None = None
    expression: Expression = ANY_STORAGE
    weights: Mapping[str, float] = field(factory=dict)
    prefer: Prefer = Prefer.FREE
    otherwise: Otherwise = Otherwise.NEXT

    def to_json(self) -> dict[str, Any]:
        """Return what ``rule_of`` reads."""
        told: dict[str, Any] = {
            "name": self.name,
            "minSize": self.min_size_b,
            "maxSize": self.max_size_b,
            "expression": str(self.expression),
            "weights": dict(self.weights),
            "prefer": self.prefer.value,
            "otherwise": self.otherwise.value,
        }
        return {key: value for key, value in told.items() if value is not None}


@frozen
class Policy:
    """The rules of a space; of those that are about a content the first one decides."""

    rules: Sequence[Rule] = ()

    def to_json(self) -> dict[str, Any]:
        return {"rules": [rule.to_json() for rule in self.rules]}

    def encode(self) -> bytes:
        return json.dumps(self.to_json()).encode()

    @classmethod
    def decode(cls, data: bytes) -> Policy:
        return policy_of(json.loads(data))


ANYWHERE = Policy()


def policy_of(value: object) -> Policy:
    """Return the policy that a JSON document tells.

    Raises: BadData that names the member, such as ``rules[2].minSize``; InvalidQosExpression.
    """
    if not isinstance(value, dict) or set(value) != {"rules"} or not isinstance(value["rules"], list):
        raise BadData("rules", "a policy is an object with the list rules")
    if len(value["rules"]) > MAX_RULES:
        raise BadData("rules", f"a policy has up to {MAX_RULES} rules")
    return Policy(tuple(_rule_of(rule, f"rules[{at}]") for at, rule in enumerate(value["rules"])))


def _rule_of(value: object, key: str) -> Rule:
    if not isinstance(value, dict):
        raise BadData(key, "a rule is an object")
    unknown = sorted(set(value) - _FIELDS)
    if unknown:
        raise BadData(f"{key}.{unknown[0]}", f"a rule has {', '.join(sorted(_FIELDS))}")
    expression = value.get("expression", "anyStorage")
    if not isinstance(expression, str):
        raise BadData(f"{key}.expression", "an expression is a text")
    return Rule(
        name=_pattern(value.get("name"), f"{key}.name"),
        min_size_b=_size(value.get("minSize"), f"{key}.minSize"),
        max_size_b=_size(value.get("maxSize"), f"{key}.maxSize"),
        expression=parse_expression(expression),
        weights=_weights(value.get("weights", {}), f"{key}.weights"),
        prefer=Prefer(_choice(value.get("prefer", Prefer.FREE.value), Prefer, f"{key}.prefer")),
        otherwise=Otherwise(_choice(value.get("otherwise", "next"), Otherwise, f"{key}.otherwise")),
    )


def _pattern(value: object, key: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadData(key, "a pattern is a text")
    try:
        Glob.parse(value)
    except BadData as error:
        raise BadData(key, error.hint) from None
    return value


def _size(value: object, key: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadData(key, "a size is a whole number of bytes, 0 or more")
    return value


def _weights(value: object, key: str) -> dict[str, float]:
    if not isinstance(value, dict):
        raise BadData(key, "weights are an object of numbers by the ids of storages")
    for one, weight in value.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= MAX_WEIGHT:
            raise BadData(f"{key}.{one}", f"a weight is a number from 0 to {MAX_WEIGHT}")
    return dict(value)


def _choice(value: object, choices: type[StrEnum], key: str) -> str:
    known = [choice.value for choice in choices]
    if value not in known:
        raise BadData(key, f"it is one of {', '.join(known)}")
    return str(value)


def required_by(text: object) -> Expression:
    """Return the expression of a file's own attribute. Raises: InvalidQosExpression."""
    if not isinstance(text, str):
        raise InvalidQosExpression("it is no text")
    return parse_expression(text)
