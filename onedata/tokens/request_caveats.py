"""Caveats on when, whence and through which interface a token is used."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from ipaddress import IPv4Interface
from typing import ClassVar, Self

from attrs import field, frozen
from attrs.validators import ge, min_len

from onedata.tokens.caveat_forms import (
    SEPARATOR,
    Caveat,
    WhitelistCaveat,
    is_whole_number,
    need,
    only_fields,
    strings,
)

_WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_IP_RANGE = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?")
_COUNTRY = re.compile(r"[A-Z]{2}")

REGIONS = frozenset(
    {"Africa", "Antarctica", "Asia", "Europe", "EU", "NorthAmerica", "Oceania", "SouthAmerica"}
)


def _number(text: str) -> int:
    need(_WHOLE_NUMBER.fullmatch(text) is not None)
    return int(text)


@frozen
class TimeCaveat(Caveat):
    """``time < 1735689600``: until then; seconds since the epoch."""

    name: ClassVar[str] = "time"

    valid_until: int = field(validator=ge(0))

    @property
    def text(self) -> str:
        """``time < <seconds>``."""
        return f"time < {self.valid_until}"

    def to_json(self) -> dict[str, object]:
        """``{"type": "time", "validUntil": <seconds>}``."""
        return {"type": self.name, "validUntil": self.valid_until}

    @classmethod
    def from_text(cls, operator: str, body: str) -> Self:
        """Read ``< <seconds>``."""
        need(operator == "<")
        return cls(_number(body))

    @classmethod
    def from_json(cls, body: Mapping[str, object]) -> Self:
        """Read ``{"validUntil": <seconds>}``."""
        [valid_until] = only_fields(body, "validUntil")
        need(is_whole_number(valid_until))
        return cls.from_text("<", str(valid_until))


@frozen
class IpCaveat(WhitelistCaveat):
    """``ip = 192.0.2.7/32|10.0.0.0/8``: from these IPv4 addresses."""

    name: ClassVar[str] = "ip"

    whitelist: tuple[IPv4Interface, ...] = field(validator=min_len(1))

    def written(self) -> list[str]:
        """The ranges, each with its prefix length."""
        return [str(item) for item in self.whitelist]

    def to_json(self) -> dict[str, object]:
        """The ranges; a single address without ``/32``."""
        return {"type": self.name, "whitelist": [item.removesuffix("/32") for item in self.written()]}

    @classmethod
    def read(cls, items: Sequence[str]) -> Self:
        """Read addresses and ranges."""
        need(all(map(_IP_RANGE.fullmatch, items)))
        return cls(tuple(map(IPv4Interface, items)))


@frozen
class AsnCaveat(WhitelistCaveat):
    """``asn = 64496|64497``: from these autonomous systems."""

    name: ClassVar[str] = "asn"

    whitelist: tuple[int, ...] = field(validator=min_len(1))

    def written(self) -> list[str]:
        """The numbers in decimal."""
        return [str(number) for number in self.whitelist]

    def to_json(self) -> dict[str, object]:
        """The numbers as numbers."""
        return {"type": self.name, "whitelist": list(self.whitelist)}

    @classmethod
    def read(cls, items: Sequence[str]) -> Self:
        """Read decimal numbers."""
        return cls(tuple(map(_number, items)))

    @classmethod
    def from_json(cls, body: Mapping[str, object]) -> Self:
        """Read ``{"whitelist": [<number>, …]}``."""
        [items] = only_fields(body, "whitelist")
        need(isinstance(items, list) and all(map(is_whole_number, items)))
        return cls.read(strings([str(item) for item in items] if isinstance(items, list) else None))


class Filter(StrEnum):
    """Whether the listed places are the allowed or the forbidden ones."""

    WHITELIST = "whitelist"
    BLACKLIST = "blacklist"


_OPERATORS = {"=": Filter.WHITELIST, "!=": Filter.BLACKLIST}
_OPERATOR_OF = {kind: operator for operator, kind in _OPERATORS.items()}


@frozen
class GeoCaveat(Caveat):
    """A caveat on where in the world the peer is; the subclasses say by which map."""

    filter: Filter = field(converter=Filter)
    places: tuple[str, ...] = field(validator=min_len(1))

    @property
    def text(self) -> str:
        """``<name> = <place>|<place>``, or with ``!=``."""
        return f"{self.name} {_OPERATOR_OF[self.filter]} {SEPARATOR.join(self.places)}"

    def to_json(self) -> dict[str, object]:
        """``{"type": <name>, "filter": "whitelist"|"blacklist", "list": [<place>, …]}``."""
        return {"type": self.name, "filter": self.filter.value, "list": list(self.places)}

    @classmethod
    def from_text(cls, operator: str, body: str) -> Self:
        """Read ``= <place>|<place>`` or ``!= …``."""
        need(operator in _OPERATORS)
        return cls(_OPERATORS[operator], tuple(body.split(SEPARATOR)))

    @classmethod
    def from_json(cls, body: Mapping[str, object]) -> Self:
        """Read ``{"filter": …, "list": […]}``."""
        [kind, places] = only_fields(body, "filter", "list")
        return cls(str(kind), tuple(strings(places)))


@frozen
class CountryCaveat(GeoCaveat):
    """``geo.country = PL|FR``: from these countries (``!=``: from others); ISO 3166 alpha-2."""

    name: ClassVar[str] = "geo.country"

    def __attrs_post_init__(self) -> None:
        need(all(map(_COUNTRY.fullmatch, self.places)))


@frozen
class RegionCaveat(GeoCaveat):
    """``geo.region = Asia|EU``: from these regions (``!=``: from others)."""

    name: ClassVar[str] = "geo.region"

    def __attrs_post_init__(self) -> None:
        need(set(self.places) <= REGIONS)


class Interface(StrEnum):
    """The ways into Onedata."""

    REST = "rest"
    ONECLIENT = "oneclient"
    GRAPHSYNC = "graphsync"


@frozen
class InterfaceCaveat(Caveat):
    """``interface = rest``: through this interface."""

    name: ClassVar[str] = "interface"

    interface: Interface = field(converter=Interface)

    @property
    def text(self) -> str:
        """``interface = <interface>``."""
        return f"interface = {self.interface.value}"

    def to_json(self) -> dict[str, object]:
        """``{"type": "interface", "interface": <interface>}``."""
        return {"type": self.name, "interface": self.interface.value}

    @classmethod
    def from_text(cls, operator: str, body: str) -> Self:
        """Read ``= <interface>``."""
        need(operator == "=")
        return cls(body)

    @classmethod
    def from_json(cls, body: Mapping[str, object]) -> Self:
        """Read ``{"interface": <interface>}``."""
        [interface] = only_fields(body, "interface")
        return cls(str(interface))
