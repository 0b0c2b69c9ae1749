"""Samples of a space: several nodes sum up, nothing counts twice, users are bounded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.task import Clock

from cluster_worker.persistence.engine import (
    Batch,
    Committed,
    Delete,
    Document,
    Engine,
    Key,
    OutcomeUnknown,
    PersistenceUnavailable,
    Scope,
)
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.tenure.tenure import Deposed, Fence, Tenure
from onedata.ids import UserId
from op_worker.files.model import CreateOptions, Existing
from op_worker.files.service import FileService
from op_worker.files.stored.quotas import Quota
from op_worker.files.tallies import Tallies
from op_worker.metrics.flushing import SURE_S, Flushing
from op_worker.metrics.kinds import (
    BLOCK_ACCESS,
    CONNECTED_USERS,
    DATA_ACCESS,
    KINDS,
    REMOTE_TRANSFER,
    STORAGE_QUOTA,
    STORAGE_USED,
    MetricKind,
)
from op_worker.metrics.records import FORGOTTEN_SLOTS, METRICS, MOST_USERS, ORDER, PASSED, user_key
from op_worker.metrics.series import SLOT_S
from op_worker.metrics.service import MetricsService, Ownership, make_metrics
from tests.support.immediate import now
from tests.support.spaces import (
    ALICE,
    OWNER,
    SIZE_B,
    SPACE,
    Site,
    alice,
    bob,
    body,
    owner,
    path,
    read,
)

SCOPE = Scope(SPACE)
PUT: Any = {"expected_b": None, "create": CreateOptions(existing=Existing.UPDATE)}
BEGIN_S = 1_600_000_200.0  # the end of a slot


@define(eq=False)
class Time:
    """A wall clock that stands."""

    now_s: float = BEGIN_S

    def __call__(self) -> float:
        return self.now_s


class Failing(MemoryEngine):
    """Commits fail as they are told to, after they were applied or before."""

    troubles: list[type[PersistenceUnavailable]]

    def __init__(self) -> None:
        super().__init__()
        self.troubles = []

    async def commit(self, scope: Scope, batch: Batch) -> Committed:
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is PersistenceUnavailable:
            raise trouble
        done = await super().commit(scope, batch)
        if trouble is OutcomeUnknown:
            raise trouble
        return done


@define(eq=False)
class Nodes:
    """A provider's nodes over one store; the first one keeps the series."""

    site: Site
    files: list[FileService]
    services: list[MetricsService]
    time: Time
    fence: Fence
    tenures: int = field(default=1)

    async def flush(self) -> None:
        for one in self.services:
            await one.flushing.flush()

    async def sample(self, slots: float = 1) -> None:
        """Let time pass, then let every node flush and the owner sample."""
        self.time.now_s += slots * SLOT_S
        await self.flush()
        await self.services[0].keeping.sample(SPACE, self.fence)

    async def space(self, kind: MetricKind, step: str = "5m") -> list[list[float | None]]:
        own = (await self.services[-1].answers.space(owner, SPACE, kind, step))[0].export
        return [] if own is None else [list(row) for row in own.data]

    async def user(self, user: UserId, kind: MetricKind, step: str = "5m") -> list[list[float | None]]:
        own = (await self.services[-1].answers.user(owner, SPACE, user, kind, step))[0].export
        return [] if own is None else [list(row) for row in own.data]


async def next_fence(engine: Engine, token: int) -> Fence:
    return await Tenure("metrics:x", f"n{token}", token, engine).fence(SCOPE)


def make_nodes(engine: MemoryEngine | None = None, count: int = 1) -> Nodes:
    site = Site(engine=engine or MemoryEngine())
    time = Time()
    files = [now(site.process(f"worker{number}@test")) for number in range(count)]
    services = [
        make_metrics(
            site.engine,
            one.context,
            lambda: [SPACE],
            Ownership(owner=f"n{number}"),
            clock=site.clock,
            wall_clock=time,
        )
        for number, one in enumerate(files)
    ]
    return Nodes(site, files, services, time, now(next_fence(site.engine, 1)))


def test_a_space_has_what_it_holds_and_may_hold_at_the_first_sample() -> None:
    nodes = make_nodes()
    now(nodes.files[0].replace_content(owner, path("x"), body(b"12345"), **PUT))
    assert now(nodes.space(STORAGE_USED)) == []
    now(nodes.sample())
    assert now(nodes.space(STORAGE_USED))[-1] == [5.0]
    assert now(nodes.space(STORAGE_QUOTA))[-1] == [float(SIZE_B)]
    assert len(now(nodes.space(STORAGE_USED))) == 288
    assert now(nodes.space(STORAGE_USED))[0] == [None]


def test_a_space_that_does_not_change_keeps_its_last_value() -> None:
    nodes = make_nodes()
    now(nodes.files[0].replace_content(owner, path("x"), body(b"12345"), **PUT))
    for _ in range(5):
        now(nodes.sample())
    assert now(nodes.space(STORAGE_USED))[-5:] == [[5.0]] * 5


def test_two_nodes_sum_up() -> None:
    nodes = make_nodes(count=2)
    now(nodes.sample())
    now(nodes.files[0].replace_content(owner, path("x"), body(bytes(3000)), **PUT))
    now(nodes.files[1].replace_content(alice, path("y"), body(bytes(6000)), **PUT))
    assert now(read(nodes.files[1], path("x"), alice)) == bytes(3000)
    now(nodes.sample())
    assert now(nodes.space(DATA_ACCESS))[-1] == [10.0, 30.0]
    assert now(nodes.space(BLOCK_ACCESS))[-1] == pytest.approx([1 / 300, 2 / 300])
    assert now(nodes.space(CONNECTED_USERS))[-1] == [2.0]
    assert now(nodes.user(ALICE, DATA_ACCESS))[-1] == [10.0, 20.0]
    assert now(nodes.user(OWNER, DATA_ACCESS))[-1] == [0.0, 10.0]


def test_a_user_who_does_nothing_has_rates_of_0_where_the_space_is_known() -> None:
    nodes = make_nodes()
    now(nodes.sample())
    assert now(nodes.user(ALICE, DATA_ACCESS))[-2:] == [[None, None], [0.0, 0.0]]
    now(nodes.files[0].replace_content(alice, path("y"), body(bytes(600)), **PUT))
    now(nodes.sample())
    now(nodes.sample())
    now(nodes.sample(5))
    rows = now(nodes.user(ALICE, DATA_ACCESS))[-8:]
    assert rows == [[0.0, 0.0], [0.0, 2.0], [0.0, 0.0], *[[None, None]] * 5]


def test_an_hour_of_a_user_is_an_average_over_the_hour() -> None:
    nodes = make_nodes()
    nodes.time.now_s = BEGIN_S // 3600 * 3600 + 3600
    now(nodes.sample())
    nodes.time.now_s -= SLOT_S
    for number in range(13):
        if number == 5:
            now(nodes.files[0].replace_content(alice, path("y"), body(bytes(36000)), **PUT))
        now(nodes.sample())
    assert now(nodes.user(ALICE, DATA_ACCESS, "1h"))[-1] == [0.0, 10.0]
    assert now(nodes.space(DATA_ACCESS, "1h"))[-1] == [0.0, 10.0]


def test_bytes_of_a_user_are_told_while_he_has_a_quota() -> None:
    nodes = make_nodes()
    files = nodes.files[0]
    now(files.quotas.set_user_quota(owner, SPACE, ALICE, Quota(size_b=1000)))
    now(files.replace_content(alice, path("y"), body(bytes(600)), **PUT))
    now(nodes.sample())
    now(nodes.sample())
    assert now(nodes.user(ALICE, STORAGE_USED))[-3:] == [[None], [600.0], [600.0]]
    assert now(nodes.user(OWNER, STORAGE_USED))[-1] == [None]
    now(files.quotas.remove_user_quota(owner, SPACE, ALICE))
    now(nodes.sample())
    assert now(nodes.user(ALICE, STORAGE_USED))[-2:] == [[600.0], [None]]


def test_nothing_is_known_of_transfers() -> None:
    nodes = make_nodes()
    now(nodes.sample())
    assert now(nodes.space(REMOTE_TRANSFER)) == [[None]] * 288
    assert now(nodes.user(ALICE, REMOTE_TRANSFER)) == [[None]] * 288


@pytest.mark.parametrize("trouble", [PersistenceUnavailable, OutcomeUnknown])
def test_a_flush_whose_answer_is_lost_counts_once(trouble: type[PersistenceUnavailable]) -> None:
    engine = Failing()
    nodes = make_nodes(engine)
    now(nodes.sample())
    now(nodes.files[0].replace_content(owner, path("x"), body(bytes(3000)), **PUT))
    engine.troubles = [trouble]
    now(nodes.flush())
    now(nodes.sample())
    assert now(nodes.space(DATA_ACCESS))[-1] == [0.0, 10.0]


def test_a_parcel_that_was_taken_before_its_node_tries_again_counts_once() -> None:
    engine = Failing()
    nodes = make_nodes(engine)
    now(nodes.sample())
    now(nodes.files[0].replace_content(owner, path("x"), body(bytes(3000)), **PUT))
    engine.troubles = [OutcomeUnknown]
    now(nodes.flush())
    nodes.time.now_s += SLOT_S
    now(nodes.services[0].keeping.sample(SPACE, nodes.fence))
    assert now(nodes.space(DATA_ACCESS))[-1] == [0.0, 10.0]
    now(nodes.sample())
    assert now(nodes.space(DATA_ACCESS))[-1] == [0.0, 0.0]


def test_a_parcel_of_unknown_fate_is_given_up_before_the_store_forgets_it() -> None:
    engine = Failing()
    nodes = make_nodes(engine)
    now(nodes.sample())
    now(nodes.files[0].replace_content(owner, path("x"), body(bytes(3000)), **PUT))
    engine.troubles = [OutcomeUnknown]
    now(nodes.flush())
    nodes.time.now_s += SLOT_S
    now(nodes.services[0].keeping.sample(SPACE, nodes.fence))
    nodes.site.clock.advance(SURE_S)  # type: ignore[attr-defined]  # a Clock
    now(engine.commit(SCOPE, Batch([Delete(PASSED, name) for name in now(engine.get_all(SCOPE, PASSED))])))
    now(nodes.sample())
    assert now(nodes.space(DATA_ACCESS))[-1] == [0.0, 0.0]


def test_names_of_parcels_are_forgotten_in_the_end() -> None:
    nodes = make_nodes()
    now(nodes.files[0].replace_content(owner, path("x"), body(bytes(3000)), **PUT))
    now(nodes.sample())
    kept = [len(now(nodes.site.engine.get_all(SCOPE, PASSED)))]
    for _ in range(2):
        now(nodes.sample())
        kept.append(len(now(nodes.site.engine.get_all(SCOPE, PASSED))))
    assert kept == [1, 1, 0]


def test_a_node_that_dies_between_flushes_loses_what_came_since_the_last_one() -> None:
    nodes = make_nodes(count=2)
    now(nodes.sample())
    now(nodes.files[1].replace_content(owner, path("x"), body(bytes(3000)), **PUT))
    now(nodes.flush())
    now(nodes.files[1].replace_content(owner, path("x"), body(bytes(9000)), **PUT))
    nodes.services[1].flushing = Flushing(nodes.site.engine, Tallies(), "n1b", _ignored, clock=Clock())
    now(nodes.sample())
    assert now(nodes.space(DATA_ACCESS))[-1] == [0.0, 10.0]


def _ignored(*_: object) -> None:
    """Nobody is told."""


@pytest.mark.parametrize("commits", [1, 2])
def test_an_owner_that_dies_in_a_sample_is_taken_over_from_without_loss(commits: int) -> None:
    engine = Failing()
    nodes = make_nodes(engine)
    now(nodes.sample())
    for caller in (owner, alice):
        now(nodes.files[0].replace_content(caller, path(str(caller.user_id)), body(bytes(3000)), **PUT))
    now(nodes.flush())
    nodes.time.now_s += SLOT_S
    engine.troubles = [OutcomeUnknown] if commits == 1 else [_Fine, OutcomeUnknown]
    with pytest.raises(OutcomeUnknown):
        now(nodes.services[0].keeping.sample(SPACE, nodes.fence))
    assert ORDER in now(engine.get_all(SCOPE, METRICS))
    nodes.fence = now(next_fence(engine, 2))
    now(nodes.services[0].keeping.sample(SPACE, nodes.fence))
    assert now(nodes.space(DATA_ACCESS))[-1] == [0.0, 20.0]
    assert now(nodes.user(ALICE, DATA_ACCESS))[-1] == [0.0, 10.0]
    assert ORDER not in now(engine.get_all(SCOPE, METRICS))


class _Fine(PersistenceUnavailable):
    """No trouble: the commit succeeds."""


def test_an_owner_of_the_past_writes_nothing() -> None:
    nodes = make_nodes()
    now(nodes.sample())
    now(next_fence(nodes.site.engine, 2))
    with pytest.raises(Deposed):
        now(nodes.sample())


def test_a_clock_that_jumps_a_day_ahead_leaves_a_gap_and_back_goes_on() -> None:
    nodes = make_nodes()
    now(nodes.sample())
    right_s = nodes.time.now_s
    now(nodes.files[0].replace_content(alice, path("y"), body(bytes(600)), **PUT))
    now(nodes.sample(288))
    assert now(nodes.space(DATA_ACCESS))[-1] == [None, None]
    assert now(nodes.space(STORAGE_USED))[-2:] == [[None], [600.0]]
    nodes.time.now_s = right_s
    now(nodes.sample())
    now(nodes.files[0].replace_content(alice, path("y"), body(bytes(300)), **PUT))
    now(nodes.sample())
    assert now(nodes.space(DATA_ACCESS))[-1] == [0.0, 1.0]
    assert now(nodes.user(ALICE, DATA_ACCESS))[-1] == [0.0, 1.0]
    assert now(nodes.space(STORAGE_USED))[-1] == [300.0]


def test_a_clock_that_goes_back_a_slot_takes_no_sample() -> None:
    nodes = make_nodes()
    now(nodes.sample())
    before = now(nodes.site.engine.get_all(SCOPE, METRICS))
    now(nodes.sample(-1))
    assert now(nodes.site.engine.get_all(SCOPE, METRICS)) == before


def test_when_nobody_samples_the_rows_of_that_time_are_unknown() -> None:
    nodes = make_nodes()
    now(nodes.sample())
    nodes.time.now_s += 2 * SLOT_S
    assert now(nodes.space(STORAGE_USED))[-1] == [0.0]
    nodes.time.now_s += SLOT_S
    assert now(nodes.space(STORAGE_USED))[-4:] == [[0.0], [None], [None], [None]]


def many(nodes: Nodes, users: Sequence[int]) -> None:
    for number in users:
        nodes.files[0].context.tallies.read(SPACE, UserId(f"{number:032x}"), 300)


def stored_b(documents: Mapping[str, Document]) -> int:
    return sum(len(one.data) for one in documents.values())


@pytest.mark.slow
def test_a_space_with_a_thousand_users_is_bounded() -> None:
    nodes = make_nodes()
    now(nodes.sample())
    many(nodes, range(MOST_USERS))
    now(nodes.sample())
    engine = nodes.site.engine
    assert stored_b(now(engine.get_all(SCOPE, _key(7)))) <= 16_400
    assert stored_b(now(engine.get_all(SCOPE, METRICS))) <= 60_000
    many(nodes, range(MOST_USERS, MOST_USERS + 20))
    now(nodes.sample())
    kept = [number for number in range(MOST_USERS + 20) if now(engine.get_all(SCOPE, _key(number)))]
    assert len(kept) == MOST_USERS
    assert set(range(MOST_USERS, MOST_USERS + 20)) <= set(kept)
    assert now(nodes.space(DATA_ACCESS))[-2:] == [[float(MOST_USERS), 0.0], [20.0, 0.0]]


def _key(number: int) -> Key:
    return user_key(UserId(f"{number:032x}"))


def test_a_user_who_is_idle_for_a_year_is_forgotten() -> None:
    nodes = make_nodes()
    now(nodes.sample())
    many(nodes, [1])
    now(nodes.sample())
    now(nodes.sample(FORGOTTEN_SLOTS - 1))
    assert now(nodes.site.engine.get_all(SCOPE, _key(1)))
    now(nodes.sample())
    assert not now(nodes.site.engine.get_all(SCOPE, _key(1)))


def test_every_metric_answers_in_every_step() -> None:
    nodes = make_nodes()
    now(nodes.sample())
    for kind in KINDS.values():
        for step, rows in (("5m", 288), ("1h", 168), ("1d", 31), ("1m", 12)):
            found = now(nodes.space(kind, step))
            assert [len(row) for row in found] == [len(kind.sources)] * rows
            assert not any(value is not None and math.isnan(value) for row in found for value in row)


def test_who_only_looks_around_is_connected() -> None:
    nodes = make_nodes()
    now(nodes.sample())
    now(nodes.files[0].stat(bob, path("")))
    now(nodes.sample())
    assert now(nodes.space(CONNECTED_USERS))[-1] == [1.0]
    assert now(nodes.space(DATA_ACCESS))[-1] == [0.0, 0.0]
