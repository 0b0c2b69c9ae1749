"""Events for the membership of a cluster, and what to look for in its effects."""

from __future__ import annotations

from typing import Any

from cluster_manager.membership.cluster_state import Phase
from cluster_manager.membership.events import (
    Effects,
    Event,
    HealthReported,
    NodeRegistered,
    NodeSilent,
    Send,
    StepReported,
    Ticked,
)
from cluster_manager.membership.membership import Membership
from cluster_manager.membership.rules import MembershipRules
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.membership_messages import ForceStop, InitStep, NodeAddress, RingUpdate
from cluster_worker.wire.operator_messages import StopNode
from cluster_worker.wire.steps import BOOT_STEPS, BootStep

TERM = 100
FIRST = BOOT_STEPS[0]


def address(node: str) -> NodeAddress:
    return NodeAddress(node, f"host-{node}", 5056)


def registers(
    node: str,
    boot: str = "1",
    incarnation: Epoch | None = None,
    ring: RingUpdate | None = None,
    app: str = "op",
) -> NodeRegistered:
    return NodeRegistered(address(node), app, f"{node}{boot}", incarnation, ring)


def silent(node: str, boot: str = "1") -> NodeSilent:
    return NodeSilent(node, f"{node}{boot}")


def cluster(worker_num: int, *, term: int = TERM, **rules: Any) -> Membership:
    return Membership(MembershipRules(worker_num=worker_num, **{"grace_s": 10.0, **rules}), term)


def run(membership: Membership, *events: Event, now: float = 0.0) -> Effects:
    effects: Effects = []
    for event in events:
        effects += membership.handle(event, now)
    return effects


def report(
    membership: Membership, *nodes: str, step: BootStep, error: str | None = None, now: float = 0.0
) -> Effects:
    """Each of ``nodes`` reports the step in the epoch of now."""
    epoch = membership.epoch
    return run(membership, *(StepReported(node, epoch, step.value, error) for node in nodes), now=now)


def boot_alone(membership: Membership, node: str, now: float = 0.0) -> Effects:
    """The node, which was told the first step, reports every step as it is told."""
    effects: Effects = []
    while (solo := membership._state.solos.get(node)) is not None:
        if solo.epoch is None:
            effects = run(membership, Ticked(), now=now)
        else:
            effects = run(membership, StepReported(node, solo.epoch, solo.step.value, None), now=now)
    return effects


def ready(*nodes: str, **rules: Any) -> Membership:
    membership = cluster(len(nodes), **rules)
    run(membership, *(registers(node) for node in nodes))
    for step in BOOT_STEPS:
        report(membership, *nodes, step=step)
    run(membership, HealthReported(membership.epoch, None))
    assert membership.phase is Phase.READY
    return membership


def messages(effects: Effects, kind: type[Any]) -> list[tuple[tuple[str, ...], Any]]:
    return [
        (effect.nodes, effect.message)
        for effect in effects
        if isinstance(effect, Send) and isinstance(effect.message, kind)
    ]


def stops(effects: Effects) -> list[tuple[tuple[str, ...], str]]:
    """Who was forced to stop, and why."""
    return [(nodes, message.reason) for nodes, message in messages(effects, ForceStop)]


def ended(effects: Effects) -> list[str]:
    """Who was told to end its process."""
    return [node for nodes, _ in messages(effects, StopNode) for node in nodes]


def steps(effects: Effects) -> list[tuple[tuple[str, ...], str]]:
    return [(nodes, message.step) for nodes, message in messages(effects, InitStep)]


def ring_of(effects: Effects) -> tuple[tuple[str, ...], RingUpdate]:
    ((receivers, ring),) = messages(effects, RingUpdate)
    return receivers, ring


def ring_told(membership: Membership) -> RingUpdate:
    """The ring as the membership tells it now."""
    state = membership._state
    return state.roster.ring(state.epoch, state.incarnation, state.rules.owners)
