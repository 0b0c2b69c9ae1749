"""How late the reactor is: whatever holds it up delays everybody who waits."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from cluster_worker.runtime.metrics import Histogram

_INTERVAL_S = 0.5


class ReactorLag(Service, Collector):
    """Asks to be called every half second while it runs and counts by how much the call was late."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._lags = Histogram()
        self._due_s = 0.0
        self._call: IDelayedCall | None = None

    def startService(self) -> None:
        super().startService()
        self._ask()

    def stopService(self) -> None:
        super().stopService()
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def collect(self) -> Iterable[Metric]:
        family = HistogramMetricFamily(
            "onedata_reactor_lag_seconds", "How much later than asked for the reactor called, twice a second."
        )
        self._lags.put_into(family)
        yield family

    def _ask(self) -> None:
        self._due_s = self._clock.seconds() + _INTERVAL_S
        self._call = self._clock.callLater(_INTERVAL_S, self._called)

    def _called(self) -> None:
        self._lags.add(max(0.0, self._clock.seconds() - self._due_s))
        self._ask()
