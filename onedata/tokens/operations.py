"""Deciding whether the caveats of a token leave an operation of a service allowed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onedata.errors import TokenCaveatUnverified
from onedata.gri import Gri, GriPattern
from onedata.ids import SpaceId
from onedata.tokens.caveats import (
    ApiCaveat,
    ApiRule,
    Caveat,
    DataObjectIdCaveat,
    DataPathCaveat,
    DataReadonlyCaveat,
    Interface,
    InterfaceCaveat,
    Operation,
)
from onedata.tokens.subjects import ServiceKind

_DATA_ACCESS_API = tuple(
    map(
        ApiRule.parse,
        (
            "opw/all/op_file.*.*:*",
            "opw/get/op_space.null.list:*",
            "opw/get/op_space.*.instance:*",
            "ozw/get/user.*.instance:*",
            "ozw/get/share.*.instance:*",
            "ozw/get/space.*.instance:*",
        ),
    )
)


def verify_operation(
    caveats: Iterable[Caveat], service: ServiceKind, operation: Operation, resource: Gri
) -> None:
    """Return when the caveats leave this operation of this service allowed.

    Besides ``api`` caveats, every data caveat and ``interface = oneclient`` restrict the operations to those
    on files and the looking up of spaces; data caveats then also restrict which spaces.

    Raises:
        TokenCaveatUnverified: for the first caveat that does not allow it.
    """
    for caveat in caveats:
        if not any(rule.allows(service, operation, resource) for rule in _api_of(caveat)):
            raise TokenCaveatUnverified(caveat.to_json())


_ANYTHING = (ApiRule(None, None, GriPattern.parse("*.*.*:*")),)


def _api_of(caveat: Caveat) -> Sequence[ApiRule]:
    if isinstance(caveat, ApiCaveat):
        return caveat.whitelist
    if isinstance(caveat, (DataPathCaveat, DataObjectIdCaveat)):
        return [rule for general in _DATA_ACCESS_API for rule in _for_spaces(general, caveat.spaces)]
    if isinstance(caveat, DataReadonlyCaveat) or caveat == InterfaceCaveat(Interface.ONECLIENT):
        return _DATA_ACCESS_API
    return _ANYTHING


def _for_spaces(rule: ApiRule, spaces: frozenset[SpaceId]) -> list[ApiRule]:
    resource = rule.resource
    if resource.type not in ("space", "op_space") or resource.aspect != "instance":
        return [rule]
    return [
        ApiRule(rule.service, rule.operation, GriPattern(resource.type, space, "instance", None, "*"))
        for space in spaces
    ]
