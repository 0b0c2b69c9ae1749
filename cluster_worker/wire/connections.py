"""Opening links: out to an address, in through a listening port, both under mutual TLS."""

from __future__ import annotations

from typing import cast

from attrs import frozen
from twisted.application.service import Service
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocol,
    IReactorPluggableNameResolver,
    IReactorTCP,
    IReactorTime,
)
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure

from cluster_worker.wire.conversation import Expectation, Side
from cluster_worker.wire.errors import LinkClosed
from cluster_worker.wire.half_open import HalfOpen
from cluster_worker.wire.handlers import LinkParts
from cluster_worker.wire.link import Link
from cluster_worker.wire.protocol import Gate, LinkFactory, LinkProtocol
from cluster_worker.wire.tls import BadCredentials, CertifiedServer, NodeCredentials, certified_node

BACKLOG = 1024
"""Connections that the system holds until they are accepted: a whole cluster that comes back at once."""


class LinkReactor(IReactorTCP, IReactorTime, IReactorPluggableNameResolver):
    """What links need of a reactor."""


class BadAddress(ValueError):
    """An address is not ``host:port``."""


@frozen
class Address:
    """Where a node listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``host:port`` or ``[v6]:port``. Raises: BadAddress."""
        host, colon, port = text.rpartition(":")
        if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise BadAddress(f"{text!r} is not host:port")
        return cls(host.removeprefix("[").removesuffix("]"), int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


async def open_link(
    reactor: LinkReactor,
    address: Address,
    credentials: NodeCredentials,
    parts: LinkParts,
    expectation: Expectation,
    *,
    connect_timeout_s: float = 5.0,
) -> Link:
    """Connect, greet, and return the open link.

    The server's certificate has to be valid for ``address.host``.

    Raises:
        LinkClosed: nobody answers there, TLS or the greeting failed; the text says which.
    """
    try:
        options = credentials.client_options(address.host)
        links = LinkFactory(parts, expectation, Side.CALLING, CertifiedServer(address.host))
        factory = TLSMemoryBIOFactory(options, True, links, reactor)
        endpoint = HostnameEndpoint(reactor, address.host, address.port, timeout=connect_timeout_s)
        transport = await _connect(endpoint, factory)
    except (ConnectError, DNSLookupError, BadCredentials) as problem:
        raise LinkClosed(f"{address}: {problem}") from problem
    link = cast(LinkProtocol, cast(TLSMemoryBIOProtocol, transport).wrappedProtocol).link
    try:
        await link.opened()
    except LinkClosed as problem:
        raise LinkClosed(f"{address}: {problem}") from problem
    except BaseException:
        link.drop("no longer wanted")
        raise
    return link


def _connect(endpoint: HostnameEndpoint, factory: TLSMemoryBIOFactory) -> Deferred[IProtocol]:
    """Connect; what is cancelled ends as cancelled, and never as a failure of the other side.

    The endpoint itself tells of a name that cannot be found when it is cancelled before its first try.
    """
    connecting = endpoint.connect(factory)
    is_wanted = True

    def cancel(_: object) -> None:
        nonlocal is_wanted
        is_wanted = False
        connecting.cancel()

    def settle(result: IProtocol | Failure) -> None:
        if not is_wanted:
            return
        if isinstance(result, Failure):
            waiter.errback(result)
        else:
            waiter.callback(result)

    waiter: Deferred[IProtocol] = Deferred(cancel)
    connecting.addBoth(settle)
    return waiter


class LinkListener(Service):
    """Listens for links while it runs; links that were opened outlive it.

    Args:
        address: port 0 takes any free one, see ``port``.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: LinkReactor,
        address: Address,
        credentials: NodeCredentials,
        parts: LinkParts,
        expectation: Expectation,
    ) -> None:
        self._reactor, self._address, self._credentials = reactor, address, credentials
        self._parts, self._expectation = parts, expectation
        self._port: IListeningPort | None = None
        limits = parts.limits
        self._half_open = HalfOpen(limits.max_half_open, limits.max_half_open_of_one)

    @property
    def half_open(self) -> int:
        """How many connections have not greeted yet."""
        return len(self._half_open)

    @property
    def port(self) -> int:
        """The port that is listened on, 0 when none is."""
        return 0 if self._port is None else cast(IPv4Address, self._port.getHost()).port

    def startService(self) -> None:
        """Listen at once. Raises: CannotListenError, BadCredentials."""
        super().startService()
        self._credentials.load()
        half_open = self._half_open
        links = LinkFactory(self._parts, self._expectation, Side.ANSWERING, certified_node, half_open)
        secured = TLSMemoryBIOFactory(self._credentials, False, links, self._reactor)
        host, port = self._address.host, self._address.port
        gate = Gate(secured, half_open, self._parts)
        self._port = self._reactor.listenTCP(port, gate, BACKLOG, host)  # type: ignore[arg-type]  # it makes what TLS makes
        self._log.info(
            "listening for nodes on {address}", address=str(Address(self._address.host, self.port))
        )

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        port, self._port = self._port, None
        closing = None if port is None else port.stopListening()
        if closing is not None:
            await closing
