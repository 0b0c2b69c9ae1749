"""An environment whose provider has two managers: one is killed, users notice nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event, Thread

import pytest
import requests

from tests.support.environments import Raised, kill, raise_environment


@pytest.fixture(scope="module")
def raised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raised]:
    environment = raise_environment("two_managers", tmp_path_factory.mktemp("managers"))
    yield environment
    environment.stop()


class Client:
    """Writes and reads small files through both nodes in turn, until it is stopped."""

    def __init__(self, environment: Raised) -> None:
        self._session = environment.session(environment.token())
        self._hosts = [environment.address("krk", node) for node in (0, 1)]
        self._stopped = Event()
        self._thread = Thread(target=self._run)
        self.done, self.problems = 0, list[str]()

    def __enter__(self) -> Client:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            host, body = self._hosts[self.done % 2], f"number {self.done}".encode()
            path = f"/cdmi/first/file{self.done % 10}.txt"
            try:
                put = self._session.put(f"https://{host}{path}", data=body, timeout=10)
                got = self._session.get(f"https://{host}{path}", timeout=10)
            except requests.RequestException as problem:
                self.problems.append(str(problem))
                continue
            if put.status_code not in (201, 204) or got.content != body:
                self.problems.append(f"{put.status_code} {got.status_code} {got.content!r}")
            self.done += 1


@pytest.mark.slow
def test_users_notice_nothing_when_one_manager_after_the_other_is_killed(raised: Raised) -> None:
    with Client(raised) as client:
        for manager in ("cm@cm1", "cm@cm2"):
            kill(raised.pid(manager, "krk"))
            took_s = raised.wait_healthy("krk", 15.0)
            print(f"healthy {took_s:.2f} s after {manager} was killed")
            before = client.done
            raised.output["pids"].update(_again(raised, manager))
            time.sleep(1.0)
            assert client.done > before
    assert client.problems == [] and client.done > 20


def _again(raised: Raised, manager: str) -> dict[str, int]:
    domain = raised.output["domain_mappings"]["krk"]
    (name,) = (name for name in raised.output["pids"] if name.startswith(manager) and domain in name)
    return {name: raised.start_again(manager, "krk")}
