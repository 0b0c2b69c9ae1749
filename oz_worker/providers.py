"""Providers: registering, changing and removing them. Pure; functions change a draft."""

from __future__ import annotations

from attrs import evolve

from onedata.errors import AlreadyExists, BadValueIdentifierOccupied
from oz_worker.draft import Draft
from oz_worker.records import Changes, NamedToken, Provider
from oz_worker.spaces import remove_support


def create_provider(draft: Draft, provider: Provider, root_token: NamedToken) -> None:
    """Register a provider with its root token.

    Raises: AlreadyExists for a taken id; BadValueIdentifierOccupied for a taken subdomain.
    """
    if draft.exists("provider", provider.id):
        raise AlreadyExists()
    _demand_free_subdomain(draft, provider)
    draft.put(provider)
    draft.put(root_token)


def update_provider(draft: Draft, provider_id: str, changes: Changes) -> None:
    """Change attributes of a provider, named as in ``records.Provider``.

    Raises: NotFound; BadValueIdentifierOccupied for a taken subdomain.
    """
    provider = evolve(draft.provider(provider_id), **changes)
    _demand_free_subdomain(draft, provider)
    draft.put(provider)


def delete_provider(draft: Draft, provider_id: str) -> None:
    """Remove a provider with its supports and tokens. Raises: NotFound."""
    provider = draft.provider(provider_id)
    for space_id in draft.state.supported_by(provider_id):
        remove_support(draft, space_id, provider_id)
    for token in draft.state.tokens_of("oneprovider", provider_id):
        draft.delete(token)
    draft.delete(provider)


def _demand_free_subdomain(draft: Draft, provider: Provider) -> None:
    if provider.subdomain is None:
        return
    if draft.state.holder_of("subdomains", provider.subdomain) not in (None, provider.id):
        raise BadValueIdentifierOccupied("subdomain")
