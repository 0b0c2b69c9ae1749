"""Client endpoints for Redis: unix sockets, TCP, and TLS with host name verification."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.ssl import Certificate, optionsForClientTLS, platformTrust, trustRootFromCertificates
from twisted.python.failure import Failure
from zope.interface import implementer

from cluster_worker.persistence.address import RedisAddress

_MAX_SOCKET_PATH_B = 107
_PEM_END = b"-----END CERTIFICATE-----"


def make_endpoint(
    reactor: Any, address: RedisAddress, ca_file: str | None, timeout_s: float
) -> IStreamClientEndpoint:
    """Return the endpoint of ``address``; ``timeout_s`` bounds each attempt to connect.

    Raises: OSError when ``ca_file`` cannot be read.
    """
    if address.path is not None:
        if len(os.fsencode(address.path)) > _MAX_SOCKET_PATH_B:
            return LongPathEndpoint(reactor, address.path, timeout_s)
        return UNIXClientEndpoint(reactor, address.path, timeout=timeout_s)
    endpoint = HostnameEndpoint(reactor, address.host, address.port, timeout=timeout_s)
    if not address.tls:
        return endpoint
    trust = platformTrust() if ca_file is None else trustRootFromCertificates(_read_certificates(ca_file))
    return wrapClientTLS(optionsForClientTLS(address.host, trustRoot=trust), endpoint)


@implementer(IStreamClientEndpoint)
class NotingEndpoint:
    """Another endpoint, and ``note`` is called with the reason of each attempt that fails."""

    def __init__(self, endpoint: IStreamClientEndpoint, note: Callable[[str], None]) -> None:
        self._endpoint, self._note = endpoint, note

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803 - Twisted's name
        connecting: Deferred[IProtocol] = self._endpoint.connect(protocolFactory)
        return connecting.addErrback(self._failed)

    def _failed(self, failure: Failure) -> Failure:
        self._note(failure.getErrorMessage())
        return failure


@implementer(IStreamClientEndpoint)
class LongPathEndpoint:
    """A unix socket whose path does not fit into an address: reached through its folder's descriptor."""

    def __init__(self, reactor: Any, path: str, timeout_s: float) -> None:
        self._reactor, self._path, self._timeout_s = reactor, path, timeout_s

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803 - Twisted's name
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        folder, name = os.path.split(self._path)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            path = f"/proc/self/fd/{descriptor}/{name}"
            protocol: IProtocol = await UNIXClientEndpoint(
                self._reactor, path, timeout=self._timeout_s
            ).connect(factory)
        finally:
            os.close(descriptor)
        return protocol


def _read_certificates(ca_file: str) -> list[Certificate]:
    with open(ca_file, "rb") as file:
        parts = file.read().split(_PEM_END)[:-1]
    return [Certificate.loadPEM(part + _PEM_END) for part in parts]
