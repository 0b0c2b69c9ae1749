"""Calls of C libraries on a few threads: given up in time, in order, to their end."""

from __future__ import annotations

import errno
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from op_worker.storage.helper import StorageUnavailable
from op_worker.storage.helpers.native.pool import NativePool


def pool(size: int = 1, timeout_s: float = 30.0) -> NativePool:
    return NativePool(reactor, size, timeout_s, "test")


def running(made: NativePool, work: Callable[[], Any], **how: Any) -> Deferred[Any]:
    return Deferred.fromCoroutine(made.run(work, **how))


async def nothing() -> None:
    await deferLater(reactor, 0)


@ensureDeferred
async def test_results_and_errors_of_calls_pass_through() -> None:
    made = pool()
    assert await made.run(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await made.run(lambda: 1 // 0)
    await made.close(lambda: None)


@ensureDeferred
async def test_a_call_given_up_before_its_turn_is_never_made() -> None:
    made, gate, calls, ended = pool(), Event(), [], []
    first = running(made, gate.wait)
    second = running(made, lambda: calls.append(2), ended=lambda: ended.append(2))
    second.cancel()
    with pytest.raises(CancelledError):
        await second
    gate.set()
    await first
    await made.close(lambda: None)
    assert (calls, ended) == ([], [2])


@ensureDeferred
async def test_what_a_call_that_was_given_up_brings_is_taken_back() -> None:
    made, gate = pool(), Event()
    undone: list[str] = []

    def open_it() -> str:
        gate.wait()
        return "handle"

    late = running(made, open_it, undo=undone.append)
    await nothing()
    late.cancel()
    with pytest.raises(CancelledError):
        await late
    gate.set()
    await made.close(lambda: None)
    assert undone == ["handle"]


@ensureDeferred
async def test_nobody_waits_longer_than_the_timeout_and_the_pool_goes_on() -> None:
    made, gate = pool(timeout_s=0.02), Event()
    with pytest.raises(StorageUnavailable) as caught:
        await made.run(gate.wait)
    assert caught.value.errno == errno.ETIMEDOUT
    gate.set()
    assert await made.run(lambda: 1) == 1
    await made.close(lambda: None)


@ensureDeferred
async def test_what_has_to_be_finished_is_finished_also_when_nobody_waits() -> None:
    made, gate, steps = pool(), Event(), []

    async def work() -> None:
        await made.run_whole(gate.wait)
        steps.append("first")
        await made.run_whole(lambda: steps.append("second"))

    waiting = Deferred.fromCoroutine(made.finish(work()))
    waiting.cancel()
    with pytest.raises(CancelledError):
        await waiting
    gate.set()
    await made.close(lambda: steps.append("last"))
    assert steps == ["first", "second", "last"]


@ensureDeferred
async def test_a_closed_pool_serves_open_files_and_ends_with_the_last() -> None:
    made, ends = pool(), []
    made.file_opened()
    await made.close(lambda: ends.append(1))
    assert await made.run(lambda: 1) == 1
    assert ends == []
    made.file_closed()
    await nothing()
    assert ends == [1]
    await made.close(lambda: ends.append(2))
    assert ends == [1]
