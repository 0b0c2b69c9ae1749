"""Workers of a provider are killed, added and taken out under upload load; no acknowledged byte is lost."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.environments import SCRIPTS, Raised, kill, raise_environment, wait_until

CLIENTS = 4
PAUSE_S = 0.1
"""Between two uploads of a client, so that all of them can be read again soon."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raised]:
    """One provider with two workers."""
    raised = raise_environment("single_oz_and_two_workers", tmp_path_factory.mktemp("members"))
    yield raised
    raised.stop()


@dataclass
class Uploader:
    """Writes files over one node and remembers the digest of each that was acknowledged."""

    environment: Raised
    node: int
    number: int
    token: str
    acknowledged: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    longest_s: float = 0.0

    def run(self, is_over: Callable[[], bool]) -> None:
        session, round_ = self.environment.session(self.token), 0
        host = self.environment.address("krk", self.node)
        while not is_over():
            round_ += 1
            name, body = f"u{self.number}-{round_}", f"{self.number} {round_} ".encode() * 3000
            began = time.monotonic()
            try:
                answer = session.put(f"https://{host}/cdmi/first/{name}", data=body, timeout=10)
            except requests.RequestException as problem:
                self.failed.append(f"{name}: {problem}")
                time.sleep(0.05)
                continue
            self.longest_s = max(self.longest_s, time.monotonic() - began)
            time.sleep(PAUSE_S)
            if answer.status_code in (201, 204):
                self.acknowledged[name] = hashlib.sha256(body).hexdigest()
            else:
                self.failed.append(f"{name}: {answer.status_code} {answer.text}")


class Load:
    """Uploaders on both nodes while its block lasts."""

    def __init__(self, environment: Raised, nodes: tuple[int, ...] = (0, 1)) -> None:
        token = environment.token()
        self.environment, self.token = environment, token
        self.uploaders = [Uploader(environment, nodes[n % len(nodes)], n, token) for n in range(CLIENTS)]
        self._over = threading.Event()

    def __enter__(self) -> Load:
        self._threads = [threading.Thread(target=one.run, args=[self._over.is_set]) for one in self.uploaders]
        for thread in self._threads:
            thread.start()
        self.until_more(3)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def of(self, node: int) -> list[Uploader]:
        return [one for one in self.uploaders if one.node == node]

    def until_more(self, count: int, node: int | None = None) -> None:
        """Wait until each uploader (of one node) has had ``count`` more files acknowledged."""
        chosen = self.uploaders if node is None else self.of(node)
        before = [len(one.acknowledged) for one in chosen]
        wait_until(
            lambda: all(len(one.acknowledged) >= b + count for one, b in zip(chosen, before, strict=True)),
            30.0,
            "uploads do not go on",
        )

    def check(self, environment: Raised, node: int) -> None:
        """Every file acknowledged so far is there, whole, through ``node``."""
        session, host = environment.session(self.token), environment.address("krk", node)
        known = [one.acknowledged.copy() for one in self.uploaders]
        for name, digest in (pair for files in known for pair in files.items()):
            found = session.get(f"https://{host}/cdmi/first/{name}", timeout=10)
            assert found.status_code == 200, f"{name}: {found.status_code} {found.text}"
            assert hashlib.sha256(found.content).hexdigest() == digest, name


def standings(environment: Raised, node: int) -> dict[str, str]:
    """The worst status of each worker, as a node's health page shows it."""
    page = environment.session().get(f"https://{environment.address('krk', node)}/nagios", timeout=10)
    assert page.status_code == 200, page.status_code
    return dict(part.split('" status="')[:2] for part in page.text.split('name="')[1:])


def changed(environment: Raised, script: str, *options: str) -> Raised:
    saved = environment.folder / "output.json"
    saved.write_text(json.dumps(environment.output))
    command = [sys.executable, str(SCRIPTS / script), str(saved), "--provider", "krk", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    output: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return Raised(output)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_killed_worker_recovers_while_the_other_serves_and_nothing_acknowledged_is_lost(
    pair: Raised,
) -> None:
    console = _console(pair, "worker1")
    with Load(pair) as load:
        kill(pair.pid("worker@worker2", "krk"))
        load.until_more(5, node=0)
        pair.start_again("worker@worker2", "krk")
        session, url = pair.session(), f"https://{pair.address('krk', 1)}/nagios"
        took_s = wait_until(lambda: _is_ok(session, url), 60.0, "the killed worker has not recovered")
        load.until_more(5)
    print(f"recovered after {took_s:.1f} s; longest upload {max(o.longest_s for o in load.of(0)):.2f} s")
    assert [one.failed for one in load.of(0)] == [[]] * len(load.of(0))
    assert all(one.failed for one in load.of(1))
    load.check(pair, 0)
    load.check(pair, 1)
    assert "forced stop" not in console.read_text()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_worker_is_added_and_another_leaves_without_one_failed_request_through_the_others(
    pair: Raised,
) -> None:
    with Load(pair, nodes=(0,)) as load:
        grown = changed(pair, "add_node.py", "--node", "worker9")
        assert len(grown.output["domains"][grown.output["domain_mappings"]["krk"]]["a"]) == 3
        load.until_more(3)
        load.check(grown, 2)
        left = changed(grown, "remove_node.py", "--node", "worker2")
        load.until_more(3)
        workers = [node for node in left.output["op_worker_nodes"] if "krk" in node]
        assert sorted(standings(left, 0)) == sorted(workers) and len(workers) == 2
    assert [one.failed for one in load.uploaders] == [[]] * CLIENTS
    shrunk = changed(left, "remove_node.py", "--node", "worker9")
    load.check(shrunk, 0)
    declined = subprocess.run(
        [
            *(sys.executable, str(SCRIPTS / "remove_node.py"), str(shrunk.folder / "output.json")),
            *("--provider", "krk", "--node", "worker1"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert declined.returncode == 1 and "No other node than" in declined.stderr


def _is_ok(session: requests.Session, url: str) -> bool:
    try:
        answer = session.get(url, timeout=5)
    except requests.RequestException:
        return False
    return answer.status_code == 200 and 'status="ok"' in answer.text.partition(">")[2][:200]


def _console(environment: Raised, name: str) -> Path:
    return environment.node_folder(f"worker@{name}", "krk") / "console.log"
