"""Keeping the series of a space: one sample for each slot, made by the one owner of the space."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field, frozen
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import Batch, Delete, Document, Engine, Put, Scope, Step
from cluster_worker.runtime.clock import WallClock, sleep
from cluster_worker.tenure.tenure import Fence, Tenure
from onedata.ids import SpaceId, UserId
from op_worker.files.stored.charges import size_counter, used_counter
from op_worker.files.stored.quotas import QUOTAS, SpaceQuotas, user_of
from op_worker.files.tallies import OTHERS
from op_worker.metrics.kinds import DATA_ACCESS
from op_worker.metrics.records import (
    METRICS,
    ORDER,
    PASSED,
    USAGE,
    USERS,
    Order,
    decode_users,
    encode_taken,
    encode_users,
    is_old,
    is_taken,
    kept,
    sum_of,
    user_key,
)
from op_worker.metrics.sampling import (
    SPACE_KINDS,
    USER_KINDS,
    Sample,
    is_due,
    series_of,
    space_series,
    user_series,
)
from op_worker.metrics.series import SLOT_S
from op_worker.metrics.usage import Usage
from op_worker.metrics.usage_walk import USER_USAGE_S, WALK_PAUSE_S, Turn, UsageWalk
from op_worker.storage.registry import Storages

LOOK_S = 5.0
_USERS_AT_ONCE = 20
_SPACE_FIELDS = [*(kind.name for kind in SPACE_KINDS), USERS, ORDER, USAGE]
_USER_FIELDS = [kind.name for kind in USER_KINDS]


@frozen
class Gauges:
    """What the last sample of a space found; ``held`` are the bytes of users, as far as known.

    ``storages`` has used and granted bytes of each storage, the first one first.
    """

    storages: Mapping[str, tuple[int, int]]
    connected: int
    held: Mapping[UserId, int]


@define(eq=False)
class Keeping:
    """The work of the owner of a space's series.

    A sample is one commit: the series of the space, which users have series, the tallies that it took away,
    and an order for the series of users. The order is carried out in further commits, a bounded number of
    users in each; who takes over goes on with it. Carrying out twice is as good as once.

    Attributes:
        gauges: of the spaces that this node owns.
    """

    _engine: Engine
    _storages: Storages
    _clock: IReactorTime
    _wall_clock: WallClock
    _user_usage_s: float = USER_USAGE_S
    _turn: Turn = field(factory=Turn, init=False)
    gauges: dict[SpaceId, Gauges] = field(factory=dict, init=False)

    async def keep(self, key: str, tenure: Tenure) -> None:
        """Sample a space, and sum up what its users hold, for as long as this node owns it."""
        space_id = SpaceId(key)
        fence = await tenure.fence(Scope(space_id))
        walk, sampled = self.walk(fence), None
        try:
            while True:
                end = self._end()
                if end != sampled and await self.sample(space_id, fence):
                    sampled = end
                is_walking = await walk.step()
                await sleep(self._clock, WALK_PAUSE_S if is_walking else LOOK_S)
        finally:
            walk.stop()
            self.gauges.pop(space_id, None)

    def walk(self, fence: Fence) -> UsageWalk:
        """Return the walks of a space in a tenure, of which none has begun."""
        return UsageWalk(self._engine, fence, self._turn, self._wall_clock, self._user_usage_s)

    async def sample(self, space_id: SpaceId, fence: Fence) -> bool:
        """Take a sample if one is due; return false when the storage of the space is not known yet.

        Raises: Deposed; PersistenceUnavailable.
        """
        support = self._storages.for_space(space_id)
        if support is None:
            return False
        end = self._end()
        stored = await self._engine.get(Scope(space_id), METRICS, _SPACE_FIELDS)
        if ORDER in stored:
            await self._carry_out(fence, Order.decode(stored[ORDER]))
        held = stored.get(DATA_ACCESS.name)
        if not is_due(None if held is None else series_of(DATA_ACCESS, held, end), end):
            return True
        passed = await self._engine.get_all(fence.scope, PASSED)
        counters = await self._engine.counters(fence.scope)
        sizes_b = support.sizes_b.items()
        storages = {one: (counters.get(used_counter(one), 0), size_b) for one, size_b in sizes_b}
        used_b = sum(used_b for used_b, _ in storages.values())
        sample = Sample(end, used_b, support.size_b, sum_of(passed.values()))
        quotas = SpaceQuotas.decode(await self._engine.get_all(fence.scope, QUOTAS))
        charged = {
            UserId(user): counters.get(size_counter(name), 0)
            for name in quotas.quotas
            if (user := user_of(name)) is not None
        }
        users_b = await self._note(fence, sample, stored, passed, charged)
        self.gauges[space_id] = Gauges(storages, sample.connected, users_b)
        return True

    def _end(self) -> int:
        return int(self._wall_clock() // SLOT_S)

    async def _note(
        self,
        fence: Fence,
        sample: Sample,
        stored: Mapping[str, Document],
        passed: Mapping[str, Document],
        charged: Mapping[UserId, int],
    ) -> dict[UserId, int]:
        """Commit a sample, then what it means for users; return what they hold, as far as known."""
        series = space_series(sample, stored)
        held = series_of(DATA_ACCESS, stored.get(DATA_ACCESS.name), sample.end)
        first = min(held.end, sample.end - 1)
        users = decode_users(stored.get(USERS))
        active = [user for user in sample.passed if user != OTHERS]
        staying, gone = kept(users, active, charged, Usage.decode(stored.get(USAGE)), sample.end)
        order = Order(
            first,
            sample.end,
            {user: tally for user, tally in sample.passed.items() if user in staying},
            {
                user: one.used_b
                for user, one in staying.items()
                if one.used_b != (users[user].used_b if user in users else None)
            },
        )
        steps: list[Step] = [Put(METRICS, name, one.encode()) for name, one in series.items()]
        steps.extend(_taken(passed, sample.end))
        steps.extend(Delete(user_key(user)) for user in gone)
        if staying != users:
            steps.append(Put(METRICS, USERS, encode_users(staying)))
        if order.users:
            steps.append(Put(METRICS, ORDER, order.encode()))
        await fence.commit(self._engine, Batch(steps))
        if order.users:
            await self._carry_out(fence, order)
        return {user: one.used_b for user, one in staying.items() if one.used_b is not None}

    async def _carry_out(self, fence: Fence, order: Order) -> None:
        users = order.users
        for first in range(0, len(users), _USERS_AT_ONCE):
            some = users[first : first + _USERS_AT_ONCE]
            found = await self._engine.get_many(fence.scope, [user_key(user) for user in some], _USER_FIELDS)
            steps: list[Step] = [
                Put(user_key(user), name, series.encode())
                for user, stored in zip(some, found, strict=True)
                for name, series in user_series(order, user, stored).items()
            ]
            await fence.commit(self._engine, Batch(steps))
        await fence.commit(self._engine, Batch([Delete(METRICS, ORDER)]))


def _taken(passed: Mapping[str, Document], end: int) -> list[Step]:
    """Return the steps that take parcels away; their names stay for a while."""
    steps: list[Step] = []
    for name, document in passed.items():
        if is_old(document, end):
            steps.append(Delete(PASSED, name, expect=document.revision))
        elif not is_taken(document):
            steps.append(Put(PASSED, name, encode_taken(end), expect=document.revision))
    return steps
