"""Listening for web clients, with TLS whose certificate can be replaced while connections are open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from OpenSSL import SSL, crypto
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import (
    IListeningPort,
    IOpenSSLServerConnectionCreator,
    IReactorTCP,
    IReactorTime,
)
from twisted.internet.tcp import Port
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from cluster_worker.http.limits import HttpLimits
from cluster_worker.http.site import StreamingSite

_OP_NO_RENEGOTIATION: int = getattr(SSL, "OP_NO_RENEGOTIATION", 0)
_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM"


class BadCertificateError(Exception):
    """Certificate, key or chain cannot be read or do not belong together. The text names the file."""


@implementer(IOpenSSLServerConnectionCreator)
class WebTls:
    """Server side of TLS 1.2 and later, with session tickets.

    Args:
        cert: PEM file of the certificate, which may be followed by its intermediates.
        key: PEM file of its private key.
        chain: PEM file of further intermediates.

    Raises:
        BadCertificateError: when made and on ``reload``.
    """

    _log = Logger()

    def __init__(self, cert: Path, key: Path, chain: Path | None = None) -> None:
        self._cert, self._key, self._chain = cert, key, chain
        self._context = self._load()

    def reload(self) -> None:
        """Read the files again; later connections use them. When they are bad, the old ones stay.

        Raises:
            BadCertificateError
        """
        self._context = self._load()
        self._log.info("certificate {cert} is in use", cert=str(self._cert))

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        """Return a new connection over memory buffers; called by Twisted."""
        return SSL.Connection(self._context, None)

    def _load(self) -> SSL.Context:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_options(SSL.OP_NO_COMPRESSION | _OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE)
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)
        context.set_session_cache_mode(SSL.SESS_CACHE_SERVER)
        context.set_session_id(b"onedata-web")
        context.set_cipher_list(_CIPHERS)
        context.set_alpn_select_callback(_select_http11)
        self._use_files(context)
        return context

    def _use_files(self, context: SSL.Context) -> None:
        try:
            context.use_certificate_chain_file(str(self._cert))
        except SSL.Error:
            raise BadCertificateError(f"{self._cert} holds no readable certificate") from None
        try:
            context.use_privatekey_file(str(self._key))
            context.check_privatekey()
        except SSL.Error:
            raise BadCertificateError(f"{self._key} is not the private key of {self._cert}") from None
        for certificate in _certificates(self._chain):
            context.add_extra_chain_cert(certificate)


class WebTlsFactory(TLSMemoryBIOFactory):
    """Puts TLS under the protocols of a site.

    A site writes little and in large pieces, so the transport that gathers small writes for a turn of the
    reactor would only cost.
    """

    protocol = TLSMemoryBIOProtocol

    def __init__(
        self, tls: IOpenSSLServerConnectionCreator, site: StreamingSite, clock: IReactorTime
    ) -> None:
        super().__init__(tls, False, site, clock)


class WebListener(Service):
    """Listens while it runs; stopping lets open requests end for up to ``grace_s`` seconds.

    See ``StreamingSite.drain``.

    Starting raises ``CannotListenError`` when the port is taken.

    Attributes:
        port: the port number; with 0 asked for, the one the system chose, from the start on.
    """

    def __init__(
        self,
        reactor: IReactorTCP,
        host: str,
        port: int,
        site: StreamingSite,
        tls: IOpenSSLServerConnectionCreator | None,
        *,
        grace_s: float = 10.0,
    ) -> None:
        self._reactor, self._host, self.port = reactor, host, port
        self._site, self._tls, self._grace_s = site, tls, grace_s
        self._listening: IListeningPort | None = None

    def privilegedStartService(self) -> None:
        """Bind before the daemon gives its privileges away."""
        super().privilegedStartService()
        self._bind()

    def startService(self) -> None:
        super().startService()
        self._bind()

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    def use(self, limits: HttpLimits, grace_s: float) -> None:
        """Use other limits for connections from now on, and another grace at the stop."""
        self._site.limits, self._grace_s = limits, grace_s

    def _bind(self) -> None:
        if self._listening is None:
            self._listening = self._reactor.listenTCP(
                self.port, self._factory(), backlog=1024, interface=self._host
            )
            self.port = getattr(self._listening.getHost(), "port", self.port)

    def _factory(self) -> Any:
        if self._tls is None:
            return self._site
        return WebTlsFactory(self._tls, self._site, IReactorTime(self._reactor))

    async def _stop(self) -> None:
        listening, self._listening = self._listening, None
        if isinstance(listening, Port):
            listening.doRead()  # whom the system has connected already would be reset
        self._site.is_stopping = True
        if listening is not None:
            await maybeDeferred(listening.stopListening)
        await self._site.drain(self._grace_s)


def listen(
    reactor: IReactorTCP, host: str, port: int, site: StreamingSite, tls: WebTls | None = None
) -> WebListener:
    """Return the service that serves ``site`` on ``host``:``port``, with TLS unless ``tls`` is ``None``."""
    return WebListener(reactor, host, port, site, tls)


def _select_http11(connection: SSL.Connection, offered: list[bytes]) -> bytes | Any:
    return b"http/1.1" if b"http/1.1" in offered else SSL.NO_OVERLAPPING_PROTOCOLS


def _certificates(chain: Path | None) -> list[crypto.X509]:
    if chain is None:
        return []
    try:
        text = chain.read_bytes()
        parts = text.split(b"-----END CERTIFICATE-----")[:-1]
        pem = [part + b"-----END CERTIFICATE-----\n" for part in parts]
        return [crypto.load_certificate(crypto.FILETYPE_PEM, each) for each in pem]
    except (OSError, crypto.Error):
        raise BadCertificateError(f"{chain} holds no readable certificates") from None
