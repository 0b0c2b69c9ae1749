"""Guessing the password of a share is slow, knowing it is fast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from argon2 import PasswordHasher
from attrs import define, evolve
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from onedata.ids import FileUuid, ShareId, SpaceId, UserId
from op_worker.auth.throttle import FailureThrottle
from op_worker.files.model import FileType
from op_worker.files.stored.share_records import Share
from op_worker.shares.passwords import (
    MOST_AT_ONCE,
    MOST_REMEMBERED,
    REMEMBERED_S,
    SharePasswords,
    WrongSharePassword,
)

HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
RIGHT = "correct horse"
SHARE = Share(
    share_id=ShareId("1"),
    space_id=SpaceId("2"),
    root=FileUuid("3"),
    type=FileType.REG,
    name="share",
    description="",
    creator=UserId("4"),
    created_s=0,
    password_hash=HASHER.hash(RIGHT),
)


@define(eq=False)
class Counting:
    """Runs calls at once and counts them; while ``held`` they wait."""

    calls: int = 0
    held: Deferred[None] | None = None

    async def run(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        if self.held is not None:
            waiter: Deferred[None] = Deferred()
            self.held.chainDeferred(waiter)
            self.held = waiter
            await waiter
        return work(*args, **kwargs)


def make(clock: Clock, blocking: Counting, free: int = 3) -> SharePasswords:
    return SharePasswords(clock, blocking, lambda size: bytes(size), HASHER, FailureThrottle(free=free))


async def wrong(passwords: SharePasswords, address: str = "a", share: Share = SHARE) -> float:
    with pytest.raises(WrongSharePassword) as caught:
        await passwords.check(share, "a wrong one", address)
    return caught.value.retry_after_s


@ensureDeferred
async def test_a_right_password_is_hashed_once_in_a_while() -> None:
    clock, blocking = Clock(), Counting()
    passwords = make(clock, blocking)
    await passwords.check(SHARE, RIGHT, "a")
    await passwords.check(SHARE, RIGHT, "another address")
    assert blocking.calls == 1
    clock.advance(REMEMBERED_S)
    await passwords.check(SHARE, RIGHT, "a")
    assert blocking.calls == 2


@ensureDeferred
async def test_a_remembered_password_opens_nothing_once_the_hash_changed() -> None:
    passwords = make(Clock(), Counting())
    await passwords.check(SHARE, RIGHT, "a")
    with pytest.raises(WrongSharePassword):
        await passwords.check(evolve(SHARE, password_hash=HASHER.hash("another one")), RIGHT, "a")


@ensureDeferred
async def test_guesses_wait_longer_and_longer_without_being_hashed() -> None:
    clock, blocking = Clock(), Counting()
    passwords = make(clock, blocking)
    assert [await wrong(passwords) for _ in range(5)] == [0, 0, 0, 0, 1.0]
    assert blocking.calls == 4
    with pytest.raises(WrongSharePassword):  # nor is the right one tried while the address has to wait
        await passwords.check(SHARE, RIGHT, "a")
    clock.advance(1.0)
    assert (await wrong(passwords), await wrong(passwords)) == (0, 2.0)
    await passwords.check(SHARE, RIGHT, "b")
    assert await wrong(passwords, share=evolve(SHARE, share_id=ShareId("other"))) == 0


@ensureDeferred
async def test_many_guesses_at_once_gain_nothing() -> None:
    blocking = Counting(held=Deferred())
    passwords = make(Clock(), blocking)
    first = blocking.held
    outcomes: list[float] = []
    tries = [Deferred.fromCoroutine(wrong(passwords)).addCallback(outcomes.append) for _ in range(20)]
    assert blocking.calls == 1
    blocking.held = None
    assert first is not None
    first.callback(None)
    for one in tries:
        await one
    assert (blocking.calls, outcomes.count(0), len(outcomes)) == (4, 4, 20)


@ensureDeferred
async def test_few_passwords_are_hashed_at_the_same_time_whoever_asks() -> None:
    blocking = Counting(held=Deferred())
    passwords = make(Clock(), blocking)
    first = blocking.held
    tries = [Deferred.fromCoroutine(wrong(passwords, address=str(number))) for number in range(10)]
    assert blocking.calls == MOST_AT_ONCE
    blocking.held = None
    assert first is not None
    first.callback(None)
    for one in tries:
        await one
    assert blocking.calls == 10


@ensureDeferred
async def test_what_no_share_has_as_its_password_is_not_hashed() -> None:
    blocking = Counting()
    passwords = make(Clock(), blocking)
    with pytest.raises(WrongSharePassword):
        await passwords.check(SHARE, "x" * 100_000, "a")
    assert blocking.calls == 0
    with pytest.raises(WrongSharePassword):
        await passwords.check(evolve(SHARE, password_hash="no hash"), RIGHT, "a")
    with pytest.raises(WrongSharePassword):
        await passwords.check(SHARE, "half a \ud800 letter", "b")


@ensureDeferred
async def test_a_bounded_number_of_passwords_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("op_worker.shares.passwords.MOST_REMEMBERED", 1)
    assert MOST_REMEMBERED > 1
    blocking = Counting()
    passwords = make(Clock(), blocking)
    other = evolve(SHARE, password_hash=HASHER.hash(RIGHT))
    for share in (SHARE, other, SHARE):
        await passwords.check(share, RIGHT, "a")
    assert blocking.calls == 3
