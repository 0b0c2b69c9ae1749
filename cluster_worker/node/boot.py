"""How far a node has booted: what its manager says goes in, what the node does comes out.

A node keeps what it has reached when it loses its manager. It starts over only when it is told to
(``Restart``). Messages of an epoch that a later one has overtaken change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from cluster_worker.wire.epochs import Epoch, EpochGate
from cluster_worker.wire.membership_messages import (
    ClusterReady,
    ForceStop,
    InitStep,
    LoadAdvice,
    Refused,
    Registered,
    RegisterNode,
    RingUpdate,
    StepReport,
)
from cluster_worker.wire.messages import Message
from cluster_worker.wire.operator_messages import StopNode
from cluster_worker.wire.steps import BootStep


@frozen
class Joined:
    """This node is a member; heartbeats may begin."""


@frozen
class TryLater:
    """The manager does not want this node now."""

    reason: str


@frozen
class UseRing:
    update: RingUpdate


@frozen
class UseAdvice:
    advice: LoadAdvice


@frozen
class RunStep:
    step: BootStep


@frozen
class Report:
    report: StepReport


@frozen
class BecomeReady:
    """The cluster is ready for the first time in this boot."""


@frozen
class Restart:
    """Stop serving, then register as a node that has not booted."""

    reason: str


@frozen
class EndProcess:
    """This node was removed from the cluster: stop in good order, for good."""

    reason: str


Effect = Joined | TryLater | UseRing | UseAdvice | RunStep | Report | BecomeReady | Restart | EndProcess


class NodeBoot:
    """The boot of one node, from its start or restart on.

    Args:
        gate: outlives restarts, so that the orders of an older manager stay overtaken.

    Attributes:
        incarnation: names the boot in which this node became ready; ``None`` before.
        ready: whether the cluster was ready when its manager was last heard.
    """

    def __init__(self, gate: EpochGate) -> None:
        self.incarnation: Epoch | None = None
        self.ready = False
        self._gate = gate
        self._ring: RingUpdate | None = None
        self._ended: dict[BootStep, str | None] = {}
        self._running: BootStep | None = None
        self._asked: dict[BootStep, Epoch] = {}

    def registration(self, host: str, port: int) -> RegisterNode:
        """How this node asks to be a member."""
        ring = None if self.incarnation is None else self._ring
        return RegisterNode(host, port, self._gate.latest, self.incarnation, ring)

    def on_manager(self, message: Message) -> list[Effect]:
        """A message of the manager came."""
        react = _REACTIONS.get(type(message))
        epoch = getattr(message, "epoch", None)
        if react is None or epoch is None or not self._gate.admits(epoch):
            return []
        return react(self, message)

    def on_step_ended(self, step: BootStep, error: str | None) -> list[Effect]:
        """A step that ``RunStep`` asked for has ended, well when ``error`` is ``None``."""
        self._running = None
        self._ended[step] = error
        return [self._report(step)]

    def _on_step(self, message: InitStep) -> list[Effect]:
        try:
            step = BootStep(message.step)
        except ValueError:
            return [Report(StepReport(message.epoch, message.step, f"{message.step!r} is not a step"))]
        self._asked[step] = message.epoch
        if step in self._ended:
            return [self._report(step)]
        if self._running is not None:
            return []
        self._running = step
        return [RunStep(step)]

    def _report(self, step: BootStep) -> Report:
        return Report(StepReport(self._asked[step], step.value, self._ended[step]))

    def _on_ring(self, message: RingUpdate) -> list[Effect]:
        self._ring = message
        return [UseRing(message)]

    def _on_ready(self, message: ClusterReady) -> list[Effect]:
        if self._ring is not None:
            self.incarnation = self._ring.incarnation
        was_ready, self.ready = self.ready, True
        return [] if was_ready else [BecomeReady()]


_REACTIONS: dict[type[Any], Callable[[NodeBoot, Any], list[Effect]]] = {
    Registered: lambda boot, message: [Joined()],
    Refused: lambda boot, message: [TryLater(message.reason)],
    RingUpdate: NodeBoot._on_ring,
    LoadAdvice: lambda boot, message: [UseAdvice(message)],
    InitStep: NodeBoot._on_step,
    ClusterReady: NodeBoot._on_ready,
    ForceStop: lambda boot, message: [Restart(message.reason)],
    StopNode: lambda boot, message: [EndProcess(message.reason)],
}
