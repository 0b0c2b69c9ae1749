"""The part of the suite that runs in namespaces of its own: ``python -m tests.faults.inside``.

Reads one JSON line ``{"folder": path, "scenarios": [[name of a fault, ...], ...]}`` and prints one JSON line
for each scenario, the figures. An arena that did not come back to full service is replaced by a new one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from attrs import define

from tests.faults.arena import MANAGERS, Arena
from tests.faults.catalogue import all_faults, store_for
from tests.faults.fault import Fault, Needs
from tests.faults.scenario import Scenario


@define(eq=False)
class Arenas:
    """One arena at a time."""

    folder: Path
    _count: int = 0
    _store: Needs = Needs.ANY
    _scenario: Scenario | None = None

    def scenario(self, store: Needs) -> Scenario:
        """Return the arena that stands, or raise one with metadata in such a store."""
        if store is not self._store:
            self.give_up()
        if self._scenario is None:
            self._count, self._store = self._count + 1, store
            folder = self.folder / f"arena-{self._count}"
            self._scenario = Scenario(Arena.raise_in(folder, MANAGERS, store is Needs.SENTINEL))
        return self._scenario

    def give_up(self) -> None:
        """Stop what stands."""
        if self._scenario is not None:
            self._scenario.arena.stop()
            self._scenario = None


def run(folder: Path, scenarios: Sequence[Sequence[Fault]]) -> None:
    """Run every scenario and print its figures."""
    arenas = Arenas(folder)
    try:
        for faults in scenarios:
            figures = arenas.scenario(store_for(faults)).run(faults)
            print(json.dumps(figures.as_json()), flush=True)
            if figures.problems():
                arenas.give_up()
    finally:
        arenas.give_up()


def main() -> None:
    """Do what the line says."""
    order = json.loads(sys.stdin.readline())
    faults = {fault.name: fault for fault in all_faults()}
    run(Path(order["folder"]), [[faults[name] for name in names] for names in order["scenarios"]])


if __name__ == "__main__":
    main()
