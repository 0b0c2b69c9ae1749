"""Asking all nodes for their health: once in a while for whoever looks, again and again while they boot."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import evolve
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime

from cluster_manager.membership.cluster_state import Phase
from cluster_manager.membership.membership import Membership
from cluster_manager.settings import ManagerSettings
from cluster_manager.status import NODE_DOWN, TIMED_OUT, StatusCache, first_problem, gather
from cluster_worker.runtime.locks import KeyedLocks
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.errors import RequestTimedOut, WireError
from cluster_worker.wire.health_messages import ClusterStatus, ComponentStatuses, Health, Healthcheck
from cluster_worker.wire.link import Link
from cluster_worker.wire.link_messages import Failed
from cluster_worker.wire.messages import Message


class HealthRounds:
    """The rounds of one reign; at most one for the boot and one for whoever looks go at a time.

    Args:
        link_to: gives the link of a node, if it may be asked now.
        epoch: gives the epoch in which nodes are asked.
    """

    def __init__(
        self,
        clock: IReactorTime,
        settings: ManagerSettings,
        membership: Membership,
        link_to: Callable[[str], Link | None],
        epoch: Callable[[], Epoch],
    ) -> None:
        self._clock, self._settings, self._membership = clock, settings, membership
        self._link_to, self._epoch = link_to, epoch
        self._locks = KeyedLocks()
        self._kept = StatusCache(settings.status_lifetime_s)

    def forget(self) -> None:
        """Something has changed: whoever looks next has the nodes asked anew."""
        self._kept.clear()

    @property
    def is_booting(self) -> bool:
        """Whether a round of the boot goes on."""
        return self._locks.is_held("boot")

    async def problem_of_boot(self, nodes: tuple[str, ...]) -> str | None:
        """Ask nodes that boot; return what is not well, as text."""
        async with self._locks.hold("boot"):
            return first_problem(await self._ask_all(nodes, booting=True))

    async def status(self) -> Message:
        """The health of all members, or why there is none."""
        if self._membership.phase is not Phase.READY:
            return Failed("clusterNotReady", f"the cluster is {self._membership.phase.value}")
        async with self._locks.hold("status"):
            status = self._kept.get(self._clock.seconds())
            if status is None:
                nodes = self._membership.roster.nodes
                status = await self._ask_all(nodes, booting=False)
                standings = [(node, self._membership.standing(node)) for node in nodes]
                status = evolve(status, standings=tuple(standings))
                self._kept.put(status, self._clock.seconds())
            return status

    async def _ask_all(self, nodes: tuple[str, ...], *, booting: bool) -> ClusterStatus:
        answers = [Deferred.fromCoroutine(self._ask(node, booting)) for node in nodes]
        found: Mapping[str, ComponentStatuses] = dict(
            zip(nodes, await gatherResults(answers, consumeErrors=True), strict=True)
        )
        return gather(found)

    async def _ask(self, node: str, booting: bool) -> ComponentStatuses:
        link = self._link_to(node)
        if link is None or (node in self._membership.roster.away and not booting):
            return NODE_DOWN
        request = Healthcheck(self._epoch(), booting)
        try:
            reply = await link.request(request, self._settings.healthcheck_timeout_s)
        except RequestTimedOut:
            return TIMED_OUT
        except WireError:
            return NODE_DOWN
        return reply.components if isinstance(reply, Health) else NODE_DOWN
