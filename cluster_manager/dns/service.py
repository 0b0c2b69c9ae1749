"""The name server at work, over UDP and TCP. Every question is answered at once, from memory."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.protocol import ServerFactory
from twisted.names import dns
from twisted.protocols.policies import TimeoutMixin

from cluster_manager.assignment import shares_of_clients
from cluster_manager.config import ClusterManagerConfig
from cluster_manager.dns.config import DnsSection
from cluster_manager.dns.zone import Code, Kind, Record, Reply, Zone, weighted_order
from cluster_manager.service import ClusterManager

_IDLE_S = 10.0
_MOST_STREAMS = 200
_LONGEST_SOA_S = 3600

Addresses = Callable[[], Sequence[str] | None]
"""Gives the addresses of nodes in the order in which to tell them; ``None`` when they are not known here."""


def names_service(reactor: Any, config: ClusterManagerConfig, manager: ClusterManager) -> Sequence[IService]:
    """Return the name server of a manager; nothing when no domain is configured."""
    if not config.dns.domain:
        return ()
    return (NameServer(reactor, config.dns, node_addresses(manager, config.dns.published, random.random)),)


def node_addresses(
    manager: ClusterManager, published: Mapping[str, Sequence[str]], uniform: Callable[[], float]
) -> Addresses:
    """Return what gives the addresses of the nodes that want clients.

    Args:
        published: node → where clients reach it, if not where other nodes do.
        uniform: see ``weighted_order``.
    """

    def addresses() -> Sequence[str] | None:
        reign = manager.reign
        if reign is None or not manager.leads:
            return None
        roster = reign.membership.roster
        found: list[str] = []
        for node in weighted_order(shares_of_clients(reign.loads()), uniform):
            member = roster.get(node)
            if member is not None:
                found += published.get(node) or _literal(member.address.host)
        return found

    return addresses


class NameServer(Service):
    """Answers for one domain while it runs. Starting raises ``CannotListenError`` when the port is taken."""

    def __init__(self, reactor: Any, section: DnsSection, addresses: Addresses) -> None:
        self._reactor, self._section = reactor, section
        self._answering = _Answering(section, addresses, reactor)
        self._ports: list[Any] = []

    def privilegedStartService(self) -> None:
        """Bind before the daemon gives its privileges away."""
        super().privilegedStartService()
        self._bind()

    def startService(self) -> None:
        super().startService()
        self._bind()

    def stopService(self) -> Deferred[Any]:
        super().stopService()
        ports, self._ports = self._ports, []
        for stream in list(self._answering.connections):
            stream.transport.abortConnection()
        return gatherResults([maybeDeferred(port.stopListening) for port in ports])

    def _bind(self) -> None:
        if not self._ports:
            at, port = self._section.address, self._section.port
            datagrams = dns.DNSDatagramProtocol(self._answering, reactor=self._reactor)
            self._ports.append(self._reactor.listenUDP(port, datagrams, interface=at))
            self._ports.append(self._reactor.listenTCP(port, _Streams(self._answering), interface=at))


class _Answering:
    """What the protocols of twisted.names ask: it answers every message."""

    def __init__(self, section: DnsSection, addresses: Addresses, clock: Any) -> None:
        self._zone, self._ttl_s = Zone(section.domain, section.name_servers), section.ttl_s
        self._addresses, self.clock = addresses, clock
        self.connections: set[Any] = set()

    def connectionMade(self, protocol: Any) -> None:
        self.connections.add(protocol)

    def connectionLost(self, protocol: Any) -> None:
        self.connections.discard(protocol)

    def messageReceived(self, message: dns.Message, protocol: Any, address: Any = None) -> None:
        """Answer a question; what is none is left alone."""
        if message.answer:
            return
        answer = self._answer(message)
        if address is None:
            protocol.writeMessage(answer)
        else:
            protocol.writeMessage(answer, address)

    def _answer(self, message: dns.Message) -> dns.Message:
        answer = dns.Message(
            id=message.id, answer=1, opCode=message.opCode, recDes=message.recDes, auth=True, maxSize=512
        )
        answer.queries = message.queries
        if message.opCode != dns.OP_QUERY:
            answer.rCode, answer.auth = dns.ENOTIMP, False
        elif len(message.queries) != 1 or message.queries[0].cls not in (dns.IN, dns.ANY):
            answer.rCode, answer.auth = dns.EREFUSED, False
        else:
            self._fill(answer, message.queries[0])
        return answer

    def _fill(self, answer: dns.Message, query: dns.Query) -> None:
        name = query.name.name
        reply: Reply = self._zone.reply(name.decode("latin-1"), query.type, self._addresses())
        answer.rCode = reply.code
        answer.auth = reply.code in (Code.OK, Code.NO_SUCH_NAME)
        answer.answers = [self._header(name, record) for record in reply.answers]
        answer.authority = [self._header(self._zone.domain.encode(), record) for record in reply.authority]

    def _header(self, name: bytes, record: Record) -> dns.RRHeader:
        payload = self._payload(record)
        return dns.RRHeader(name, payload.TYPE, dns.IN, self._ttl_s, payload, auth=True)

    def _payload(self, record: Record) -> Any:
        if record.kind is Kind.A:
            return dns.Record_A(record.value, self._ttl_s)
        if record.kind is Kind.AAAA:
            return dns.Record_AAAA(record.value, self._ttl_s)
        if record.kind is Kind.NS:
            return dns.Record_NS(record.value, self._ttl_s)
        return dns.Record_SOA(
            mname=record.value,
            rname=f"hostmaster.{self._zone.domain}",
            serial=1,
            refresh=_LONGEST_SOA_S,
            retry=_LONGEST_SOA_S,
            expire=_LONGEST_SOA_S,
            minimum=self._ttl_s,
            ttl=self._ttl_s,
        )


class _Stream(dns.DNSProtocol, TimeoutMixin):
    """Questions over TCP, one after the other, from whoever does not keep silent."""

    def connectionMade(self) -> None:
        super().connectionMade()
        self.setTimeout(_IDLE_S)
        if len(self.controller.connections) > _MOST_STREAMS:
            self._abort()

    def callLater(self, period: float, func: Callable[[], None]) -> Any:
        return self.controller.clock.callLater(period, func)

    def dataReceived(self, data: bytes) -> None:
        self.resetTimeout()
        super().dataReceived(data)

    def connectionLost(self, reason: Any = None) -> None:
        self.setTimeout(None)
        super().connectionLost(reason)

    def timeoutConnection(self) -> None:
        self._abort()

    def _abort(self) -> None:
        transport: Any = self.transport
        transport.abortConnection()


class _Streams(ServerFactory):
    """Makes ``_Stream`` for each connection."""

    noisy = False

    def __init__(self, answering: _Answering) -> None:
        self._answering = answering

    def buildProtocol(self, addr: object) -> _Stream:
        return _Stream(self._answering)


def _literal(host: str) -> tuple[str, ...]:
    """The host itself, if it is an address."""
    try:
        return (str(ip_address(host)),)
    except ValueError:
        return ()
