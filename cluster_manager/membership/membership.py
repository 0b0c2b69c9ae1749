"""Who is a member of the cluster and how far it has booted: events in, effects out, no I/O.

Phases: GATHERING (``init_connection``: waiting for all nodes), STEPPING (a boot step runs on all nodes),
CHECKING (``cluster_ready``: waiting for everybody's health), READY. What each event does in each phase
is in ``_TABLE`` and in ``docs/cluster.md``; the doing is in ``gathering``, ``first_boot``, ``serving``,
``solo_boots`` and ``resizing``.

The rules: in the first boot a step ends when every node has reported success; a failure, a time-out or
the loss of a node tears it down. From then on the cluster goes on as long as one node serves, whoever
else is lost, and waits when all are: a node that comes back goes on, one that has started anew, or is
new, boots alone. A node whose link ends is lost when it is not back within ``grace_s``, or at once when
it comes back as another boot. Nodes that serve and register with a manager that knows nothing are taken
over as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_manager.membership import first_boot, gathering, resizing, serving, solo_boots
from cluster_manager.membership.cluster_state import ClusterState, Phase
from cluster_manager.membership.events import (
    DrainAsked,
    Effects,
    Event,
    HealthReported,
    NodeLeft,
    NodeRegistered,
    NodeSilent,
    RemovalAsked,
    StepReported,
    Ticked,
    UndrainAsked,
)
from cluster_manager.membership.remembered import Remembered, recall, remember
from cluster_manager.membership.roster import Roster
from cluster_manager.membership.rules import MembershipRules
from cluster_worker.wire.epochs import Epoch


class Membership:
    """The members of one cluster."""

    def __init__(self, rules: MembershipRules, term: int) -> None:
        self._state = ClusterState(rules, term)

    @property
    def phase(self) -> Phase:
        """See the module."""
        return self._state.phase

    @property
    def epoch(self) -> Epoch:
        """Of the latest decision; carried by every message to a worker."""
        return self._state.epoch

    @property
    def roster(self) -> Roster:
        """The members."""
        return self._state.roster

    def standing(self, node: str) -> str:
        """What a member does: ``serving``, ``draining``, ``leaving``, ``away``, ``joining``, ``recovering``.

        ``booting`` until the cluster is ready.
        """
        return self._state.standing(node)

    def step(self, node: str) -> str | None:
        """The boot step in which a member is, ``None`` when it boots no more."""
        return self._state.step(node)

    @property
    def incarnation(self) -> Epoch:
        """The epoch in which the cluster's boot began."""
        return self._state.incarnation

    @property
    def problem(self) -> str | None:
        """In CHECKING, what the last health check found."""
        return self._state.boot.problem if self.phase is Phase.CHECKING else None

    def remembered(self) -> Remembered | None:
        """What the next leader has to know: nothing before the cluster is ready."""
        return remember(self._state)

    def recall(self, remembered: Remembered, now: float) -> None:
        """Lead a cluster that was ready under another manager; its members are without link so far."""
        recall(self._state, remembered, now)

    def handle(self, event: Event, now: float) -> Effects:
        """Take an event at ``now`` (seconds of any steady clock) and return what to do, in order."""
        state = self._state
        if isinstance(event, NodeRegistered):
            others = {member.app for member in state.roster if member.address.node != event.address.node}
            if others and event.app not in others:
                return state.refuse(
                    event, f"this is a cluster of {', '.join(sorted(others))}, not {event.app}"
                )
        before = state.phase
        effects = _TABLE[before][type(event)](state, event, now)
        if before in _BOOTING and state.phase is Phase.GATHERING and isinstance(event, NodeRegistered):
            effects += self.handle(event, now)  # the node that ended the boot waits for the next
        return effects


def _fall_silent(state: ClusterState, event: NodeSilent, now: float) -> Effects:
    state.roster.fell_silent(event.node, event.boot_id, now)
    return []


def _ignore(state: ClusterState, event: Event, now: float) -> Effects:
    return []


_Handler = Callable[[ClusterState, Any, float], Effects]
_BOOTING = (Phase.STEPPING, Phase.CHECKING)
_DECLINED: dict[type[Event], _Handler] = dict.fromkeys(
    (DrainAsked, UndrainAsked, RemovalAsked), resizing.decline
)

_TABLE: dict[Phase, dict[type[Event], _Handler]] = {
    Phase.GATHERING: {
        NodeRegistered: gathering.register,
        NodeSilent: gathering.leave_early,
        NodeLeft: gathering.leave_early,
        StepReported: _ignore,
        HealthReported: _ignore,
        Ticked: gathering.wait,
        **_DECLINED,
    },
    Phase.STEPPING: {
        NodeRegistered: first_boot.register,
        NodeSilent: _fall_silent,
        NodeLeft: first_boot.break_off,
        StepReported: first_boot.count_report,
        HealthReported: _ignore,
        Ticked: first_boot.watch_step,
        **_DECLINED,
    },
    Phase.CHECKING: {
        NodeRegistered: first_boot.register,
        NodeSilent: _fall_silent,
        NodeLeft: first_boot.break_off,
        StepReported: _ignore,
        HealthReported: first_boot.judge_health,
        Ticked: first_boot.watch_check,
        **_DECLINED,
    },
    Phase.READY: {
        NodeRegistered: serving.register,
        NodeSilent: serving.fall_silent,
        NodeLeft: serving.stop,
        StepReported: solo_boots.count_report,
        HealthReported: _ignore,
        Ticked: serving.watch,
        DrainAsked: resizing.drain,
        UndrainAsked: resizing.undrain,
        RemovalAsked: resizing.remove,
    },
}
