"""A server of somebody else that runs in the foreground as a process of ours."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import SystemRandom

START_LIMIT_S = 60.0
_END_LIMIT_S = 10.0


class Foreground:
    """A program that is started, ended or killed, and started again.

    Args:
        command: stays in the foreground.
        log: what it prints is added to this file.
        is_ready: whether it answers in its protocol.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        is_ready: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command, self._log, self._is_ready = command, log, is_ready
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it is ready; fails with what it said when it ends or takes too long."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,
            )
        try:
            wait_for(
                self._ready, str(self._command[0]), lambda: self._log.read_text(errors="replace")[-2000:]
            )
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End it in order; after ten seconds by force. Idempotent."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it, with the processes of its group, as a power switch would. Idempotent."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(_END_LIMIT_S)
            self._process = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let it stand still: connections stay, nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitpid(self.pid, os.WUNTRACED)  # it stops a moment later
        try:
            wait_for(self._stands_still, f"the end of all movement of {self._command[0]}")
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def _stands_still(self) -> bool:
        threads = Path(f"/proc/{self.pid}/task").glob("*/stat")
        return all(thread.read_text().rpartition(")")[2].split()[0] == "T" for thread in threads)

    def _ready(self) -> bool:
        assert self._process is not None
        code = self._process.poll()
        assert code is None, (
            f"{self._command[0]} ended with {code}: {self._log.read_text(errors='replace')[-2000:]}"
        )
        return self._is_ready()


def wait_for(condition: Callable[[], bool], what: str, told: Callable[[], str] = str) -> None:
    """Poll until ``condition`` holds; fails after a minute with what ``told`` says."""
    end = time.monotonic() + START_LIMIT_S
    while not condition():
        assert time.monotonic() < end, f"{what} is not ready after {START_LIMIT_S:.0f} s: {told()}"
        time.sleep(0.02)


def own_address(*ports: int) -> str:
    """Return an address of this machine on which nobody listens at ``ports``."""
    random = SystemRandom()
    while True:
        address = f"127.{random.randrange(20, 250)}.{random.randrange(1, 250)}.{random.randrange(1, 250)}"
        if all(_is_free(address, port) for port in ports):
            return address


def answers(command: Sequence[str]) -> bool:
    """Whether a client's command succeeds within five seconds."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=5, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
