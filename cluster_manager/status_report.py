"""What a manager tells operators of itself and its cluster, as JSON values. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from attrs import frozen

from cluster_manager.assignment import shares_of_clients
from cluster_manager.membership.membership import Membership
from cluster_manager.membership.roster import Member
from cluster_manager.sightings import Sighting, Sightings
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.refusals import Reason

Json = dict[str, object]
LEADER, STANDBY = "leader", "standby"


@frozen
class KnownManager:
    """A manager: its name, where workers reach it, the URL of its door (``""`` when it has not told)."""

    node: str
    address: str
    door: str


@frozen(kw_only=True)
class ClusterSight:
    """A cluster as its leader sees it at ``now`` (seconds of the steady clock).

    Attributes:
        upgrader: who upgrades what is stored; ``None`` without a ring.
        loads: of the nodes that get new clients.
    """

    membership: Membership
    sightings: Sightings
    loads: Mapping[str, float]
    upgrader: str | None
    now: float


def report(
    this: KnownManager,
    release: str,
    leader: KnownManager | None,
    refusals: Mapping[Reason, int],
    sight: ClusterSight | None,
) -> Json:
    """Return the answer of ``/status``.

    Args:
        this: the manager that is asked.
        leader: who leads, as far as this one knows.
        sight: of the leader; a standby knows nothing of the cluster.
    """
    role = STANDBY if sight is None else LEADER
    known = [this] if leader is None or leader.node == this.node else [leader, this]
    return {
        "manager": {**_manager(this), "role": role, "release": release, "refusals": _refused(refusals)},
        "leader": None if leader is None else _manager(leader),
        "managers": [
            {**_manager(one), "role": LEADER if one == leader else STANDBY}
            for one in sorted(known, key=lambda one: one.node)
        ],
        "cluster": None if sight is None else _cluster(sight.membership),
        "nodes": [] if sight is None else _nodes(sight),
    }


def _manager(manager: KnownManager) -> Json:
    return {"name": manager.node, "address": manager.address, "url": manager.door or None}


def _refused(refusals: Mapping[Reason, int]) -> dict[str, int]:
    return {reason.value: number for reason, number in refusals.items() if number}


def _cluster(membership: Membership) -> Json:
    return {
        "phase": membership.phase.value,
        "epoch": _epoch(membership.epoch),
        "incarnation": _epoch(membership.incarnation),
        "waitingFor": membership.problem,
        "slots": len(membership.roster.table),
    }


def _nodes(sight: ClusterSight) -> list[Json]:
    owned = Counter(sight.membership.roster.table)
    shares = shares_of_clients(sight.loads)
    return [
        {
            **_node(sight, member),
            "slots": owned[member.address.node],
            "share": round(shares.get(member.address.node, 0.0), 4),
        }
        for member in sorted(sight.membership.roster, key=lambda member: member.address.node)
    ]


def _node(sight: ClusterSight, member: Member) -> Json:
    node = member.address.node
    seen = sight.sightings.of(node)
    return {
        "name": node,
        "address": f"{member.address.host}:{member.address.port}",
        "application": member.app,
        "release": seen.release,
        "state": sight.membership.standing(node),
        "step": sight.membership.step(node),
        "linked": member.silent_since is None,
        "roles": ["upgrade"] if node == sight.upgrader else [],
        "incarnation": None if member.incarnation is None else _epoch(member.incarnation),
        **_heartbeat(seen, sight.now),
    }


def _heartbeat(seen: Sighting, now: float) -> Json:
    if seen.heartbeat is None or seen.at is None:
        return {"load": None, "queues": {}, "heartbeatAge": None}
    load = {name: round(getattr(seen.heartbeat, name), 1) for name in ("cpu", "mem", "net")}
    return {"load": load, "queues": dict(seen.heartbeat.queues), "heartbeatAge": round(now - seen.at, 2)}


def _epoch(epoch: Epoch) -> list[int]:
    return [epoch.term, epoch.counter]
