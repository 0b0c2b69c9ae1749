"""What the zone told us, kept in the engine, so that a provider starts and serves without its zone.

Everything lies in the scope ``provider`` under keys that start with ``zone:``; every node of the provider
reads and writes the same documents.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from cluster_worker.feeds.following import Following
from cluster_worker.persistence.engine import (
    ABSENT,
    Batch,
    Delete,
    Engine,
    Key,
    Lease,
    PreconditionFailed,
    Put,
    Scope,
)
from cluster_worker.persistence.leases import take
from op_worker.zone.registration import Registration, decode_registration, encode_registration
from op_worker.zone.resources import Resource, is_older

SCOPE = Scope("provider")
SELF = Key("zone:self")
SPACES = Key("zone:spaces")
USERS = Key("zone:users")
TOKENS = Key("zone:tokens")

_REGISTRATION = "registration"
_SCHEMA = 1
_REGISTERING_S = 60.0
"""Longer than the zone is given for an answer."""


@frozen(kw_only=True)
class StoredZone:
    """Everything remembered: resources by id, token records by the digest of the token."""

    registration: Registration | None
    own: Mapping[str, Resource]
    spaces: Mapping[str, Resource]
    users: Mapping[str, Resource]
    tokens: Mapping[str, bytes]


class ZoneStore:
    """Documents ``zone:*``. Every method may raise ``PersistenceUnavailable``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def load(self) -> StoredZone:
        """Return everything remembered."""
        own = await self._fields(SELF)
        registration = own.pop(_REGISTRATION, None)
        return StoredZone(
            registration=None if registration is None else decode_registration(registration),
            own={name: _decode(data) for name, data in own.items()},
            spaces={name: _decode(data) for name, data in (await self._fields(SPACES)).items()},
            users={name: _decode(data) for name, data in (await self._fields(USERS)).items()},
            tokens=await self._fields(TOKENS),
        )

    async def registration(self) -> Registration | None:
        """Return the registration, ``None`` before there is one."""
        found = (await self._engine.get(SCOPE, SELF, [_REGISTRATION])).get(_REGISTRATION)
        return None if found is None else decode_registration(found.data)

    async def register(self, registration: Registration) -> None:
        """Remember a registration and tell the other nodes through the feed.

        Raises:
            PreconditionFailed: the provider is registered already.
        """
        put = Put(SELF, _REGISTRATION, encode_registration(registration), expect=ABSENT)
        await self._engine.commit(SCOPE, Batch([put], announce=[SELF]))

    async def begin_registration(self, node_name: str) -> Lease | None:
        """Return what keeps other nodes from registering at the same time; ``None`` while one does."""
        return await take(self._engine, "zone registration", node_name, _REGISTERING_S)

    async def end_registration(self, lease: Lease) -> None:
        """Let others register."""
        await self._engine.release(lease)

    def following(self, read: Callable[[], Awaitable[object]], clock: IReactorTime) -> Following:
        """Return a service that has ``read`` called when a registration may have happened at any node."""
        return Following(self._engine, SCOPE, read, clock)

    async def resources(self, key: Key, names: Sequence[str]) -> dict[str, Resource]:
        """Return those of the resources that are remembered, whichever node was told of them."""
        found = await self._engine.get(SCOPE, key, names)
        return {name: _decode(document.data) for name, document in found.items()}

    async def put(self, key: Key, name: str, resource: Resource) -> None:
        """Remember a resource, whatever is remembered."""
        await self._engine.commit(SCOPE, Batch([Put(key, name, _encode(resource))]))

    async def put_news(self, key: Key, name: str, resource: Resource) -> None:
        """Remember a resource, unless what is remembered is newer: every node is told, one may be slow."""
        while True:
            found = (await self._engine.get(SCOPE, key, [name])).get(name)
            if found is not None and is_older(resource, _decode(found.data)):
                return
            revision = ABSENT if found is None else found.revision
            try:
                await self._engine.commit(SCOPE, Batch([Put(key, name, _encode(resource), expect=revision)]))
            except PreconditionFailed:
                continue
            return

    async def remove(self, key: Key, name: str) -> None:
        """Forget a resource or a token."""
        await self._engine.commit(SCOPE, Batch([Delete(key, name)]))

    async def put_token(self, digest: str, record: bytes) -> None:
        """Remember a verified token by its digest."""
        await self._engine.commit(SCOPE, Batch([Put(TOKENS, digest, record)]))

    async def _fields(self, key: Key) -> dict[str, bytes]:
        documents = await self._engine.get_all(SCOPE, key)
        return {name: document.data for name, document in documents.items()}


def _encode(resource: Resource) -> bytes:
    return json.dumps({"schema": _SCHEMA, "resource": resource}, separators=(",", ":")).encode()


def _decode(data: bytes) -> Resource:
    stored = json.loads(data)
    if stored["schema"] != _SCHEMA:
        raise ValueError(f"a zone document has schema {stored['schema']}, this version knows {_SCHEMA}")
    resource: Resource = stored["resource"]
    return resource
