"""Registering a provider: an invitation is consumed, a provider and its root token appear together."""

from __future__ import annotations

from typing import Any

from attrs import evolve, field, frozen

from onedata.errors import BadValueDomain, SubdomainDelegationNotSupported
from onedata.privileges import CLUSTER_ADMIN
from onedata.tokens.subjects import Subject, SubjectKind
from oz_worker.asker import Asker
from oz_worker.draft import Draft
from oz_worker.fresh import Fresh
from oz_worker.invitations import Invitations
from oz_worker.issuing import Issuer, TokenOrder
from oz_worker.providers import create_provider
from oz_worker.records import Provider
from oz_worker.values import Body


@frozen
class Registered:
    """The new provider and the token it lives on."""

    provider_id: str
    root_token: str = field(repr=False)

    def to_json(self) -> dict[str, object]:
        """Return the reply of ``POST /providers``; ``macaroon`` is an old name of the token."""
        return {
            "providerId": self.provider_id,
            "providerRootToken": self.root_token,
            "macaroon": self.root_token,
        }


class Registration:
    """Registers providers.

    Args:
        delegates_subdomains: whether providers may have a subdomain of the zone as their domain.
    """

    def __init__(
        self,
        invitations: Invitations,
        issuer: Issuer,
        fresh: Fresh,
        domain: str,
        *,
        delegates_subdomains: bool,
    ) -> None:
        self._invitations, self._issuer, self._fresh = invitations, issuer, fresh
        self._domain, self.delegates_subdomains = domain, delegates_subdomains

    async def register(self, body: Body, asker: Asker, provider_id: str | None = None) -> Registered:
        """Register the provider that a body describes, under a new id unless one is given.

        Raises: BadValueToken and the other errors of invitations; errors of the values;
            SubdomainDelegationNotSupported; AlreadyExists; BadValueIdentifierOccupied.
        """
        token = body.text("token")
        subject = Subject(SubjectKind.ONEPROVIDER, provider_id or self._fresh.id())
        root = self._issuer.named(subject, TokenOrder(name="root token"))
        provider = self._provider(body, subject.id or "", root.id)

        def create(draft: Draft, admin_id: str) -> None:
            draft.require(draft.user(admin_id))
            create_provider(draft, _owned(provider, admin_id), root)

        await self._invitations.register(token, asker, create)
        return Registered(provider.id, root.serialized)

    def _provider(self, body: Body, provider_id: str, root_token_id: str) -> Provider:
        name, email = body.name(), body.email("adminEmail")
        subdomain: str | None = None
        ips: tuple[str, ...] = ()
        if body.boolean("subdomainDelegation"):
            if not self.delegates_subdomains:
                raise SubdomainDelegationNotSupported()
            subdomain, ips = body.subdomain(), body.ipv4_list("ipList")
            domain = f"{subdomain}.{self._domain}"
        else:
            domain = body.domain()
        if domain == self._domain:
            raise BadValueDomain()
        return Provider(
            id=provider_id,
            created_s=self._fresh.now_s(),
            name=name,
            domain=domain,
            admin_email=email,
            root_token_id=root_token_id,
            temporary=self._fresh.temporary_secret(),
            subdomain=subdomain,
            ips=ips,
            latitude=body.number("latitude", low=-90, high=90) if "latitude" in body else 0.0,
            longitude=body.number("longitude", low=-180, high=180) if "longitude" in body else 0.0,
        )


def _owned(provider: Provider, admin_id: str) -> Provider:
    return evolve(provider, creator=Subject(SubjectKind.USER, admin_id), users={admin_id: CLUSTER_ADMIN})


def provider_changes(body: Body) -> dict[str, Any]:
    """Return the attributes that a provider may change itself, named as in ``records.Provider``."""
    changes: dict[str, Any] = {}
    if "name" in body:
        changes["name"] = body.name()
    if "adminEmail" in body:
        changes["admin_email"] = body.email("adminEmail")
    if "latitude" in body:
        changes["latitude"] = body.number("latitude", low=-90, high=90)
    if "longitude" in body:
        changes["longitude"] = body.number("longitude", low=-180, high=180)
    return changes


def version_changes(provider: Provider, body: Body) -> dict[str, Any]:
    """Return what a body publishes of the release of a provider, named as in ``records.Provider``."""
    changes: dict[str, Any] = {}
    for key, name in (("workerVersion", "worker_version"), ("onepanelVersion", "panel_version")):
        if key in body:
            given = Body(body.json_object(key))
            parts = {
                part: given.string(part, limit=64) for part in ("release", "build", "gui") if part in given
            }
            changes[name] = {**getattr(provider, name), **parts}
    if "onepanelProxy" in body:
        changes["panel_proxy"] = body.boolean("onepanelProxy")
    return changes
