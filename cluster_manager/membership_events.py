"""What membership is told, and what it wants done."""

from __future__ import annotations

from attrs import frozen

from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.membership_messages import NodeAddress
from cluster_worker.wire.messages import Message


@frozen
class NodeRegistered:
    """A node asks to be a member.

    Attributes:
        boot_id: differs for each start of the node.
        incarnation: names the boot in which the node became ready; ``None`` when it has not booted.
    """

    address: NodeAddress
    app: str
    boot_id: str
    incarnation: Epoch | None


@frozen
class NodeSilent:
    """The link to a node ended; it may come back."""

    node: str
    boot_id: str


@frozen
class NodeLeft:
    """A node stops on purpose."""

    node: str


@frozen
class StepReported:
    """A node's boot step ended, well when ``error`` is ``None``."""

    node: str
    epoch: Epoch
    step: str
    error: str | None


@frozen
class HealthReported:
    """The health check asked for in ``epoch`` found this problem, or none."""

    epoch: Epoch
    problem: str | None


@frozen
class Ticked:
    """Time has passed."""


Event = NodeRegistered | NodeSilent | NodeLeft | StepReported | HealthReported | Ticked


@frozen
class Send:
    """Send ``message`` to each of ``nodes`` that has a link."""

    nodes: tuple[str, ...]
    message: Message


@frozen
class CheckHealth:
    """Ask all of ``nodes`` how they are and report it as ``HealthReported`` of ``epoch``."""

    nodes: tuple[str, ...]
    epoch: Epoch


Effect = Send | CheckHealth
Effects = list[Effect]
