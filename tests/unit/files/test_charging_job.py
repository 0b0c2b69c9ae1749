"""Charging anew as a background job: another node goes on where the one that died was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cluster_worker.persistence.engine import Batch, Delete, Key, Put, Scope
from op_worker.files.charging import walks
from op_worker.files.charging.charging_job import POOL, TASK, ChargingAnew
from op_worker.files.charging.walks import ChargingWalks
from op_worker.files.committing.known_quotas import KnownQuotas
from op_worker.files.finding.lookup import Lookup
from op_worker.files.model import CreateOptions
from op_worker.files.service import FileService
from op_worker.files.stored.quotas import QUOTAS, Quota, of_directory
from op_worker.files.stored.recharge_jobs import JOBS, POSITIONS, Job, Position
from tests.support.accounts import check_counters, check_settled
from tests.support.immediate import now
from tests.support.job_nodes import JobNodes
from tests.support.nodes_and_a_store import Surroundings
from tests.support.spaces import SPACE, Site, body, make_zone, owner, path

SCOPE = Scope(SPACE)
FILES = 60
PAGE = 4


class PagesCounted:
    """An engine that counts the pages that are read."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.pages = 0

    def __getattr__(self, name: str) -> Any:
        self.pages += name == "page"
        return getattr(self._engine, name)


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[JobNodes]:
    monkeypatch.setattr(walks, "PAGE", PAGE)
    monkeypatch.setattr(walks, "NOTE_EVERY", PAGE)
    found = JobNodes(Surroundings(), scopes=(SCOPE,))
    yield found
    found.around.end()


def ordered(site: Site) -> FileService:
    """Make files that are charged to a quota which is no more, and order a walk that nobody begins."""
    files = now(site.process())
    create = CreateOptions(create_parents=True)
    for number in range(FILES):
        name = path(f"d/{number % 3}/{number}")
        now(files.replace_content(owner, name, body(b"12"), expected_b=2, create=create))
    now(files.quotas.set_directory_quota(owner, path("d"), Quota(size_b=1)))
    top = now(files.stat(owner, path("d"))).guid.uuid
    steps = [*now(files.context.recharging.order(SPACE, top)), Delete(QUOTAS, of_directory(top))]
    now(site.engine.commit(SCOPE, Batch(steps)))
    return files


def charging(nodes: JobNodes, name: str) -> PagesCounted:
    """Start a node that charges anew; return what it reads by."""
    engine: Any = PagesCounted(nodes.around.node(name).engine)
    lookup = Lookup(engine, lambda: 1e9, make_zone())
    nodes.on(name, ChargingAnew(ChargingWalks(engine, lookup, KnownQuotas(engine))))
    return engine  # type: ignore[no-any-return]


def test_another_node_goes_on_within_5_s_where_the_walk_was_and_the_first_writes_no_more(
    nodes: JobNodes,
) -> None:
    around = nodes.around
    site = Site(engine=around.store, clock=around.clock)
    ordered(site)
    charging(nodes, "a")
    around.advance(3.0)
    around.node("a").engine.lag_s = 0.05
    nodes.nodes["a"].do_soon(POOL.name, SPACE, b"", scope=SCOPE, name=TASK)
    read = charging(nodes, "b")
    around.advance(3.0)
    (found,) = now(site.engine.get_all(SCOPE, POSITIONS)).values()
    visited = Position.decode(found.data).visited
    assert 0 < visited < FILES / 2
    around.sleep("a")
    around.advance(5.0)
    assert read.pages > 0, "the other node goes on"
    around.advance(2.0)
    assert now(site.engine.get_all(SCOPE, JOBS)) == {}
    assert read.pages < FILES / PAGE
    around.node("a").engine.lag_s = 0.0
    around.wake("a")
    around.advance(5.0)
    now(check_settled(site.engine))
    now(check_counters(site.engine))


def test_walk_goes_on_behind_what_was_noted_in_time() -> None:
    site = Site()
    files = ordered(site)
    read: Any = PagesCounted(site.engine)
    walking = ChargingWalks(read, files.context.lookup, KnownQuotas(read))
    commits: list[Batch] = []

    class _Dies(Exception):
        pass

    async def commit(batch: Batch) -> None:
        if len(commits) == 4:
            raise _Dies
        commits.append(batch)
        await site.engine.commit(SCOPE, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walks, "PAGE", PAGE)
        patch.setattr(walks, "NOTE_EVERY", 2 * PAGE)
        with pytest.raises(_Dies):
            now(walking.do_all(SPACE, commit, lambda: None))
        (noted,) = now(site.engine.get_all(SCOPE, POSITIONS)).values()
        (job,) = now(site.engine.get_all(SCOPE, JOBS)).values()
        assert 0 < Position.decode(noted.data).visited <= Job.decode(job.data).visited
        whole = (FILES + 3) // PAGE
        read.pages = 0
        commits.clear()

        async def commit_all(batch: Batch) -> None:
            await site.engine.commit(SCOPE, batch)

        now(walking.do_all(SPACE, commit_all, lambda: None))
        assert read.pages <= whole + 4 - Position.decode(noted.data).visited // PAGE
    now(check_settled(site.engine))
    now(check_counters(site.engine))


def test_position_is_forgotten_when_a_walk_is_ordered_anew() -> None:
    site = Site()
    files = ordered(site)
    (top,) = now(site.engine.get_all(SCOPE, JOBS))
    noted = Position(7, [(Key(top), b"x")])
    now(site.engine.commit(SCOPE, Batch([Put(POSITIONS, top, noted.encode())])))
    files.context.rooms.quotas.forget(SPACE)
    now(site.engine.commit(SCOPE, Batch(now(files.context.recharging.order(SPACE, top)))))
    assert now(site.engine.get_all(SCOPE, POSITIONS)) == {}
