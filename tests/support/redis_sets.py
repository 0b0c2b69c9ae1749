"""Redis servers that belong together, started for a test: sentinels with their servers, and clusters.

Every server listens on a free loopback port, works in a folder of its own, and ends with the test's process.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from attrs import define, field, frozen
from valkey import Connection
from valkey.exceptions import ValkeyError

from cluster_worker.persistence import leash
from cluster_worker.persistence.server_program import find_server
from cluster_worker.persistence.slots import SLOTS

HOST = "127.0.0.1"
PASSWORD, SENTINEL_PASSWORD = "s3cret", "watch-word"
SERVICE = "m1"
_WITHIN_S = 20.0
_ports = Random()


def free_port() -> int:
    """Return a loopback port that was free a moment ago, not one that outgoing connections get."""
    while True:
        port = _ports.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue  # taken
        return port


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Return when ``condition`` holds; a server that does not answer yet makes it false."""
    deadline = time.monotonic() + _WITHIN_S
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except (ValkeyError, OSError):
            pass  # not yet
        time.sleep(0.02)
    raise AssertionError(f"not within {_WITHIN_S} s: {what}")


@frozen
class Machine:
    """Where servers run: an address, and the words that run a command there when they stand before it."""

    host: str = HOST
    words: Sequence[str] = ()

    def port(self, usual: int) -> int:
        """Return a port to listen on: the usual one where nobody else is."""
        return free_port() if self.host == HOST else usual


HERE = Machine()


@define(eq=False)
class Server:
    """One process; ``options`` are words of its command line."""

    folder: Path
    port: int
    options: Sequence[str]
    machine: Machine = HERE
    password: str | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def place(self) -> str:
        """``host:port``."""
        return f"{self.machine.host}:{self.port}"

    def start(self) -> None:
        """Start it; it answers a little later."""
        self.folder.mkdir(parents=True, exist_ok=True)
        leashed = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), find_server()]
        words = [*self.machine.words, *leashed, *self.options]
        with open(self.folder / "redis.log", "ab") as log:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder
            )

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; killing waits for its end."""
        assert self.process is not None
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait(10)

    def stop(self) -> None:
        """End it for good."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def ask(self, *words: object) -> Any:
        """Return the reply to one command as it comes: bytes, integers, lists. Raises: ValkeyError."""
        connection = Connection(
            host=self.machine.host, port=self.port, password=self.password, socket_timeout=5
        )
        try:
            connection.send_command(*words)
            return connection.read_response()
        finally:
            connection.disconnect()


def server_options(port: int, extra: Sequence[str] = (), host: str = HOST) -> Sequence[str]:
    """Return the command line of a server on ``port`` that keeps an append-only file."""
    words = ["--port", str(port), "--bind", host, "--save", "", "--appendonly", "yes", "--appendfsync", "no"]
    return [*words, "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1", *extra]


def _locked(password: str | None) -> Sequence[str]:
    """Return the options of a server that asks for a password, also its replicas."""
    return () if password is None else ("--requirepass", password, "--masterauth", password)


class SentinelGroup:
    """A primary, its replicas, and three sentinels that agree on the primary within about a second.

    Args:
        machines: where each of the servers, and of the sentinels, runs.
        password: what the servers ask for; the sentinels then ask for ``SENTINEL_PASSWORD``.
        down_after_ms: a server that is silent for so long is down to a sentinel.
    """

    def __init__(
        self,
        folder: Path,
        replicas: int = 2,
        extra: Sequence[str] = (),
        machines: Sequence[Machine] = (HERE, HERE, HERE),
        password: str | None = None,
        down_after_ms: int = 500,
    ) -> None:
        self._folder, self._password, self._down_after_ms = folder, password, down_after_ms
        self._extra = [*extra, *_locked(password)]
        self.servers: list[Server] = []
        for number in range(1 + replicas):
            self.servers.append(self._server(number, machines[number]))
        self.sentinels = [self._sentinel(number, machine) for number, machine in enumerate(machines)]

    def _server(self, number: int, machine: Machine) -> Server:
        port = machine.port(6379)
        follow = ["--replicaof", self.servers[0].place.replace(":", " ")] if number else []
        options = server_options(port, [*self._extra, *follow], machine.host)
        return Server(self._folder / f"server-{number}", port, options, machine, self._password)

    def _sentinel(self, number: int, machine: Machine) -> Server:
        folder = self._folder / f"sentinel-{number}"
        password = SENTINEL_PASSWORD if self._password else None
        return Server(folder, machine.port(26379), ["sentinel.conf", "--sentinel"], machine, password)

    @property
    def url(self) -> str:
        """The URL of a daemon's configuration."""
        login = f":{self._password}@" if self._password else ""
        return f"redis+sentinel://{login}{','.join(one.place for one in self.sentinels)}/{SERVICE}/0"

    def start(self) -> None:
        """Start everything and return when a failover would succeed."""
        for server in self.servers:
            server.start()
        replicas = self.servers[1:]
        wait_until(lambda: all(link_status(one) == b"up" for one in replicas), "replicas follow")
        for sentinel in self.sentinels:
            self._write_configuration(sentinel)
            sentinel.start()
        for sentinel in self.sentinels:
            wait_until(partial(_hurry, sentinel), "sentinels answer")
            wait_until(partial(self._knows_all, sentinel), "sentinels know each other")

    def _write_configuration(self, sentinel: Server) -> None:
        sentinel.folder.mkdir(parents=True)
        lines = [
            f"port {sentinel.port}",
            f"bind {sentinel.machine.host}",
            "protected-mode no",
            f"sentinel announce-ip {sentinel.machine.host}",
            f"sentinel monitor {SERVICE} {self.servers[0].place.replace(':', ' ')} 2",
            f"sentinel down-after-milliseconds {SERVICE} {self._down_after_ms}",
            f"sentinel failover-timeout {SERVICE} 1000",
        ]
        if self._password:
            lines += [f"requirepass {SENTINEL_PASSWORD}", f"sentinel sentinel-pass {SENTINEL_PASSWORD}"]
            lines += [f"sentinel auth-pass {SERVICE} {self._password}"]
        (sentinel.folder / "sentinel.conf").write_text("\n".join(lines) + "\n")

    def _knows_all(self, sentinel: Server) -> bool:
        known = _pairs(sentinel.ask("SENTINEL", "MASTER", SERVICE))
        return (known[b"num-slaves"], known[b"num-other-sentinels"]) == (
            b"%d" % (len(self.servers) - 1),
            b"2",
        )

    def is_whole(self) -> bool:
        """Whether all replicas follow the primary that all sentinels name."""
        primary = self.primary()
        names = {tuple(_primary_of(sentinel)) for sentinel in self.sentinels}
        role, *standing = primary.ask("ROLE")
        if role != b"master" or len(names) != 1:  # a replica stands otherwise, in more words
            return False
        _, replicas = standing
        return len(replicas) == len(self.servers) - 1

    def primary(self) -> Server:
        """Return the server that was made the primary last, as far as any sentinel knows."""
        views = [view for sentinel in self.sentinels if (view := _view(sentinel))]
        _, place = max(views)
        return next(server for server in self.servers if server.place == place)

    def stop(self) -> None:
        """End everything."""
        for server in [*self.sentinels, *self.servers]:
            server.stop()


class ClusterGroup:
    """A Redis Cluster of some primaries, each with as many replicas; nodes count as failed after a second.

    The nodes ask for ``PASSWORD``.
    """

    def __init__(
        self, folder: Path, primaries: int = 3, replicas: int = 0, extra: Sequence[str] = ()
    ) -> None:
        self._primaries, self._replicas = primaries, replicas
        self.servers = [self._server(folder, number, extra) for number in range(primaries * (1 + replicas))]

    def _server(self, folder: Path, number: int, extra: Sequence[str]) -> Server:
        port = free_port()
        words = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-announce-ip", HOST]
        words += ["--cluster-port", str(free_port()), "--cluster-replica-validity-factor", "0", *extra]
        words += ["--cluster-require-full-coverage", "no", *_locked(PASSWORD)]
        return Server(folder / f"node-{number}", port, server_options(port, words), password=PASSWORD)

    @property
    def url(self) -> str:
        """The URL of a daemon's configuration, which names two of the nodes."""
        return f"redis+cluster://:{PASSWORD}@{','.join(one.place for one in self.servers[:2])}"

    def start(self) -> None:
        """Start the nodes, join them, give out the slots, and return when the cluster serves."""
        for server in self.servers:
            server.start()
        for server in self.servers:
            wait_until(partial(server.ask, "PING"), "nodes answer")
        first, *others = self.servers
        for number, primary in enumerate(self.servers[: self._primaries]):
            bounds = [SLOTS * at // self._primaries for at in (number, number + 1)]
            primary.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            primary.ask("CLUSTER", "ADDSLOTSRANGE", bounds[0], bounds[1] - 1)
        for server in others:
            first.ask("CLUSTER", "MEET", HOST, server.port, _bus_port(server))
        for server in self.servers:
            wait_until(partial(self._sees_all, server), "nodes know each other")
        for number, replica in enumerate(self.servers[self._primaries :]):
            replica.ask("CLUSTER", "REPLICATE", self.node_id(self.servers[number % self._primaries]))
        wait_until(self.is_whole, "the cluster serves")

    def _sees_all(self, server: Server) -> bool:
        nodes = server.ask("CLUSTER", "NODES")
        return nodes.count(b"\n") == len(self.servers) and b"handshake" not in nodes

    def is_whole(self) -> bool:
        """Whether all nodes serve, and all replicas follow."""
        roles = [server.ask("ROLE") for server in self.servers]
        replicas = [role for role in roles if role[0] == b"slave"]
        return (
            all(b"cluster_state:ok" in server.ask("CLUSTER", "INFO") for server in self.servers)
            and all(b"fail" not in server.ask("CLUSTER", "NODES") for server in self.servers)
            and len(replicas) == self._primaries * self._replicas
            and all(role[3] == b"connected" for role in replicas)
        )

    @staticmethod
    def node_id(server: Server) -> str:
        """Return the name of a node within the cluster."""
        name: bytes = server.ask("CLUSTER", "MYID")
        return name.decode()

    def replica_of(self, primary: Server) -> Server:
        """Return a replica that follows a primary."""
        return next(
            server
            for server in self.servers
            if (role := server.ask("ROLE"))[0] == b"slave" and role[2] == primary.port
        )

    def owner(self, slot: int, besides: Server | None = None) -> Server:
        """Return the node that has a slot, as some node that answers knows, ``besides`` one."""
        for server in (one for one in self.servers if one is not besides):
            try:
                ranges = server.ask("CLUSTER", "SLOTS")
            except (ValkeyError, OSError):
                continue
            for first, last, (_, port, *_), *_ in ranges:
                if first <= slot <= last:
                    return next(one for one in self.servers if one.port == port)
        raise AssertionError(f"nobody has slot {slot}")

    def stop(self) -> None:
        """End everything."""
        for server in self.servers:
            server.stop()


def link_status(server: Server) -> bytes:
    """Return whether a replica follows its primary: ``up`` when it does."""
    info: bytes = server.ask("INFO", "replication")
    return info.partition(b"master_link_status:")[2].split(b"\r", 1)[0]


def _primary_of(sentinel: Server) -> Sequence[bytes]:
    place: Sequence[bytes] = sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
    return place


def _view(sentinel: Server) -> tuple[int, str] | None:
    """Return how often the primary was changed and where it is, to a sentinel; None if it does not say."""
    try:
        known = _pairs(sentinel.ask("SENTINEL", "MASTER", SERVICE))
    except (ValkeyError, OSError):
        return None
    return int(known[b"config-epoch"]), f"{known[b'ip'].decode()}:{int(known[b'port'])}"


def _hurry(sentinel: Server) -> object:
    """Make a sentinel look around more often than it does by itself; true when it answers."""
    periods = ("INFO-PERIOD", 200, "PUBLISH-PERIOD", 200)
    return sentinel.ask("SENTINEL", "DEBUG", *periods)


def _bus_port(server: Server) -> int:
    return int(server.options[list(server.options).index("--cluster-port") + 1])


def _pairs(flat: Sequence[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
