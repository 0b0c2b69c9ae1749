"""GlusterFS: a management daemon, and volumes of one brick each."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.storages.foreground import Foreground, own_address, wait_for
from tests.support.system_packages import require

PORT = 24007
"""Bricks look for the daemon here, whatever it is told; so each server has an address of its own."""
VOLUME = "vol1"
_CONFIGURATION = """volume management
type mgmt/glusterd
option working-directory {folder}/etc
option run-directory {folder}/run
option transport-type socket
option transport.socket.bind-address {address}
option transport.socket.listen-port {port}
option transport.address-family inet
option rpc-auth-allow-insecure on
option base-port 24107
option max-port 24206
option glusterd-sockfile {folder}/run/glusterd.sock
end-volume
"""


class Glusterd:
    """A running daemon with the volume ``VOLUME``, which anybody may use.

    Attributes:
        brick: the folder that keeps the volume.
    """

    def __init__(self, folder: Path) -> None:
        self.address, self._folder = own_address(PORT), folder
        for name in ("etc", "run", "log", "mnt"):
            (folder / name).mkdir()
        self.brick = folder / "brick"
        configuration = folder / "glusterd.vol"
        configuration.write_text(_CONFIGURATION.format(folder=folder, address=self.address, port=PORT))
        command = ["glusterd", "-N", "-f", str(configuration), "-l", str(folder / "log" / "glusterd.log")]
        self.process = Foreground(command, folder / "log" / "out", lambda: self._try("pool", "list") == 0)

    def gluster(self, *words: str) -> None:
        """Give the daemon an order; the test fails when it refuses."""
        code = self._try(*words)
        assert code == 0, f"gluster {' '.join(words)} ended with {code}"

    def kill_brick(self) -> None:
        """End the process that serves the volume as a power switch would; ``start_brick`` starts it again."""
        for pid in self._brick_pids():
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not self._brick_pids(), "the end of the brick")

    def start_brick(self) -> None:
        """Start what ``kill_brick`` ended."""

        def started() -> bool:
            self.gluster("volume", "start", VOLUME, "force")  # it may still think that the old one runs
            return bool(self._brick_pids())

        wait_for(started, "brick")

    def brick_pid(self) -> int:
        """The process that serves the volume."""
        (pid,) = self._brick_pids()
        return pid

    @contextmanager
    def mounted(self) -> Iterator[Path]:
        """Give the volume as the system's own client shows it."""
        mount = self._folder / "mnt"
        command = ["glusterfs", "-s", self.address, f"--volfile-id={VOLUME}", "--attribute-timeout=0"]
        command += ["--entry-timeout=0", "-l", str(self._folder / "log" / "mnt.log"), str(mount)]
        subprocess.run([*command, "-p", str(self._folder / "run" / "mnt.pid")], check=True, timeout=60)
        try:
            yield mount
        finally:
            subprocess.run(["umount", str(mount)], check=True, timeout=60)

    @contextmanager
    def running(self) -> Iterator[Glusterd]:
        """Run it with its volume, and end both."""
        self.process.start()
        try:
            self.gluster("volume", "create", VOLUME, f"{self.address}:{self.brick}", "force")
            self.gluster("volume", "set", VOLUME, "server.allow-insecure", "on")
            self.gluster("volume", "start", VOLUME)
            wait_for(lambda: bool(self._brick_pids()), "brick")
            yield self
        finally:
            self._try("volume", "stop", VOLUME, "force")
            self.kill_brick()
            self.process.stop()

    def _brick_pids(self) -> Sequence[int]:
        files = (self._folder / "run" / "vols" / VOLUME).glob("*.pid")
        pids = [text for each in files if (text := each.read_text().strip())]
        return [int(pid) for pid in pids if _is_alive(pid)]

    def _try(self, *words: str) -> int:
        socket, log = self._folder / "run" / "glusterd.sock", self._folder / "log" / "cli.log"
        options = ["--mode=script", f"--glusterd-sock={socket}", f"--log-file={log}"]
        done = subprocess.run(
            ["gluster", *options, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return done.returncode


@contextmanager
def glusterd(folder: Path) -> Iterator[Glusterd]:
    """Start a server below ``folder`` and end it; without its packages the test is skipped loudly."""
    require(["glusterd", "gluster", "glusterfs"], ["glusterfs-server", "glusterfs-client"])
    with Glusterd(folder).running() as server:
        yield server


def _is_alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
