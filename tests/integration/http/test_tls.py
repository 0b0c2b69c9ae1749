"""TLS of the web listener: versions, sessions, replaced certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor, ssl
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorTCP
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.resource import Resource

from cluster_worker.http.site import StreamingSite
from cluster_worker.http.tls import BadCertificateError, WebTls, listen

MIB = 1024 * 1024


class Leaf(Resource):
    """Answers GET."""

    isLeaf = True

    def render_GET(self, request: object) -> bytes:
        return b"x"


class Shaken(Protocol):
    """Tells the common name of the certificate it was shown."""

    def __init__(self) -> None:
        self.name: Deferred[str] = Deferred()

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    def dataReceived(self, data: bytes) -> None:
        certificate = self.transport.getPeerCertificate()  # type: ignore[union-attr]  # a TLS transport
        self.name.callback(certificate.to_cryptography().subject.rfc4514_string().removeprefix("CN="))
        self.transport.abortConnection()  # type: ignore[union-attr]  # a TLS transport

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.name.called:
            self.name.errback(reason)


async def shown_name(port: int, **options: Any) -> str:
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
    secured = wrapClientTLS(ssl.CertificateOptions(**options), endpoint)
    protocol: Shaken = await connectProtocol(secured, Shaken())
    return await protocol.name.addTimeout(5, reactor)


@ensureDeferred
async def test_a_reloaded_certificate_is_shown_to_new_connections(
    serve: Any, web_tls: Any, issue: Any
) -> None:
    served = await serve(Leaf(), tls=web_tls)
    old = await served.connect()
    assert await shown_name(served.listener.port) == "first"
    issue("second")
    web_tls.reload()
    assert await shown_name(served.listener.port) == "second"
    old.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await old.read_answer()).body == b"x"


@ensureDeferred
async def test_a_bad_certificate_leaves_the_old_one_in_use(
    serve: Any, web_tls: Any, issue: Any, tmp_path: Path
) -> None:
    served = await serve(Leaf(), tls=web_tls)
    (tmp_path / "cert.pem").write_text("nonsense")
    with pytest.raises(BadCertificateError, match=r"cert\.pem"):
        web_tls.reload()
    assert await shown_name(served.listener.port) == "first"


def test_a_key_of_another_certificate_is_refused(issue: Any, tmp_path: Path) -> None:
    issue("first")
    key = (tmp_path / "key.pem").read_bytes()
    issue("second")
    (tmp_path / "key.pem").write_bytes(key)
    with pytest.raises(BadCertificateError, match=r"key\.pem"):
        WebTls(tmp_path / "cert.pem", tmp_path / "key.pem")


def test_a_missing_chain_file_is_named(issue: Any, tmp_path: Path) -> None:
    issue("first")
    with pytest.raises(BadCertificateError, match=r"chain\.pem"):
        WebTls(tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "chain.pem")


@ensureDeferred
async def test_clients_that_only_know_old_tls_are_refused(serve: Any, web_tls: Any) -> None:
    served = await serve(Leaf(), tls=web_tls)
    with pytest.raises(Exception):  # noqa: B017 - which error depends on the TLS library
        await shown_name(served.listener.port, lowerMaximumSecurityTo=ssl.TLSVersion.TLSv1_1)


@ensureDeferred
async def test_an_early_answer_over_tls_survives_the_upload_it_refuses(serve: Any, web_tls: Any) -> None:
    served = await serve(Leaf(), tls=web_tls)
    client = await served.connect()
    client.send(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (4 * MIB) + bytes(4 * MIB))
    answer = await client.read_answer()
    assert answer.status == 405
    await client.read_to_end()


@ensureDeferred
async def test_a_taken_port_fails_at_start(serve: Any) -> None:
    served = await serve(Leaf())
    site = StreamingSite(Leaf(), clock=reactor)
    second = listen(IReactorTCP(reactor), "127.0.0.1", served.listener.port, site)
    with pytest.raises(CannotListenError):
        second.startService()
