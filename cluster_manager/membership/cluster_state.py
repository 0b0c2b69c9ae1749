"""All that a manager knows of its cluster while it leads, and the messages that tell it. Pure."""

from __future__ import annotations

from enum import Enum

from attrs import define, field, frozen

from cluster_manager.membership.events import Effects, NodeRegistered, Send
from cluster_manager.membership.roster import Roster
from cluster_manager.membership.rules import MembershipRules
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.membership_messages import ForceStop, Refused, Registered, RingUpdate
from cluster_worker.wire.steps import BOOT_STEPS, CLUSTER_READY, INIT_CONNECTION, BootStep

STANDINGS = ("booting", "serving", "draining", "leaving", "away", "joining", "recovering")
"""What a member may be doing."""


class Phase(Enum):
    GATHERING = "gathering"
    STEPPING = "stepping"
    CHECKING = "checking"
    READY = "ready"


@define
class FirstBoot:
    """How far all nodes together have come.

    Attributes:
        since: when the step, or the check after the last, began.
        reported: who has ended the step.
        problem: what the last health check found.
    """

    step: BootStep = BOOT_STEPS[0]
    since: float = 0.0
    reported: set[str] = field(factory=set)
    problem: str | None = None


@frozen
class SoloBoot:
    """A node boots beside those that serve.

    Attributes:
        epoch: in which it was told of the step; ``None`` while it has to wait for another node.
    """

    step: BootStep
    epoch: Epoch | None
    since: float


class ClusterState:
    """The state that the phases share.

    Attributes:
        phase: see ``membership``.
        epoch: of the latest decision; carried by every message to a worker.
        incarnation: the epoch in which the cluster's boot began.
        boot: in STEPPING and CHECKING.
        solos: the nodes that boot alone, in READY.
        reports: in GATHERING, the rings that nodes have been told by an earlier manager.
        found_at: in GATHERING, when the first node that has booted was seen.
    """

    def __init__(self, rules: MembershipRules, term: int) -> None:
        self.rules = rules
        self.epoch = Epoch(term)
        self.forget()

    def forget(self) -> None:
        """Begin with nothing, but not with an earlier epoch."""
        self.phase = Phase.GATHERING
        self.incarnation = self.epoch
        self.roster = Roster()
        self.boot = FirstBoot()
        self.solos: dict[str, SoloBoot] = {}
        self.reports: dict[str, RingUpdate] = {}
        self.found_at: float | None = None

    def next_epoch(self) -> Epoch:
        self.epoch = self.epoch.next()
        return self.epoch

    def is_joining(self, node: str) -> bool:
        """Whether the node boots for the first time in this cluster; it owns nothing yet."""
        roster = self.roster
        return node in self.solos and node not in roster.draining and node not in roster.table

    def standing(self, node: str) -> str:
        """What a member does, in a word; a node that is none is a ``stranger``."""
        roster = self.roster
        if node not in roster:
            return "stranger"
        if self.phase is not Phase.READY:
            return "booting"
        if node in self.solos:
            return "joining" if self.is_joining(node) else "recovering"
        if node in roster.away:
            return "away"
        if node in roster.draining:
            return "leaving" if node in roster.leaving else "draining"
        return "serving"

    def step(self, node: str) -> str | None:
        """The boot step in which a member is, ``None`` when it boots no more."""
        if node in self.solos:
            return self.solos[node].step.value
        waiting = {
            Phase.GATHERING: INIT_CONNECTION,
            Phase.STEPPING: self.boot.step.value,
            Phase.CHECKING: CLUSTER_READY,
        }
        return waiting.get(self.phase)

    # Messages.

    def registered(self, event: NodeRegistered) -> Send:
        return Send((event.address.node,), Registered(self.epoch))

    def refuse(self, event: NodeRegistered, reason: str) -> Effects:
        return [Send((event.address.node,), Refused(self.epoch, reason))]

    def force_stop(self, nodes: tuple[str, ...], reason: str) -> Effects:
        return [Send(nodes, ForceStop(self.next_epoch(), reason))] if nodes else []

    def ring_to(self, nodes: tuple[str, ...]) -> Effects:
        """Tell ``nodes`` the ring as it is now."""
        ring = self.roster.ring(self.epoch, self.incarnation, self.rules.owners)
        return [Send(nodes, ring)] if nodes else []

    def ring_changed(self) -> Effects:
        """Tell the ring to all that serve."""
        self.next_epoch()
        return self.ring_to(self.roster.present)
