"""What an expression says: operands and how they are joined. Pure values."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen


class Relation(StrEnum):
    """How the parameter of a storage is compared. All but ``EQ`` compare numbers."""

    EQ = "="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


class Join(StrEnum):
    """How sets of storages are joined; none binds stronger than another."""

    AND = "&"
    OR = "|"
    WITHOUT = "\\"


@frozen
class AnyStorage:
    """Every storage of the space."""

    def __str__(self) -> str:
        return "anyStorage"


@frozen
class Comparison:
    """The storages with a parameter that compares so."""

    key: str
    relation: Relation
    value: str | float

    def __str__(self) -> str:
        value = self.value if isinstance(self.value, str) else f"{self.value:g}"
        return f"{self.key}{self.relation.value}{value}"


@frozen
class Joined:
    """Two sets joined."""

    left: Expression
    join: Join
    right: Expression

    def __str__(self) -> str:
        right = f"({self.right})" if isinstance(self.right, Joined) else str(self.right)
        return f"{self.left} {self.join.value} {right}"


Expression = AnyStorage | Comparison | Joined
ANY_STORAGE = AnyStorage()
