"""Is everything served through one node? Every kind of operation in turn, each tried once, for each node."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from attrs import define, field

from tests.faults.attempts import Attempt, full_service_at
from tests.faults.client import Client
from tests.faults.connection import Connection
from tests.faults.load import Connect
from tests.faults.requesting import Requests

KINDS = ("upload", "read", "metadata", "rename", "remove")
STREAK = 3
"""So many rounds in a row, of each kind and through each node, are full service."""
INTERVAL_S = 0.05


@define(eq=False)
class Probe:
    """One thread for each node. ``wait_full`` tells when service was complete."""

    requests: Requests
    connect: Connect
    folder: str
    attempts: list[Attempt] = field(factory=list)
    _stopping: threading.Event = field(factory=threading.Event)
    _threads: list[threading.Thread] = field(factory=list)
    _failures: list[BaseException] = field(factory=list)

    def start(self) -> None:
        """Begin with every node."""
        connections = self.connect()
        for node, connection in connections.items():
            arguments = [node, {node: connection}]
            thread = threading.Thread(target=self._work, args=arguments, name=f"probe of {node}")
            self._threads.append(thread)
            thread.start()

    def wait_full(self, nodes: Sequence[str], since: float, limit_s: float) -> float | None:
        """Return when service through ``nodes`` was complete, in seconds of the steady clock.

        None when that did not happen within ``limit_s`` of now.
        """
        deadline = time.monotonic() + limit_s
        while (found := self.full_at(nodes, since)) is None and time.monotonic() < deadline:
            self._stopping.wait(INTERVAL_S)
        return found

    def full_at(self, nodes: Sequence[str], since: float) -> float | None:
        """Return when service through ``nodes`` was complete after ``since``, as far as is known."""
        return full_service_at(tuple(self.attempts), nodes, KINDS, since, STREAK)

    def stop(self) -> None:
        """End; raises what a thread raised."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)
        for failure in self._failures:
            raise failure

    def clean(self) -> None:
        """Remove the folder, after ``stop``."""
        self._stopping.clear()
        connections = self.connect()
        client = Client("last", list(connections), connections, lambda _: None, self._stopping)
        client.until_answered(self.requests.remove(f"{self.folder}/"))
        client.close()

    def _work(self, node: str, connections: Mapping[str, Connection]) -> None:
        client = Client(f"probe {node}", [node], connections, self.attempts.append, self._stopping)
        try:
            client.attempt(self.requests.make_folder(self.folder), node)  # refused when it is there already
            number = 0
            while not self._stopping.wait(INTERVAL_S):
                self._round(client, node, f"{self.folder}/{node}-{number}")
                number += 1
        except Exception as error:  # noqa: BLE001 - handed to the thread that stops the probe
            self._failures.append(error)
        finally:
            client.close()

    def _round(self, client: Client, node: str, path: str) -> None:
        """Do the life of one file, as far as the node goes along."""
        for ask in (
            self.requests.upload(path, path.encode()),
            self.requests.read(path),
            self.requests.put_tag(path, "probe"),
            self.requests.rename(path, f"{path}-moved"),
            self.requests.remove(f"{path}-moved"),
        ):
            if self._stopping.is_set() or not client.attempt(ask, node).is_done:
                return
