"""Calls per second between two nodes over mutual TLS, next to Twisted's AMP over the same TLS.

Run: ``python -m benchmarks.wire [seconds]``. Both ends share one process and one core; 64 calls are in
flight, then one; the payload is a map of three small fields, echoed back. Rates are calls per second of
processor time, so that what else runs on the machine does not count.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import cast

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import react
from twisted.protocols import amp
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol

from cluster_worker.runtime.clock import system_wall_clock
from cluster_worker.runtime.services import TaskOwner
from cluster_worker.wire.call_messages import Call
from cluster_worker.wire.certificates import CA_CERT, Authority, save_issued
from cluster_worker.wire.connections import Address, LinkListener, LinkReactor, open_link
from cluster_worker.wire.conversation import Expectation
from cluster_worker.wire.handlers import LinkParts
from cluster_worker.wire.link import Link
from cluster_worker.wire.link_messages import Hello, Result, Role, VersionRange
from cluster_worker.wire.messages import Message
from cluster_worker.wire.tls import NodeCredentials, TlsFiles

MANY, ONE = 64, 1
AIMS = {MANY: 2.5, ONE: 1.0}
HOST = "127.0.0.1"
NODE = f"worker@{HOST}"
ANY_WORKER = Expectation(frozenset({Role.WORKER}))

Echo = Callable[[], Awaitable[object]]


class Echoing:
    """Answers every call with its payload."""

    def link_opened(self, link: Link) -> None: ...

    async def handle_request(self, link: Link, message: Message) -> Message:
        assert isinstance(message, Call)
        return Result(message.payload)

    def handle_notice(self, link: Link, message: Message) -> None: ...

    def link_closed(self, link: Link, reason: str) -> None: ...


class EchoCommand(amp.Command):
    arguments = [
        (b"worker", amp.Unicode()),
        (b"guid", amp.Unicode()),
        (b"offset", amp.Integer()),
        (b"d", amp.String()),
    ]
    response = [(b"guid", amp.Unicode()), (b"offset", amp.Integer()), (b"d", amp.String())]


class AmpEchoing(amp.AMP):
    @EchoCommand.responder
    def echo(self, worker: str, guid: str, offset: int, d: bytes) -> dict[str, object]:
        return {"guid": guid, "offset": offset, "d": d}


async def calls_per_second(reactor: LinkReactor, echo: Echo, duration_s: float, in_flight: int) -> float:
    """Keep so many callers busy for ``duration_s``; calls per second of processor time."""
    done = 0
    end = reactor.seconds() + duration_s

    async def caller() -> None:
        nonlocal done
        while reactor.seconds() < end:
            await echo()
            done += 1

    started = process_time()
    await gatherResults([Deferred.fromCoroutine(caller()) for _ in range(in_flight)])
    return done / (process_time() - started)


async def measure_ours(
    reactor: LinkReactor, credentials: NodeCredentials, duration_s: float, in_flight: int
) -> float:
    hello = Hello(VersionRange(1, 1), frozenset(), Role.WORKER, NODE, "bench", "1", "boot")
    parts = LinkParts(clock=reactor, hello=lambda: hello, handler=Echoing(), tasks=TaskOwner())
    listener = LinkListener(reactor, Address(HOST, 0), credentials, parts, ANY_WORKER)
    listener.startService()
    link = await open_link(reactor, Address(HOST, listener.port), credentials, parts, ANY_WORKER)
    payload = {"guid": "0123456789abcdef" * 4, "offset": 1048576, "d": b"x" * 64}
    rate = await calls_per_second(
        reactor, lambda: link.request(Call("files", None, 30000, payload), 30.0), duration_s, in_flight
    )
    link.close("done")
    await listener.stopService()
    return rate


async def measure_amp(
    reactor: LinkReactor, credentials: NodeCredentials, duration_s: float, in_flight: int
) -> float:
    server = TLSMemoryBIOFactory(credentials, False, Factory.forProtocol(AmpEchoing), reactor)
    port = reactor.listenTCP(0, server, interface=HOST)  # type: ignore[arg-type]  # a wrapped factory serves
    options = credentials.client_options(HOST)
    client = TLSMemoryBIOFactory(options, True, Factory.forProtocol(amp.AMP), reactor)
    transport = await HostnameEndpoint(reactor, HOST, port.getHost().port).connect(client)  # type: ignore[attr-defined]  # TCP
    peer = cast(amp.AMP, cast(TLSMemoryBIOProtocol, transport).wrappedProtocol)
    fields = {"worker": "files", "guid": "0123456789abcdef" * 4, "offset": 1048576, "d": b"x" * 64}

    def echo() -> Awaitable[object]:
        answer: Awaitable[object] = peer.callRemote(EchoCommand, **fields)
        return answer

    rate = await calls_per_second(reactor, echo, duration_s, in_flight)
    cast(TLSMemoryBIOProtocol, transport).loseConnection()
    await maybeDeferred(port.stopListening)
    return rate


async def main(reactor: LinkReactor, duration_s: float) -> None:
    with TemporaryDirectory() as name:
        directory, now_s = Path(name), system_wall_clock()
        authority = Authority.make("Benchmark authority", now_s)
        authority.save(directory)
        save_issued(authority.issue_node(NODE, [], now_s), directory, "node")
        files = TlsFiles(
            ca=directory / CA_CERT, cert=directory / "node_cert.pem", key=directory / "node_key.pem"
        )
        credentials = NodeCredentials(files)
        for in_flight, aim in AIMS.items():
            rounds = []
            for _ in range(3):
                ours = await measure_ours(reactor, credentials, duration_s, in_flight)
                theirs = await measure_amp(reactor, credentials, duration_s, in_flight)
                rounds.append(ours / theirs)
                rates = f"ours {ours:8.0f}/s   AMP {theirs:8.0f}/s   ratio {rounds[-1]:.2f}"
                print(f"{in_flight:2} in flight: {rates}")
            print(f"{in_flight:2} in flight: median ratio {sorted(rounds)[1]:.2f} (aim: at least {aim})")


if __name__ == "__main__":
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    react(lambda reactor: Deferred.fromCoroutine(main(reactor, seconds)), _reactor=global_reactor)
