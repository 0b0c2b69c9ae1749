"""A Ceph cluster of one monitor and one object server that keeps everything in memory.

Clients need ``address`` and the key of a user. Every test gets a pool, or a prefix in one, of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from op_worker.storage.helpers.cephrados.library import load_rados
from tests.support.storages.foreground import Foreground, answers, own_address, wait_for
from tests.support.system_packages import require

PROGRAMS = ("ceph-mon", "ceph-osd", "ceph", "monmaptool", "ceph-authtool")
PACKAGES = ("ceph-mon", "ceph-osd", "ceph-common", "python3-rados", "libradosstriper1")
POOL = "test"
USER = "test"
"""A user that may do everything in ``POOL`` and nothing elsewhere."""
MONITOR_PORT = 3300
OLD_MONITOR_PORT = 6789
_MOST_B = 3 << 30
_USERS: Mapping[str, Mapping[str, str]] = {
    "client.admin": {"mon": "allow *", "osd": "allow *"},
    "osd.0": {"mon": "allow profile osd", "osd": "allow *"},
    f"client.{USER}": {"mon": "allow r", "osd": f"allow rwx pool={POOL}"},
    "client.reader": {"mon": "allow r", "osd": f"allow r pool={POOL}"},
    "client.rgw": {"mon": "allow rw", "osd": "allow rwx"},
}
_COMMAND_LIMIT_S = 60.0

_CONFIGURATION = """
[global]
fsid = {fsid}
mon host = [v2:{address}:{port}/0,v1:{address}:{old_port}/0]
public addr = {address}
cluster addr = {address}
ms bind port min = 6800
ms bind port max = 6890
keyring = {folder}/keyring
run dir = {folder}/run
admin socket = {folder}/run/$name.asok
pid file = {folder}/run/$name.pid
log file = {folder}/log/$name.log
crash dir = {folder}/crash
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool delete = true
mon data avail crit = 1
mon allow pool size one = true

[mon]
mon data = {folder}/mon
mon cluster log file = {folder}/log/cluster.log
paxos propose interval = 0.02
paxos min wait = 0.01

[mon.a]
mon initial members = a

[osd]
osd data = {folder}/osd
osd objectstore = {backend}
memstore device bytes = {most_b}
bluestore block size = 4294967296
osd heartbeat interval = 1
osd mon report interval = 1
osd class load list = *
osd class default list = *
"""


class CephCluster:
    """A running cluster.

    Args:
        folder: where everything of it is; ``configuration`` lies there.
        address: where its servers listen.
        backend: ``memstore``, or ``bluestore``, which survives the end of the object server.
    """

    def __init__(self, folder: Path, address: str, backend: str = "memstore") -> None:
        self.folder, self.address = folder, address
        self._fsid = str(uuid.uuid4())
        self._backend = backend
        self._client: Any = None
        self.monitor = self._server("mon", ["ceph-mon", "-i", "a", "-f"], self._monitor_answers)
        self.objects = self._server("osd", ["ceph-osd", "-i", "0", "-f"], self._objects_answer)

    @property
    def configuration(self) -> Path:
        """The file that Ceph's own programs read."""
        return self.folder / "ceph.conf"

    @property
    def monitors(self) -> str:
        """What clients call the monitors."""
        return f"v2:{self.address}:{MONITOR_PORT}"

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables with which Ceph's own programs speak to this cluster."""
        return {"CEPH_CONF": str(self.configuration)}

    def start(self) -> None:
        """Make the cluster and its one pool."""
        self._write_files()
        self._make_monitor()
        self.monitor.start()
        self._make_objects()
        self.objects.start()
        self.make_pool(POOL)

    def stop(self) -> None:
        """End everything at once: nothing in it is wanted any more. Idempotent."""
        if self._client is not None:
            self._client.shutdown()
            self._client = None
        self.objects.kill()
        self.monitor.kill()

    def make_pool(self, name: str) -> None:
        """Make a pool; the first one waits until the object server is known."""
        self.run("ceph", "osd", "pool", "create", name, "8")

    def remove_pool(self, name: str) -> None:
        """Remove a pool with all that is in it."""
        self.run("ceph", "osd", "pool", "delete", name, name, "--yes-i-really-really-mean-it")

    def limit_pool(self, name: str, most_b: int) -> None:
        """Let a pool take no more than so many bytes; 0 is without limit."""
        self.run("ceph", "osd", "pool", "set-quota", name, "max_bytes", str(most_b))

    def key(self, user: str = USER) -> str:
        """Return the secret of a user."""
        return self.run("ceph-authtool", str(self.folder / "keyring"), "-n", f"client.{user}", "-p").strip()

    @contextmanager
    def full(self) -> Iterator[None]:
        """Let the cluster have no room for anything new until the body ends."""
        self._inject("full")
        try:
            wait_for(lambda: "full osd(s)" in self.run("ceph", "health"), "a full object server")
            yield
        finally:
            self._inject("none")
            wait_for(lambda: "full osd(s)" not in self.run("ceph", "health"), "room in the object server")

    def shut_out(self, user: str) -> None:
        """Take nothing any more from the clients that a user has now."""
        socket = str(self.folder / "run" / "mon.a.asok")
        for session in json.loads(self.run("ceph", "--admin-daemon", socket, "sessions")):
            if session["entity_name"] == f"client.{user}":
                (address,) = session["addrs"]["addrvec"]
                self.run("ceph", "osd", "blocklist", "add", f"{address['addr']}/{address['nonce']}")

    def client(self) -> Any:
        """Return a connection of the administrator by Ceph's own Python module."""
        if self._client is None:
            options = {"mon_host": self.monitors, "key": self.key("admin"), "keyring": "/dev/null"}
            self._client = load_rados().Rados(name="client.admin", conf={**options, "log_to_stderr": "false"})
            self._client.connect()
        return self._client

    def objects_of(self, pool: str, prefix: str = "") -> Mapping[str, bytes]:
        """Return the objects of a pool whose names begin with ``prefix``, by the rest of their names."""
        with self.client().open_ioctx(pool) as opened:
            names = [each.key for each in opened.list_objects() if each.key.startswith(prefix)]
            return {name.removeprefix(prefix): opened.read(name, opened.stat(name)[0]) for name in names}

    def read_striped(self, pool: str, name: str) -> bytes:
        """Return a striped object as Ceph's own command reads it."""
        target = self.folder / "striped"
        self.run("rados", "--pool", pool, "--striper", "get", name, str(target))
        return target.read_bytes()

    def empty(self, pool: str) -> None:
        """Remove every object of a pool."""
        with self.client().open_ioctx(pool) as opened:
            for each in opened.list_objects():
                opened.remove_object(each.key)

    def run(self, *words: str) -> str:
        """Run one of Ceph's own programs on this cluster and return what it printed."""
        command = [*words]
        if words[0] == "ceph":
            command[1:1] = ["--connect-timeout", "20"]
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**os.environ, **self.environment},
            timeout=_COMMAND_LIMIT_S,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def _inject(self, fullness: str) -> None:
        self.run("ceph", "--admin-daemon", self._socket, "injectfull", fullness)

    @property
    def _socket(self) -> str:
        return str(self.folder / "run" / "osd.0.asok")

    def _server(self, name: str, command: Sequence[str], is_ready: Callable[[], bool]) -> Foreground:
        return Foreground(command, self.folder / f"{name}.out", is_ready, self.environment)

    def _write_files(self) -> None:
        for folder in ("mon", "osd", "run", "log", "crash"):
            (self.folder / folder).mkdir(parents=True)
        text = _CONFIGURATION.format(
            fsid=self._fsid,
            address=self.address,
            port=MONITOR_PORT,
            old_port=OLD_MONITOR_PORT,
            folder=self.folder,
            backend=self._backend,
            most_b=_MOST_B,
        )
        self.configuration.write_text(text)

    def _make_monitor(self) -> None:
        keyring = str(self.folder / "keyring")
        self.run(
            "ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *"
        )
        for name, capabilities in _USERS.items():
            words = [word for kind, what in capabilities.items() for word in ("--cap", kind, what)]
            self.run("ceph-authtool", keyring, "--gen-key", "-n", name, *words)
        places = f"[{self.monitors},v1:{self.address}:{OLD_MONITOR_PORT}]"
        monmap = str(self.folder / "monmap")
        self.run("monmaptool", "--create", "--clobber", "--fsid", self._fsid, "--addv", "a", places, monmap)
        self.run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", keyring)

    def _make_objects(self) -> None:
        name = str(uuid.uuid4())
        self.run("ceph", "osd", "new", name)
        self.run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", name)
        self.run("ceph", "osd", "crush", "add", "osd.0", "1.0", "root=default")

    def _monitor_answers(self) -> bool:
        return answers(["ceph", "--conf", str(self.configuration), "--connect-timeout", "4", "mon", "stat"])

    def _objects_answer(self) -> bool:
        return answers(["sh", "-c", 'ceph --admin-daemon "$0" status | grep -q active', self._socket])


@contextmanager
def ceph_cluster(folder: Path, backend: str = "memstore") -> Iterator[CephCluster]:
    """Start a cluster below ``folder`` at an address of its own for as long as the body runs."""
    require(PROGRAMS, PACKAGES)
    folder.mkdir(parents=True, exist_ok=True)
    cluster = CephCluster(folder, own_address(MONITOR_PORT, OLD_MONITOR_PORT), backend)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
