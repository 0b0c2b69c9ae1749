"""Disks, stores, certificates and managers that are not as they should be."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from bamboos.environment.node_command import load_command
from tests.support.environments import Raised, kill, raise_environment, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raised]:
    """An environment of this module's own, whose surroundings get broken and mended."""
    raised = raise_environment("single_oz_and_provider", tmp_path_factory.mktemp("trouble"))
    yield raised
    raised.stop()


@pytest.fixture
def session(troubled: Raised) -> requests.Session:
    return troubled.session(troubled.token())


def url(troubled: Raised, name: str) -> str:
    return f"https://{troubled.address('krk')}/cdmi/first/{name}"


def run_again(troubled: Raised, change: tuple[str, str]) -> subprocess.CompletedProcess[str]:
    """Run op-worker's own command once more with a changed configuration, until it ends."""
    command = load_command(troubled.node_folder("worker@", "krk"))
    config = Path(command.argv[-1])
    other = config.with_name("changed.toml")
    text = config.read_text()
    assert re.search(change[0], text), change
    other.write_text(re.sub(change[0], change[1], text))
    argv = [*command.argv[:-1], str(other)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)


def test_store_away_for_five_seconds_under_load_gives_refusals_and_recovers(
    troubled: Raised, session: requests.Session
) -> None:
    redis = int((troubled.node_folder("redis@", "krk") / "redis.pid").read_text())
    statuses: list[int] = []
    ended = time.monotonic() + 8

    def load(worker: int) -> None:
        own = troubled.session(session.headers["X-Auth-Token"])  # type: ignore[arg-type]  # a str
        number = 0
        while time.monotonic() < ended:
            number += 1
            statuses.append(
                own.put(url(troubled, f"away-{worker}-{number}"), data=b"x", timeout=15).status_code
            )

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(load, number) for number in range(4)]
        time.sleep(1)
        os.kill(redis, signal.SIGSTOP)
        time.sleep(5)
        os.kill(redis, signal.SIGCONT)
        for worker in workers:
            worker.result()
    assert set(statuses) <= {201, 204, 503}
    assert statuses[-1] in (201, 204)
    refused = session.get(url(troubled, "away-0-1"), timeout=15)
    assert refused.content == b"x"


@pytest.mark.skipif(os.geteuid() != 0, reason="making a small file system takes root")
def test_full_disk_refuses_the_write_and_keeps_the_old_content(
    troubled: Raised, session: requests.Session
) -> None:
    space = troubled.storage() / "s2"
    space.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(space)], check=True)
    base = f"https://{troubled.address('krk')}/cdmi/second"
    try:
        assert session.put(f"{base}/file", data=b"old content", timeout=15).status_code == 201
        answer = session.put(f"{base}/file", data=os.urandom(8 << 20), timeout=30)
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["details"]["errno"] == "enospc"
        assert session.get(f"{base}/file", timeout=15).content == b"old content"
        assert session.put(f"{base}/new", data=os.urandom(8 << 20), timeout=30).status_code == 400
        assert session.get(f"{base}/new", timeout=15).status_code == 404
        assert session.put(f"{base}/small", data=b"fits", timeout=15).status_code == 201
        assert sorted(path.name for path in space.iterdir() if not path.name.startswith(".")) == [
            "file",
            "small",
        ]
    finally:
        subprocess.run(["umount", "--lazy", str(space)], check=True)


def test_storage_folder_missing_at_start_refuses_its_spaces_until_it_is_back(
    troubled: Raised, session: requests.Session
) -> None:
    assert session.put(url(troubled, "before"), data=b"before", timeout=15).status_code in (201, 204)
    folder = troubled.storage()
    folder.rename(folder.with_name("away"))
    kill(pid_now(troubled))
    troubled.start_again("worker@", "krk")
    wait_until(lambda: answers(session, url(troubled, "before")), 30, "no answer")
    answer = session.get(url(troubled, "before"), timeout=15)
    assert answer.status_code == 503, answer.text
    assert session.put(url(troubled, "during"), data=b"x", timeout=15).status_code == 503
    assert not folder.exists()
    folder.with_name("away").rename(folder)
    wait_until(
        lambda: session.get(url(troubled, "before"), timeout=15).content == b"before", 15, "not served again"
    )


def pid_now(troubled: Raised) -> int:
    """The present op-worker, which is not the first one after a restart."""
    return int((troubled.node_folder("worker@", "krk") / "process.pid").read_text())


def answers(session: requests.Session, address: str) -> bool:
    """Whether the daemon behind ``address`` answers at all."""
    try:
        session.get(address, timeout=5)
    except requests.RequestException:
        return False
    return True


def test_second_daemon_on_the_same_state_folder_is_refused_in_one_sentence(troubled: Raised) -> None:
    done = run_again(troubled, (r'node_name = "worker@', 'node_name = "worker@'))
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    assert "state" in done.stdout + done.stderr
    troubled.wait_healthy("krk")


def test_broken_certificate_is_named_at_the_start(troubled: Raised, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    command = load_command(troubled.node_folder("worker@", "krk"))
    text = Path(command.argv[-1]).read_text()
    text = re.sub(r'state_dir = ".*"', f'state_dir = "{tmp_path / "state"}"', text)
    config = tmp_path / "config.toml"
    config.write_text(re.sub(r'\ncert = ".*"', f'\ncert = "{broken}"', text))
    argv = [*command.argv[:-1], str(config)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0
    assert str(broken) in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_worker_without_its_manager_waits_and_serves_once_the_manager_is_there(tmp_path: Path) -> None:
    raised = raise_environment("provider_without_zone", tmp_path / "state")
    try:
        for prefix in ("worker@", "cm@"):
            kill(raised.pid(prefix, "krk"))
        raised.start_again("worker@", "krk")
        time.sleep(3)
        with pytest.raises(requests.ConnectionError):
            raised.session().get(f"https://{raised.address('krk')}/nagios", timeout=3)
        raised.start_again("cm@", "krk")
        raised.wait_healthy("krk")
    finally:
        raised.stop()
