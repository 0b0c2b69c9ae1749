"""How the background work of a node is owned: by whom, and which of it this node takes on."""

from __future__ import annotations

from collections.abc import Callable, Collection

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import Engine
from cluster_worker.runtime.clock import sleep
from cluster_worker.tenure.owned_work import OwnedWork, Work
from cluster_worker.tenure.owned_works import KeyedWork, OwnedWorks
from cluster_worker.tenure.sharing import ALONE, WorkSharing
from cluster_worker.tenure.tenure import Tenure


@frozen(eq=False)
class Works:
    """Makes the services that own background work on this node.

    Attributes:
        owner: of this run of this node; see ``owner_text``.
        sharing: which works this node takes on, keeps and lets go of.
    """

    engine: Engine
    owner: str
    clock: IReactorTime
    sharing: WorkSharing = ALONE

    def one(self, name: str, work: Work, again_s: float) -> OwnedWork:
        """Return work that one node does round after round, ``again_s`` seconds after a round has ended."""

        async def rounds(tenure: Tenure) -> None:
            while True:
                tenure.require()
                await work(tenure)
                await sleep(self.clock, again_s)

        return OwnedWork(
            self.engine,
            name,
            self.owner,
            rounds,
            clock=self.clock,
            wanted=self.sharing.is_wanted,
            preference_s=lambda: self.sharing.wait_s(name),
            home=lambda: self.sharing.home_of(name),
        )

    def each(self, family: str, keys: Callable[[], Collection[str]], work: KeyedWork) -> OwnedWorks:
        """Return a family of works, each of which one node does."""
        return OwnedWorks(
            self.engine,
            family,
            self.owner,
            keys,
            work,
            clock=self.clock,
            wanted=lambda _: self.sharing.is_wanted(),
            preference_s=self.sharing.wait_s,
            home_of=self.sharing.home_of,
        )
