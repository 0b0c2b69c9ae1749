"""Who may talk to whom: authorities, host names, node names, over real TLS."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from pytest_twisted import ensureDeferred
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import ClientFactory, Protocol
from twisted.internet.ssl import CertificateOptions
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from cluster_worker.runtime.clock import sleep, system_wall_clock
from cluster_worker.runtime.services import TaskOwner
from cluster_worker.wire.certificates import Authority, Issued, _builder, _pem, save_issued
from cluster_worker.wire.connections import Address, LinkListener, open_link
from cluster_worker.wire.conversation import Expectation
from cluster_worker.wire.errors import LinkClosed
from cluster_worker.wire.frames import FRAME_LIMIT_B
from cluster_worker.wire.handlers import LinkParts
from cluster_worker.wire.link import Link
from cluster_worker.wire.link_messages import Hello, Result, Role, VersionRange
from cluster_worker.wire.messages import Message
from cluster_worker.wire.tls import BadCredentials, NodeCredentials, TlsFiles
from tests.support.cluster import HOST, Cluster, RecordingApplication, eventually, reactor

A, B = "worker@a.test", "worker@b.test"
WORKERS = Expectation(frozenset({Role.WORKER}))


class Echo:
    """A handler that answers everything and remembers its links."""

    def __init__(self) -> None:
        self.links: list[Link] = []

    def link_opened(self, link: Link) -> None:
        self.links.append(link)

    async def handle_request(self, link: Link, message: Message) -> Message:
        return Result("answered")

    def handle_notice(self, link: Link, message: Message) -> None: ...

    def link_closed(self, link: Link, reason: str) -> None:
        self.links.remove(link)


def parts(node: str, handler: Echo, versions: VersionRange = VersionRange(1, 1)) -> LinkParts:  # noqa: B008
    hello = Hello(versions, frozenset(), Role.WORKER, node, "op_worker", "1", "boot")
    return LinkParts(clock=reactor, hello=lambda: hello, handler=handler, tasks=TaskOwner())


def listen(cluster: Cluster, handler: Echo, files: TlsFiles | None = None, name: str = A) -> LinkListener:
    credentials = NodeCredentials(files or cluster.files(name))
    listener = LinkListener(reactor, Address(HOST, 0), credentials, parts(name, handler), WORKERS)
    listener.setServiceParent(cluster.services)
    return listener


async def link_from(
    files: TlsFiles, port: int, name: str = B, host: str = HOST, expectation: Expectation = WORKERS
) -> Link:
    client = parts(name, Echo())
    return await open_link(reactor, Address(host, port), NodeCredentials(files), client, expectation)


@ensureDeferred
async def test_nodes_of_one_authority_open_a_link(cluster: Cluster) -> None:
    server = Echo()
    listener = listen(cluster, server)
    link = await link_from(cluster.files(B), listener.port)
    assert link.peer is not None and link.peer.node == A
    await eventually(lambda: [peer.peer.node for peer in server.links if peer.peer] == [B])


@ensureDeferred
async def test_client_certified_by_another_authority_is_refused(cluster: Cluster) -> None:
    server = Echo()
    listener = listen(cluster, server)
    other = Authority.make("Another authority", system_wall_clock())
    files = cluster.files(B, other)
    shutil.copy(
        cluster.directory / "ca" / "ca.pem", files.ca
    )  # it trusts the server, not the other way round
    with pytest.raises(LinkClosed):
        await link_from(files, listener.port)
    assert server.links == []


@ensureDeferred
async def test_server_certified_by_another_authority_is_refused(cluster: Cluster) -> None:
    other = Authority.make("Another authority", system_wall_clock())
    listener = listen(cluster, Echo(), cluster.files(A, other))
    with pytest.raises(LinkClosed, match="certificate verify failed"):
        await link_from(cluster.files(B), listener.port)


@ensureDeferred
async def test_server_with_certificate_for_another_host_is_refused(cluster: Cluster) -> None:
    server = Echo()
    listener = listen(cluster, server, cluster.files(A, hosts=("127.9.9.9",)))
    with pytest.raises(LinkClosed):
        await link_from(cluster.files(B), listener.port)
    assert server.links == []


@ensureDeferred
async def test_host_names_are_checked_against_dns_names_in_certificates(cluster: Cluster) -> None:
    listener = listen(cluster, Echo(), cluster.files(A, hosts=("localhost",)))
    link = await link_from(cluster.files(B), listener.port, host="localhost")
    assert link.is_open


@ensureDeferred
async def test_certificate_whose_names_cannot_be_parsed_is_refused(cluster: Cluster) -> None:
    server = Echo()
    files = cluster.files(A)
    save_issued(with_strange_names(cluster.authority, A), cluster.directory / A, "node")
    listener = listen(cluster, server, files)
    with pytest.raises(LinkClosed, match="not valid for"):
        await link_from(cluster.files(B), listener.port)
    assert server.links == []


@ensureDeferred
async def test_node_with_the_certificate_of_another_is_rejected(cluster: Cluster) -> None:
    server = Echo()
    listener = listen(cluster, server)
    with pytest.raises(LinkClosed, match=r"rejected by the peer \(identity\).*worker@b.test"):
        await link_from(cluster.files(B), listener.port, name="worker@c.test")
    assert server.links == []


@ensureDeferred
async def test_client_that_expects_another_node_closes_the_link(cluster: Cluster) -> None:
    listener = listen(cluster, Echo())
    expectation = Expectation(frozenset({Role.WORKER}), "worker@c.test")
    with pytest.raises(LinkClosed, match=r"\(node\).*'worker@c.test' was expected"):
        await link_from(cluster.files(B), listener.port, expectation=expectation)


@ensureDeferred
async def test_nodes_without_common_version_name_both_ranges(cluster: Cluster) -> None:
    listener = listen(cluster, Echo())
    client = parts(B, Echo(), VersionRange(7, 9))
    credentials = NodeCredentials(cluster.files(B))
    with pytest.raises(LinkClosed, match=r"(?s)1-1.*7-9|7-9.*1-1"):
        await open_link(reactor, Address(HOST, listener.port), credentials, client, WORKERS)


@ensureDeferred
async def test_new_certificates_are_used_without_restart(cluster: Cluster) -> None:
    files = cluster.files(A)
    server = Echo()
    listener = listen(cluster, server, files)
    first = await link_from(cluster.files(B), listener.port)
    other = Authority.make("The next authority", system_wall_clock())
    cluster.files(A, other)
    second = await link_from(cluster.files(B, other), listener.port)
    assert first.is_open and second.is_open


@ensureDeferred
async def test_broken_new_certificates_leave_the_old_in_use(cluster: Cluster) -> None:
    files = cluster.files(A)
    listener = listen(cluster, Echo(), files)
    files.cert.write_text("this is no certificate")
    assert (await link_from(cluster.files(B), listener.port)).is_open


def test_daemon_with_broken_certificates_does_not_start(tmp_path: Any) -> None:
    cluster = Cluster(tmp_path)
    files = cluster.files(A)
    files.key.write_text("this is no key")
    with pytest.raises(BadCredentials, match="node_key"):
        listen(cluster, Echo(), files)


@ensureDeferred
async def test_oversized_frame_drops_only_that_link(cluster: Cluster) -> None:
    server = Echo()
    listener = listen(cluster, server)
    good = await link_from(cluster.files(B), listener.port)
    bad = await link_from(cluster.files("worker@c.test"), listener.port, name="worker@c.test")
    await eventually(lambda: len(server.links) == 2)
    bad._write((FRAME_LIMIT_B + 1).to_bytes(4, "big"))
    await eventually(lambda: not bad.is_open and len(server.links) == 1)
    assert good.is_open and server.links[0].peer is not None and server.links[0].peer.node == B


@ensureDeferred
async def test_peer_that_speaks_old_tls_is_refused(cluster: Cluster) -> None:
    listener = listen(cluster, Echo())
    assert not await speaks(cluster, listener.port, SSL.TLS1_2_VERSION)
    assert await speaks(cluster, listener.port, SSL.TLS1_3_VERSION)


@ensureDeferred
async def test_broken_manager_credentials_of_a_node_never_join(cluster: Cluster) -> None:
    manager = cluster.manager(1)
    other = Authority.make("Another authority", system_wall_clock())
    node = cluster.node(A, manager.port, RecordingApplication(), cluster.files(A, other))
    await sleep(reactor, 0.3)
    assert not node.is_joined


async def speaks(cluster: Cluster, port: int, version: int) -> bool:
    """Whether the server shakes hands with a client that speaks no newer version of TLS."""
    greeted = Greeted()
    loaded = NodeCredentials(cluster.files(B))._current()
    options = CertificateOptions(trustRoot=loaded.trust, **{**loaded.own, "raiseMinimumTo": None})
    context = options.getContext()
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_max_proto_version(version)
    raw = ClientFactory()
    raw.buildProtocol = lambda addr: greeted  # type: ignore[method-assign]  # the one protocol there is
    tls = TLSMemoryBIOFactory(options, True, raw, reactor)
    reactor.connectTCP(HOST, port, tls)
    await eventually(lambda: greeted.heard or greeted.lost)
    if greeted.transport is not None:
        greeted.transport.loseConnection()
    await eventually(lambda: greeted.lost)
    return greeted.heard


@implementer(IHandshakeListener)
class Greeted(Protocol):
    heard = lost = False

    def handshakeCompleted(self) -> None:
        self.heard = True

    def connectionLost(self, reason: object = None) -> None:
        self.lost = True


def with_strange_names(authority: Authority, node: str) -> Issued:
    """A certificate of the right node and authority, for no host, with a name that few can parse."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.USER_ID, node)])
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier("urn:a:b:c")])
    builder = _builder(subject, authority.cert.subject, key, system_wall_clock(), 30)
    cert = builder.add_extension(names, critical=False).sign(authority.key, hashes.SHA256())
    return Issued(cert.public_bytes(Encoding.PEM), _pem(key))


@ensureDeferred
async def test_connecting_that_is_cancelled_at_once_ends_as_cancelled(cluster: Cluster) -> None:
    opening = Deferred.fromCoroutine(link_from(cluster.files(B), 1))
    opening.cancel()
    with pytest.raises(CancelledError):
        await opening
