"""Two op-worker nodes: clients race over both, and one goes on when the other is paused."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from onedata.ids import SpaceId
from op_worker.files.stored.charges import used_counter
from tests.support.environments import Raised, raise_environment, wait_until
from tests.support.redis_dump import dump
from tests.support.store_checker import check_metadata

CLIENTS = 8
TAKEOVER_S = 5.0
SLACK_S = 1.5
"""For a request on a machine that does other things, too."""
OPERATIONS = 250
NAMES = [f"n{number:02}" for number in range(12)]
FOLDERS = ["", "sub/"]
UNLUCKY = {"enoent", "eexist", "enotdir", "eisdir", "enotempty", "eagain", "einval"}
"""What losing a race may look like."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raised]:
    """One provider with two workers."""
    raised = raise_environment("single_oz_and_two_workers", tmp_path_factory.mktemp("pair"))
    yield raised
    raised.stop()


class Racer:
    """One client of one node; it does random operations and remembers what was refused, and how."""

    def __init__(self, environment: Raised, number: int, token: str, space_id: str) -> None:
        self.session = environment.session(token)
        host = environment.address("krk", number % 2)
        self.rest = f"https://{host}/api/v3/oneprovider"
        self.cdmi = f"https://{host}/cdmi/first/race"
        self.root = f"{self.rest}/data/{space_id}/path/race"
        self.random = random.Random(number)
        self.refused: Counter[str] = Counter()
        self.number = number

    def run(self) -> None:
        for round_ in range(OPERATIONS):
            name = self.random.choice(FOLDERS) + self.random.choice(NAMES)
            act = self.random.choice([self.put, self.create, self.rename, self.remove, self.link, self.put])
            answer = act(name, round_)
            if answer is not None and answer.status_code >= 300:
                self.refused[self.reason(answer)] += 1

    def put(self, name: str, round_: int) -> requests.Response:
        text = f"{self.number} {round_} ".encode() * self.random.randint(1, 400)
        body = hashlib.sha256(text).hexdigest().encode() + text
        return self.session.put(f"{self.cdmi}/{name}", data=body, allow_redirects=False)

    def create(self, name: str, _: int) -> requests.Response:
        kind = self.random.choice(["REG", "DIR"])
        return self.session.put(f"{self.root}/{name}?type={kind}")

    def rename(self, name: str, _: int) -> requests.Response:
        goal = self.random.choice(FOLDERS) + self.random.choice(NAMES)
        headers = {"X-CDMI-Specification-Version": "1.1.1", "Content-Type": "application/cdmi-object"}
        body = json.dumps({"move": f"first/race/{name}"})
        return self.session.put(f"{self.cdmi}/{goal}", data=body, headers=headers, allow_redirects=False)

    def remove(self, name: str, _: int) -> requests.Response:
        return self.session.delete(f"{self.root}/{name}")

    def link(self, name: str, _: int) -> requests.Response | None:
        found = self.session.post(f"{self.rest}/lookup-file-id/first/race/{self.random.choice(NAMES)}")
        if found.status_code != 200:
            return None
        return self.session.put(f"{self.root}/{name}?type=LNK&target_file_id={found.json()['fileId']}")

    def reason(self, answer: requests.Response) -> str:
        """Return why an operation was refused; fails for anything that is no lost race."""
        error: dict[str, Any] = answer.json()["error"] if answer.content else {}
        errno = str(error.get("details", {}).get("errno", ""))
        if errno == "eperm" and "type=LNK" in answer.url:
            return errno  # what was looked up is a directory now
        if answer.status_code in (302, 308, 404, 409) or errno in UNLUCKY:
            return errno or str(answer.status_code)
        raise AssertionError(f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}")


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_races_of_two_nodes_in_one_directory_keep_every_invariant(pair: Raised) -> None:
    token = pair.token()
    first = pair.session(token)
    base = f"https://{pair.address('krk')}/api/v3/oneprovider"
    (space,) = [one for one in first.get(f"{base}/spaces").json() if one["name"] == "first"]
    space_id = space["spaceId"]
    made = first.put(f"{base}/data/{space_id}/path/race/sub?type=DIR&create_parents=true")
    assert made.status_code == 201, made.text
    racers = [Racer(pair, number, token, space_id) for number in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(racer.run) for racer in racers]:
            done.result()
    assert sum(sum(racer.refused.values()) for racer in racers) > 0, "nobody ever lost a race"
    _check_over_both_nodes(pair, token, space_id)
    _check_store(pair, space_id)


def _check_over_both_nodes(pair: Raised, token: str, space_id: str) -> None:
    """Both nodes list the same; every content is one that was put whole."""
    listings = []
    for node in (0, 1):
        session, base = pair.session(token), f"https://{pair.address('krk', node)}/api/v3/oneprovider"
        url = f"{base}/data/{space_id}/files"
        wanted = {"attributes": ["path", "fileId", "type", "size", "hardlinkCount"]}
        listings.append(session.get(url, json={**wanted, "include_directories": True}).json()["files"])
        for file in listings[-1]:
            if file["type"] == "REG" and file["size"]:
                body = session.get(f"{base}/data/{file['fileId']}/content").content
                assert len(body) == file["size"]
                assert hashlib.sha256(body[64:]).hexdigest().encode() == body[:64], file
    assert listings[0] == listings[1]


def _check_store(pair: Raised, space_id: str) -> None:
    """No entry without file, no file without entry, link counts right, room exact, storage as told."""
    (socket,) = _sockets(pair)
    stored = dump(socket, space_id)
    checker = check_metadata(SpaceId(space_id), stored.documents, stored.directories)
    storage = pair.storage()
    for name, path in checker.paths.items():
        assert (storage / path).is_file(), f"{name} has no file on the storage"
    (used,) = [value for key, value in stored.counters.items() if key.startswith(used_counter(""))]
    assert used == checker.held_b()


def _sockets(pair: Raised) -> list[Path]:
    """The sockets of the provider's store."""
    found: list[Path] = []
    for folder in (pair.folder / "nodes").glob("redis*krk*"):
        command = json.loads((folder / "command.json").read_text())
        found += [Path(word) for word in command["argv"] if word.endswith(".sock")]
    return found


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_what_a_paused_node_did_the_other_goes_on_with_and_waking_up_undoes_nothing(pair: Raised) -> None:
    """Statistics have one owner, whichever it is; a resumable upload has one writer."""
    clients = [Client(pair, number) for number in (0, 1)]
    assert clients[0].put("paused/first", b"x").status_code in (201, 204)
    clients[0].switch_on_statistics()
    wait_until(lambda: clients[0].count_below("paused") == 1, 20, "statistics are not kept")
    for paused, other in (clients, clients[::-1]):
        _check_takeover(paused, other)


def _check_takeover(paused: Client, other: Client) -> None:
    name = f"upload{paused.number}"
    wanted = bytes(1 << 20) + b"y" * (2 << 20)
    upload = paused.begin_upload(f"paused/{name}", len(wanted))
    assert paused.patch(upload, 0, wanted[: 1 << 20]).status_code == 204
    count = other.count_below("paused")
    assert count is not None
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(paused.patch, upload, 1 << 20, _slowly(bytes(1 << 20), paused.may_end))
        time.sleep(0.5)
        os.kill(paused.pid, signal.SIGSTOP)
        try:
            began_s = time.monotonic()
            assert other.put(f"paused/f{other.number}", b"x").status_code == 201
            wait_until(lambda: other.patch(upload, 1 << 20, wanted[1 << 20 :]).ok, 10, name)
            wait_until(lambda: other.count_below("paused") == count + 2, 10, "statistics stand still")
            took_s = time.monotonic() - began_s
            print(f"node {paused.number} paused: taken over within {took_s:.1f} s")
        finally:
            os.kill(paused.pid, signal.SIGCONT)
            paused.may_end.append(True)
        assert took_s < TAKEOVER_S + SLACK_S
        assert not hanging.result().ok
    for client in (paused, other):
        assert client.get(f"paused/{name}") == wanted, f"the file at node {client.number}"
        wait_until(lambda: paused.count_below("paused") == count + 2, 10, "counted twice, or not at all")


def _slowly(data: bytes, may_end: list[bool]) -> Iterator[bytes]:
    """Give the first half of a body, and the rest when it is allowed."""
    yield data[: len(data) // 2]
    while not may_end:
        time.sleep(0.05)
    yield data[len(data) // 2 :]


class Client:
    """Asks one node for what is below the space ``first``."""

    def __init__(self, environment: Raised, number: int) -> None:
        self.number, self.may_end = number, list[bool]()
        self.pid = environment.pid(f"worker@worker{number + 1}", "krk")
        self.session = environment.session(environment.token())
        host = f"https://{environment.address('krk', number)}"
        self.base, self.cdmi = f"{host}/api/v3/oneprovider", f"{host}/cdmi/first"
        (space,) = [one for one in self.session.get(f"{self.base}/spaces").json() if one["name"] == "first"]
        self.space_id = space["spaceId"]

    def switch_on_statistics(self) -> None:
        url = f"{self.base}/spaces/{self.space_id}/settings"
        assert self.session.patch(url, json={"statistics": True}).status_code == 200

    def put(self, name: str, data: bytes) -> requests.Response:
        url = f"{self.base}/data/{self.space_id}/path/{name}?create_parents=true"
        return self.session.put(url, data=data, headers={"Content-Type": "application/octet-stream"})

    def get(self, name: str) -> bytes:
        return self.session.get(f"{self.cdmi}/{name}").content

    def count_below(self, name: str) -> int | None:
        """Return how many files statistics count in a directory; ``None`` while there are none."""
        found = self.session.post(f"{self.base}/lookup-file-id/first/{name}").json()["fileId"]
        body = {"mode": "slice", "layout": {"reg_file_and_link_count": ["minute"]}}
        answer = self.session.get(f"{self.base}/data/{found}/dir_size_stats", json=body)
        if answer.status_code != 200:
            return None
        values = answer.json()["slice"]["reg_file_and_link_count"]["minute"]
        return int(values[0]["value"]) if values else 0

    def begin_upload(self, name: str, size_b: int) -> str:
        """Return the path of a new upload, the same at every node."""
        metadata = f"path {base64.b64encode(f'first/{name}'.rpartition('/')[0].encode()).decode()}"
        metadata += f",filename {base64.b64encode(name.rpartition('/')[2].encode()).decode()}"
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size_b), "Upload-Metadata": metadata}
        made = self.session.post(f"{self.base}/tus/", headers=headers)
        assert made.status_code == 201, made.text
        return "/".join(made.headers["Location"].split("/")[-2:])

    def patch(self, upload: str, offset_b: int, data: bytes | Iterator[bytes]) -> requests.Response:
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Offset": str(offset_b),
            "Content-Type": "application/offset+octet-stream",
        }
        return self.session.patch(f"{self.base}/tus/{upload}", data=data, headers=headers)
