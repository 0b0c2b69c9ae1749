"""The daemon as a process: started by twistd, refused with a sentence, stopped by signals."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster_worker.wire.certificates import Authority, save_issued
from tests.integration.op_worker.running import free_port

ROOT = Path(__file__).resolve().parents[3]
TWISTD = Path(sys.executable).with_name("twistd")


class Daemon:
    """op-worker in its own folder."""

    def __init__(self, folder: Path, config: str = "") -> None:
        self.folder, self.port = folder, free_port()
        self.config = folder / "op_worker.toml"
        self.config.write_text(f'state_dir = "{folder}/state"\n{config}\n[http]\nport = {self.port}\n')
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.processes: list[subprocess.Popen[str]] = []

    def command(self, *options: str) -> list[str]:
        return [str(TWISTD), *options, "op-worker", "--config", str(self.config)]

    def run(self, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run until it ends by itself."""
        return subprocess.run(
            self.command(*options),
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=30,
        )

    def start(self) -> subprocess.Popen[str]:
        """Run in the foreground; return when it serves."""
        process = subprocess.Popen(
            self.command("-n", "--pidfile="),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.processes.append(process)
        self.until_up()
        return process

    def until_up(self) -> None:
        deadline_s = time.monotonic() + 20
        while time.monotonic() < deadline_s:
            try:
                if self.get("/api/v3/oneprovider/health")[0] == 200:
                    return
            except OSError:
                pass
            wait()
        raise AssertionError("the daemon does not come up")

    def connection(self) -> http.client.HTTPSConnection:
        trusted = ssl.create_default_context(cafile=str(self.folder / "state" / "web" / "ca.pem"))
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=trusted, timeout=10)

    def get(self, path: str) -> tuple[int, bytes]:
        connection = self.connection()
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def wait() -> None:
    """Give another process time; there is nothing in this one to wait for."""
    time.sleep(0.05)


def until_gone(pid: int) -> None:
    deadline_s = time.monotonic() + 15
    while time.monotonic() < deadline_s:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        wait()
    raise AssertionError(f"process {pid} does not end")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tmp_path)
    yield made
    for process in made.processes:
        process.kill()
        process.communicate()


def test_second_daemon_on_the_same_state_folder_is_refused(daemon: Daemon) -> None:
    daemon.start()
    second = daemon.run("-n", "--pidfile=", OP_WORKER__HTTP__PORT=str(free_port()))
    assert second.returncode == 1
    sentence = f"cannot start: another daemon already runs on the state folder {daemon.folder}/state\n"
    assert second.stderr == sentence
    assert daemon.get("/nagios")[0] == 200


def test_termination_stops_the_daemon_and_its_redis(daemon: Daemon) -> None:
    process = daemon.start()
    redis = int((daemon.folder / "state" / "redis.pid").read_text())
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=15)
    assert "Traceback" not in output
    assert not daemon.is_listening()
    until_gone(redis)


def test_daemonised_run_keeps_pid_and_log_files(daemon: Daemon) -> None:
    pid_file, log_file = daemon.folder / "op.pid", daemon.folder / "op.log"
    started = daemon.run("--pidfile", str(pid_file), "--logfile", str(log_file))
    assert started.returncode == 0, started
    pid = int(pid_file.read_text())
    try:
        daemon.until_up()
    finally:
        os.kill(pid, signal.SIGTERM)
        until_gone(pid)
    assert not pid_file.exists()
    assert "serving HTTPS on 127.0.0.1" in log_file.read_text()
    own = daemon.folder / "state" / "log"
    assert "GET /api/v3/oneprovider/health 200" in (own / "access.log").read_text()
    assert "serving HTTPS" in (own / "info.log").read_text()
    assert (own / "error.log").read_text() == ""


def test_secrets_of_the_state_folder_are_private(daemon: Daemon) -> None:
    daemon.start()
    state = daemon.folder / "state"
    assert state.stat().st_mode & 0o777 == 0o700
    for name in ("emergency_passphrase", "web/web_key.pem", "web/ca_key.pem"):
        assert (state / name).stat().st_mode & 0o777 == 0o600


def test_upload_under_way_ends_before_the_daemon_does(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    local = f'[local.users.anna]\n[local.spaces.lab]\nowner = "anna"\nstorage = "{tmp_path}/data"'
    daemon = Daemon(tmp_path, local)
    process = daemon.start()
    token = (tmp_path / "state" / "tokens" / "anna").read_text().strip()
    connection = daemon.connection()
    connection.putrequest("PUT", "/cdmi/lab/slow.bin")
    connection.putheader("X-Auth-Token", token)
    connection.putheader("Content-Type", "application/octet-stream")
    connection.putheader("Content-Length", "6")
    connection.endheaders(b"abc")
    wait()
    process.send_signal(signal.SIGTERM)
    until_closed(daemon)
    connection.send(b"def")
    assert connection.getresponse().status == 201
    process.communicate(timeout=15)
    assert (tmp_path / "data" / "lab" / "slow.bin").read_bytes() == b"abcdef"


def until_closed(daemon: Daemon) -> None:
    while daemon.is_listening():
        wait()


def refusal(folder: Path, config: str, **environment: str) -> str:
    ended = Daemon(folder, config).run("-n", "--pidfile=", **environment)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr + ended.stdout
    return ended.stderr


def test_every_problem_of_the_configuration_is_told_at_once(tmp_path: Path) -> None:
    told = refusal(tmp_path, 'nonsense = 1\nblocking_threads = "many"', OP_WORKER__HTTP__PORT="99999")
    assert told.splitlines() == [
        "cannot start: the configuration cannot be used:",
        "  nonsense: no such option",
        "  blocking_threads: expected an integer, got 'many'",
        "  http.port: 'port' must be <= 65535: 99999",
    ]


def test_broken_web_certificate_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("rubbish")
    environment = {"OP_WORKER__HTTP__CERT": str(broken), "OP_WORKER__HTTP__KEY": str(broken)}
    assert refusal(tmp_path, "", **environment) == f"cannot start: {broken} holds no readable certificate\n"


def test_broken_authority_of_the_zone_is_named(tmp_path: Path) -> None:
    told = refusal(tmp_path, "", OP_WORKER__ZONE__CA_FILE=str(tmp_path / "absent.pem"))
    assert told == f"cannot start: {tmp_path}/absent.pem: No such file or directory\n"


def test_missing_node_certificate_is_named(tmp_path: Path) -> None:
    environment = {"OP_WORKER__NODE__CM_NODES": "127.0.0.1:1", "OP_WORKER__NODE__TLS_CA": "/absent/ca.pem"}
    assert "/absent/ca.pem" in refusal(tmp_path, "", **environment)


def test_state_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    told = refusal(tmp_path, "", OP_WORKER__STATE_DIR=str(tmp_path / "file" / "state"))
    assert told.startswith("cannot start: ") and str(tmp_path / "file") in told


def test_worker_without_its_manager_keeps_trying_and_does_not_serve(
    tmp_path: Path, certificates: dict[str, Path]
) -> None:
    node = "\n".join(f'{key} = "{path}"' for key, path in certificates.items())
    daemon = Daemon(tmp_path, f'[node]\nnode_name = "worker@127.0.0.1"\ncm_nodes = ["127.0.0.1:1"]\n{node}')
    process = subprocess.Popen(
        daemon.command("-n", "--pidfile="),
        cwd=tmp_path,
        env=daemon.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "no link to a manager: 127.0.0.1:1" in line:
                break
        else:
            raise AssertionError("nothing was said about the manager")
        assert not daemon.is_listening()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=15)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def certificates(tmp_path: Path) -> dict[str, Path]:
    authority = Authority.make("test", time.time())
    authority.save(tmp_path / "ca")
    save_issued(authority.issue_node("worker@127.0.0.1", [], time.time()), tmp_path / "node", "node")
    return {
        "tls_ca": tmp_path / "ca" / "ca.pem",
        "tls_cert": tmp_path / "node" / "node_cert.pem",
        "tls_key": tmp_path / "node" / "node_key.pem",
    }
