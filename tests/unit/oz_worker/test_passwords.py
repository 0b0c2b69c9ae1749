"""Logging in: right and wrong passwords, the memory for right ones, locks."""

from __future__ import annotations

import os
from typing import Any

import pytest
from argon2 import PasswordHasher
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import Clock

from cluster_worker.runtime.pool import Inline
from oz_worker.passwords import CACHE_S, MOST_WAITING, Passwords, WrongPassword
from oz_worker.records import User
from oz_worker.throttle import LoginThrottle, ThrottleLimits
from tests.unit.oz_worker.zone_records import user

HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


class Counting(Inline):
    """Counts how often hashes are computed."""

    def __init__(self) -> None:
        self.calls = 0

    async def run(self, work: Any, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return work(*args, **kwargs)


class World:
    """One user with a password, and a clock."""

    def __init__(self, limits: ThrottleLimits | None = None) -> None:
        self.clock, self.blocking = Clock(), Counting()
        throttle = LoginThrottle(limits or ThrottleLimits())
        self.passwords = Passwords(self.clock, self.blocking, throttle, HASHER, os.urandom)
        self.user = user("anna", password_hash=HASHER.hash("right"))

    def find(self, name: str) -> User | None:
        return self.user if name == "anna" else None

    async def log_in(self, password: str, name: str = "anna", address: str = "a") -> User:
        return await self.passwords.log_in(name, password, address, self.find)


@ensureDeferred
async def test_right_password_is_computed_once_a_minute() -> None:
    world = World()
    for _ in range(5):
        assert (await world.log_in("right")).id == "anna"
    assert world.blocking.calls == 1
    world.clock.advance(CACHE_S + 1)
    await world.log_in("right")
    assert world.blocking.calls == 2


@ensureDeferred
async def test_changed_password_ends_the_memory_of_the_old() -> None:
    world = World()
    await world.log_in("right")
    world.user = user("anna", password_hash=HASHER.hash("changed"))
    with pytest.raises(WrongPassword):
        await world.log_in("right")


@ensureDeferred
async def test_unknown_name_costs_as_much_as_a_known_one() -> None:
    world = World()
    await world.passwords._decoy_hash()
    before = world.blocking.calls
    with pytest.raises(WrongPassword):
        await world.log_in("right", name="nobody")
    assert world.blocking.calls == before + 1


@ensureDeferred
async def test_locked_name_is_not_even_tried() -> None:
    world = World(ThrottleLimits(free_per_user=1, first_lock_s=10.0))
    for _ in range(2):
        with pytest.raises(WrongPassword):
            await world.log_in("wrong")
    before = world.blocking.calls
    with pytest.raises(WrongPassword) as caught:
        await world.log_in("right")
    assert caught.value.retry_after_s == 10.0 and world.blocking.calls == before
    world.clock.advance(10.0)
    assert (await world.log_in("right")).id == "anna"


@ensureDeferred
async def test_user_without_a_password_cannot_log_in() -> None:
    world = World()
    world.user = user("anna")
    with pytest.raises(WrongPassword):
        await world.log_in("")


@ensureDeferred
async def test_tries_at_the_same_time_gain_nothing_over_the_lock() -> None:
    world = World(ThrottleLimits(free_per_user=2, first_lock_s=60.0))
    waiting: list[Deferred[None]] = []

    async def slow(work: Any, *args: Any, **kwargs: Any) -> Any:
        turn: Deferred[None] = Deferred()
        waiting.append(turn)
        await turn
        return work(*args, **kwargs)

    world.blocking.run = slow  # type: ignore[method-assign]  # a pool that answers when told
    tries = [Deferred.fromCoroutine(world.log_in(f"guess {n}")) for n in range(MOST_WAITING + 5)]
    outcomes = gatherResults([each.addErrback(lambda failure: failure.value) for each in tries])
    computed = 0
    while waiting:
        computed += 1
        waiting.pop().callback(None)
    assert all(isinstance(outcome, WrongPassword) for outcome in await outcomes)
    assert computed == 3
