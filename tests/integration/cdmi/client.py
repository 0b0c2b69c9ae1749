"""A client that sends what it is told, raw, and takes answers apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import define, frozen
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure


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
    timeout_s: float = 30.0

    async def raw(self, raw: bytes) -> bytes:
        """Send bytes; return all that comes back until the server closes."""
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port)
        protocol = await connectProtocol(endpoint, _Collector(raw))
        received: bytes = await protocol.done.addTimeout(self.timeout_s, reactor)
        return received

    async def leave(self, raw: bytes) -> None:
        """Send bytes and go away without waiting for an answer."""
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port)
        protocol = await connectProtocol(endpoint, _Collector(raw))
        reactor.callLater(0.05, protocol.transport.loseConnection)
        await protocol.done.addTimeout(self.timeout_s, reactor)

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
        if method in ("PUT", "POST") and "Transfer-Encoding" not in sent:
            sent.setdefault("Content-Length", str(len(data)))
        line = path if isinstance(path, bytes) else path.encode()
        head = b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in sent.items())
        return parsed(
            await self.raw(method.encode() + b" " + line + b" HTTP/1.1\r\n" + head + b"\r\n" + data)
        )

    async def cdmi(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        token: str | None = None,
    ) -> Reply:
        """Send a CDMI request; the content type of a PUT fits the slash, POST sends objects."""
        is_container = method == "PUT" and path.partition("?")[0].endswith("/")
        kind = "container" if is_container else "object"
        sent = {"X-CDMI-Specification-Version": "1.1.1"}
        if method in ("PUT", "POST"):
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
    pieces: list[bytes] = []
    while True:
        size, _, rest = body.partition(b"\r\n")
        size_b = int(size, 16)
        if not size_b:
            return b"".join(pieces)
        pieces.append(rest[:size_b])
        body = rest[size_b + 2 :]
