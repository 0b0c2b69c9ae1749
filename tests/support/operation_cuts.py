"""An operation on files that dies or fails at each of its steps: before or after, nothing between."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import pytest
from attrs import evolve, frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from onedata.errors import OnedataError
from op_worker.files.service import FileService
from tests.support.immediate import now
from tests.support.power_cuts import Fuse, FusedEngine, Trouble, bury, fused
from tests.support.spaces import SPACE, Site
from tests.support.store_checker import check_sound

_MOST_STEPS = 200
Operation = Callable[[FileService], Awaitable[object]]
S = TypeVar("S")


@frozen(eq=False)
class OperationCuts(Generic[S]):
    """One operation, and what must hold whatever happens to it.

    Attributes:
        prepared: makes the site that the operation begins with, anew each time.
        state_of: all that a user sees.
        check_nothing_left_over: what is stored fits together and belongs to the state; nothing is pending.
    """

    prepared: Callable[[], Site]
    operation: Operation
    state_of: Callable[[FileService], Awaitable[S]]
    check_nothing_left_over: Callable[[Site, S], Awaitable[None]]

    def before_and_after(self) -> tuple[S, S]:
        """Return what a user sees before and after the undisturbed operation."""
        site = self.prepared()
        files = now(site.process())
        before = now(self.state_of(files))
        now(self.operation(files))
        after = now(self.state_of(files))
        now(self.check_nothing_left_over(site, after))
        now(check_sound(site))
        return before, after

    def die_at_every_step(self, trouble: Trouble) -> None:
        """Let the process die at each call; the next one finds, and keeps, the state before or after."""
        before, after = self.before_and_after()
        seen = set()
        for step in range(_MOST_STEPS):
            site, fuse = self.prepared(), Fuse(trouble)
            files = troubled(site, fuse)
            fuse.at = step
            bury(_begun(self.operation(files)), files)
            if not fuse.has_blown:
                break
            survivor = now(site.process())
            seen_first = now(self.state_of(survivor))
            now(survivor.recover(SPACE))
            state = now(self.state_of(survivor))
            assert state in (before, after), f"step {step}"
            assert seen_first == state, f"step {step}: recovery changed what users see"
            now(self.check_nothing_left_over(site, state))
            seen.add(state == before)
        else:
            pytest.fail("the operation does not end")
        assert True in seen, "no step was reached"

    def fail_at_every_step(self, trouble: Trouble, number: int = errno.EIO) -> None:
        """Let each call fail; an operation that raises has changed nothing, unless the answer was lost."""
        before, after = self.before_and_after()
        for step in range(_MOST_STEPS):
            site, fuse = self.prepared(), Fuse(trouble, errno=number)
            files = troubled(site, fuse)
            fuse.at = step
            outcome: list[object] = []
            _begun(self.operation(files)).addBoth(outcome.append)
            _let_time_pass(site, outcome)
            if not fuse.has_blown:
                break
            state = now(self.state_of(files))
            if isinstance(outcome[0], Failure):
                assert outcome[0].check(OnedataError) is not None, outcome[0]
                allowed = (before, after) if trouble is Trouble.FAIL_AFTER else (before,)
                assert state in allowed, f"step {step}"
            else:
                assert state == after, f"step {step}"
            now(files.recover(SPACE))
            later = now(site.process())
            now(later.recover(SPACE))
            assert now(self.state_of(later)) == state
            now(self.check_nothing_left_over(site, state))
            bury(succeed(files.stopService()))
        else:
            pytest.fail("the operation does not end")


def troubled(site: Site, fuse: Fuse) -> FileService:
    """Return a process whose engine and storage pass the fuse."""
    wired = evolve(site, engine=FusedEngine(site.engine, fuse), helper=fused(site.helper, fuse))
    files = now(wired.process())
    fuse.calls = 0
    return files


def _begun(work: Awaitable[object]) -> Deferred[object]:
    return Deferred.fromCoroutine(work)  # type: ignore[arg-type]  # a coroutine


def _let_time_pass(site: Site, outcome: list[object]) -> None:
    """Turn the clock until the operation has ended and its retries are over."""
    assert isinstance(site.clock, Clock)
    for _ in range(40):
        site.clock.advance(1)
    assert outcome, "the operation hangs"
