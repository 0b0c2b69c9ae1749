"""Who is a member of the cluster and how far it has booted: events in, effects out, no I/O.

Phases: GATHERING (``init_connection``: waiting for all nodes), STEPPING (a boot step runs on all nodes),
CHECKING (``cluster_ready``: waiting for everybody's health), READY. What each event does in each phase
is in ``_TABLE`` at the end and in ``docs/cluster.md``.

The rules: a step ends when every node has reported success. A failure, a time-out or the loss of a node
while booting tears the cluster down, and so does the loss of as many nodes as own each key while it is
ready: every node is forced to stop, everything is forgotten, a new boot may begin. A node whose link ends
is lost when it is not back within ``grace_s``, or at once when it comes back as another boot. Nodes that
have booted already and register with a manager that knows nothing are taken over as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from attrs import evolve, frozen

from cluster_manager.membership_events import (
    CheckHealth,
    Effects,
    Event,
    HealthReported,
    NodeLeft,
    NodeRegistered,
    NodeSilent,
    Send,
    StepReported,
    Ticked,
)
from cluster_manager.remembered import Remembered, RememberedMember
from cluster_manager.roster import Roster
from cluster_manager.rules import MembershipRules
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.membership_messages import (
    ClusterReady,
    ForceStop,
    InitStep,
    Refused,
    Registered,
)
from cluster_worker.wire.steps import BOOT_STEPS, CLUSTER_READY, BootStep


class Phase(Enum):
    GATHERING = "gathering"
    STEPPING = "stepping"
    CHECKING = "checking"
    READY = "ready"


@frozen
class Recovery:
    """A node that was away boots again beside those that serve."""

    step: BootStep
    epoch: Epoch
    since: float


class Membership:
    """The members of one cluster.

    Attributes:
        phase: see the module.
        epoch: of the latest decision; carried by every message to a worker.
        roster: the members.
    """

    _problem: str | None

    def __init__(self, rules: MembershipRules, term: int) -> None:
        self.phase = Phase.GATHERING
        self.epoch = Epoch(term)
        self._rules = rules
        self._forget()

    def remembered(self) -> Remembered | None:
        """What the next leader has to know: nothing before the cluster is ready."""
        if self.phase is not Phase.READY:
            return None
        members = tuple(
            RememberedMember(member.address, member.app, member.boot_id, member.incarnation)
            for member in sorted(self.roster, key=lambda member: member.address.node)
        )
        lost, left = tuple(sorted(self.roster.lost)), tuple(sorted(self.roster.left))
        return Remembered(self.incarnation, members, lost, left)

    def recall(self, remembered: Remembered, now: float) -> None:
        """Lead a cluster that was ready under another manager; its members are without link so far."""
        self.phase, self.incarnation = Phase.READY, remembered.incarnation
        for member in remembered.members:
            event = NodeRegistered(member.address, member.app, member.boot_id, member.incarnation)
            self.roster.register(event, member.incarnation)
            self.roster.fell_silent(member.address.node, member.boot_id, now)
        self.roster.lost.update(remembered.lost)
        self.roster.left.update(remembered.left)

    def handle(self, event: Event, now: float) -> Effects:
        """Take an event at ``now`` (seconds of any steady clock) and return what to do, in order."""
        if isinstance(event, NodeRegistered):
            others = {member.app for member in self.roster if member.address.node != event.address.node}
            if others and event.app not in others:
                return self._refuse(
                    event, f"this is a cluster of {', '.join(sorted(others))}, not {event.app}"
                )
        return _TABLE[self.phase][type(event)](self, event, now)

    # GATHERING

    def _gather(self, event: NodeRegistered, now: float) -> Effects:
        self.roster.register(event, event.incarnation)
        effects: Effects = [self._registered(event)]
        if len(self.roster) < self._rules.worker_num:
            return effects
        boots = {member.incarnation for member in self.roster}
        if boots == {None}:
            return effects + self._begin_boot(now)
        if len(boots) == 1:
            return effects + self._take_over(boots.pop() or self.epoch)
        return effects + self._stop_booted()

    def _begin_boot(self, now: float) -> Effects:
        self.incarnation = self._next_epoch()
        self.phase = Phase.STEPPING
        return [self._ring(self.roster.nodes), *self._begin_step(BOOT_STEPS[0], now)]

    def _take_over(self, incarnation: Epoch) -> Effects:
        self.incarnation = incarnation
        self.phase = Phase.READY
        epoch = self._next_epoch()
        return [self._ring(self.roster.nodes), Send(self.roster.nodes, ClusterReady(epoch))]

    def _stop_booted(self) -> Effects:
        """Some nodes serve and others have started anew: those that serve have to begin again, too."""
        booted = tuple(
            sorted(member.address.node for member in self.roster if member.incarnation is not None)
        )
        for node in booted:
            self.roster.remove(node)
        return [Send(booted, ForceStop(self._next_epoch(), "other nodes of the cluster have started anew"))]

    def _leave_early(self, event: NodeLeft | NodeSilent, now: float) -> Effects:
        member = self.roster.get(event.node)
        if member is not None and (isinstance(event, NodeLeft) or event.boot_id == member.boot_id):
            self.roster.remove(event.node)
        return []

    # STEPPING and CHECKING

    def _begin_step(self, step: BootStep, now: float) -> Effects:
        self._step, self._since = step, now
        self._reported.clear()
        return [Send(self.roster.nodes, InitStep(self._next_epoch(), step.value))]

    def _count_report(self, event: StepReported, now: float) -> Effects:
        if event.node not in self.roster or (event.epoch, event.step) != (self.epoch, self._step.value):
            return []
        if event.error is not None:
            return self._tear_down(f"{event.step} failed on {event.node}: {event.error}")
        self._reported.add(event.node)
        if len(self._reported) < len(self.roster):
            return []
        following = self._step.following
        return self._begin_check(now) if following is None else self._begin_step(following, now)

    def _begin_check(self, now: float) -> Effects:
        self.phase, self._since = Phase.CHECKING, now
        return [CheckHealth(self.roster.nodes, self._next_epoch())]

    def _judge_health(self, event: HealthReported, now: float) -> Effects:
        if event.epoch != self.epoch:
            return []
        self._problem = event.problem
        if event.problem is not None:
            return []
        self.phase = Phase.READY
        for node in self.roster.nodes:
            self.roster.booted(node, self.incarnation)
        return [Send(self.roster.nodes, ClusterReady(self._next_epoch()))]

    def _return_booting(self, event: NodeRegistered, now: float) -> Effects:
        node = event.address.node
        member = self.roster.get(node)
        if member is None:
            return self._refuse(event, "the cluster is complete")
        if member.boot_id != event.boot_id:
            stopping = self._tear_down(f"{node} started anew while the cluster was booting", spared=node)
            return stopping + self.handle(event, now)
        self.roster.register(event, member.incarnation)
        effects: Effects = [self._registered(event), self._ring((node,))]
        if self.phase is Phase.STEPPING:
            effects.append(Send((node,), InitStep(self.epoch, self._step.value)))
        return effects

    def _break_off(self, event: NodeLeft, now: float) -> Effects:
        return self._tear_down(f"{event.node} left while the cluster was booting", spared=event.node)

    def _watch_step(self, event: Ticked, now: float) -> Effects:
        if now - self._since > self._rules.timeout_s(self._step):
            missing = ", ".join(node for node in self.roster.nodes if node not in self._reported)
            return self._tear_down(f"{self._step.value} took too long on {missing}")
        return self._watch_boot(now)

    def _watch_check(self, event: Ticked, now: float) -> Effects:
        if now - self._since > self._rules.ready_timeout_s:
            return self._tear_down(
                f"{CLUSTER_READY} took too long: {self._problem or 'no health was reported'}"
            )
        return self._watch_boot(now) or [CheckHealth(self.roster.nodes, self.epoch)]

    def _watch_boot(self, now: float) -> Effects:
        gone = self.roster.expired(now, self._rules.grace_s)
        return self._tear_down(f"{gone[0]} was lost while the cluster was booting") if gone else []

    # READY

    def _return_ready(self, event: NodeRegistered, now: float) -> Effects:
        node = event.address.node
        member = self.roster.get(node)
        if member is None:
            return self._refuse(event, "the cluster is complete")
        if event.boot_id != member.boot_id:
            return self._return_anew(event, now)
        if member.incarnation == self.incarnation:  # it may have missed that it is ready
            self.roster.register(event, self.incarnation)
            return [self._registered(event), *self._rejoin(node)]
        return self._resume_recovery(event, now)

    def _return_anew(self, event: NodeRegistered, now: float) -> Effects:
        """The node is another boot than the one that served: that one is lost, if nobody knew it yet."""
        node = event.address.node
        effects = [] if node in self.roster.away else self._lose(node, spared=node)
        return effects + (self._recover(event, now) if self.phase is Phase.READY else self.handle(event, now))

    def _resume_recovery(self, event: NodeRegistered, now: float) -> Effects:
        recovery = self._recoveries.get(event.address.node)
        if recovery is None:
            return self._return_anew(event, now)
        self.roster.register(event, None)
        step = Send((event.address.node,), InitStep(self.epoch, recovery.step.value))
        self._recoveries[event.address.node] = evolve(recovery, epoch=self.epoch)
        return [self._registered(event), self._ring((event.address.node,)), step]

    def _rejoin(self, node: str) -> Effects:
        """The node serves (again): it and, when that is news, all others learn it."""
        self._recoveries.pop(node, None)
        was_away = node in self.roster.away
        self.roster.lost.discard(node)
        self.roster.left.discard(node)
        epoch = self._next_epoch() if was_away else self.epoch
        return [self._ring(self.roster.present if was_away else (node,)), Send((node,), ClusterReady(epoch))]

    def _recover(self, event: NodeRegistered, now: float) -> Effects:
        node = event.address.node
        self.roster.register(event, None)
        step = self._recovery_step(node, BOOT_STEPS[0], now)
        return [self._registered(event), self._ring((node,)), step]

    def _recovery_step(self, node: str, step: BootStep, now: float) -> Send:
        self._recoveries[node] = Recovery(step, self._next_epoch(), now)
        return Send((node,), InitStep(self.epoch, step.value))

    def _count_recovery(self, event: StepReported, now: float) -> Effects:
        recovery = self._recoveries.get(event.node)
        if recovery is None or (event.epoch, event.step) != (recovery.epoch, recovery.step.value):
            return []
        if event.error is not None:
            return self._give_up(event.node, f"{event.step} failed: {event.error}")
        following = recovery.step.following
        if following is not None:
            return [self._recovery_step(event.node, following, now)]
        self.roster.booted(event.node, self.incarnation)
        return self._rejoin(event.node)

    def _give_up(self, node: str, reason: str) -> Effects:
        del self._recoveries[node]
        return [Send((node,), ForceStop(self._next_epoch(), reason))]

    def _part(self, event: NodeLeft, now: float) -> Effects:
        if event.node not in self.roster:
            return []
        self.roster.left.add(event.node)
        self._recoveries.pop(event.node, None)
        self._next_epoch()
        if not self.roster.present:
            self._forget()
            return []
        return [self._ring(self.roster.present)]

    def _lose(self, node: str, spared: str | None = None) -> Effects:
        self.roster.lost.add(node)
        self._recoveries.pop(node, None)
        if len(self.roster.lost) >= self._rules.owners or not self.roster.present:
            return self._tear_down(f"{', '.join(sorted(self.roster.lost))} lost", spared=spared)
        self._next_epoch()
        return [self._ring(self.roster.present)]

    def _watch_ready(self, event: Ticked, now: float) -> Effects:
        effects: Effects = []
        for node in self.roster.expired(now, self._rules.grace_s):
            effects += self._lose(node)
            if self.phase is not Phase.READY:
                return effects
        for node, recovery in list(self._recoveries.items()):
            if now - recovery.since > self._rules.timeout_s(recovery.step):
                effects += self._give_up(node, f"{recovery.step.value} took too long")
        return effects

    # In several phases

    def _fall_silent(self, event: NodeSilent, now: float) -> Effects:
        self.roster.fell_silent(event.node, event.boot_id, now)
        return []

    def _refuse(self, event: NodeRegistered, reason: str) -> Effects:
        return [Send((event.address.node,), Refused(self.epoch, reason))]

    def _ignore(self, event: Event, now: float) -> Effects:
        return []

    def _tear_down(self, reason: str, spared: str | None = None) -> Effects:
        stopped = tuple(node for node in self.roster.nodes if node != spared)
        self._forget()
        epoch = self._next_epoch()
        return [Send(stopped, ForceStop(epoch, reason))] if stopped else []

    def _forget(self) -> None:
        self.phase = Phase.GATHERING
        self.incarnation = self.epoch
        self.roster = Roster()
        self._recoveries: dict[str, Recovery] = {}
        self._step, self._since = BOOT_STEPS[0], 0.0
        self._reported: set[str] = set()
        self._problem = None

    def _next_epoch(self) -> Epoch:
        self.epoch = self.epoch.next()
        return self.epoch

    def _ring(self, receivers: tuple[str, ...]) -> Send:
        return Send(receivers, self.roster.ring(self.epoch, self.incarnation, self._rules.owners))

    def _registered(self, event: NodeRegistered) -> Send:
        return Send((event.address.node,), Registered(self.epoch))


_Handler = Callable[[Membership, Any, float], Effects]

_TABLE: dict[Phase, dict[type[Event], _Handler]] = {
    Phase.GATHERING: {
        NodeRegistered: Membership._gather,
        NodeSilent: Membership._leave_early,
        NodeLeft: Membership._leave_early,
        StepReported: Membership._ignore,
        HealthReported: Membership._ignore,
        Ticked: Membership._ignore,
    },
    Phase.STEPPING: {
        NodeRegistered: Membership._return_booting,
        NodeSilent: Membership._fall_silent,
        NodeLeft: Membership._break_off,
        StepReported: Membership._count_report,
        HealthReported: Membership._ignore,
        Ticked: Membership._watch_step,
    },
    Phase.CHECKING: {
        NodeRegistered: Membership._return_booting,
        NodeSilent: Membership._fall_silent,
        NodeLeft: Membership._break_off,
        StepReported: Membership._ignore,
        HealthReported: Membership._judge_health,
        Ticked: Membership._watch_check,
    },
    Phase.READY: {
        NodeRegistered: Membership._return_ready,
        NodeSilent: Membership._fall_silent,
        NodeLeft: Membership._part,
        StepReported: Membership._count_recovery,
        HealthReported: Membership._ignore,
        Ticked: Membership._watch_ready,
    },
}
