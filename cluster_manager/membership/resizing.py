"""What operators ask for: a node that gets nothing new, works as before, or leaves for good."""

from __future__ import annotations

from cluster_manager.membership.cluster_state import ClusterState, Phase
from cluster_manager.membership.events import (
    Accepted,
    Declined,
    DrainAsked,
    Effects,
    OperatorAsked,
    RemovalAsked,
    UndrainAsked,
)
from cluster_manager.membership.serving import stop_node
from cluster_manager.membership.solo_boots import end_solo

NOT_READY, NO_SUCH_NODE, LAST_NODE, BUSY = "clusterNotReady", "noSuchNode", "lastNode", "nodeBusy"


def decline(state: ClusterState, event: OperatorAsked, now: float) -> Effects:
    """Nodes are moved about only in a cluster that is ready."""
    assert state.phase is not Phase.READY
    return [Declined(event.ticket, NOT_READY, f"the cluster is {state.phase.value}")]


def drain(state: ClusterState, event: DrainAsked, now: float) -> Effects:
    """The node's slots move to the others; it serves on, but gets nothing new."""
    refusal = _unknown(state, event) or _last(state, event)
    if refusal or event.node in state.roster.draining:
        return refusal or [Accepted(event.ticket)]
    if state.is_joining(event.node):
        return [Declined(event.ticket, BUSY, f"{event.node} is still joining")]
    state.roster.drain(event.node)
    return [*state.ring_changed(), Accepted(event.ticket)]


def undrain(state: ClusterState, event: UndrainAsked, now: float) -> Effects:
    """The node gets its share of the slots again."""
    refusal = _unknown(state, event)
    if refusal or event.node not in state.roster.draining:
        return refusal or [Accepted(event.ticket)]
    if event.node in state.roster.leaving:
        return [Declined(event.ticket, BUSY, f"{event.node} is leaving")]
    state.roster.undrain(event.node)
    return [*state.ring_changed(), Accepted(event.ticket)]


def remove(state: ClusterState, event: RemovalAsked, now: float) -> Effects:
    """The node drains, if it did not yet, and stops; it is removed when it has, at once when it is away."""
    node, roster = event.node, state.roster
    refusal = _unknown(state, event) or _last(state, event)
    if refusal:
        return refusal
    if node in roster.away:
        roster.remove(node)
        end_solo(state, node)
    else:
        roster.drain(node)
        roster.leaving.add(node)
    return [*state.ring_changed(), *stop_node(state, node), Accepted(event.ticket)]


def _unknown(state: ClusterState, event: OperatorAsked) -> Effects:
    if event.node in state.roster:
        return []
    return [Declined(event.ticket, NO_SUCH_NODE, f"{event.node} is not a member of the cluster")]


def _last(state: ClusterState, event: OperatorAsked) -> Effects:
    """At least one node has to be left that works and gets new work."""
    if any(node != event.node for node in state.roster.working):
        return []
    return [Declined(event.ticket, LAST_NODE, f"no other node works than {event.node}")]
