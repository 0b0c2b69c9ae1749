"""One run: load, faults, healing, and the figures that the table shows."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from attrs import define

from tests.faults.arena import SPACE_ID, SPACE_NAME, WORKERS, Arena
from tests.faults.attempts import longest_pause
from tests.faults.checks import Checks
from tests.faults.connection import Connection, trusting
from tests.faults.fault import Fault
from tests.faults.figures import Figures
from tests.faults.load import Load
from tests.faults.probe import Probe
from tests.faults.requesting import Requests

STEADY_S = 1.5
"""Load without a fault, before and after."""
FULL_LIMIT_S = 60.0
APART_S = 0.7
"""Time between two faults of a pair; links are hurt with the first."""
REQUESTS = Requests(SPACE_NAME, SPACE_ID)


@define(eq=False)
class Scenario:
    """Runs faults on an arena, one scenario after another."""

    arena: Arena
    _number: int = 0

    def run(self, faults: Sequence[Fault]) -> Figures:
        """Inject ``faults`` one shortly after the other under load, undo them, and check everything."""
        self._number += 1
        began = time.monotonic()
        load = Load(REQUESTS, self._connect, f"load-{self._number}")
        probe = Probe(REQUESTS, self._connect, f"probe-{self._number}")
        load.start()
        probe.start()
        assert probe.wait_full(WORKERS, began, FULL_LIMIT_S) is not None, "no service before the fault"
        time.sleep(STEADY_S)
        injected, healed, unhurt = self._strike(faults)
        full = probe.wait_full(WORKERS, healed, FULL_LIMIT_S)
        time.sleep(STEADY_S)
        probe.stop()
        records = load.stop()
        ended = time.monotonic()
        meanwhile = self._full_meanwhile(probe, faults, injected)
        found = Checks(self.arena, REQUESTS, self._connect).run(records)
        load.clean()
        probe.clean()
        return Figures(
            fault=" + ".join(fault.name for fault in faults) or "none",
            acknowledged=records.acknowledged(),
            lost=found.lost,
            half_there=found.half_there,
            wrong_answers=records.wrong_answers,
            longest_pause_s=longest_pause(records.attempts, injected, ended),
            meanwhile_s=meanwhile,
            after_s=None if full is None else max(0.0, full - healed),
            not_linearizable=found.not_linearizable,
            complaints=[*found.complaints, *(f"{name} did not show" for name in unhurt)],
            took_s=time.monotonic() - began,
        )

    def _connect(self) -> Mapping[str, Connection]:
        tls, headers = trusting(self.arena.environment.ca_cert), {"X-Auth-Token": self.arena.token()}
        return {worker: Connection(self.arena.door(worker), tls, headers) for worker in WORKERS}

    def _strike(self, faults: Sequence[Fault]) -> tuple[float, float, Sequence[str]]:
        """Return the moments of the first injection and of the last healing, and faults that did nothing."""
        links = {
            direction: condition
            for fault in faults
            for direction, condition in fault.links(self.arena).items()
        }
        injected = time.monotonic()
        if links:
            self.arena.network.shape(links)
        for number, fault in enumerate(faults):
            threading.Event().wait(APART_S if number else 0.0)
            fault.inject(self.arena)
        threading.Event().wait(max((fault.lasts_s for fault in faults), default=0.0))
        unhurt = [fault.name for fault in faults if not fault.shows(self.arena)]
        if links:
            self.arena.network.shape({})
        for fault in faults:
            fault.heal(self.arena)
        return injected, time.monotonic(), unhurt

    def _full_meanwhile(self, probe: Probe, faults: Sequence[Fault], injected: float) -> float | None:
        serving = [worker for worker in WORKERS if all(worker in fault.serving for fault in faults)]
        if not serving:
            return None
        full = probe.full_at(serving, injected)
        return None if full is None else full - injected
