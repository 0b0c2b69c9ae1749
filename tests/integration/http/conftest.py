"""A site on loopback and a client that writes raw bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_twisted import async_yield_fixture
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReactorTCP, IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.ssl import CertificateOptions
from twisted.python.failure import Failure
from twisted.web.resource import IResource

from cluster_worker.http.site import HttpLimits, StreamingSite
from cluster_worker.http.tls import WebListener, WebTls
from tests.integration.http.rest_client import RestClient, make_downloads, make_files, make_tree, make_zone

WAIT_S = 10.0


@frozen
class Answer:
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


class RawClient(Protocol):
    """A client's end of a connection; what comes is kept until it is asked for."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.ended: Failure | None = None
        self._waiter: Deferred[None] | None = None

    def dataReceived(self, data: bytes) -> None:
        self.buffer += data
        self._wake()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ended = reason
        self._wake()

    @property
    def was_reset(self) -> bool:
        """Whether the connection ended other than by an orderly close."""
        return self.ended is not None and not self.ended.check(ConnectionDone)

    def send(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    def abort(self) -> None:
        self.transport.abortConnection()  # type: ignore[union-attr]  # a TCP transport

    def pause(self) -> None:
        self.transport.pauseProducing()  # type: ignore[union-attr]  # a TCP transport

    def resume(self) -> None:
        self.transport.resumeProducing()  # type: ignore[union-attr]  # a TCP transport

    async def read_until(self, mark: bytes) -> bytes:
        """Return everything up to and with ``mark``."""
        while mark not in self.buffer:
            assert self.ended is None, f"ended with {bytes(self.buffer)!r}"
            await self._more()
        end = self.buffer.index(mark) + len(mark)
        return self.take(end)

    async def read_exactly(self, size_b: int) -> bytes:
        while len(self.buffer) < size_b:
            assert self.ended is None, f"ended with {len(self.buffer)} of {size_b} bytes"
            await self._more()
        return self.take(size_b)

    async def read_to_end(self) -> bytes:
        while self.ended is None:
            await self._more()
        return self.take(len(self.buffer))

    async def read_answer(self, *, head_only: bool = False) -> Answer:
        """Return one answer, with its body unless it answers HEAD."""
        head = (await self.read_until(b"\r\n\r\n")).decode("latin-1")
        status_line, *lines = head.rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        status = int(status_line.split()[1])
        if head_only or status in (204, 304) or status < 200:
            body = b""
        elif headers.get("transfer-encoding") == "chunked":
            body = await self._read_chunks()
        else:
            body = await self.read_exactly(int(headers["content-length"]))
        return Answer(status, headers, body)

    def take(self, size_b: int) -> bytes:
        data = bytes(self.buffer[:size_b])
        del self.buffer[:size_b]
        return data

    async def _read_chunks(self) -> bytes:
        pieces = []
        while size_b := int(await self.read_until(b"\r\n"), 16):
            pieces.append(await self.read_exactly(size_b))
            await self.read_until(b"\r\n")
        await self.read_until(b"\r\n")
        return b"".join(pieces)

    async def _more(self) -> None:
        self._waiter = Deferred()
        await self._waiter.addTimeout(WAIT_S, reactor)

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.callback(None)


@frozen
class Served:
    """A site that listens."""

    listener: WebListener
    site: StreamingSite
    is_tls: bool

    async def connect(self) -> RawClient:
        endpoint: IStreamClientEndpoint = TCP4ClientEndpoint(
            IReactorTCP(reactor), "127.0.0.1", self.listener.port
        )
        if self.is_tls:
            endpoint = wrapClientTLS(CertificateOptions(), endpoint)  # which certificate is no matter here
        client: RawClient = await connectProtocol(endpoint, RawClient())
        return client

    async def ask(self, request: bytes) -> Answer:
        """Send a whole request on its own connection and return the answer."""
        client = await self.connect()
        client.send(request)
        answer = await client.read_answer(head_only=request.startswith(b"HEAD "))
        client.abort()
        return answer


Serve = Callable[..., Awaitable[Served]]


@async_yield_fixture
async def serve() -> AsyncIterator[Serve]:
    """Return a function that serves a resource until the test ends."""
    listeners: list[WebListener] = []

    async def start(
        resource: IResource,
        *,
        limits: HttpLimits | None = None,
        tls: WebTls | None = None,
        grace_s: float = 0.2,
    ) -> Served:
        site = StreamingSite(resource, clock=reactor, limits=limits)
        listener = WebListener(IReactorTCP(reactor), "127.0.0.1", 0, site, tls, grace_s=grace_s)
        listener.startService()
        listeners.append(listener)
        return Served(listener, site, tls is not None)

    yield start
    for listener in listeners:
        await listener.stopService()


@pytest.fixture
def issue(tmp_path: Path) -> Callable[[str], None]:
    """Return a function that writes ``cert.pem`` and ``key.pem`` for a common name, self-signed."""

    def write(name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        (tmp_path / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (tmp_path / "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )

    return write


@pytest.fixture
def web_tls(issue: Callable[[str], None], tmp_path: Path) -> WebTls:
    """A certificate named ``first``."""
    issue("first")
    return WebTls(tmp_path / "cert.pem", tmp_path / "key.pem")


@async_yield_fixture
async def rest(serve: Serve) -> AsyncIterator[RestClient]:
    """A client of a REST door over a file service in memory."""
    zone = make_zone()
    files = await make_files(zone)
    files.startService()
    downloads = make_downloads(files)
    yield RestClient(await serve(make_tree(files, zone, downloads=downloads)), downloads)
    await files.stopService()
