"""An XRootD server without accounts."""

from __future__ import annotations

import random
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import chown

from tests.support.storages.foreground import Foreground, answers
from tests.support.system_packages import require

_CONFIGURATION = """all.export /
all.export /read_only r/o
oss.localroot {folder}/data
all.adminpath {folder}/adm
all.pidpath {folder}/adm
xrd.port {port}
xrd.network nodnr
xrd.protocol XrdHttp:{http_port} libXrdHttp.so
"""


class XRootD:
    """A running server.

    Attributes:
        data: the folder that it serves.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.port, self._folder = port, folder
        self.data = folder / "data"
        for name in ("data", "data/read_only", "adm", "log"):
            (folder / name).mkdir()
        configuration = folder / "xrd.cfg"
        configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, http_port=port + 1))
        for made in (folder, *folder.rglob("*")):
            chown(made, "xrootd", "xrootd")
        command = ["xrootd", "-c", str(configuration), "-n", "t", "-l", str(folder / "log" / "x.log")]
        drop = ["setpriv", "--reuid=xrootd", "--regid=xrootd", "--clear-groups"]
        self.process = Foreground([*drop, *command], folder / "log" / "out", self._answers)

    @property
    def url(self) -> str:
        """Of the root of what is served."""
        return f"root://127.0.0.1:{self.port}/"

    def _answers(self) -> bool:
        return answers(
            ["curl", "--silent", "--fail", "--max-time", "2", f"http://127.0.0.1:{self.port + 1}/"]
        )


@contextmanager
def xrootd(_folder: Path) -> Iterator[XRootD]:
    """Start a server and end it; without its packages the test is skipped loudly.

    It refuses to run as root, and its own user cannot enter the folders of tests: it gets one elsewhere.
    """
    require(["xrootd", "xrdcp", "setpriv"], ["xrootd-server", "xrootd-client", "util-linux"])
    with tempfile.TemporaryDirectory(prefix="xrootd-") as folder:
        server = XRootD(Path(folder), _free_pair())
        server.process.start()
        try:
            yield server
        finally:
            server.process.stop()


def _free_pair() -> int:
    """Return a port that is free together with the next one; the server listens on every address."""
    while True:
        port = random.randrange(11000, 19000)
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("", port))
                second.bind(("", port + 1))
            except OSError:
                continue
        return port
