"""READY: nodes join, go away and come back, and the others go on as long as there is one."""

from __future__ import annotations

from cluster_manager.membership.cluster_state import ClusterState
from cluster_manager.membership.events import Effects, NodeLeft, NodeRegistered, NodeSilent, Send, Ticked
from cluster_manager.membership.solo_boots import (
    begin_service,
    begin_solo,
    drop,
    end_solo,
    resume_solo,
    watch_solos,
)
from cluster_worker.wire.operator_messages import StopNode

REMOVED = "no member of the cluster any more"


def register(state: ClusterState, event: NodeRegistered, now: float) -> Effects:
    """Tell the node what it is now: in service, to boot alone, to start over, or to stop."""
    node, member = event.address.node, state.roster.get(event.address.node)
    if event.incarnation not in (None, state.incarnation):
        return [
            *_go_away(state, node),
            *state.force_stop((node,), "it serves in another boot of the cluster"),
        ]
    if member is None:
        return _boot_alone(state, event, now) if event.incarnation is None else _dismiss(state, event)
    missed_it = member.boot_id == event.boot_id and member.incarnation == state.incarnation
    if event.incarnation is not None or missed_it:
        return _return(state, event)
    if node in state.solos and member.boot_id == event.boot_id:
        state.roster.register(event, None)
        return [state.registered(event), *resume_solo(state, node, now)]
    return [*_go_away(state, node), *_boot_alone(state, event, now)]


def stop(state: ClusterState, event: NodeLeft, now: float) -> Effects:
    """A node stops on purpose: it is away at once."""
    return _go_away(state, event.node)


def fall_silent(state: ClusterState, event: NodeSilent, now: float) -> Effects:
    """It may come back; one that was told to leave has left."""
    if state.roster.fell_silent(event.node, event.boot_id, now) and event.node in state.roster.leaving:
        return _go_away(state, event.node)
    return []


def watch(state: ClusterState, event: Ticked, now: float) -> Effects:
    """Those without link for too long are away."""
    effects: Effects = []
    for node in state.roster.expired(now, state.rules.grace_s):
        if node not in state.roster.away or node in state.solos:
            effects += _go_away(state, node)
    return effects + watch_solos(state, now)


def stop_node(state: ClusterState, node: str) -> Effects:
    """Tell a node to end its process."""
    return [Send((node,), StopNode(state.next_epoch(), REMOVED))]


def _dismiss(state: ClusterState, event: NodeRegistered) -> Effects:
    """It serves, but is no member any more: it has not heard that it was to leave, or begins again."""
    node = event.address.node
    if event.ring is not None and node in event.ring.draining:
        return stop_node(state, node)
    return state.force_stop((node,), REMOVED)


def _return(state: ClusterState, event: NodeRegistered) -> Effects:
    """It still serves; it may have missed that it is ready, or that it has to stop."""
    node = event.address.node
    state.roster.register(event, state.incarnation)
    effects = [state.registered(event), *begin_service(state, node)]
    return effects + stop_node(state, node) if node in state.roster.leaving else effects


def _boot_alone(state: ClusterState, event: NodeRegistered, now: float) -> Effects:
    state.roster.register(event, None)
    return [state.registered(event), *begin_solo(state, event.address.node, now)]


def _go_away(state: ClusterState, node: str) -> Effects:
    """A member does not serve any more, in whatever it was doing. No news for one that did not serve."""
    roster = state.roster
    if node in state.solos:
        drop(state, node)
        return []
    if node not in roster or node in roster.away:
        return []
    if node in roster.leaving:
        roster.remove(node)
    else:
        roster.away.add(node)
    end_solo(state, node)
    return state.ring_changed()
