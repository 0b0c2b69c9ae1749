"""Where the zone is, and how a connection to it is made and trusted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from attrs import frozen
from OpenSSL.crypto import Error as OpenSSLError
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.ssl import Certificate, optionsForClientTLS, platformTrust, trustRootFromCertificates
from twisted.web.client import URI, Agent
from twisted.web.iweb import IAgent, IAgentEndpointFactory
from zope.interface import implementer

TrustRoot = Any
"""What optionsForClientTLS takes; Twisted keeps the interface private."""

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class UnusableCertificateError(Exception):
    """A file that should hold trusted certificates does not; the text says which and why."""


@frozen(kw_only=True)
class ZoneAddress:
    """Where a zone is reached.

    ``domain`` may end with ``:port`` (443 otherwise); its host part is what the zone's certificate must
    be for. ``address`` (``host:port`` or ``host``) says where to connect when the domain cannot be resolved.
    """

    domain: str
    address: str | None = None

    @property
    def host(self) -> str:
        """The name to verify."""
        return _split(self.domain)[0]

    @property
    def target(self) -> tuple[str, int]:
        """Host and port to connect to."""
        host, port = _split(self.domain)
        if self.address is None:
            return host, port or 443
        host, given = _split(self.address)
        return host, given or port or 443


def load_trust(ca_file: str | None) -> TrustRoot:
    """Return the trust root: the certificates of a PEM file, or what the system trusts.

    Raises:
        UnusableCertificateError: the file is missing or holds no certificates.
    """
    if ca_file is None:
        return platformTrust()
    try:
        blocks = _PEM.findall(Path(ca_file).read_bytes())
        certificates = [Certificate.loadPEM(block) for block in blocks]
    except OSError as error:
        raise UnusableCertificateError(f"{ca_file}: {error.strerror}") from error
    except (OpenSSLError, ValueError) as error:
        raise UnusableCertificateError(f"{ca_file}: not a certificate") from error
    if not certificates:
        raise UnusableCertificateError(f"{ca_file}: holds no certificates")
    return trustRootFromCertificates(certificates)


def zone_endpoint(
    reactor: object, address: ZoneAddress, trust: TrustRoot, *, timeout_s: float = 10.0
) -> IStreamClientEndpoint:
    """Return an endpoint to the zone whose TLS is verified against the zone's domain."""
    host, port = address.target
    plain = HostnameEndpoint(reactor, host, port, timeout=timeout_s)
    return wrapClientTLS(optionsForClientTLS(address.host, trustRoot=trust), plain)


def zone_agent(reactor: object, address: ZoneAddress, trust: TrustRoot) -> IAgent:
    """Return an HTTP agent all of whose requests go to the zone, whatever their URL says."""
    agent: IAgent = Agent.usingEndpointFactory(reactor, _OnlyTheZone(zone_endpoint(reactor, address, trust)))
    return agent


@implementer(IAgentEndpointFactory)
@frozen
class _OnlyTheZone:
    endpoint: IStreamClientEndpoint

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        return self.endpoint


def _split(text: str) -> tuple[str, int | None]:
    host, colon, port = text.rpartition(":")
    if colon and port.isdigit() and (":" not in host or host.startswith("[")):
        return host.strip("[]"), int(port)
    return text.strip("[]"), None
