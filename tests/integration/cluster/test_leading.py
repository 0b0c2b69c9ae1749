"""A manager that leads by a lease, in this process: its clock is the test's, its links are real."""

from __future__ import annotations

import pytest
from attrs import frozen
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock

from cluster_manager.election import LeaseRules
from cluster_manager.leadership import LEASE, LeaseLeadership
from cluster_manager.membership.rules import MembershipRules
from cluster_manager.service import ClusterManager
from cluster_manager.settings import ManagerSettings
from cluster_manager.stored_state import Leader, StoredState
from cluster_worker.node.cluster_node import ClusterNode
from cluster_worker.node.errors import ClusterUnavailable
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.clock import sleep
from cluster_worker.wire.connections import Address
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.link import Link
from cluster_worker.wire.membership_messages import ForceStop, NotLeader, Registered
from cluster_worker.wire.messages import Message
from cluster_worker.wire.tls import NodeCredentials
from tests.support.cluster import HOST, Cluster, RecordingApplication, eventually, reactor

A = "worker@a.test"


@frozen
class Scene:
    """One manager, one worker, and what the manager said to it."""

    cluster: Cluster
    clock: Clock
    engine: MemoryEngine
    manager: ClusterManager
    node: ClusterNode
    application: RecordingApplication
    heard: list[Message]

    @property
    def link(self) -> Link:
        """The worker's end of its link."""
        link = self.node._joining.link
        assert link is not None
        return link

    def registers_again(self) -> None:
        """A message that a leader answers at once."""
        self.heard.clear()
        self.link.notify(self.node._joining._boot.registration(HOST, 1))


async def scene_of(cluster: Cluster) -> Scene:
    clock = Clock()
    engine = MemoryEngine(clock)
    settings = ManagerSettings(
        node_name=f"cm@{HOST}", listen=Address(HOST, 0), rules=MembershipRules(worker_num=1), tick_s=0.1
    )
    manager = ClusterManager(
        reactor,
        settings,
        NodeCredentials(cluster.files(f"cm@{HOST}")),
        LeaseLeadership(clock, engine, LeaseRules(), "cm"),
        memory=StoredState(engine),
    )
    manager.setServiceParent(cluster.services)
    application = RecordingApplication()
    node = cluster.node(A, manager.port, application)
    heard: list[Message] = []
    take = node._joining.handle_notice

    def listen(link: Link, message: Message) -> None:
        heard.append(message)
        take(link, message)

    node._joining.handle_notice = listen  # type: ignore[method-assign]  # it listens and passes on
    await node.when_ready()
    return Scene(cluster, clock, engine, manager, node, application, heard)


@ensureDeferred
async def test_leader_that_has_slept_says_nothing_before_it_has_looked_at_its_clock(cluster: Cluster) -> None:
    scene = await scene_of(cluster)
    scene.registers_again()
    await eventually(lambda: Registered in map(type, scene.heard))
    scene.clock.rightNow += 60.0  # it wakes; none of its timers has run yet
    with pytest.raises(ClusterUnavailable, match="does not lead"):
        await scene.node.cluster_status()
    scene.registers_again()
    await sleep(reactor, 0.5)
    assert {type(message) for message in scene.heard} == {NotLeader}


@ensureDeferred
async def test_leader_that_comes_back_in_a_new_term_finds_its_cluster_as_it_was(cluster: Cluster) -> None:
    scene = await scene_of(cluster)
    scene.clock.advance(60.0)
    await eventually(lambda: scene.node.epoch.term == 2)
    assert scene.application.stops == [] and scene.manager.is_ready and scene.node.is_joined
    assert list(await scene.node.cluster_status()) == [A]


@ensureDeferred
async def test_leader_that_was_deposed_in_the_store_tells_nobody_what_it_could_not_write(
    cluster: Cluster,
) -> None:
    scene = await scene_of(cluster)
    other = StoredState(scene.engine)
    await other.begin(Leader(2, "cm@other", Address(HOST, 1)))
    again = cluster.node(A, scene.manager.port, RecordingApplication())  # another boot: must be remembered
    await eventually(lambda: not scene.manager.leads or scene.manager._term > 1)
    assert not again.is_joined or again.epoch.term > 1
    assert await scene.engine.acquire(LEASE, "other", 3.0) is None or not scene.manager.leads


@ensureDeferred
async def test_words_of_an_earlier_leader_are_not_heard(cluster: Cluster) -> None:
    scene = await scene_of(cluster)
    link = scene.manager._links[A]
    for stale in (Epoch(0, 99), Epoch(1, 0)):
        link.notify(ForceStop(stale, "an order from the past"))
    await eventually(lambda: [type(m) for m in scene.heard].count(ForceStop) == 2)
    assert scene.application.stops == [] and scene.node.is_ready and scene.node.is_joined
