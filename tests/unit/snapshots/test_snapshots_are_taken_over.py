"""A snapshot whose node died is made by another node, and what wakes up later changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred

from cluster_worker.persistence.engine import Key, Scope
from onedata.ids import trash_uuid
from op_worker.files.model import CreateOptions
from op_worker.files.service import FileService
from op_worker.files.stored.detached import DETACHED
from op_worker.snapshots.records import Status
from op_worker.snapshots.service import Snapshots
from op_worker.snapshots.watching import SnapshotWatch, Watching
from op_worker.storage.helpers.memory import MemoryHelper
from tests.support.immediate import now
from tests.support.job_nodes import JobNodes
from tests.support.nodes_and_a_store import Surroundings
from tests.support.spaces import SPACE, Site, body, live, owner, path, read

SHOWN = "c/cdmi_snapshots/s"
FILES = 150
SCOPE = Scope(SPACE)

pytestmark = pytest.mark.slow


@define(eq=False)
class Provider:
    """Nodes that take snapshots."""

    jobs: JobNodes = field(factory=lambda: JobNodes(Surroundings(), scopes=(SCOPE,)))
    helper: MemoryHelper = field(factory=MemoryHelper)
    files: dict[str, FileService] = field(factory=dict)
    snapshots: dict[str, Snapshots] = field(factory=dict)

    @property
    def around(self) -> Surroundings:
        return self.jobs.around

    def start(self, name: str) -> None:
        node: Any = self.around.node(name)
        site = Site(engine=node.engine, helper=self.helper, clock=node.clock)
        site.random.seed(name)
        files = self.files[name] = now(site.process(name))
        live(files)
        self.around.services.append(files.context.lives)
        jobs = self.jobs.on(name)
        snapshots = self.snapshots[name] = Snapshots(
            files, clock=node.clock, patience_s=0.2, watching=Watching(jobs)
        )
        jobs.offer(SnapshotWatch(snapshots))
        self.around.start(snapshots)

    def begin(self, name: str) -> None:
        """Let a slow node take a snapshot, and wait until it is in the middle of it."""
        self.around.node(name).engine.lag_s = 0.05
        taken = self.later(self.snapshots[name].take(owner, path("c"), "s"))
        self.around.advance(4.0)
        assert taken == [False], "it is made behind"
        assert now(self.around.store.count(SCOPE, DETACHED)) == 1

    @staticmethod
    def later(work: Awaitable[Any]) -> list[Any]:
        results: list[Any] = []
        Deferred.fromCoroutine(work).addBoth(results.append)  # type: ignore[arg-type]  # a coroutine
        return results

    def status(self, name: str) -> Status:
        return now(self.snapshots[name].status(now(self.files[name].stat(owner, path(SHOWN)))))

    def check_complete(self, name: str) -> None:
        assert self.status(name).is_complete
        for number in range(FILES):
            assert now(read(self.files[name], path(f"{SHOWN}/{number}"))) == b"as it was"
        assert now(self.around.store.count(SCOPE, DETACHED)) == 0
        assert now(self.around.store.count(SCOPE, Key(trash_uuid(SPACE)))) == 0


@pytest.fixture
def provider() -> Iterator[Provider]:
    found = Provider()
    for name in ("a", "b"):
        found.start(name)
    create = CreateOptions(create_parents=True)
    for number in range(FILES):
        file = path(f"c/{number}")
        now(found.files["b"].replace_content(owner, file, body(b"as it was"), expected_b=9, create=create))
    found.around.advance(3.0)
    yield found
    for node in found.around.nodes.values():
        node.engine.lag_s = 0.0
    found.around.advance(1.0)
    found.around.end()


def test_another_node_makes_it_within_seconds_and_the_first_writes_no_more(provider: Provider) -> None:
    provider.begin("a")
    provider.around.sleep("a")
    provider.around.advance(2.0)
    assert provider.status("b").percent is not None
    assert not provider.status("b").error
    provider.around.advance(6.0)
    provider.check_complete("b")
    provider.around.node("a").engine.lag_s = 0.0
    provider.around.wake("a")
    provider.around.advance(5.0)
    provider.check_complete("b")


def test_another_node_makes_what_a_node_leaves_that_stops(provider: Provider) -> None:
    provider.begin("a")
    provider.around.node("a").engine.lag_s = 0.0
    provider.snapshots["a"].stopService()
    provider.around.advance(3.0)
    provider.jobs.nodes["a"].stopService()
    provider.around.advance(6.0)
    provider.check_complete("b")


def test_one_that_was_deleted_is_not_begun_anew_and_its_node_writes_no_more(provider: Provider) -> None:
    provider.begin("a")
    provider.around.sleep("a")
    provider.around.advance(1.0)
    removed = provider.later(provider.snapshots["b"].remove(owner, path(SHOWN)))
    provider.around.advance(10.0)
    assert removed == [None]
    assert now(provider.snapshots["b"].names(owner, now(provider.files["b"].stat(owner, path("c"))))) == []
    assert now(provider.around.store.count(SCOPE, DETACHED)) == 0
    provider.around.wake("a")
    provider.around.advance(5.0)
    assert now(provider.snapshots["b"].names(owner, now(provider.files["b"].stat(owner, path("c"))))) == []
    assert now(provider.around.store.count(SCOPE, DETACHED)) == 0
