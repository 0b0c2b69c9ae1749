"""What Prometheus is told of spaces and, where the operator wants that, of their users."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from op_worker.files.tallies import OTHERS, Tally
from op_worker.metrics.service import MetricsService
from op_worker.storage.registry import Storages

_SPACE = ("space", "provider", "storage")
_USER = ("space", "user", "provider", "storage")


class SpaceMetrics(Collector):
    """Gauges of the spaces that this node samples, counters of what passed through it.

    Labels are bounded: spaces are those supported here, users at most ``MOST_TALLIES`` with spaces,
    those of a gauge ``MOST_USERS`` of each space.
    """

    def __init__(self, metrics: MetricsService, storages: Storages) -> None:
        self._metrics, self._storages = metrics, storages

    def collect(self) -> Iterable[Metric]:
        self._metrics.flushing.collect()
        yield from self._gauges()
        yield from self._counters()

    def _gauges(self) -> Iterable[Metric]:
        used = GaugeMetricFamily(
            "onedata_space_storage_used_bytes",
            "Bytes that a space takes on its storage, at the last sample.",
            labels=_SPACE,
        )
        quota = GaugeMetricFamily(
            "onedata_space_storage_quota_bytes",
            "The most bytes that its support gives a space.",
            labels=_SPACE,
        )
        connected = GaugeMetricFamily(
            "onedata_space_connected_users",
            "Users who did something in a space in the five minutes before the last sample.",
            labels=_SPACE,
        )
        of_users = GaugeMetricFamily(
            "onedata_space_user_storage_used_bytes",
            "Bytes that a user holds in a space, at the last sample.",
            labels=_USER,
        )
        provider = self._metrics.provider_id()
        for space_id, one in self._metrics.keeping.gauges.items():
            for storage_id, (used_b, quota_b) in one.storages.items():
                used.add_metric([space_id, provider, storage_id], used_b)
                quota.add_metric([space_id, provider, storage_id], quota_b)
            first = next(iter(one.storages))  # what is not told by storage stands at the first one
            connected.add_metric([space_id, provider, first], one.connected)
            for user_id, used_b in one.held.items() if self._metrics.passed.has_users else ():
                of_users.add_metric([space_id, user_id, provider, first], used_b)
        yield from (used, quota, connected, of_users)

    def _counters(self) -> Iterable[Metric]:
        passed, provider = self._metrics.passed, self._metrics.provider_id()
        families = _families("onedata_space", "in a space", _SPACE)
        of_users = _families("onedata_space_user", "by a user in a space", _USER)
        spaces: dict[str, Tally] = {}
        for (space_id, user_id), tally in passed.totals.items():
            spaces.setdefault(space_id, Tally()).add(tally)
            support = self._storages.for_space(space_id)
            if user_id != OTHERS and support is not None:
                _add(of_users, [space_id, user_id, provider, support.storage.storage_id], tally)
        for support in self._storages.supported():
            tally = spaces.get(support.space_id, Tally())
            _add(families, [support.space_id, provider, support.storage.storage_id], tally)
        yield from (*families, *of_users)


def _families(start: str, where: str, labels: tuple[str, ...]) -> list[CounterMetricFamily]:
    return [
        CounterMetricFamily(f"{start}_read_bytes", f"Bytes of files read {where}.", labels=labels),
        CounterMetricFamily(f"{start}_written_bytes", f"Bytes of files written {where}.", labels=labels),
        CounterMetricFamily(
            f"{start}_read_operations", f"Pieces of up to 1 MiB read {where}.", labels=labels
        ),
        CounterMetricFamily(
            f"{start}_write_operations", f"Pieces of up to 1 MiB written {where}.", labels=labels
        ),
    ]


def _add(families: list[CounterMetricFamily], labels: list[str], tally: Tally) -> None:
    for family, number in zip(families, tally.numbers, strict=True):
        family.add_metric(labels, number)
