"""SIGHUP to a provider as a process: what changes at once, what waits, what is refused."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.op_worker.test_daemon_process import Daemon


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tmp_path)
    yield made
    for process in made.processes:
        process.kill()
        process.communicate()


def written(daemon: Daemon, words: str) -> bool:
    """Whether the log has these words, soon."""
    log = daemon.folder / "state" / "log" / "info.log"
    deadline_s = time.monotonic() + 10
    while time.monotonic() < deadline_s:
        if words in log.read_text():
            return True
        time.sleep(0.02)
    return False


def test_a_hang_up_takes_changes_into_use_and_survives_mistakes(daemon: Daemon) -> None:
    process = daemon.start()
    before = daemon.config.read_text()
    assert daemon.get("/metrics")[0] == 200

    daemon.config.write_text(before + '\n[metrics]\nallowed = ["10.0.0.0/33"]\n[log]\nlevel = 7\n')
    process.send_signal(signal.SIGHUP)
    assert written(daemon, "the configuration cannot be used, nothing changes: ")
    assert written(daemon, "log.level: ") and written(daemon, "metrics.allowed: ")
    assert daemon.get("/metrics")[0] == 200

    changed = before.replace("[http]", "blocking_threads = 3\n[http]\nidle_timeout_s = 5.0")
    daemon.config.write_text(changed + '\n[metrics]\nallowed = ["10.0.0.0/8"]\n')
    process.send_signal(signal.SIGHUP)
    assert written(
        daemon,
        "changed now: http.idle_timeout_s, metrics.allowed; waiting for a restart: blocking_threads",
    )
    assert daemon.get("/metrics")[0] == 403
    assert daemon.get("/health/ready") == (200, b'{"status":"ready"}')

    log = daemon.folder / "state" / "log"
    (log / "info.log").rename(log / "moved.log")
    process.send_signal(signal.SIGHUP)
    deadline_s = time.monotonic() + 10
    while not (log / "info.log").exists() and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert written(daemon, "the configuration was read again")
    assert process.poll() is None


def test_readiness_ends_and_open_requests_do_not_when_the_daemon_is_told_to_stop(daemon: Daemon) -> None:
    """A kept connection sees ``draining`` while an upload on another one is finished."""
    process = daemon.start()
    kept, upload = daemon.connection(), daemon.connection()
    body = b"x" * 100_000
    upload.putrequest("PUT", "/cdmi/nowhere/file")
    upload.putheader("Content-Length", str(len(body)))
    upload.endheaders()
    kept.connect()
    process.send_signal(signal.SIGTERM)
    deadline_s = time.monotonic() + 5
    while daemon.is_listening() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    kept.request("GET", "/health/ready")
    answer = kept.getresponse()
    assert (answer.status, answer.getheader("Connection")) == (503, "close")
    assert b"draining" in answer.read()
    upload.close()
    process.communicate(timeout=15)
