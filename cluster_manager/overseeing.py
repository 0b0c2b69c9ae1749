"""What is asked of a manager by people: the state of its cluster, and nodes that drain or leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twisted.internet.interfaces import IReactorTime

from cluster_manager.membership.resizing import BUSY, LAST_NODE, NO_SUCH_NODE, NOT_READY
from cluster_manager.operator_requests import Resizing
from cluster_manager.service import ClusterManager
from cluster_manager.settings import ManagerSettings
from cluster_manager.status_report import ClusterSight, KnownManager, report
from cluster_worker.node.errors import ClusterUnavailable
from cluster_worker.node.ring import Ring
from cluster_worker.wire.health_messages import ClusterStatus
from cluster_worker.wire.link_messages import Failed
from cluster_worker.wire.steps import BootStep
from onedata.errors import (
    ClusterNotReady,
    InternalServerError,
    LastNode,
    NodeBusy,
    NoSuchNode,
    NotLeader,
    OnedataError,
)

Json = dict[str, object]
NOT_LEADER = "notLeader"


class Overseer:
    """Asks the manager, whether it leads or not.

    Args:
        door: gives the URL of this manager's HTTP door.
    """

    def __init__(
        self, manager: ClusterManager, settings: ManagerSettings, clock: IReactorTime, door: Callable[[], str]
    ) -> None:
        self._manager, self._settings, self._clock, self._door = manager, settings, clock, door

    async def status(self) -> Json:
        """Return the answer of ``/status``; a standby names the leader and knows no more."""
        this, leader = self._this(), await self._leader()
        sight = self._sight()
        if sight is not None:
            leader = this
        return report(this, self._settings.release, leader, self._manager.refusals.counts, sight)

    async def resize(self, wanted: Resizing) -> str:
        """Return what the node does once the request is decided: ``draining``, ``leaving``, …

        Raises:
            NotLeader, ClusterNotReady, NoSuchNode, LastNode, NodeBusy
        """
        reign = self._manager.reign
        if reign is None or not self._manager.leads:
            raise await self._not_leader()
        answer = await reign.resize(wanted)
        if isinstance(answer, Failed):
            raise await self._error(answer, wanted.node)
        return reign.membership.standing(wanted.node)

    async def cluster_status(self) -> Mapping[str, Mapping[str, str]]:
        """The health of every component of every node. Raises: ClusterUnavailable."""
        reign = self._manager.reign
        if reign is None or not self._manager.leads:
            raise ClusterUnavailable("this manager does not lead")
        answer = await reign.cluster_status()
        if not isinstance(answer, ClusterStatus):
            raise ClusterUnavailable(str(answer))
        return {node: dict(components) for node, components in answer.nodes}

    @property
    def app_name(self) -> str:
        """The application of the cluster's nodes."""
        reign = self._manager.reign
        members = () if reign is None else tuple(reign.membership.roster)
        return members[0].app if members else "cluster_worker"

    async def components(self) -> Mapping[str, str]:
        """The components of the manager itself."""
        leads = self._manager.leads
        is_known = leads or await self._leader() is not None
        return {"leadership": "ok" if is_known else "error: no leader is known"}

    def _this(self) -> KnownManager:
        address = self._settings.reached_at(self._manager.port)
        return KnownManager(self._settings.node_name, str(address), self._door())

    async def _leader(self) -> KnownManager | None:
        """Who leads or led last; this manager only while it does."""
        if self._manager.leads:
            return self._this()
        last = await self._manager.last_leader()
        if last is None or last.node == self._settings.node_name:
            return None
        return KnownManager(last.node, str(last.address), last.door)

    def _sight(self) -> ClusterSight | None:
        reign = self._manager.reign
        if reign is None or not self._manager.leads:
            return None
        roster = reign.membership.roster
        upgrader = None
        if roster.table:
            ring = Ring(nodes=roster.nodes, table=roster.table, away=frozenset(roster.away))
            upgrader = ring.owner(BootStep.UPGRADE_CLUSTER)
        return ClusterSight(
            membership=reign.membership,
            sightings=reign.sightings,
            loads=reign.loads(),
            upgrader=upgrader,
            now=self._clock.seconds(),
        )

    async def _not_leader(self) -> NotLeader:
        leader = await self._leader()
        return NotLeader(None if leader is None else leader.door or None)

    async def _error(self, failed: Failed, node: str) -> OnedataError:
        if failed.code == NOT_READY:
            reign = self._manager.reign
            return ClusterNotReady("gathering" if reign is None else reign.membership.phase.value)
        if failed.code == NO_SUCH_NODE:
            return NoSuchNode(node)
        if failed.code == LAST_NODE:
            return LastNode(node)
        if failed.code == BUSY:
            return NodeBusy(node, failed.description)
        if failed.code == NOT_LEADER:
            return await self._not_leader()
        return InternalServerError(failed.code)
