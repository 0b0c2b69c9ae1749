"""What membership is told, and what it wants done."""

from __future__ import annotations

from attrs import frozen

from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.membership_messages import NodeAddress, RingUpdate
from cluster_worker.wire.messages import Message


@frozen
class NodeRegistered:
    """A node asks to be a member.

    Attributes:
        boot_id: differs for each start of the node.
        incarnation: names the boot in which the node became ready; ``None`` when it has not booted.
        ring: the last ring it was told, when it has booted.
    """

    address: NodeAddress
    app: str
    boot_id: str
    incarnation: Epoch | None
    ring: RingUpdate | None = None


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


@frozen
class DrainAsked:
    """An operator wants a node to get nothing new. ``ticket`` names the request in its answer."""

    node: str
    ticket: int


@frozen
class UndrainAsked:
    """An operator wants a draining node to work as before."""

    node: str
    ticket: int


@frozen
class RemovalAsked:
    """An operator wants a node to stop and to be no member any more."""

    node: str
    ticket: int


OperatorAsked = DrainAsked | UndrainAsked | RemovalAsked
Event = NodeRegistered | NodeSilent | NodeLeft | StepReported | HealthReported | Ticked | OperatorAsked


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


@frozen
class Accepted:
    """What the operator asked for under this ticket is decided."""

    ticket: int


@frozen
class Declined:
    """It is not done, for this reason. Codes: see ``docs/wire-protocol.md``."""

    ticket: int
    code: str
    reason: str


Effect = Send | CheckHealth | Accepted | Declined
Effects = list[Effect]
