"""Each of two nodes is restarted in turn under load, and no client with a second try notices."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from bamboos.environment import processes
from tests.support.environments import Raised, raise_environment, wait_until

CLIENTS = 6
NODES = ("worker1", "worker2")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raised]:
    """One provider with two workers."""
    raised = raise_environment("single_oz_and_two_workers", tmp_path_factory.mktemp("rolling"))
    yield raised
    raised.stop()


@dataclass
class Client:
    """Asks its node, and the other one when that does not take its request; writes, reads back, lists."""

    pair: Raised
    number: int
    token: str
    done: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    def run(self, is_over: Callable[[], bool]) -> None:
        session = self.pair.session(self.token)
        session.mount("https://", HTTPAdapter(max_retries=Retry(2, backoff_factor=0.02)))
        hosts = [self.pair.address("krk", (self.number + step) % 2) for step in (0, 1)]
        round_ = 0
        while not is_over():
            round_ += 1
            name, body = f"c{self.number}-{round_ % 20}", f"{self.number} {round_} ".encode() * 500
            self.ask(session, hosts, "PUT", f"/cdmi/first/{name}", (201, 204), body)
            found = self.ask(session, hosts, "GET", f"/cdmi/first/{name}", (200,))
            if found is not None and found.content != body:
                self.failed.append(f"{name} is not what was written")
            self.ask(session, hosts, "GET", "/cdmi/first/?children", (200,))

    def ask(
        self,
        session: requests.Session,
        hosts: list[str],
        method: str,
        path: str,
        good: tuple[int, ...],
        body: bytes | None = None,
    ) -> requests.Response | None:
        """Return a good answer of either node; note what went wrong when there is none."""
        complaint = ""
        cdmi = {"X-CDMI-Specification-Version": "1.1.1"} if path.endswith("children") else {}
        for attempt in range(10):
            try:
                answer = session.request(
                    method, f"https://{hosts[0]}{path}", data=body, headers=cdmi, timeout=20
                )
            except requests.ConnectionError as error:
                complaint = repr(error)
                self.done["refused"] += 1
            else:
                if answer.status_code in good:
                    self.done[method] += 1
                    return answer
                complaint = f"{answer.status_code} {answer.text[:200]}"
                self.done[f"answered {answer.status_code}"] += 1
                if answer.status_code != 503:
                    break
            hosts.reverse()
            time.sleep(0.02 * attempt)
        self.failed.append(f"{method} {path}: {complaint}")
        return None


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_rolling_restart_of_two_nodes_fails_no_request(pair: Raised) -> None:
    token, over = pair.token(), threading.Event()
    clients = [Client(pair, number, token) for number in range(CLIENTS)]
    threads = [threading.Thread(target=client.run, args=(over.is_set,)) for client in clients]
    for thread in threads:
        thread.start()
    try:
        time.sleep(1.0)
        for number in range(len(NODES)):
            restart(pair, number)
            time.sleep(1.0)
    finally:
        over.set()
        for thread in threads:
            thread.join(60)
    done = sum((client.done for client in clients), Counter[str]())
    print("requests:", dict(done))
    assert [failure for client in clients for failure in client.failed] == []
    assert done["refused"] > 0, "nobody met a node that was away"
    assert done["PUT"] > 50


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_curl_that_retries_gets_its_answer_from_a_node_that_restarts(pair: Raised) -> None:
    """A single address: the client waits until the node is there again."""
    url = f"https://{pair.address('krk')}/health/ready"
    stop(pair, 0)
    command = ["curl", "-s", "--cacert", pair.ca_cert, "--retry", "60", "--retry-delay", "1"]
    with subprocess.Popen([*command, "--retry-connrefused", url], stdout=subprocess.PIPE, text=True) as curl:
        start(pair, 0)
        output, _ = curl.communicate(timeout=60)
    assert output == '{"status":"ready"}'


def restart(pair: Raised, number: int) -> None:
    """Stop a node, start it again, and return when it wants requests."""
    stop(pair, number)
    start(pair, number)


def stop(pair: Raised, number: int) -> None:
    pid = pair.pid(f"worker@{NODES[number]}", "krk")
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not processes.is_running(pid), 20, f"{NODES[number]} does not stop")


def start(pair: Raised, number: int) -> None:
    pid = pair.start_again(f"worker@{NODES[number]}", "krk")
    pids = dict(pair.output["pids"])
    (name,) = (one for one in pids if one.startswith(f"worker@{NODES[number]}"))
    pair.output = {**pair.output, "pids": {**pids, name: pid}}
    session, url = pair.session(), f"https://{pair.address('krk', number)}/health/ready"

    def is_ready() -> bool:
        try:
            return session.get(url, timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    wait_until(is_ready, 60, f"{NODES[number]} does not want requests")
