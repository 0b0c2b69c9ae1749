"""An NFS server in user space: nfs-ganesha with an export to write to, one to read, and a small one."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.storages.foreground import Foreground, answers, own_address
from tests.support.system_packages import require

PORT, MOUNT_PORT = 20490, 20491
_PLUGINS = "/usr/lib/x86_64-linux-gnu/ganesha"
_CONFIGURATION = """
NFS_CORE_PARAM {{
  Protocols = 3,4; Bind_addr = {address}; NFS_Port = {port}; MNT_Port = {mount_port};
  Enable_NLM = false; Enable_RQUOTA = false; Enable_UDP = false; Plugins_Dir = {plugins};
}}
NFSV4 {{
  Graceless = true; RecoveryBackend = fs; RecoveryRoot = {folder}/rec; Lease_Lifetime = 5; Grace_Period = 2;
}}
NFS_KRB5 {{ Active_krb5 = false; }}
"""
_EXPORT = """
EXPORT {{
  Export_Id = {number}; Path = {path}; Pseudo = /{name}; Access_Type = {access}; Squash = No_Root_Squash;
  SecType = sys; Protocols = 3,4; Transports = TCP; FSAL {{ Name = VFS; }}
}}
"""


class Ganesha:
    """A running server.

    Attributes:
        export: the folder exported for writing; its path is the name of the volume for NFSv3.
        read_only: a folder exported for reading.
        small: a folder exported for writing that holds one MiB.
    """

    def __init__(self, folder: Path) -> None:
        self.address = own_address(PORT, MOUNT_PORT)
        self.export, self.read_only, self.small = folder / "export", folder / "read_only", folder / "small"
        for made in (self.export, self.read_only, self.small, folder / "rec"):
            made.mkdir()
        configuration = folder / "ganesha.conf"
        configuration.write_text(self._configuration(folder))
        os.chmod(self.export, 0o777)
        self._rpcbind = Foreground(
            ["unshare", "-n", "rpcbind", "-f", "-w"], folder / "rpcbind.log", _rpcbind_listens
        )
        command = ["ganesha.nfsd", "-F", "-f", str(configuration), "-L", str(folder / "ganesha.log")]
        command += ["-p", str(folder / "pid"), "-N", "NIV_EVENT"]
        self.process = Foreground(command, folder / "out", self._answers)

    def url(self, export: Path | None = None) -> str:
        """Return the address of an export for the programs of libnfs."""
        arguments = f"version=3&nfsport={PORT}&mountport={MOUNT_PORT}"
        return f"nfs://{self.address}{export or self.export}?{arguments}"

    @contextmanager
    def running(self) -> Iterator[Ganesha]:
        """Run it with what it needs, and end all that."""
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m,mode=777", "tmpfs", str(self.small)], check=True
        )
        rpcbind_is_ours = not _rpcbind_listens()
        try:
            if rpcbind_is_ours:
                self._rpcbind.start()
            self.process.start()
            yield self
        finally:
            self.process.stop()
            self._rpcbind.stop()
            subprocess.run(["umount", str(self.small)], check=True)

    def _configuration(self, folder: Path) -> str:
        exports = [(self.export, "RW"), (self.read_only, "RO"), (self.small, "RW")]
        return _CONFIGURATION.format(
            address=self.address, port=PORT, mount_port=MOUNT_PORT, plugins=_PLUGINS, folder=folder
        ) + "".join(
            _EXPORT.format(number=number, path=path, name=path.name, access=access)
            for number, (path, access) in enumerate(exports, 1)
        )

    def _answers(self) -> bool:
        return answers(["nfs-ls", self.url()])


@contextmanager
def ganesha(folder: Path) -> Iterator[Ganesha]:
    """Start a server below ``folder`` and end it; without its packages the test is skipped loudly."""
    require(
        ["ganesha.nfsd", "rpcbind", "nfs-ls"],
        ["nfs-ganesha", "nfs-ganesha-vfs", "nfs-ganesha-mem", "rpcbind", "libnfs13", "libnfs-utils"],
    )
    Path("/run/rpcbind").mkdir(exist_ok=True)
    with Ganesha(folder).running() as server:
        yield server


def _rpcbind_listens() -> bool:
    """Whether somebody serves the socket by which a server of NFSv3 registers itself."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect("/run/rpcbind.sock")
        except OSError:
            return False
    return True
