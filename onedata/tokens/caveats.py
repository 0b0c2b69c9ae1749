"""All caveats, and reading them from their two forms. What is not understood is refused, never skipped."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from onedata.errors import BadValueCaveat, TokenCaveatUnknown
from onedata.tokens.caveat_forms import Caveat as Caveat
from onedata.tokens.data_caveats import DataObjectIdCaveat as DataObjectIdCaveat
from onedata.tokens.data_caveats import DataPathCaveat as DataPathCaveat
from onedata.tokens.data_caveats import DataReadonlyCaveat as DataReadonlyCaveat
from onedata.tokens.party_caveats import ApiCaveat as ApiCaveat
from onedata.tokens.party_caveats import ApiRule as ApiRule
from onedata.tokens.party_caveats import ConsumerCaveat as ConsumerCaveat
from onedata.tokens.party_caveats import IdentityScopeCaveat as IdentityScopeCaveat
from onedata.tokens.party_caveats import Operation as Operation
from onedata.tokens.party_caveats import ServiceCaveat as ServiceCaveat
from onedata.tokens.request_caveats import AsnCaveat as AsnCaveat
from onedata.tokens.request_caveats import CountryCaveat as CountryCaveat
from onedata.tokens.request_caveats import Filter as Filter
from onedata.tokens.request_caveats import Interface as Interface
from onedata.tokens.request_caveats import InterfaceCaveat as InterfaceCaveat
from onedata.tokens.request_caveats import IpCaveat as IpCaveat
from onedata.tokens.request_caveats import RegionCaveat as RegionCaveat
from onedata.tokens.request_caveats import TimeCaveat as TimeCaveat

CAVEATS: Mapping[str, type[Caveat]] = MappingProxyType(
    {
        caveat.name: caveat
        for caveat in (
            TimeCaveat,
            IpCaveat,
            AsnCaveat,
            CountryCaveat,
            RegionCaveat,
            IdentityScopeCaveat,
            ServiceCaveat,
            ConsumerCaveat,
            InterfaceCaveat,
            ApiCaveat,
            DataReadonlyCaveat,
            DataPathCaveat,
            DataObjectIdCaveat,
        )
    }
)


def parse_caveat(text: str) -> Caveat:
    """Read the signed form of a caveat.

    Raises:
        TokenCaveatUnknown: no caveat is written like this.
    """
    name, _, rest = text.partition(" ")
    operator, _, body = rest.partition(" ")
    try:
        return CAVEATS[name].from_text(operator, body)
    except (KeyError, ValueError) as bad:
        raise TokenCaveatUnknown(text) from bad


def caveat_from_json(obj: object) -> Caveat:
    """Read the JSON form of a caveat.

    Raises:
        BadValueCaveat: it is not one.
    """
    if not isinstance(obj, dict):
        raise BadValueCaveat(obj)
    body = dict(obj)
    name = body.pop("type", None)
    try:
        if name is None:
            return IdentityScopeCaveat.from_json(body)
        return CAVEATS[name].from_json(body)
    except (KeyError, TypeError, ValueError) as bad:
        raise BadValueCaveat(obj) from bad
