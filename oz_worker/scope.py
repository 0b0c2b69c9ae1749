"""What an access token reaches: spaces, the providers that support them, and until when. Pure."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable

from onedata.tokens.caveats import Caveat, ServiceCaveat
from onedata.tokens.subjects import ANY_ID, ServiceKind, Subject, SubjectKind
from onedata.tokens.verify import data_limits, valid_until
from oz_worker.records import Provider, Space
from oz_worker.state import ZoneState


def token_scope(
    state: ZoneState, subject: Subject, caveats: Collection[Caveat], online: Container[str]
) -> dict[str, object]:
    """Return the reply of ``infer_access_token_scope``.

    Args:
        online: ids of the providers that are connected.
    """
    until_s = valid_until(caveats)
    if subject.kind is not SubjectKind.USER or subject.id is None:
        return {"validUntil": until_s, "dataAccessScope": None}
    limits = data_limits(caveats)
    allowed = limits.spaces()
    spaces = [
        state.spaces[space_id]
        for space_id in sorted(state.effective("user", subject.id, "space"))
        if allowed is None or space_id in allowed
    ]
    providers = _providers(state, spaces, caveats)
    scope = {
        "readonly": limits.readonly,
        "spaces": {space.id: _space(space, providers) for space in spaces},
        "providers": {
            provider.id: {
                "name": provider.name,
                "domain": provider.domain,
                "version": provider.version,
                "online": provider.id in online,
            }
            for provider in providers.values()
        },
    }
    return {"validUntil": until_s, "dataAccessScope": scope}


def _providers(state: ZoneState, spaces: Iterable[Space], caveats: Collection[Caveat]) -> dict[str, Provider]:
    found = sorted({provider_id for space in spaces for provider_id in space.supports})
    return {
        provider_id: state.providers[provider_id]
        for provider_id in found
        if provider_id in state.providers and _is_service_allowed(provider_id, caveats)
    }


def _is_service_allowed(provider_id: str, caveats: Iterable[Caveat]) -> bool:
    return all(
        any(
            service.kind is ServiceKind.OP_WORKER and service.id in (ANY_ID, provider_id)
            for service in caveat.whitelist
        )
        for caveat in caveats
        if isinstance(caveat, ServiceCaveat)
    )


def _space(space: Space, providers: Collection[str]) -> dict[str, object]:
    supports = {
        provider_id: {"readonly": support.is_readonly}
        for provider_id, support in space.supports.items()
        if provider_id in providers
    }
    return {"name": space.name, "supports": supports}
