"""Peers that lie, flood or break the protocol: refused, counted, told once, and nobody else is harmed."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Sequence

import pytest
from attrs import frozen
from pytest_twisted import ensureDeferred
from twisted.logger import LogEvent, capturedLogs

from cluster_manager.service import ClusterManager
from cluster_worker.node.cluster_node import ClusterNode
from cluster_worker.runtime.clock import sleep, system_wall_clock
from cluster_worker.runtime.services import TaskOwner
from cluster_worker.wire.certificates import Authority
from cluster_worker.wire.connections import Address, open_link
from cluster_worker.wire.conversation import Expectation
from cluster_worker.wire.epochs import NO_EPOCH, Epoch
from cluster_worker.wire.errors import LinkClosed
from cluster_worker.wire.frames import FRAME_LIMIT_B, encode_frame
from cluster_worker.wire.handlers import LinkLimits, LinkParts
from cluster_worker.wire.link import Link
from cluster_worker.wire.link_messages import Failed, Hello, Pong, Role, VersionRange
from cluster_worker.wire.membership_messages import (
    ClusterReady,
    Heartbeat,
    Refused,
    RegisterNode,
    StepReport,
)
from cluster_worker.wire.messages import Message, encode_message
from cluster_worker.wire.refusals import Reason
from cluster_worker.wire.tls import NodeCredentials, TlsFiles
from tests.support.cluster import HOST, Cluster, RecordingApplication, eventually, reactor

HONEST, BAD = "worker@honest.test", "worker@bad.test"
BEAT = Heartbeat(1.0, 1.0, 0.0, ())
FUTURE = Epoch(2**40, 7)


class Listening:
    """The handler of a hostile end: it remembers what it is told."""

    def __init__(self) -> None:
        self.heard: list[Message] = []

    def link_opened(self, link: Link) -> None: ...

    async def handle_request(self, link: Link, message: Message) -> Message:
        return Failed("no", "it does not answer")

    def handle_notice(self, link: Link, message: Message) -> None:
        self.heard.append(message)

    def link_closed(self, link: Link, reason: str) -> None: ...


@frozen
class Scene:
    """A ready cluster of one honest worker, and its manager."""

    cluster: Cluster
    manager: ClusterManager
    honest: ClusterNode
    application: RecordingApplication

    def refused(self, reason: Reason) -> int:
        return self.manager.refusals.counts[reason]

    async def link(
        self,
        node: str = BAD,
        files: TlsFiles | None = None,
        versions: VersionRange = VersionRange(1, 1),  # noqa: B008 - a frozen value
        handler: Listening | None = None,
    ) -> Link:
        """Open a hostile link to the manager."""
        hello = Hello(versions, frozenset(), Role.WORKER, node, "op_worker", "1", "boot of the bad one")
        parts = LinkParts(
            clock=reactor, hello=lambda: hello, handler=handler or Listening(), tasks=TaskOwner()
        )
        address = Address(HOST, self.manager.port)
        expectation = Expectation(frozenset({Role.MANAGER}))
        credentials = NodeCredentials(files or self.cluster.files(BAD))
        return await open_link(reactor, address, credentials, parts, expectation)

    async def nobody_else_is_harmed(self) -> None:
        """The honest worker's heartbeats go on, and it is served."""
        reign = self.manager.reign
        assert reign is not None
        before = reactor.seconds()
        await eventually(lambda: reign.heartbeat_at(HONEST) > before, 3.0)
        assert self.honest.is_joined and self.application.stops == []
        assert self.manager.is_ready
        assert list(await self.honest.cluster_status()) == [HONEST]


async def ready(cluster: Cluster) -> Scene:
    application = RecordingApplication()
    manager = cluster.manager(1)
    honest = cluster.node(HONEST, manager.port, application)
    await honest.when_ready()
    return Scene(cluster, manager, honest, application)


def warnings_in(events: Sequence[LogEvent]) -> list[LogEvent]:
    """What was told of refusals."""
    return [event for event in events if event["log_namespace"] == "cluster_worker.wire.refusals.Refusals"]


@ensureDeferred
async def test_foreign_certificates_are_refused_counted_and_told_once(cluster: Cluster) -> None:
    scene = await ready(cluster)
    files = cluster.files(BAD, Authority.make("Another authority", system_wall_clock()))
    shutil.copy(cluster.directory / "ca" / "ca.pem", files.ca)  # it trusts the manager
    with capturedLogs() as events:
        for _ in range(5):
            with pytest.raises(LinkClosed):
                await scene.link(files=files)
        await eventually(lambda: scene.refused(Reason.TLS) == 5)
    told = warnings_in(events)
    assert len(told) == 1 and told[0]["peer"] == HOST
    await scene.nobody_else_is_harmed()


@ensureDeferred
async def test_right_certificate_with_another_nodes_name_is_refused(cluster: Cluster) -> None:
    scene = await ready(cluster)
    with pytest.raises(LinkClosed, match=r"rejected by the peer \(identity\)"):
        await scene.link(node=HONEST)
    assert scene.refused(Reason.IDENTITY) == 1
    await scene.nobody_else_is_harmed()


@ensureDeferred
async def test_peer_of_another_version_is_refused(cluster: Cluster) -> None:
    scene = await ready(cluster)
    with pytest.raises(LinkClosed):
        await scene.link(versions=VersionRange(8, 9))
    assert scene.refused(Reason.VERSION) == 1
    await scene.nobody_else_is_harmed()


@ensureDeferred
async def test_bytes_that_are_no_tls_are_refused(cluster: Cluster) -> None:
    scene = await ready(cluster)
    with socket.create_connection((HOST, scene.manager.port)) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: manager\r\n\r\n")
        await eventually(lambda: scene.refused(Reason.TLS) == 1)
    await scene.nobody_else_is_harmed()


@ensureDeferred
async def test_oversized_frame_costs_its_sender_the_link(cluster: Cluster) -> None:
    scene = await ready(cluster)
    bad = await scene.link()
    bad._write((FRAME_LIMIT_B + 1).to_bytes(4, "big"))
    await eventually(lambda: not bad.is_open)
    assert scene.refused(Reason.OVERSIZED) == 1
    await scene.nobody_else_is_harmed()


@pytest.mark.parametrize(
    "frame",
    [
        encode_message(Hello(VersionRange(1, 1), frozenset(), Role.WORKER, BAD, "x", "1", "b"), 0, 1),
        encode_frame(1, 250, 0, b"\x90"),
        encode_frame(9, 21, 0, b"\x90"),
        encode_frame(1, 21, 0, b"no msgpack"),
        encode_frame(1, 128, 0, b"\x91\xc0"),
        b"\0\0\0\1",
    ],
    ids=["hello again", "unknown notice", "other version", "no msgpack", "reply to nothing", "too short"],
)
@ensureDeferred
async def test_bad_frame_costs_its_sender_the_link(cluster: Cluster, frame: bytes) -> None:
    scene = await ready(cluster)
    bad = await scene.link()
    bad._write(frame)
    await eventually(lambda: not bad.is_open)
    assert scene.refused(Reason.BAD_FRAME) == 1
    await scene.nobody_else_is_harmed()


@ensureDeferred
async def test_messages_of_a_node_that_has_not_registered_change_nothing(cluster: Cluster) -> None:
    scene = await ready(cluster)
    reign = scene.manager.reign
    assert reign is not None
    epoch = reign.membership.epoch
    with capturedLogs() as events:
        bad = await scene.link()
        for _ in range(20):
            bad.notify(BEAT)
            bad.notify(StepReport(epoch, "start_listeners", "it failed"))
            bad.notify(ClusterReady(epoch))
        await eventually(lambda: scene.refused(Reason.UNREGISTERED) == 60)
    told = warnings_in(events)
    assert len(told) == 1 and told[0]["peer"] == BAD
    assert reign.membership.epoch == epoch and reign.membership.roster.nodes == (HONEST,)
    await scene.nobody_else_is_harmed()


@ensureDeferred
async def test_replayed_and_unexpected_messages_of_a_member_change_nothing(cluster: Cluster) -> None:
    scene = await ready(cluster)
    reign = scene.manager.reign
    assert reign is not None
    link = scene.honest._joining.link
    assert link is not None
    old = StepReport(Epoch(reign.membership.epoch.term, 3), "start_custom_workers", "an old failure")
    frame = encode_message(old, 0, 1)
    registration = scene.honest._joining._boot.registration(HOST, 1)
    epoch = reign.membership.epoch
    for _ in range(10):
        link._write(frame)
        link._write(encode_message(Pong(), 77, 1))
        link.notify(registration)
    await sleep(reactor, 0.2)
    assert reign.membership.epoch == epoch and link.is_open
    await scene.nobody_else_is_harmed()


@pytest.mark.parametrize(("latest", "incarnation"), [(FUTURE, None), (NO_EPOCH, FUTURE), (FUTURE, FUTURE)])
@ensureDeferred
async def test_node_that_claims_an_epoch_to_come_is_refused(
    cluster: Cluster, latest: Epoch, incarnation: Epoch | None
) -> None:
    scene = await ready(cluster)
    reign = scene.manager.reign
    assert reign is not None
    epoch, handler = reign.membership.epoch, Listening()
    bad = await scene.link(handler=handler)
    bad.notify(RegisterNode(HOST, 1, latest, incarnation))
    await eventually(lambda: not bad.is_open)
    assert [type(message) for message in handler.heard] == [Refused]
    assert scene.refused(Reason.EPOCH) == 1 and reign.membership.epoch == epoch
    await scene.nobody_else_is_harmed()


@ensureDeferred
async def test_node_that_claims_an_epoch_to_come_does_not_disturb_a_cluster_that_gathers(
    cluster: Cluster,
) -> None:
    manager = cluster.manager(2)
    scene = Scene(cluster, manager, cluster.node(HONEST, manager.port, RecordingApplication()), None)  # type: ignore[arg-type]  # not needed here
    await eventually(lambda: scene.honest.is_joined)
    bad = await scene.link()
    bad.notify(RegisterNode(HOST, 1, NO_EPOCH, FUTURE))
    await eventually(lambda: scene.refused(Reason.EPOCH) == 1)
    good = cluster.node("worker@b.test", manager.port, RecordingApplication())
    await good.when_ready()
    await scene.honest.when_ready()


@ensureDeferred
async def test_member_that_reports_for_an_epoch_to_come_is_counted_only(cluster: Cluster) -> None:
    scene = await ready(cluster)
    link = scene.honest._joining.link
    assert link is not None
    link.notify(StepReport(FUTURE, "start_listeners", "it failed"))
    await eventually(lambda: scene.refused(Reason.EPOCH) == 1)
    await scene.nobody_else_is_harmed()


@ensureDeferred
async def test_flood_before_the_greeting_is_cut_off_and_members_do_not_feel_it(cluster: Cluster) -> None:
    scene = await ready(cluster)
    limit = LinkLimits().max_half_open_of_one
    with capturedLogs() as events:
        flood = [connected(HOST, scene.manager.port) for _ in range(limit + 40)]
        await eventually(lambda: scene.refused(Reason.HALF_OPEN) == 40)
        await scene.nobody_else_is_harmed()
        other = connected("127.0.0.9", scene.manager.port)  # another address still gets in
        await sleep(reactor, 0.1)
        assert not is_closed(other) and sum(map(is_closed, flood)) == 40
        for one in [*flood, other]:
            one.close()
    assert len([event for event in warnings_in(events) if event["reason"] == "half_open"]) == 1
    await eventually(lambda: scene.manager.half_open == 0)
    link = await scene.link()
    assert link.is_open


def connected(source: str, port: int) -> socket.socket:
    """A TCP connection from ``source`` that says nothing."""
    one = socket.socket()
    one.bind((source, 0))
    one.connect((HOST, port))
    one.setblocking(False)
    return one


def is_closed(one: socket.socket) -> bool:
    try:
        return one.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
