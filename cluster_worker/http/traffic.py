"""What goes through the HTTP doors of a daemon, counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from cluster_worker.runtime.metrics import Histogram

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

OTHER = "other"
_METHODS = {name.encode(): name for name in ("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS")}
_STATUS_CLASSES = {number: f"{number}xx" for number in range(1, 6)}


class CountsOpen(Protocol):
    """What a site knows of the present."""

    @property
    def connection_count(self) -> int: ...

    @property
    def request_count(self) -> int: ...


class _Tally:
    """What was counted of the requests that look the same."""

    __slots__ = ("durations", "received_b", "sent_b")

    def __init__(self) -> None:
        self.durations = Histogram()
        self.received_b = self.sent_b = 0


class Traffic(Collector):
    """Counts answered requests by door, method and status.

    Args:
        doors: where in the tree a door is mounted → its name. Requests for other places are ``other``.

    Attributes:
        site: whose open connections are told; set by the site itself.
    """

    def __init__(self, doors: Mapping[str, str]) -> None:
        self._doors = {path.encode("ascii"): name for path, name in doors.items()}
        self._tallies: dict[tuple[str, str, int], _Tally] = {}
        self._aborted: dict[str, int] = {}
        self.site: CountsOpen | None = None

    def record(self, request: StreamingRequest, took_s: float) -> None:
        """Count an answered request; cheap."""
        door = self._doors.get(b"/".join(request.prepath or ()), OTHER)
        key = (door, _METHODS.get(request.method, OTHER), request.code // 100)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = _Tally()
        tally.durations.add(took_s)
        tally.received_b += request.body.received_b
        tally.sent_b += request.sentLength

    def aborted(self, request: StreamingRequest) -> None:
        """Count a request whose connection ended before the end of its answer."""
        door = self._doors.get(b"/".join(request.prepath or ()), OTHER)
        self._aborted[door] = self._aborted.get(door, 0) + 1

    def collect(self) -> Iterable[Metric]:
        yield self._answered()
        yield self._durations()
        yield self._bytes("received", "in bodies of answered requests", lambda tally: tally.received_b)
        yield self._bytes("sent", "in bodies of answers", lambda tally: tally.sent_b)
        aborted = CounterMetricFamily(
            "onedata_http_requests_aborted",
            "Requests whose connection ended before the end of the answer.",
            labels=["door"],
        )
        for door, number in self._aborted.items():
            aborted.add_metric([door], number)
        yield aborted
        yield from self._open()

    def _answered(self) -> Metric:
        family = CounterMetricFamily(
            "onedata_http_requests", "Answered requests.", labels=["door", "method", "status"]
        )
        for (door, method, status), tally in self._tallies.items():
            labels = [door, method, _STATUS_CLASSES.get(status, OTHER)]
            family.add_metric(labels, tally.durations.count)
        return family

    def _durations(self) -> Metric:
        merged: dict[tuple[str, str], Histogram] = {}
        for (door, method, _), tally in self._tallies.items():
            merged.setdefault((door, method), Histogram()).merge(tally.durations)
        family = HistogramMetricFamily(
            "onedata_http_request_seconds",
            "From the end of a request's headers to the end of its answer.",
            labels=["door", "method"],
        )
        for labels, durations in merged.items():
            durations.put_into(family, labels)
        return family

    def _bytes(self, direction: str, what: str, of: _SizeOf) -> Metric:
        sums: dict[str, int] = {}
        for (door, _, _), tally in self._tallies.items():
            sums[door] = sums.get(door, 0) + of(tally)
        name = f"onedata_http_{direction}_bytes"
        family = CounterMetricFamily(name, f"Bytes {direction} {what}.", labels=["door"])
        for door, size_b in sums.items():
            family.add_metric([door], size_b)
        return family

    def _open(self) -> Iterator[Metric]:
        connections, requests = 0, 0
        if self.site is not None:
            connections, requests = self.site.connection_count, self.site.request_count
        yield GaugeMetricFamily("onedata_http_connections", "Open connections.", value=connections)
        yield GaugeMetricFamily(
            "onedata_http_requests_in_flight", "Requests that are not answered yet.", value=requests
        )


class _SizeOf(Protocol):
    def __call__(self, tally: _Tally) -> int: ...
