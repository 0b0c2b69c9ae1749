"""How the background work of a node is owned: by whom, and whether this node takes on any."""

from __future__ import annotations

from collections.abc import Callable, Collection

from attrs import evolve, frozen
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import Engine
from cluster_worker.tenure.owned_work import OwnedWork, Work, always
from cluster_worker.tenure.owned_works import KeyedWork, OwnedWorks
from cluster_worker.tenure.timing import TenureTimes

_TIMES = TenureTimes()


@frozen(eq=False)
class Works:
    """Makes the services that own background work on this node.

    Attributes:
        owner: of this run of this node; see ``owner_text``.
        is_willing: whether this node takes on work, and keeps it; one that is drained does not.
    """

    engine: Engine
    owner: str
    clock: IReactorTime
    is_willing: Callable[[], bool] = always

    def one(self, name: str, work: Work, again_s: float = _TIMES.again_s) -> OwnedWork:
        """Return work that one node does, and again ``again_s`` seconds after it ended."""
        return OwnedWork(
            self.engine,
            name,
            self.owner,
            work,
            clock=self.clock,
            times=evolve(_TIMES, again_s=again_s),
            wanted=self.is_willing,
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
            wanted=lambda _: self.is_willing(),
        )
