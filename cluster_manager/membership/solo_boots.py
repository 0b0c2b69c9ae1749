"""Nodes that boot beside those that serve: they have just joined, or were away and started anew.

A solo boot goes through all steps. Where nobody serves, such a node upgrades what is stored; only one at
a time may do that, others wait before that step.
"""

from __future__ import annotations

from cluster_manager.membership.cluster_state import ClusterState, SoloBoot
from cluster_manager.membership.events import Effects, Send, StepReported
from cluster_worker.wire.membership_messages import ClusterReady, InitStep
from cluster_worker.wire.steps import BOOT_STEPS, BootStep


def begin_solo(state: ClusterState, node: str, now: float) -> Effects:
    """The node, which has registered, boots alone."""
    state.roster.away.add(node)
    state.solos[node] = SoloBoot(BOOT_STEPS[0], None, now)
    return [*state.ring_to((node,)), *_start(state, node, now)]


def resume_solo(state: ClusterState, node: str, now: float) -> Effects:
    """The link of a node that boots alone was broken: it is told its step again."""
    solo = state.solos[node]
    effects = state.ring_to((node,))
    return effects if solo.epoch is None else [*effects, *_start(state, node, now, since=solo.since)]


def count_report(state: ClusterState, event: StepReported, now: float) -> Effects:
    """The next step; after the last the node serves."""
    solo = state.solos.get(event.node)
    if solo is None or (event.epoch, event.step) != (solo.epoch, solo.step.value):
        return []
    if event.error is not None:
        return give_up(state, event.node, f"{event.step} failed: {event.error}")
    following = solo.step.following
    if following is not None:
        state.solos[event.node] = SoloBoot(following, None, now)
        waits = following is BootStep.UPGRADE_CLUSTER and _is_upgrading(state)
        return [] if waits else _start(state, event.node, now)
    state.roster.booted(event.node, state.incarnation)
    return begin_service(state, event.node)


def begin_service(state: ClusterState, node: str) -> Effects:
    """The node serves (again): it and, when that is news, all others learn it."""
    is_news = node in state.roster.away
    end_solo(state, node)
    state.roster.serves(node)
    ring = state.ring_changed() if is_news else state.ring_to((node,))
    return [*ring, Send((node,), ClusterReady(state.epoch))]


def give_up(state: ClusterState, node: str, reason: str) -> Effects:
    """The boot has failed; the node may try anew."""
    drop(state, node)
    return state.force_stop((node,), reason)


def drop(state: ClusterState, node: str) -> None:
    """A node that boots alone is gone: away, or a stranger again when it had not joined yet."""
    if state.is_joining(node):
        state.roster.remove(node)
    end_solo(state, node)


def watch_solos(state: ClusterState, now: float) -> Effects:
    """A step that takes too long is given up; a node that has waited for its turn to upgrade goes on."""
    effects: Effects = []
    for node, solo in sorted(state.solos.items()):
        if solo.epoch is not None and now - solo.since > state.rules.timeout_s(solo.step):
            effects += give_up(state, node, f"{solo.step.value} took too long")
    waiting = sorted(node for node, solo in state.solos.items() if solo.epoch is None)
    return effects + (_start(state, waiting[0], now) if waiting and not _is_upgrading(state) else [])


def end_solo(state: ClusterState, node: str) -> None:
    """The node does not boot any more, for better or worse."""
    state.solos.pop(node, None)


def _start(state: ClusterState, node: str, now: float, since: float | None = None) -> Effects:
    step = state.solos[node].step
    state.solos[node] = SoloBoot(step, state.next_epoch(), now if since is None else since)
    return [Send((node,), InitStep(state.epoch, step.value))]


def _is_upgrading(state: ClusterState) -> bool:
    return any(
        solo.step is BootStep.UPGRADE_CLUSTER and solo.epoch is not None for solo in state.solos.values()
    )
