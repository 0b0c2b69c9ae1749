"""How busy this machine is: the figures of a heartbeat."""

from __future__ import annotations

from typing import Protocol

import psutil
from attrs import frozen
from twisted.internet.interfaces import IReactorTime


@frozen
class MachineLoad:
    """All in per cent, 0 to 100."""

    cpu: float
    mem: float
    net: float


class LoadMeter(Protocol):
    """Measures the load since the last measurement."""

    def measure(self) -> MachineLoad:
        """Return the load. Reads files of the kernel: called on a pool, one call at a time."""


_BYTES_PER_MEGABIT = 125_000


class MachineMeter:
    """Measures this machine through psutil; the first measurement covers no time and counts as idle."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._traffic_b = 0
        self._measured_at_s: float | None = None

    def measure(self) -> MachineLoad:
        memory = psutil.virtual_memory()
        used: float = 100.0 * (memory.total - memory.available) / memory.total
        return MachineLoad(float(psutil.cpu_percent(interval=None)), used, self._net())

    def _net(self) -> float:
        """Traffic of all real interfaces against their speed; 0 where the speed is not known."""
        speeds = {
            name: stats.speed for name, stats in psutil.net_if_stats().items() if stats.isup and stats.speed
        }
        counters = psutil.net_io_counters(pernic=True)
        known = [counters[name] for name in speeds if name in counters]
        traffic_b = sum(counter.bytes_sent + counter.bytes_recv for counter in known)
        now = self._clock.seconds()
        before_b, before_s = self._traffic_b, self._measured_at_s
        self._traffic_b, self._measured_at_s = traffic_b, now
        if before_s is None or now <= before_s or not speeds:
            return 0.0
        possible_b: float = sum(speeds.values()) * _BYTES_PER_MEGABIT * (now - before_s)
        share: float = 100.0 * (traffic_b - before_b) / possible_b
        return min(100.0, max(0.0, share))
