"""The load: clients that change files and remember every acknowledged operation, each in a thread.

``Load`` is given clients' connections and knows nothing of faults; benchmarks may use it too.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence

from attrs import define, field

from tests.faults.client import Client, Note
from tests.faults.connection import Connection
from tests.faults.hot_files import HotFiles, first_tag, tagged
from tests.faults.own_files import OwnFiles
from tests.faults.records import Records
from tests.faults.requesting import Requests

STOP_LIMIT_S = 30.0

Connect = Callable[[], Mapping[str, Connection]]


@define(eq=False)
class Load:
    """So many clients, half of which prefer each node, until ``stop``.

    Args:
        connect: makes one client's connections, by node.
        folder: where the clients work; made at the start, ``clean`` removes it.
        hot: how many files all clients read and write, with half of their operations.
        think_s: how long each client waits between two operations.
    """

    requests: Requests
    connect: Connect
    folder: str
    clients: int = 4
    hot: int = 2
    think_s: float = 0.02
    seed: int = 1
    records: Records = field(factory=Records)
    _stopping: threading.Event = field(factory=threading.Event)
    _threads: list[threading.Thread] = field(factory=list)
    _failures: list[BaseException] = field(factory=list)

    def start(self) -> None:
        """Make the folder and the hot files, then let all clients begin."""
        client = self._client("first", 0, lambda _: None)
        client.until_answered(self.requests.make_folder(self.folder))  # refused when it is there already
        for path in self.hot_paths:
            content = tagged(first_tag(path))
            assert client.until_answered(self.requests.upload(path, content)).is_done, path
        client.close()
        for number in range(self.clients):
            thread = threading.Thread(target=self._work, args=[number], name=f"client {number}")
            self._threads.append(thread)
            thread.start()

    def stop(self) -> Records:
        """Let every client end its operation; return what they were told. Raises what a client raised."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(STOP_LIMIT_S)
            assert not thread.is_alive(), f"{thread.name} does not end"
        for failure in self._failures:
            raise failure
        return self.records

    @property
    def hot_paths(self) -> Sequence[str]:
        """Where the files lie that all clients read and write."""
        return [f"{self.folder}/hot-{number}" for number in range(self.hot)]

    def clean(self) -> None:
        """Remove the folder with everything in it, after ``stop``."""
        self._stopping.clear()
        client = self._client("last", 0, lambda _: None)
        client.until_answered(self.requests.remove(f"{self.folder}/"))
        client.close()

    def _client(self, name: str, number: int, note: Note) -> Client:
        connections = self.connect()
        nodes = list(connections)
        turned = nodes[number % len(nodes) :] + nodes[: number % len(nodes)]
        return Client(name, turned, connections, note, self._stopping)

    def _work(self, number: int) -> None:
        client = self._client(f"c{number}", number, self.records.attempts.append)
        chance = random.Random(f"{self.seed} {self.folder} {number}")
        own = OwnFiles(client, self.requests, self.records, chance, self.folder)
        hot = HotFiles(client, self.requests, self.records, chance, self.hot_paths)
        try:
            while not self._stopping.wait(self.think_s):
                work = hot if self.hot and chance.random() < 0.5 else own
                work.step()
        except Exception as error:  # noqa: BLE001 - handed to the thread that stops the load
            self._failures.append(error)
        finally:
            client.close()
