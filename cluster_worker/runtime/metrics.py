"""What every daemon tells Prometheus, and the parts that other metrics are made of.

Numbers are counted in plain attributes where things happen, and become samples only when somebody asks
(a *collector*: an object with ``collect()``): on the way of a request counting costs a fraction of a
microsecond. There is one registry for each daemon, made in its composition root.
"""

from __future__ import annotations

import platform
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from attrs import frozen
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

LATENCIES_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the buckets in which durations are counted, in seconds."""


class Histogram:
    """Counts values by size. ``add`` is cheap."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float] = LATENCIES_S) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    @property
    def count(self) -> int:
        """How many values were counted."""
        return sum(self._counts)

    def merge(self, other: Histogram) -> None:
        """Count what ``other``, which has the same bounds, has counted."""
        self._counts = [own + more for own, more in zip(self._counts, other._counts, strict=True)]
        self._sum += other._sum

    def put_into(self, family: HistogramMetricFamily, labels: Sequence[str] = ()) -> None:
        """Add the samples to a family."""
        buckets: list[tuple[str, float]] = []
        total = 0
        for bound, number in zip([*map(repr, self._bounds), "+Inf"], self._counts, strict=True):
            total += number
            buckets.append((bound, total))
        family.add_metric(list(labels), buckets, self._sum)


@frozen
class DaemonInfo:
    """Which daemon it is: ``op_worker`` and the like, its release, and its name in its cluster."""

    daemon: str
    release: str
    node: str


class BuildInfo(Collector):
    """One sample, always 1, whose labels say what runs."""

    def __init__(self, info: DaemonInfo) -> None:
        self._labels = [info.daemon, info.release, info.node, platform.python_version()]

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(
            "onedata_build_info",
            "What runs here; always 1.",
            labels=["daemon", "release", "node", "python"],
        )
        family.add_metric(self._labels, 1)
        yield family


@runtime_checkable
class Refreshable(Protocol):
    """A collector that has to ask somebody before it can tell the present."""

    async def refresh(self) -> None:
        """Ask. Does not raise: what could not be found out is left out."""


class Replaceable(Collector):
    """Collectors that are made anew from time to time, such as those of a boot."""

    def __init__(self) -> None:
        self._current: tuple[Collector, ...] = ()

    def use(self, collectors: Iterable[Collector]) -> None:
        """Collect from these from now on, no longer from those before."""
        self._current = tuple(collectors)

    async def refresh(self) -> None:
        """Refresh those that need it."""
        for collector in self._current:
            if isinstance(collector, Refreshable):
                await collector.refresh()

    def collect(self) -> Iterable[Metric]:
        for collector in self._current:
            yield from collector.collect()


def make_registry(info: DaemonInfo) -> CollectorRegistry:
    """Return the registry of a daemon, with what runs and what its process uses."""
    registry = CollectorRegistry()
    registry.register(BuildInfo(info))
    ProcessCollector(namespace="onedata", registry=registry)
    return registry
