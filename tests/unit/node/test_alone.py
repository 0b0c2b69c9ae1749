"""A node without managers boots by itself and serves its own calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.python.failure import Failure

from cluster_worker.node.cluster_node import ClusterNode
from cluster_worker.node.config import NodeConfig
from cluster_worker.node.errors import ClusterUnavailable, NodeUnavailable
from cluster_worker.node.routing import AnyNode, ByKey, OnNode
from cluster_worker.wire.errors import RequestTimedOut
from cluster_worker.wire.steps import BOOT_STEPS

STEPS = [step.value for step in BOOT_STEPS]


@define
class Application:
    name: str = "cluster_worker"
    steps: list[str] = field(factory=list)
    stops: list[str] = field(factory=list)
    failures: int = 0
    gate: Deferred[None] | None = None

    async def start_step(self, step: str) -> None:
        self.steps.append(step)
        if step == "start_listeners" and self.failures:
            self.failures -= 1
            raise OSError("port in use")

    async def handle_call(self, worker: str, payload: Any) -> Any:
        if self.gate is not None:
            await self.gate
        return [worker, payload]

    async def healthcheck(self) -> Mapping[str, str]:
        return {"datastore_worker": "ok"}

    def on_forced_stop(self, reason: str) -> None:
        self.stops.append(reason)


def started(application: Application) -> tuple[ClusterNode, Clock]:
    clock = Clock()
    node = ClusterNode(clock, NodeConfig(node_name="worker@alone"), application)  # type: ignore[arg-type]  # no links
    node.startService()
    return node, clock


def result_of(work: Any) -> Any:
    done: list[Any] = []
    Deferred.fromCoroutine(work).addBoth(done.append)
    if done and isinstance(done[0], Failure):
        done[0].raiseException()
    return done[0] if done else None


def test_node_alone_boots_all_steps_at_once() -> None:
    application = Application()
    node, clock = started(application)
    assert application.steps == STEPS and node.is_ready and node.is_joined
    assert node.ring.nodes == ("worker@alone",)
    node.stopService()
    assert clock.getDelayedCalls() == []


def test_step_that_fails_alone_is_tried_again_after_a_pause() -> None:
    application = Application(failures=1)
    with capturedLogs() as logs:
        node, clock = started(application)
    assert len(logs) == 1 and application.stops == ["OSError: port in use"] and not node.is_ready
    with pytest.raises(ClusterUnavailable):
        result_of(node.cluster_status())
    clock.advance(1.0)
    assert node.is_ready and application.steps == STEPS * 2
    node.stopService()


def test_status_of_a_node_alone_is_its_own() -> None:
    node, _ = started(Application())
    assert result_of(node.cluster_status()) == {
        "worker@alone": {"node_manager": "ok", "dispatcher": "ok", "datastore_worker": "ok"}
    }


@pytest.mark.parametrize("target", [OnNode("worker@alone"), ByKey("any"), AnyNode()])
def test_calls_of_a_node_alone_stay_on_it(target: Any) -> None:
    node, _ = started(Application())
    assert result_of(node.call(target, "w", 1)) == ["w", 1]
    assert result_of(node.cast(target, "w", 1)) is None


def test_call_to_another_node_from_a_node_alone_fails() -> None:
    node, _ = started(Application())
    with pytest.raises(NodeUnavailable, match="alone"):
        result_of(node.call(OnNode("worker@other"), "w", 1))


def test_local_call_ends_at_its_deadline_and_leaves_no_timer() -> None:
    node, clock = started(Application(gate=Deferred()))
    failed: list[Any] = []
    Deferred.fromCoroutine(node.call(AnyNode(), "w", 1, timeout_s=2.0)).addErrback(failed.append)
    clock.advance(2.1)
    assert failed[0].check(RequestTimedOut)
    node.stopService()
    assert clock.getDelayedCalls() == []


def test_addresses_of_managers_are_checked_in_the_configuration() -> None:
    with pytest.raises(ValueError, match="host:port"):
        NodeConfig(cm_nodes=("nonsense",))
