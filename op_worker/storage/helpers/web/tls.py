"""TLS to servers whose certificate nobody vouches for."""

from __future__ import annotations

from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import CertificateOptions
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer


@implementer(IPolicyForHTTPS)
class Unverified:
    """TLS with whoever answers; for storages of which ``verifyServerCertificate`` is false."""

    def creatorForNetloc(self, hostname: bytes, port: int) -> IOpenSSLClientConnectionCreator:
        return _Creator(hostname)


@implementer(IOpenSSLClientConnectionCreator)
class _Creator:
    def __init__(self, hostname: bytes) -> None:
        self._hostname = hostname
        self._context = CertificateOptions(verify=False).getContext()

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N803
        connection = SSL.Connection(self._context, None)
        if any(character.isalpha() for character in self._hostname.decode()) and b":" not in self._hostname:
            connection.set_tlsext_host_name(self._hostname)
        connection.set_connect_state()
        return connection
