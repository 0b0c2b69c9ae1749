"""The metrics of a node: what counts and flushes here, what keeps the series that this node owns."""

from __future__ import annotations

from collections.abc import Callable, Collection

from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import Engine
from cluster_worker.runtime.clock import WallClock
from cluster_worker.runtime.services import OrderedService
from cluster_worker.tenure.owned_works import OwnedWorks
from onedata.ids import SpaceId, UserId
from op_worker.files.context import FilesContext
from op_worker.files.tallies import MOST_TALLIES, OTHERS, Tally
from op_worker.metrics.answers import MetricAnswers
from op_worker.metrics.flushing import FLUSH_S, Flushing
from op_worker.metrics.keeping import Keeping
from op_worker.metrics.usage_walk import USER_USAGE_S


def _anywhere(key: str) -> float:
    return 0.0


def _nowhere(key: str) -> str | None:
    return None


@frozen(kw_only=True)
class Ownership:
    """Who this node is, and which works it takes.

    Attributes:
        owner: see ``owner_text``.
        wanted: whether this node takes work.
        preference_s: how long it leaves a work to others.
        home_of: the node that a work belongs to; an owner lets go of what has moved elsewhere.
    """

    owner: str
    wanted: Callable[[], bool] = lambda: True
    preference_s: Callable[[str], float] = _anywhere
    home_of: Callable[[str], str | None] = _nowhere


@frozen(eq=False)
class Passed:
    """What passed through this node since the boot: by space, and by user with ``has_users``."""

    has_users: bool
    totals: dict[tuple[SpaceId, UserId], Tally] = field(factory=dict)

    def add(self, space_id: SpaceId, tallies: dict[UserId, Tally]) -> None:
        """Count what was taken over."""
        for user_id, tally in tallies.items():
            key = (space_id, user_id if self.has_users else OTHERS)
            if key not in self.totals and len(self.totals) >= MOST_TALLIES:
                key = (space_id, OTHERS)
            self.totals.setdefault(key, Tally()).add(tally)


class MetricsService(OrderedService):
    """Counting, flushing and keeping.

    Attributes:
        answers: tells what is kept, whichever node keeps it.
        flushing: brings to the store what is counted here.
        keeping: samples the spaces that this node owns.
        passed: what passed here, for Prometheus.
    """

    def __init__(
        self,
        answers: MetricAnswers,
        flushing: Flushing,
        keeping: Keeping,
        works: OwnedWorks,
        passed: Passed,
        provider_id: Callable[[], str],
    ) -> None:
        super().__init__()
        self.answers, self.flushing, self.keeping, self.passed = answers, flushing, keeping, passed
        self.provider_id = provider_id
        for service in (works, flushing):
            service.setServiceParent(self)


def make_metrics(
    engine: Engine,
    context: FilesContext,
    supported: Callable[[], Collection[SpaceId]],
    ownership: Ownership,
    *,
    clock: IReactorTime,
    wall_clock: WallClock,
    flush_s: float = FLUSH_S,
    has_users: bool = False,
    user_usage_s: float = USER_USAGE_S,
) -> MetricsService:
    """Return the metrics of all spaces that are supported here, not started.

    Args:
        has_users: whether Prometheus is told of single users.
        user_usage_s: at most so often it is summed up what each user of a space holds.
    """
    passed = Passed(has_users)
    keeping = Keeping(engine, context.storages, clock, wall_clock, user_usage_s)
    works = OwnedWorks(
        engine,
        "metrics",
        ownership.owner,
        lambda: [str(space_id) for space_id in supported()],
        keeping.keep,
        clock=clock,
        wanted=lambda key: ownership.wanted(),
        preference_s=ownership.preference_s,
        home_of=ownership.home_of,
    )
    flushing = Flushing(engine, context.tallies, ownership.owner, passed.add, clock=clock, flush_s=flush_s)
    answers = MetricAnswers(engine, context, wall_clock)
    return MetricsService(answers, flushing, keeping, works, passed, lambda: context.access.provider_id)
