"""Deciding whether the caveats of a token hold, and what they leave to be checked later.

Caveats on the request itself are decided here. Caveats on data and operations are only admitted here; what
they allow is told by ``data_limits`` and ``onedata.tokens.operations`` and enforced where files and
operations are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from types import MappingProxyType
from typing import Any

from attrs import field, frozen
from attrs.converters import optional

from onedata.errors import TokenCaveatUnverified
from onedata.ids import FileGuid, SpaceId
from onedata.tokens.caveats import (
    ApiCaveat,
    AsnCaveat,
    Caveat,
    ConsumerCaveat,
    CountryCaveat,
    DataObjectIdCaveat,
    DataPathCaveat,
    DataReadonlyCaveat,
    IdentityScopeCaveat,
    Interface,
    InterfaceCaveat,
    IpCaveat,
    RegionCaveat,
    ServiceCaveat,
    TimeCaveat,
)
from onedata.tokens.subjects import ANY_ID, Service, Subject, SubjectKind
from onedata.tokens.types import AccessToken, IdentityToken, InviteToken, TokenType


@frozen(kw_only=True)
class RequestContext:
    """Under which circumstances a token is used; None or nothing means unknown, and caveats on it fail.

    ``now_s`` is in seconds since the epoch; ``consumer_groups`` are the ids of all groups, also indirect
    ones, of the consumer.
    """

    now_s: float
    peer_ip: str | None = None
    interface: Interface | None = field(default=None, converter=optional(Interface))
    service: Service | None = None
    consumer: Subject | None = None
    consumer_groups: frozenset[str] = frozenset()
    data_access_allowed: bool = False


_DATA_CAVEATS = (DataReadonlyCaveat, DataPathCaveat, DataObjectIdCaveat)
_INVITE_CAVEATS = (TimeCaveat, IpCaveat, AsnCaveat, CountryCaveat, RegionCaveat, ConsumerCaveat)
_IDENTITY_CAVEATS = (*_INVITE_CAVEATS, InterfaceCaveat, IdentityScopeCaveat)

_SUPPORTED: Mapping[type, tuple[type[Caveat], ...]] = MappingProxyType(
    {AccessToken: (Caveat,), IdentityToken: _IDENTITY_CAVEATS, InviteToken: _INVITE_CAVEATS}
)


def effective_type(token_type: TokenType, caveats: Iterable[Caveat]) -> TokenType:
    """What the token can be used as: an access token with ``authorization = none`` is an identity token."""
    if isinstance(token_type, AccessToken) and any(isinstance(c, IdentityScopeCaveat) for c in caveats):
        return IdentityToken()
    return token_type


def verify_caveats(token_type: TokenType, caveats: Iterable[Caveat], context: RequestContext) -> None:
    """Return when all caveats hold for a token used as ``token_type``.

    Raises:
        TokenCaveatUnverified: for the first caveat that does not hold or does not suit this type of token.
    """
    supported = _SUPPORTED[type(token_type)]
    for caveat in caveats:
        if not isinstance(caveat, supported) or not _CHECKS[type(caveat)](caveat, context):
            raise TokenCaveatUnverified(caveat.to_json())
        if isinstance(caveat, IdentityScopeCaveat) and isinstance(token_type, AccessToken):
            raise TokenCaveatUnverified(caveat.to_json())


def _check_ip(caveat: IpCaveat, context: RequestContext) -> bool:
    peer = _ipv4(context.peer_ip)
    return peer is not None and any(peer in item.network for item in caveat.whitelist)


def _ipv4(text: str | None) -> IPv4Address | None:
    if text is None:
        return None
    try:
        return IPv6Address(text).ipv4_mapped if ":" in text else IPv4Address(text)
    except AddressValueError:
        return None


def _check_service(caveat: ServiceCaveat, context: RequestContext) -> bool:
    service = context.service
    return service is not None and any(
        item.kind is service.kind and item.id in (ANY_ID, service.id) for item in caveat.whitelist
    )


def _check_consumer(caveat: ConsumerCaveat, context: RequestContext) -> bool:
    return any(_is_consumer(item, context) for item in caveat.whitelist)


def _is_consumer(item: Subject, context: RequestContext) -> bool:
    if item.kind is SubjectKind.GROUP:
        return bool(context.consumer_groups) if item.id == ANY_ID else item.id in context.consumer_groups
    consumer = context.consumer
    return consumer is not None and item.kind is consumer.kind and item.id in (ANY_ID, consumer.id)


def _check_data(caveat: Caveat, context: RequestContext) -> bool:
    return context.data_access_allowed


def _refuse(caveat: Caveat, context: RequestContext) -> bool:
    return False


def _leave_for_later(caveat: Caveat, context: RequestContext) -> bool:
    return True


_CHECKS: Mapping[type[Caveat], Callable[[Any, RequestContext], bool]] = MappingProxyType(
    {
        TimeCaveat: lambda caveat, context: context.now_s < caveat.valid_until,
        IpCaveat: _check_ip,
        AsnCaveat: _refuse,  # there is no database of networks or places
        CountryCaveat: _refuse,
        RegionCaveat: _refuse,
        IdentityScopeCaveat: _leave_for_later,
        ServiceCaveat: _check_service,
        ConsumerCaveat: _check_consumer,
        InterfaceCaveat: lambda caveat, context: caveat.interface is context.interface,
        ApiCaveat: _leave_for_later,
        **dict.fromkeys(_DATA_CAVEATS, _check_data),
    }
)


def valid_until(caveats: Iterable[Caveat]) -> int | None:
    """The second of the epoch at which the token ends; None when it does not end by itself."""
    return min((caveat.valid_until for caveat in caveats if isinstance(caveat, TimeCaveat)), default=None)


@frozen
class DataLimits:
    """What the data caveats leave of the files.

    Each set of ``paths`` (canonical, ``/<space id>/a/b``) and of ``object_ids`` (upper case) comes from one
    caveat: a file must lie at or below one member of every set.
    """

    readonly: bool = False
    paths: tuple[frozenset[str], ...] = ()
    object_ids: tuple[frozenset[str], ...] = ()

    @property
    def are_none(self) -> bool:
        """Whether nothing is restricted."""
        return not (self.readonly or self.paths or self.object_ids)

    def spaces(self) -> frozenset[SpaceId] | None:
        """The only spaces in which anything can be allowed; None when every space is possible."""
        of_paths = [frozenset(SpaceId(path.split("/", 2)[1]) for path in paths) for paths in self.paths]
        of_ids = [frozenset(_space_of(one) for one in object_ids) for object_ids in self.object_ids]
        sets = of_paths + of_ids
        return frozenset.intersection(*sets) if sets else None


NO_LIMITS = DataLimits()


def data_limits(caveats: Iterable[Caveat]) -> DataLimits:
    """Collect what the data caveats say."""
    given = tuple(caveat for caveat in caveats if isinstance(caveat, _DATA_CAVEATS))
    if not given:
        return NO_LIMITS
    return DataLimits(
        readonly=any(isinstance(caveat, DataReadonlyCaveat) for caveat in given),
        paths=tuple(frozenset(c.whitelist) for c in given if isinstance(c, DataPathCaveat)),
        object_ids=tuple(
            frozenset(map(_normal_object_id, c.whitelist)) for c in given if isinstance(c, DataObjectIdCaveat)
        ),
    )


def _normal_object_id(object_id: str) -> str:
    return FileGuid.from_object_id(object_id).object_id()


def _space_of(object_id: str) -> SpaceId:
    return FileGuid.from_object_id(object_id).space_id
