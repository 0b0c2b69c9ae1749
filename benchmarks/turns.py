"""Two ways of the same work, measured in turns, so that what else runs on the machine slows both.

The rate is what a client sees; on a busy machine it varies. The processor time that the server needed for it
hardly does.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from attrs import frozen

Work = Callable[[], Awaitable[float]]
"""Does some work; returns how much it was: requests, or megabytes."""


@frozen
class Turn:
    """One measurement."""

    amount: float
    seconds: float
    processor_s: float

    @property
    def rate(self) -> float:
        """How much was done in a second."""
        return self.amount / self.seconds

    @property
    def cost_us(self) -> float:
        """Microseconds of the server's processor time for each unit."""
        return self.processor_s / self.amount * 1e6


Pair = tuple[Turn, Turn]


def processor_s(pid: int) -> float:
    """Return the processor time that the threads of a process have used."""
    used_ns = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            used_ns += int((thread / "schedstat").read_text().split()[0])
        except OSError:
            continue  # it ended just now
    return used_ns / 1e9


async def take_turns(pid: int, rounds: int, ours: Work, theirs: Work) -> list[Pair]:
    """Measure both ``rounds`` times; each is the first of the two every other time.

    Args:
        pid: of the server.
    """
    pairs = []
    for number in range(rounds):
        if number % 2:
            other = await _measure(pid, theirs)
            pairs.append((await _measure(pid, ours), other))
        else:
            one = await _measure(pid, ours)
            pairs.append((one, await _measure(pid, theirs)))
    return pairs


async def _measure(pid: int, work: Work) -> Turn:
    os.sync()  # nothing is left to be written that an earlier turn began
    used, began = processor_s(pid), time.perf_counter()
    amount = await work()
    return Turn(amount, time.perf_counter() - began, processor_s(pid) - used)


def report(what: str, ours: str, theirs: str, pairs: Sequence[Pair], unit: str) -> None:
    """Print the median of the rates and of the processor times, and the medians of the ratios of the pairs.

    Both ratios are how much better ``ours`` is, so 1 is as good and 0.5 is half as good.
    """
    rate = statistics.median(one.rate / other.rate for one, other in pairs)
    cost = statistics.median(other.cost_us / one.cost_us for one, other in pairs)
    rates = [statistics.median(turn.rate for turn in turns) for turns in zip(*pairs, strict=True)]
    costs = [statistics.median(turn.cost_us for turn in turns) for turns in zip(*pairs, strict=True)]
    print(
        f"{what:36} {ours} {rates[0]:.0f} {unit}/s, {theirs} {rates[1]:.0f} {unit}/s, ratio {rate:.2f}; "
        f"processor {costs[0]:.0f} and {costs[1]:.0f} µs/{unit}, ratio {cost:.2f}",
        flush=True,
    )
