"""What a provider may do over Graph Sync besides reading: tokens, supports, its own record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen

from cluster_worker.runtime.clock import WallClock
from onedata.errors import (
    BadConsumerToken,
    BadServiceToken,
    Forbidden,
    MalformedData,
    NotSupported,
    OnedataError,
)
from onedata.graphsync import GraphRequest, Operation
from onedata.tokens.caveats import Interface
from onedata.tokens.subjects import Service, ServiceKind, Subject, SubjectKind
from onedata.tokens.verify import RequestContext
from oz_worker.asker import Asker
from oz_worker.draft import Draft
from oz_worker.invitations import Invitations
from oz_worker.providers import delete_provider, update_provider
from oz_worker.records import Provider
from oz_worker.registration import provider_changes
from oz_worker.spaces import SMALLEST_SUPPORT_B, remove_support, resize_storage
from oz_worker.store import ZoneStore
from oz_worker.values import Body
from oz_worker.verification import Parties, TokenVerifier


@frozen
class Outcome:
    """The value to answer with; ``shown_user`` is who the provider has just shown a valid token of."""

    value: dict[str, Any] | None = None
    shown_user: str | None = None


class ProviderOperations:
    """Runs what a provider asks for."""

    def __init__(
        self, store: ZoneStore, verifier: TokenVerifier, invitations: Invitations, wall_clock: WallClock
    ) -> None:
        self._store, self._verifier, self._invitations = store, verifier, invitations
        self._parties = Parties(verifier)
        self._wall_clock = wall_clock

    async def run(self, request: GraphRequest, asker: Asker) -> Outcome:
        """Run an operation other than ``get``.

        Raises: NotSupported for anything unknown; the errors of the operation.
        """
        gri, provider_id = request.gri, asker.provider_id or ""
        match (request.operation, gri.type, gri.aspect):
            case (Operation.CREATE, "token", "verify_access_token"):
                return self._verify_access_token(_body(request), asker)
            case (Operation.CREATE, "token", "verify_identity_token"):
                return self._verify_identity_token(_body(request), asker)
            case (Operation.CREATE, "storage", "support"):
                return await self._support(gri.id or provider_id, _body(request), asker)
            case (Operation.UPDATE, "provider", "instance"):
                _demand_self(gri.id, provider_id)
                await self._update(provider_id, _body(request))
                return Outcome()
            case (Operation.DELETE, "provider", "instance"):
                _demand_self(gri.id, provider_id)
                await self._store.change(lambda draft: delete_provider(draft, provider_id))
                return Outcome()
            case (Operation.UPDATE, "provider", "space"):
                _demand_self(gri.id, provider_id)
                await self._resize(gri.aspect_id or "", provider_id, _body(request))
                return Outcome()
            case (Operation.DELETE, "provider", "space"):
                _demand_self(gri.id, provider_id)
                space_id = gri.aspect_id or ""
                await self._store.change(lambda draft: remove_support(draft, space_id, provider_id))
                return Outcome()
            case _:
                raise NotSupported()

    def _verify_access_token(self, body: Body, asker: Asker) -> Outcome:
        context = self._context(body, asker)
        service = Service(ServiceKind.OP_WORKER, asker.provider_id or "")
        if "serviceToken" in body:
            try:
                service = self._parties.service_of(body.text("serviceToken"), context)
            except OnedataError as exc:
                raise BadServiceToken(exc) from None
        allowed = "allowDataAccessCaveats" in body and body.boolean("allowDataAccessCaveats")
        context = evolve(context, service=service, data_access_allowed=allowed)
        verified = self._verifier.access(body.text("token", limit=2 * 1024 * 1024), context)
        identifier = verified.token.identifier
        value = {
            **self._subject(verified.subject, verified.ttl_s(self._wall_clock())),
            "tokenId": identifier.token_id,
            "persistence": identifier.persistence.name,
        }
        is_user = verified.subject.kind is SubjectKind.USER
        return Outcome(value, verified.subject.id if is_user else None)

    def _verify_identity_token(self, body: Body, asker: Asker) -> Outcome:
        text = body.text("token", limit=2 * 1024 * 1024)
        verified = self._verifier.identity(text, self._context(body, asker))
        return Outcome(self._subject(verified.subject, verified.ttl_s(self._wall_clock())))

    def _context(self, body: Body, asker: Asker) -> RequestContext:
        interfaces = tuple(interface.value for interface in Interface)
        interface = body.choice("interface", interfaces) if "interface" in body else None
        context = RequestContext(
            now_s=self._wall_clock(),
            peer_ip=body.string("peerIp", limit=64) if "peerIp" in body else None,
            interface=None if interface is None else Interface(interface),
        )
        if "consumerToken" not in body:
            return context
        try:
            consumer = self._parties.subject_of(body.text("consumerToken"), context)
        except OnedataError as exc:
            raise BadConsumerToken(exc) from None
        return self._verifier.context_for(consumer, context)

    async def _support(self, storage_id: str, body: Body, asker: Asker) -> Outcome:
        token = body.text("token")
        size_b = body.integer("size", low=SMALLEST_SUPPORT_B)
        provider_id = asker.provider_id or ""
        space_id = await self._invitations.support(token, provider_id, storage_id, size_b, asker)
        return Outcome({"spaceId": space_id})

    async def _resize(self, space_id: str, provider_id: str, body: Body) -> None:
        """Change what one storage gives to a space; with 0 it gives nothing any more."""
        storage_id, size_b = body.text("storageId"), body.integer("size", low=0)
        await self._store.change(
            lambda draft: resize_storage(draft, space_id, provider_id, storage_id, size_b)
        )

    async def _update(self, provider_id: str, body: Body) -> None:
        body.require_any("name", "adminEmail", "latitude", "longitude", "domain", "version")
        changes = provider_changes(body)
        if "domain" in body:
            changes |= {"domain": body.domain(), "subdomain": None, "ips": ()}
        version = body.text("version", limit=64) if "version" in body else None

        def decide(draft: Draft) -> None:
            present = draft.provider(provider_id)
            wanted = {**changes, **_version(present, version)}
            if any(getattr(present, name) != value for name, value in wanted.items()):
                update_provider(draft, provider_id, wanted)

        await self._store.change(decide)

    @staticmethod
    def _subject(subject: Subject, ttl_s: int | None) -> dict[str, Any]:
        return {"subject": subject.to_json(), "ttl": ttl_s}


def _body(request: GraphRequest) -> Body:
    data = {} if request.data is None else request.data
    if not isinstance(data, Mapping):
        raise MalformedData()
    return Body(data)


def _demand_self(entity_id: str | None, provider_id: str) -> None:
    if entity_id not in (None, provider_id):
        raise Forbidden()


def _version(provider: Provider, release: str | None) -> dict[str, object]:
    return {} if release is None else {"worker_version": {**provider.worker_version, "release": release}}
