"""Managers that share a Redis: one leads, another takes over, workers serve all the time."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred

from cluster_worker.node.cluster_node import ClusterNode
from cluster_worker.runtime.clock import sleep
from tests.support.cluster import Cluster, RecordingApplication, eventually, reactor
from tests.support.managers import Forwarder, Managers

A, B = "worker@a.test", "worker@b.test"
PROMISE_S = 5.0
"""How soon workers have a leader again."""


@async_yield_fixture
async def managers(cluster: Cluster) -> AsyncIterator[Managers]:
    made = Managers(cluster)
    yield made
    await made.stop()


class Pair:
    """Two workers, ready, and what happened to their applications."""

    def __init__(self, managers: Managers) -> None:
        self.applications = RecordingApplication(), RecordingApplication()
        self.nodes = [managers.node(name, app) for name, app in zip((A, B), self.applications, strict=True)]
        self.steps: list[list[str]] = []

    async def ready(self) -> None:
        for node in self.nodes:
            await node.when_ready()
        self.steps = [list(app.steps) for app in self.applications]

    def have_served_on(self) -> bool:
        """Whether nobody had to stop or boot again."""
        undisturbed = [app.stops for app in self.applications] == [[], []]
        same = [app.steps for app in self.applications] == self.steps
        return undisturbed and same and all(node.is_ready for node in self.nodes)

    async def all_joined(self, timeout_s: float) -> None:
        await eventually(lambda: all(node.is_joined for node in self.nodes), timeout_s)


async def two_managers_and_two_workers(managers: Managers) -> Pair:
    await managers.add("cm1")
    await managers.add("cm2")
    pair = Pair(managers)
    await pair.ready()
    return pair


async def measured_takeover(pair: Pair, managers: Managers, term: int, since_s: float) -> float:
    """Seconds from ``since_s`` until every worker is a member under a later leader."""

    def under_a_later_one() -> bool:
        return all(node.is_joined and term_of(node) > term for node in pair.nodes)

    await eventually(under_a_later_one, 15.0)
    return reactor.seconds() - since_s


def term_of(node: ClusterNode) -> int:
    return node._joining._gate.latest.term


@pytest.mark.slow
@ensureDeferred
async def test_killed_leader_is_replaced_within_the_promise_and_nobody_boots_again(
    managers: Managers,
) -> None:
    pair = await two_managers_and_two_workers(managers)
    leader, (standby,) = await managers.leading()
    assert term_of(pair.nodes[0]) == (await managers.leader()).term
    term, started_s = (await managers.leader()).term, reactor.seconds()
    leader.daemon.signal("KILL")
    took_s = await measured_takeover(pair, managers, term, started_s)
    print(f"takeover after kill -9: {took_s:.2f} s")
    assert took_s < PROMISE_S
    assert (await managers.leading())[0] is standby and pair.have_served_on()
    assert sorted(await pair.nodes[0].cluster_status()) == [A, B]
    assert pair.nodes[0].ring.away == frozenset()


@pytest.mark.slow
@ensureDeferred
async def test_leader_that_sleeps_is_replaced_and_says_nothing_when_it_wakes(managers: Managers) -> None:
    pair = await two_managers_and_two_workers(managers)
    leader, (standby,) = await managers.leading()
    term, started_s = (await managers.leader()).term, reactor.seconds()
    leader.daemon.signal("STOP")
    took_s = await measured_takeover(pair, managers, term, started_s)
    print(f"takeover after SIGSTOP: {took_s:.2f} s")
    assert took_s < PROMISE_S
    leader.daemon.signal("CONT")
    await eventually(lambda: "no longer leading" in leader.said)
    await sleep(reactor, 1.5)
    assert pair.have_served_on() and (await managers.leading())[0] is standby
    now = (await managers.leader()).term
    assert now > term and [(node.is_joined, term_of(node)) for node in pair.nodes] == [(True, now)] * 2


@pytest.mark.slow
@ensureDeferred
async def test_leader_that_is_cut_off_from_redis_steps_down_in_time(managers: Managers) -> None:
    cut = Forwarder(managers.redis_port)
    cut.setServiceParent(managers.cluster.services)
    await managers.add("cm1", f"redis://127.0.0.1:{cut.port}")
    await eventually(lambda: "this manager leads" in managers.all[0].said)
    await managers.add("cm2")
    pair = Pair(managers)
    await pair.ready()
    term, started_s = (await managers.leader()).term, reactor.seconds()
    cut.cut()
    await eventually(lambda: "no longer leading" in managers.all[0].said, 4.0)
    took_s = await measured_takeover(pair, managers, term, started_s)
    print(f"takeover after a cut to Redis: {took_s:.2f} s")
    assert took_s < PROMISE_S
    cut.heal()
    await sleep(reactor, 1.5)
    assert pair.have_served_on() and (await managers.leading())[0].name == "cm2"
    assert not managers.all[0].daemon.ended


@pytest.mark.slow
@ensureDeferred
async def test_managers_are_restarted_one_at_a_time_without_a_worker_noticing(managers: Managers) -> None:
    pair = await two_managers_and_two_workers(managers)
    for manager in list(managers.all):
        term, is_leader = (await managers.leader()).term, (await managers.leading())[0] is manager
        started_s = reactor.seconds()
        manager.daemon.signal("TERM")
        await eventually(lambda manager=manager: manager.daemon.ended)  # type: ignore[misc]
        if is_leader:
            took_s = await measured_takeover(pair, managers, term, started_s)
            print(f"takeover after SIGTERM: {took_s:.2f} s")
        await managers.start(manager)
        await pair.all_joined(PROMISE_S)
        assert pair.have_served_on()
        assert sorted(await pair.nodes[1].cluster_status()) == [A, B]


@pytest.mark.slow
@ensureDeferred
async def test_cluster_without_any_manager_serves_on_and_the_next_one_knows_it(managers: Managers) -> None:
    pair = await two_managers_and_two_workers(managers)
    for manager in managers.all:
        manager.daemon.signal("KILL")
    await eventually(lambda: not any(node.is_joined for node in pair.nodes))
    assert all(node.is_ready for node in pair.nodes)
    await managers.start(managers.all[1])
    await pair.all_joined(10.0)
    assert pair.have_served_on()
    assert sorted(await pair.nodes[0].cluster_status()) == [A, B]
