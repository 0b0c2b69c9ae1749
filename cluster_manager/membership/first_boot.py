"""STEPPING and CHECKING: all nodes boot together; whatever goes wrong ends the boot for all of them."""

from __future__ import annotations

from cluster_manager.membership.cluster_state import ClusterState, FirstBoot, Phase
from cluster_manager.membership.events import (
    CheckHealth,
    Effects,
    HealthReported,
    NodeLeft,
    NodeRegistered,
    Send,
    StepReported,
    Ticked,
)
from cluster_worker.node.slots import even_table
from cluster_worker.wire.membership_messages import ClusterReady, InitStep
from cluster_worker.wire.steps import BOOT_STEPS, CLUSTER_READY, BootStep


def begin_boot(state: ClusterState, now: float) -> Effects:
    """All nodes are there and none has booted."""
    state.incarnation = state.next_epoch()
    state.phase = Phase.STEPPING
    state.roster.table = even_table(state.roster.nodes)
    return [*state.ring_to(state.roster.nodes), *_begin_step(state, BOOT_STEPS[0], now)]


def count_report(state: ClusterState, event: StepReported, now: float) -> Effects:
    """With the last report the next step begins, or the check of everybody's health."""
    boot = state.boot
    if event.node not in state.roster or (event.epoch, event.step) != (state.epoch, boot.step.value):
        return []
    if event.error is not None:
        return tear_down(state, f"{event.step} failed on {event.node}: {event.error}")
    boot.reported.add(event.node)
    if len(boot.reported) < len(state.roster):
        return []
    following = boot.step.following
    return _begin_check(state, now) if following is None else _begin_step(state, following, now)


def judge_health(state: ClusterState, event: HealthReported, now: float) -> Effects:
    """The cluster is ready when nothing is wrong."""
    if event.epoch != state.epoch:
        return []
    state.boot.problem = event.problem
    if event.problem is not None:
        return []
    state.phase = Phase.READY
    for node in state.roster.nodes:
        state.roster.booted(node, state.incarnation)
    return [Send(state.roster.nodes, ClusterReady(state.next_epoch()))]


def register(state: ClusterState, event: NodeRegistered, now: float) -> Effects:
    """A node whose link was broken goes on; what does not belong to this boot waits, or ends it.

    A node that serves is worth more than a boot that has served nobody yet.
    """
    node, member = event.address.node, state.roster.get(event.address.node)
    if event.incarnation is not None:
        return tear_down(state, f"{node} serves since an earlier boot", spared=node)
    if member is None:
        return state.refuse(event, "the cluster is booting")
    if member.boot_id != event.boot_id:
        return tear_down(state, f"{node} started anew while the cluster was booting", spared=node)
    state.roster.register(event, member.incarnation)
    effects = [state.registered(event), *state.ring_to((node,))]
    if state.phase is Phase.STEPPING:
        effects.append(Send((node,), InitStep(state.epoch, state.boot.step.value)))
    return effects


def break_off(state: ClusterState, event: NodeLeft, now: float) -> Effects:
    """A node that stops ends the boot."""
    if event.node not in state.roster:
        return []
    return tear_down(state, f"{event.node} left while the cluster was booting", spared=event.node)


def watch_step(state: ClusterState, event: Ticked, now: float) -> Effects:
    """A step that takes too long ends the boot."""
    boot = state.boot
    if now - boot.since > state.rules.timeout_s(boot.step):
        missing = ", ".join(node for node in state.roster.nodes if node not in boot.reported)
        return tear_down(state, f"{boot.step.value} took too long on {missing}")
    return _watch_nodes(state, now)


def watch_check(state: ClusterState, event: Ticked, now: float) -> Effects:
    """Ask for everybody's health again, until the time is over."""
    if now - state.boot.since > state.rules.ready_timeout_s:
        problem = state.boot.problem or "no health was reported"
        return tear_down(state, f"{CLUSTER_READY} took too long: {problem}")
    return _watch_nodes(state, now) or [CheckHealth(state.roster.nodes, state.epoch)]


def tear_down(state: ClusterState, reason: str, spared: str | None = None) -> Effects:
    """Force every node to stop but ``spared``, forget everything; a new boot may begin."""
    stopped = tuple(node for node in state.roster.nodes if node != spared)
    state.forget()
    return state.force_stop(stopped, reason)


def _begin_step(state: ClusterState, step: BootStep, now: float) -> Effects:
    state.boot = FirstBoot(step, now)
    return [Send(state.roster.nodes, InitStep(state.next_epoch(), step.value))]


def _begin_check(state: ClusterState, now: float) -> Effects:
    state.phase, state.boot.since = Phase.CHECKING, now
    return [CheckHealth(state.roster.nodes, state.next_epoch())]


def _watch_nodes(state: ClusterState, now: float) -> Effects:
    gone = state.roster.expired(now, state.rules.grace_s)
    return tear_down(state, f"{gone[0]} was lost while the cluster was booting") if gone else []
