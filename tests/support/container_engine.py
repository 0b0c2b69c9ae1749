"""A container engine for tests: a private one that leaves the machine as it was, or the user's."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bamboos.environment.engines.docker_cli import Docker
from tests.support.system_packages import SYSTEM_FOLDERS, require, skip_loudly

PACKAGES = ("docker.io", "iptables")
START_LIMIT_S = 60.0
STOP_LIMIT_S = 30.0

UNTOUCHED = ("--bridge=none", "--iptables=false", "--ip-masq=false", "--ip-forward=false")
"""Options of an engine that changes nothing of the machine but for the networks it is told to make."""


@contextmanager
def container_engine() -> Iterator[None]:
    """Let ``docker`` and everything that runs it reach an engine; skip loudly when there is none.

    Root gets an engine of its own with a socket, images and containers in a temporary folder.
    Everybody else uses the engine that answers them.
    """
    if os.geteuid() != 0:
        if problem := Docker().problem():
            skip_loudly(f"NOT TESTED in containers: {problem}; install {' '.join(PACKAGES)}")
        yield
        return
    require(["dockerd", "docker", "iptables"], PACKAGES)
    folder = Path(tempfile.mkdtemp(prefix="engine-"))  # the path of a socket has to be short
    links = _links()
    process = _start(folder)
    before = os.environ.get("DOCKER_HOST")
    os.environ["DOCKER_HOST"] = _socket(folder)
    try:
        yield
        assert Docker()("ps", "--all", "--quiet") == "", "a test left containers behind"
        assert _links() == links, "a test left networks behind"
    finally:
        _remove_all()
        _stop(process)
        _restore(before)
        shutil.rmtree(folder, ignore_errors=True)


def _restore(docker_host: str | None) -> None:
    if docker_host is None:
        del os.environ["DOCKER_HOST"]
    else:
        os.environ["DOCKER_HOST"] = docker_host


def _start(folder: Path) -> subprocess.Popen[bytes]:
    """Start an engine on the fastest storage that works here."""
    for storage in ("overlay2", "vfs"):
        process = _launch(folder, storage)
        if _answers(process, _socket(folder)):
            return process
        _stop(process)
    last = (folder / "dockerd.log").read_text(errors="replace").splitlines()[-1:]
    skip_loudly(f"NOT TESTED in containers: dockerd does not come up here: {last}")


def _launch(folder: Path, storage: str) -> subprocess.Popen[bytes]:
    places = ["--data-root", str(folder / storage), "--exec-root", str(folder / "exec")]
    places += ["--host", _socket(folder), "--pidfile", str(folder / "docker.pid")]
    path = os.pathsep.join([os.environ.get("PATH", ""), *SYSTEM_FOLDERS])
    with (folder / "dockerd.log").open("wb") as log:
        return subprocess.Popen(
            ["dockerd", *places, "--storage-driver", storage, *UNTOUCHED],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "PATH": path},
            start_new_session=True,
        )


def _answers(process: subprocess.Popen[bytes], host: str) -> bool:
    deadline = time.monotonic() + START_LIMIT_S
    while process.poll() is None and time.monotonic() < deadline:
        words = ["docker", "--host", host, "version"]
        if subprocess.run(words, capture_output=True, timeout=30, check=False).returncode == 0:
            return True
        time.sleep(0.1)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _remove_all() -> None:
    """Remove what a failed test left, while there is an engine that can."""
    docker = Docker()
    if left := docker("ps", "--all", "--quiet").split():
        docker("rm", "--force", "--volumes", *left)
    if left := docker("network", "ls", "--quiet", "--filter", "type=custom").split():
        docker("network", "rm", *left)


def _socket(folder: Path) -> str:
    return f"unix://{folder}/docker.sock"


def _links() -> set[str]:
    return {
        entry.name for entry in Path("/sys/class/net").iterdir() if entry.name.startswith(("br-", "docker"))
    }
