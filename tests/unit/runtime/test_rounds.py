"""Work that is asked for again and again runs once at a time, and once more when asked meanwhile."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from cluster_worker.runtime.rounds import Rounds
from cluster_worker.runtime.services import TaskOwner


class Away(Exception):
    """What passes."""


class Bench:
    """Rounds whose every run waits for the test."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, Deferred[None]]] = []
        self.rounds: Rounds[str] = Rounds("work", TaskOwner(), self._work, (Away,))

    async def _work(self, key: str) -> None:
        turn: Deferred[None] = Deferred()
        self.waiting.append((key, turn))
        await turn

    @property
    def keys(self) -> list[str]:
        return [key for key, _ in self.waiting]

    def end(self, error: Exception | None = None) -> None:
        _, turn = self.waiting.pop(0)
        if error is None:
            turn.callback(None)
        else:
            turn.errback(error)


def test_each_key_runs_by_itself_and_once_at_a_time() -> None:
    bench = Bench()
    for key in "aba":
        bench.rounds.soon(key)
    assert bench.keys == ["a", "b"]


def test_however_often_it_is_asked_meanwhile_one_more_round_follows() -> None:
    bench = Bench()
    for _ in range(3):
        bench.rounds.soon("a")
    bench.end()
    assert bench.keys == ["a"]
    bench.end()
    assert bench.keys == []


def test_what_passes_ends_the_rounds_with_a_warning_and_whoever_asks_next_begins_anew() -> None:
    bench = Bench()
    bench.rounds.soon("a")
    bench.rounds.soon("a")
    with capturedLogs() as logs:
        bench.end(Away("now"))
    assert [event["log_level"].name for event in logs] == ["warn"]
    assert bench.keys == []
    bench.rounds.soon("a")
    bench.end()
    assert bench.keys == []
