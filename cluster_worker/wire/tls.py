"""Mutual TLS 1.3 inside a cluster: every node has a certificate of the cluster's own authority."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import frozen
from cryptography import x509
from cryptography.x509.oid import NameOID
from OpenSSL import SSL, crypto
from service_identity import CertificateError, VerificationError
from service_identity.cryptography import extract_patterns
from service_identity.hazmat import DNS_ID, IPAddress_ID, ServiceID, verify_service_identity
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
)
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    TLSVersion,
    optionsForClientTLS,
    trustRootFromCertificates,
)
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer


class BadCredentials(Exception):
    """The files of authority, certificate and key cannot be read or do not belong together."""


@frozen(kw_only=True)
class TlsFiles:
    """PEM files: the cluster's authority, this node's certificate (with its chain) and key."""

    ca: Path
    cert: Path
    key: Path


@frozen
class _Loaded:
    stamps: tuple[int, ...]
    trust: Any
    own: dict[str, Any]
    server: CertificateOptions
    door: CertificateOptions


@implementer(IOpenSSLServerConnectionCreator)
class NodeCredentials:
    """What a node shows and whom it trusts.

    Each new connection looks whether the files have changed and uses the new ones; connections that
    exist go on. New files that cannot be used are logged and the old ones stay in use.
    """

    _log = Logger()

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._loaded: _Loaded | None = None

    def load(self) -> None:
        """Read the files now. Raises: BadCredentials."""
        self._loaded = _load(self._files)

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """The server's end of a new connection; the client has to show a certificate."""
        connection: SSL.Connection = self._current().server.serverConnectionForTLS(protocol)
        return connection

    @property
    def door(self) -> Door:
        """The server's end for other kinds of clients; they may show a certificate of the cluster or none."""
        return Door(lambda: self._current().door)

    def client_options(self, host: str) -> IOpenSSLClientConnectionCreator:
        """The client's end: the server's certificate has to be valid for ``host``, a name or address.

        Raises:
            BadCredentials: the files were never usable.
        """
        loaded = self._current()
        creator: IOpenSSLClientConnectionCreator = optionsForClientTLS(
            host, trustRoot=loaded.trust, extraCertificateOptions=dict(loaded.own)
        )
        return creator

    def _current(self) -> _Loaded:
        if self._loaded is None:
            self._loaded = _load(self._files)
            return self._loaded
        try:
            if _stamps(self._files) != self._loaded.stamps:
                self._loaded = _load(self._files)
                self._log.info("new certificates are in use from {path}", path=str(self._files.cert))
        except BadCredentials as problem:
            self._log.warn("the old certificates stay in use: {problem}", problem=problem)
        return self._loaded


@implementer(IOpenSSLServerConnectionCreator)
class Door:
    """See ``NodeCredentials.door``. A certificate that is shown has to be of the cluster's authority."""

    def __init__(self, options: Callable[[], CertificateOptions]) -> None:
        self._options = options

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """The server's end of a new connection."""
        connection: SSL.Connection = self._options().serverConnectionForTLS(protocol)
        return connection


def certified_node(transport: object) -> str:
    """The node that the certificate of a TLS transport's peer names: its subject's user id.

    Raises:
        BadCredentials: it names none, or several.
    """
    return _named_node(_peer_certificate(transport))


@frozen
class CertifiedServer:
    """``certified_node`` for a client's end: the certificate has to be valid for ``host``, too.

    Twisted checks that during the handshake, but lets a certificate pass whose alternative names
    it cannot parse; here such a certificate is refused.
    """

    host: str

    def __call__(self, transport: object) -> str:
        certificate = _peer_certificate(transport)
        try:
            verify_service_identity(extract_patterns(certificate), [_service_id(self.host)], [])
        except (VerificationError, CertificateError, ValueError) as problem:
            raise BadCredentials(
                f"the peer's certificate is not valid for {self.host}: {problem}"
            ) from problem
        return _named_node(certificate)


def _service_id(host: str) -> ServiceID:
    return IPAddress_ID(host) if isIPAddress(host) or isIPv6Address(host) else DNS_ID(host)


def _peer_certificate(transport: object) -> x509.Certificate:
    certificate: crypto.X509 | None = transport.getPeerCertificate()  # type: ignore[attr-defined]  # TLS has it
    if certificate is None:
        raise BadCredentials("the peer showed no certificate")
    return certificate.to_cryptography()


def _named_node(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.USER_ID)
    if len(names) != 1:
        raise BadCredentials(f"the peer's certificate names {len(names)} nodes")
    return str(names[0].value)


def _stamps(files: TlsFiles) -> tuple[int, ...]:
    try:
        return tuple(path.stat().st_mtime_ns for path in (files.ca, files.cert, files.key))
    except OSError as problem:
        raise BadCredentials(str(problem)) from problem


def _load(files: TlsFiles) -> _Loaded:
    stamps = _stamps(files)
    try:
        trust = trustRootFromCertificates([Certificate(ca) for ca in _certificates(files.ca)])
        leaf, *chain = _certificates(files.cert)
        key = crypto.load_privatekey(crypto.FILETYPE_PEM, files.key.read_bytes())
        own: dict[str, Any] = {
            "certificate": leaf,
            "privateKey": key,
            "extraCertChain": chain,
            "raiseMinimumTo": TLSVersion.TLSv1_3,
        }
        server = CertificateOptions(trustRoot=trust, **own)
        server.getContext()  # checks that the key belongs to the certificate
    except (OSError, ValueError, crypto.Error, SSL.Error) as problem:
        raise BadCredentials(f"{files.cert}, {files.key}, {files.ca}: {problem}") from problem
    door = CertificateOptions(trustRoot=trust, **own)
    door.getContext().set_verify(SSL.VERIFY_PEER)  # a certificate is verified, and may be missing
    return _Loaded(stamps, trust, own, server, door)


def _certificates(path: Path) -> list[crypto.X509]:
    return [
        crypto.X509.from_cryptography(found) for found in x509.load_pem_x509_certificates(path.read_bytes())
    ]
