"""GATHERING: waiting for the nodes of a first boot, or for those that serve since an earlier manager."""

from __future__ import annotations

from cluster_manager.membership.cluster_state import ClusterState, Phase
from cluster_manager.membership.events import (
    Effects,
    NodeLeft,
    NodeRegistered,
    NodeSilent,
    Send,
    Ticked,
)
from cluster_manager.membership.first_boot import begin_boot
from cluster_manager.membership.roster import Member
from cluster_manager.membership.solo_boots import begin_solo
from cluster_worker.wire.membership_messages import ClusterReady, RingUpdate


def register(state: ClusterState, event: NodeRegistered, now: float) -> Effects:
    """The node waits with the others, or is the last that was missing."""
    state.roster.register(event, event.incarnation)
    if event.incarnation is not None:
        state.reports[event.address.node] = _reported_ring(event)
        state.found_at = now if state.found_at is None else state.found_at
    return [state.registered(event), *_go_on(state, now)]


def leave_early(state: ClusterState, event: NodeLeft | NodeSilent, now: float) -> Effects:
    """The node is forgotten."""
    member = state.roster.get(event.node)
    if member is None or (isinstance(event, NodeSilent) and event.boot_id != member.boot_id):
        return []
    state.roster.remove(event.node)
    state.reports.pop(event.node, None)
    if not state.reports:
        state.found_at = None
    return _go_on(state, now)


def wait(state: ClusterState, event: Ticked, now: float) -> Effects:
    """Nodes that serve wait for others no longer than the grace period."""
    return _go_on(state, now)


def _go_on(state: ClusterState, now: float) -> Effects:
    if state.found_at is None:
        return begin_boot(state, now) if len(state.roster) >= state.rules.worker_num else []
    known = max(state.reports.values(), key=lambda ring: (ring.incarnation, ring.epoch))
    missing = {address.node for address in known.nodes} - set(known.away) - set(state.roster.nodes)
    if missing and now - state.found_at <= state.rules.grace_s:
        return []
    return _take_over(state, known, now)


def _take_over(state: ClusterState, known: RingUpdate, now: float) -> Effects:
    """Lead the cluster that has the ring ``known``, with those that are here; the others are away."""
    state.phase, state.incarnation, state.reports = Phase.READY, known.incarnation, {}
    fresh = [member.address.node for member in state.roster if member.incarnation is None]
    effects = _dismiss_strangers(state, known)
    _restore(state, known, now)
    effects += [*state.ring_changed(), Send(state.roster.present, ClusterReady(state.epoch))]
    for node in sorted(fresh):
        effects += begin_solo(state, node, now)
    return effects


def _dismiss_strangers(state: ClusterState, known: RingUpdate) -> Effects:
    """Nodes that serve, but not in the cluster that is taken over, have to begin again."""
    names = {address.node for address in known.nodes}
    effects: Effects = []
    for member in list(state.roster):
        node = member.address.node
        if member.incarnation is not None and (member.incarnation != known.incarnation or node not in names):
            state.roster.remove(node)
            effects += state.force_stop((node,), "it has no part in the cluster that serves")
    return effects


def _restore(state: ClusterState, known: RingUpdate, now: float) -> None:
    roster, app = state.roster, next((member.app for member in state.roster), "")
    here = {member.address.node: member for member in roster}
    for address in known.nodes:
        if address.node not in here and (address.node in known.table or address.node in known.draining):
            roster.restore(Member(address, app, "", None, now))
    roster.table = known.table
    roster.draining = set(known.draining) & set(roster.nodes)
    for node in roster.nodes:
        if node in here and here[node].incarnation is not None:
            roster.serves(node)
        else:
            roster.away.add(node)


def _reported_ring(event: NodeRegistered) -> RingUpdate:
    """The ring the node was told; one that does not fit the node itself says nothing of others."""
    ring, incarnation = event.ring, event.incarnation
    assert incarnation is not None
    if ring is not None and ring.incarnation == incarnation:
        if event.address.node in (address.node for address in ring.nodes):
            return ring
    return RingUpdate(incarnation, incarnation, 1, (event.address,), (), (), ())
