"""A CDMI door over a real file service, listening on loopback, and a client that sends what it is told."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from attrs import define, field, frozen
from pytest_twisted import async_yield_fixture
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.resource import Resource

from cluster_worker.http.site import StreamingSite
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.clock import system_wall_clock
from cluster_worker.runtime.pool import Inline
from onedata.errors import BadToken, Unauthorized
from onedata.ids import ProviderId, SpaceId, StorageId, UserId, user_root_guid
from onedata.privileges import SPACE_ADMIN, SPACE_MEMBER
from onedata.tokens.verify import DataLimits
from op_worker.auth.caller import Caller
from op_worker.files.service import FileService
from op_worker.http.cdmi.door import CdmiDoor
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages
from op_worker.zone.directory import StaticZone
from op_worker.zone.records import SpaceInfo, UserInfo

PROVIDER = ProviderId("p" * 32)
SPACE, OTHER = SpaceId("5" * 32), SpaceId("6" * 32)
STORAGE = StorageId("7" * 32)
OWNER, MEMBER, STRANGER = UserId("a" * 32), UserId("b" * 32), UserId("c" * 32)
READ_ONLY = DataLimits(readonly=True, paths=(), object_ids=())
CALLERS = {
    "owner": Caller(OWNER),
    "member": Caller(MEMBER),
    "stranger": Caller(STRANGER),
    "reader": Caller(OWNER, READ_ONLY),
}
JSON_LIMIT_B = 2 * 1024 * 1024


@frozen
class Reply:
    """An answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error_id(self) -> str:
        """The id of the error in the body."""
        found: str = self.json["error"]["id"]
        return found

    @property
    def errno(self) -> str:
        """The errno of a file system error in the body."""
        found: str = self.json["error"]["details"]["errno"]
        return found


class _Collector(Protocol):
    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._data = bytearray()
        self.done: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(self._raw)

    def dataReceived(self, data: bytes) -> None:
        self._data += data

    def connectionLost(self, reason: Failure = Failure(ConnectionError())) -> None:  # noqa: B008 - Twisted's way
        self.done.callback(bytes(self._data))


@define
class Client:
    """Sends raw requests, one for each connection, and never normalises or follows anything."""

    port: int
    token: str | None = "owner"
    version: str | None = "1.1.1"
    timeout_s: float = 30.0
    log: list[str] = field(factory=list)

    async def raw(self, raw: bytes) -> bytes:
        """Send bytes; return all that comes back until the server closes."""
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port)
        protocol = await connectProtocol(endpoint, _Collector(raw))
        return await protocol.done.addTimeout(self.timeout_s, reactor)

    async def send(
        self,
        method: str,
        path: str | bytes,
        body: bytes | Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        token: str | None = None,
    ) -> Reply:
        """Send one request; a mapping as body is sent as JSON."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"Host": "localhost", "Connection": "close"}
        token = token if token is not None else self.token
        if token:
            sent["X-Auth-Token"] = token
        sent.update(headers or {})
        if method == "PUT" and "Transfer-Encoding" not in sent:
            sent.setdefault("Content-Length", str(len(data)))
        line = path if isinstance(path, bytes) else path.encode()
        head = b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in sent.items())
        return parsed(await self.raw(method.encode() + b" " + line + b" HTTP/1.1\r\n" + head + b"\r\n" + data))

    async def cdmi(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        token: str | None = None,
    ) -> Reply:
        """Send a CDMI request; the content type fits the slash."""
        kind = "container" if path.partition("?")[0].endswith("/") else "object"
        sent = {"X-CDMI-Specification-Version": "1.1.1"}
        if method == "PUT":
            sent["Content-Type"] = f"application/cdmi-{kind}"
        return await self.send(method, path, body, {**sent, **(headers or {})}, token=token)


def parsed(raw: bytes) -> Reply:
    """Take an HTTP answer apart."""
    head, _, body = raw.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if headers.get("transfer-encoding") == "chunked":
        body = _dechunked(body)
    return Reply(int(status_line.split(" ")[1]), headers, body)


def _dechunked(body: bytes) -> bytes:
    pieces = []
    while True:
        size, _, rest = body.partition(b"\r\n")
        size_b = int(size, 16)
        if not size_b:
            return b"".join(pieces)
        pieces.append(rest[:size_b])
        body = rest[size_b + 2 :]


async def authenticate(
    token: str,
    *,
    peer_ip: str | None,
    interface: str,
    consumer_token: str | None,
    service_token: str | None,
) -> Caller:
    """Know the tokens of the tests."""
    if token not in CALLERS:
        raise Unauthorized(BadToken())
    return CALLERS[token]


def space(space_id: SpaceId, name: str) -> SpaceInfo:
    """A space that our provider supports, owned by OWNER."""
    return SpaceInfo(
        space_id=space_id,
        name=name,
        supports={PROVIDER: 1 << 40},
        provider_names={PROVIDER: "krk"},
        owners=frozenset({OWNER}),
        user_privileges={OWNER: SPACE_ADMIN, MEMBER: SPACE_MEMBER},
    )


def static_zone() -> StaticZone:
    """Two spaces, an owner and a member of both, and somebody who is in none."""
    spaces = (SPACE, OTHER)
    users = [UserInfo(user_id=user, full_name=user[0], spaces=spaces) for user in (OWNER, MEMBER)]
    users.append(UserInfo(user_id=STRANGER, full_name="c"))
    return StaticZone(
        users, [space(SPACE, "Science"), space(OTHER, "Other Space")], provider_id=PROVIDER, provider_name="krk"
    )


@async_yield_fixture
async def files() -> AsyncIterator[FileService]:
    """A file service over memory."""
    engine = MemoryEngine()
    storages = Storages(engine, Inline())
    await storages.load()
    await storages.add_storage(StorageRecord(storage_id=STORAGE, name="mem", type="memory"))
    for space_id in (SPACE, OTHER):
        await storages.support(space_id, STORAGE, 1 << 40)
    service = FileService(
        engine,
        static_zone(),
        storages,
        clock=reactor,
        wall_clock=system_wall_clock,
        random_bytes=os.urandom,
        node_name="worker@test",
    )
    service.startService()
    yield service
    await service.stopService()


@async_yield_fixture
async def client(files: FileService) -> AsyncIterator[Client]:
    """A client of a door that listens on loopback."""
    door = CdmiDoor(files, authenticate, json_limit_b=JSON_LIMIT_B)
    root = Resource()
    root.putChild(b"cdmi", door.resource)
    site = StreamingSite(root, clock=reactor)
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(site)
    yield Client(port.getHost().port)
    await port.stopListening()
    await site.drain(0.1)


@pytest.fixture
def owner_root_id() -> str:
    """The object id of the owner's root container."""
    return user_root_guid(OWNER).object_id()
