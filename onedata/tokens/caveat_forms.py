"""What all caveats have in common: a text form that is signed, and a JSON form for people and requests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

SEPARATOR = "|"


class Caveat(ABC):
    """A condition on the use of a token. The subclasses are all there are."""

    name: ClassVar[str]
    """The type in JSON, and the beginning of the text form."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The signed form."""

    @abstractmethod
    def to_json(self) -> dict[str, object]:
        """The JSON form."""

    @classmethod
    @abstractmethod
    def from_text(cls, operator: str, body: str) -> Self:
        """Read what follows the name: the operator and the rest; raises ValueError when it does not fit."""

    @classmethod
    @abstractmethod
    def from_json(cls, body: Mapping[str, object]) -> Self:
        """Read the JSON form without its type; raises ValueError or TypeError when it does not fit."""


class WhitelistCaveat(Caveat):
    """A caveat that holds when one of its items matches."""

    @abstractmethod
    def written(self) -> list[str]:
        """The items as texts."""

    @classmethod
    @abstractmethod
    def read(cls, items: Sequence[str]) -> Self:
        """The inverse of ``written``; raises ValueError for an item that does not fit."""

    @property
    def text(self) -> str:
        """``<name> = <item>|<item>``."""
        return f"{self.name} = {SEPARATOR.join(self.written())}"

    def to_json(self) -> dict[str, object]:
        """``{"type": <name>, "whitelist": [<item>, …]}``."""
        return {"type": self.name, "whitelist": self.written()}

    @classmethod
    def from_text(cls, operator: str, body: str) -> Self:
        """Read ``= <item>|<item>``."""
        need(operator == "=")
        return cls.read(body.split(SEPARATOR))

    @classmethod
    def from_json(cls, body: Mapping[str, object]) -> Self:
        """Read ``{"whitelist": […]}``."""
        [items] = only_fields(body, "whitelist")
        return cls.read(strings(items))


def need(condition: bool) -> None:
    """Raise ValueError unless the condition holds."""
    if not condition:
        raise ValueError("not a caveat")


def only_fields(body: Mapping[str, object], *names: str) -> list[object]:
    """The values of exactly these fields; an unknown one could be a restriction and is refused."""
    need(body.keys() == set(names))
    return [body[name] for name in names]


def strings(value: object) -> list[str]:
    """A list of at least one string."""
    need(isinstance(value, list) and len(value) > 0)
    assert isinstance(value, list)
    found = [item for item in value if isinstance(item, str)]
    need(len(found) == len(value))
    return found


def is_whole_number(value: object) -> bool:
    """Whether it is an int of JSON, at least zero."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
