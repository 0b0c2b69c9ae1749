"""Random operations of several users, against the namespace and against a model; they agree at each step.

``NAMESPACE_MODEL_EXAMPLES=2000`` makes the search longer (the default is what fits into every run),
``NAMESPACE_MODEL_SHRINK=1`` makes what it found shorter.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest
from greenlet import greenlet
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from pytest_twisted import async_yield_fixture, blockon, ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.embedded import EmbeddedRedis
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.runtime.pool import BlockingPool
from onedata.errors import Errno, Posix
from op_worker.auth.caller import Caller
from op_worker.files.model import CreateOptions, Existing, FileStat, MetadataChange
from op_worker.files.service import FileService
from op_worker.storage.helpers.posix.helper import PosixHelper
from tests.support.posix_model import Inode, Member, PosixModel, Refused
from tests.support.spaces import ALICE, BOB, OWNER, READER, SPACE, Site, body, names_in, owner, path, read

EXAMPLES = int(os.environ.get("NAMESPACE_MODEL_EXAMPLES", "150"))
STEPS = 30
UPDATE = CreateOptions(existing=Existing.UPDATE)
USERS: dict[str, Caller] = {name: Caller(name) for name in (OWNER, ALICE, BOB, READER)}

Choice = tuple[int, list[str]]

users = st.sampled_from([ALICE, BOB, ALICE, BOB, OWNER, READER])
names_of_files = st.sampled_from(["a", "b", "c"])
paths = st.tuples(st.integers(0, 12), st.lists(names_of_files, max_size=2))
"""A path to be: that of a file there is (by its number in order), with some names appended."""
modes = st.sampled_from([0o775, 0o770, 0o700, 0o755, 0o777, 0o1777, 0o664, 0o600, 0o000, 0o500])
contents = st.binary(max_size=12)
targets = st.sampled_from(["a", "b", "a/b", "../a", "../b/c", "./c", "../../..", "c/a/b"])


def wait(work: Awaitable[Any]) -> Any:
    """Return the result of work once it is there; the reactor runs meanwhile."""
    return blockon(Deferred.fromCoroutine(work))  # type: ignore[arg-type]  # a coroutine


def outcome(work: Awaitable[Any]) -> Any:
    """Return the result of work, or its errno."""
    try:
        return wait(work)
    except Posix as error:
        return error.errno


class Namespace(RuleBasedStateMachine):
    """Every rule does the same to both and compares what comes out."""

    make_site: ClassVar[Callable[[], Site]]

    @initialize()
    def begin(self) -> None:
        self.site = type(self).make_site()
        self.files: FileService = outcome(self.site.process())
        self.model = PosixModel(
            {
                OWNER: Member(OWNER, is_space_owner=True),
                ALICE: Member(ALICE),
                BOB: Member(BOB),
                READER: Member(READER, may_write=False),
            }
        )

    def both(self, work: Awaitable[object], change: Callable[[], object]) -> object:
        try:
            expected: object = change()
        except Refused as refusal:
            expected = refusal.errno
        found = outcome(work)
        assert (found if isinstance(found, Errno) else None) == (
            expected if isinstance(expected, Errno) else None
        )
        return found

    def chosen(self, choice: Choice) -> list[str]:
        """Return the path that a choice means now."""
        number, more = choice
        present = [list(names) for names, _ in self.model.walk()]
        base = present[number] if number < len(present) else []
        return [*base, *more] or ["a"]

    def same(self, work: Awaitable[object], look: Callable[[], object]) -> None:
        """Both give the same answer."""
        try:
            expected: object = look()
        except Refused as refusal:
            expected = refusal.errno
        assert outcome(work) == expected

    @rule(user=users, at=paths, mode=modes)
    def make_directory(self, user: str, at: Choice, mode: int) -> None:
        names = self.chosen(at)
        work = self.files.create_directory(USERS[user], target(names), CreateOptions(mode=mode))
        self.both(work, lambda: self.model.create(user, names, "DIR", mode))

    @rule(user=users, at=paths, mode=modes)
    def make_file(self, user: str, at: Choice, mode: int) -> None:
        names = self.chosen(at)
        work = self.files.create_file(USERS[user], target(names), CreateOptions(mode=mode))
        self.both(work, lambda: self.model.create(user, names, "REG", mode))

    @rule(user=users, at=paths, points_to=targets)
    def make_symlink(self, user: str, at: Choice, points_to: str) -> None:
        names = self.chosen(at)
        options = CreateOptions(symlink_target=points_to)
        work = self.files.create_symlink(USERS[user], target(names), options)
        self.both(work, lambda: self.model.create(user, names, "SYMLNK", 0o777, points_to))

    @rule(user=users, at=paths, content=contents)
    def put(self, user: str, at: Choice, content: bytes) -> None:
        names = self.chosen(at)
        work = self.files.replace_content(
            USERS[user], target(names), body(content), expected_b=len(content), create=UPDATE
        )
        self.both(work, lambda: self.model.put(user, names, content))

    @rule(user=users, at=paths, offset_b=st.integers(0, 20), content=contents.filter(bool))
    def write(self, user: str, at: Choice, offset_b: int, content: bytes) -> None:
        names = self.chosen(at)
        work = self.files.write_content(USERS[user], target(names), offset_b, body(content), expected_b=None)
        self.both(work, lambda: self.model.write(user, names, offset_b, content))

    @rule(user=users, at=paths, size_b=st.integers(0, 25))
    def truncate(self, user: str, at: Choice, size_b: int) -> None:
        names = self.chosen(at)
        work = self.files.truncate(USERS[user], target(names), size_b)
        self.both(work, lambda: self.model.truncate(user, names, size_b))

    @rule(user=users, source_at=paths, goal_at=paths)
    def move(self, user: str, source_at: Choice, goal_at: Choice) -> None:
        source = self.chosen(source_at)
        goal = self.chosen(goal_at)
        work = self.files.move(USERS[user], target(source), target(goal))
        self.both(work, lambda: self.model.move(user, source, goal))

    @rule(user=users, original_at=paths, at=paths)
    def link(self, user: str, original_at: Choice, at: Choice) -> None:
        original = self.chosen(original_at)
        names = self.chosen(at)
        stat = outcome(self.files.stat(USERS[user], target(original)))
        if isinstance(stat, FileStat):
            work = self.files.create_link(USERS[user], target(names), stat.guid, CreateOptions())
            self.both(work, lambda: self.model.link(user, original, names))

    @rule(user=users, at=paths)
    def remove(self, user: str, at: Choice) -> None:
        names = self.chosen(at)
        self.both(self.files.remove(USERS[user], target(names)), lambda: self.model.remove(user, names))

    @rule(user=users, at=paths)
    def remove_empty(self, user: str, at: Choice) -> None:
        names = self.chosen(at)
        work = self.files.remove_empty(USERS[user], target(names))
        self.both(work, lambda: self.model.remove(user, names, empty_only=True))

    @rule(user=users, at=paths, mode=modes)
    def set_mode(self, user: str, at: Choice, mode: int) -> None:
        names = self.chosen(at)
        work = self.files.set_mode(USERS[user], target(names), mode)
        self.both(work, lambda: self.model.set_mode(user, names, mode))

    @rule(user=users, at=paths, value=st.sampled_from(["x", "y"]))
    def set_xattr(self, user: str, at: Choice, value: str) -> None:
        names = self.chosen(at)
        change = MetadataChange(set_xattrs={"k": value})
        work = self.files.metadata.change(USERS[user], target(names), change)
        self.both(work, lambda: self.model.set_xattr(user, names, "k", value))

    @rule(user=users, at=paths)
    def look(self, user: str, at: Choice) -> None:
        names = self.chosen(at)
        caller = USERS[user]
        self.same(read(self.files, target(names), caller), lambda: self.model.read(user, names))
        self.same(names_in(self.files, target(names), caller), lambda: self.model.names_in(user, names))
        self.same(self.files.metadata.xattrs(caller, target(names)), lambda: self.model.xattrs(user, names))

    @rule()
    def restart(self) -> None:
        self.files = outcome(self.site.process())
        outcome(self.files.recover(SPACE))

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        page = outcome(self.files.list_recursive(owner, path(""), limit=999, include_directories=True))
        found = {tuple(name.split("/")): stat for name, stat in page.items}
        expected = dict(self.model.walk())
        assert sorted(found) == sorted(expected)
        for names, inode in expected.items():
            self.agree(names, found[names], inode)

    def agree(self, names: tuple[str, ...], stat: FileStat, inode: Inode) -> None:
        assert stat.type == inode.kind
        assert (stat.owner, stat.mode, stat.hardlinks) == (inode.owner, inode.mode, inode.links)
        if inode.kind == "REG":
            assert stat.size_b == len(inode.data)
            assert outcome(read(self.files, target(names))) == bytes(inode.data)
        elif inode.kind == "SYMLNK":
            assert stat.symlink_target == inode.target


def target(names: Any) -> Any:
    """A file by its names below the root of the space."""
    return path("/".join(names))


@async_yield_fixture(params=["memory", "redis and posix"])
async def make_site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Callable[[], Site]]:
    """How each example gets an engine and a storage of its own (of Redis: an emptied one)."""
    if request.param == "memory":
        yield Site
        return
    server = EmbeddedRedis(reactor, str(tmp_path / "redis"))
    server.startService()
    engine = RedisEngine(reactor, server.address, RedisConfig())
    engine.startService()
    await engine.wait_ready()
    pool = BlockingPool(cast(Any, reactor), 2)
    pool.startService()
    numbers = count()

    def fresh() -> Site:
        wait(engine._command(b"FLUSHALL", b"SYNC"))  # the engine itself has no way to forget everything
        folder = tmp_path / f"storage{next(numbers)}"
        folder.mkdir()
        return Site(engine, PosixHelper(str(folder), pool), cast(Any, reactor), pool)

    yield fresh
    pool.stopService()
    await engine.stopService()
    await server.stopService()


@pytest.mark.slow
@pytest.mark.timeout(3600 if "NAMESPACE_MODEL_EXAMPLES" in os.environ else 240)
@ensureDeferred
async def test_the_namespace_does_what_the_model_does(make_site: Callable[[], Site]) -> None:
    machine = type("Machine", (Namespace,), {"make_site": staticmethod(make_site)})
    search = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.generate, *([Phase.shrink] if "NAMESPACE_MODEL_SHRINK" in os.environ else [])],
    )
    await beside_the_reactor(lambda: run_state_machine_as_test(machine, settings=search))


def beside_the_reactor(work: Callable[[], None]) -> Deferred[None]:
    """Run ``work``, which waits by ``blockon``, in a greenlet of its own."""
    done: Deferred[None] = Deferred()

    def run() -> None:
        try:
            work()
        except BaseException:  # noqa: BLE001 - the test that waits raises it
            reactor.callLater(0, done.errback, Failure())
        else:
            reactor.callLater(0, done.callback, None)

    greenlet(run).switch()
    return done
