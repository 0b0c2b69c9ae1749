"""OpenSSH with its SFTP server, for root of this machine by key."""

from __future__ import annotations

import getpass
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from tests.support.storages.foreground import Foreground, own_address
from tests.support.system_packages import require

PORT = 2222
_CONFIGURATION = """
ListenAddress {address}
Port {port}
HostKey {folder}/host_key
PidFile {folder}/pid
AuthorizedKeysFile {folder}/authorized
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 100
Subsystem sftp internal-sftp
"""


@frozen
class Sshd:
    """A server; ``data`` is a folder for tests, ``options`` are for OpenSSH's own clients."""

    server: Foreground
    address: str
    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def user(self) -> str:
        return getpass.getuser()

    @property
    def host_key(self) -> str:
        """The public key that it shows."""
        return (self.folder / "host_key.pub").read_text().strip()

    @property
    def private_key(self) -> str:
        """The key that logs in."""
        return (self.folder / "user_key").read_text()

    def make_key(self, name: str) -> Path:
        """Make another pair of keys; return the file of the private one."""
        return _make_key(self.folder, name)

    @property
    def options(self) -> list[str]:
        """Options of ``sftp`` and ``ssh``."""
        return [
            *("-P", str(PORT), "-i", str(self.folder / "user_key")),
            *("-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.folder}/known", "-q"),
        ]


@contextmanager
def sshd(folder: Path) -> Iterator[Sshd]:
    """Run it below ``folder``."""
    require(["sshd", "ssh-keygen", "sftp"], ["openssh-server", "openssh-client"])
    address = own_address(PORT)
    Path("/run/sshd").mkdir(exist_ok=True)
    (folder / "data").mkdir()
    _make_key(folder, "host_key")
    _make_key(folder, "user_key")
    (folder / "authorized").write_text((folder / "user_key.pub").read_text())
    configuration = folder / "sshd_config"
    configuration.write_text(_CONFIGURATION.format(folder=folder, address=address, port=PORT))
    program = shutil.which("sshd", path="/usr/sbin:/usr/bin") or "/usr/sbin/sshd"
    command = [program, "-D", "-f", str(configuration), "-E", str(folder / "log")]
    server = Foreground(command, folder / "out.log", lambda: _answers(address))
    server.start()
    try:
        yield Sshd(server, address, folder)
    finally:
        server.stop()


def _make_key(folder: Path, name: str) -> Path:
    file = folder / name
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=30)
    return file


def _answers(address: str) -> bool:
    command = ["ssh-keyscan", "-p", str(PORT), "-T", "2", address]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=10, check=False)
    return done.returncode == 0 and b"ssh-" in done.stdout
