"""An own Redis server as a supervised child, its data in a folder that has one owner."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from cluster_worker.persistence import leash
from cluster_worker.persistence.address import RedisAddress
from cluster_worker.persistence.config import Durability
from cluster_worker.persistence.orphans import stop_servers_in
from cluster_worker.persistence.room import Room, give_back_reserve
from cluster_worker.persistence.server_program import find_server
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskService

DATA_FOLDER = "appendonlydir"
"""In a server's folder: where its data are."""
STOP_TIMEOUT_S = 10.0
_SETTLED_S = 10.0


class StateFolderBusy(Exception):
    """Another process is the owner of this folder's data."""


@frozen
class TcpListen:
    """Where a server listens besides its unix socket: a loopback address, or any with a password."""

    host: str
    port: int
    password: str | None = field(default=None, repr=False)


PASSWORD_FILE = "redis.secret"
"""In the server's folder: its only secret option, kept off the command line."""


def server_settings(durability: Durability, socket: str, listen: TcpListen | None) -> Sequence[str]:
    """Return the server's options, but for a password.

    ``appendfsync no`` writes each commit to the file before it is answered, which is what survives
    kill -9. ``everysec`` does not: while a disk is slow to sync, the server holds writes back in its
    own memory for up to two seconds, and answers nevertheless.
    """
    host, port = ("127.0.0.1", 0) if listen is None else (listen.host, listen.port)
    settings = {
        "port": str(port),
        "bind": host,
        "unixsocket": socket,
        "unixsocketperm": "700",
        "logfile": "redis.log",
        "appendonly": "yes",
        "appendfsync": "always" if durability is Durability.POWER else "no",
        "save": "",
        "maxmemory-policy": "noeviction",
        "repl-diskless-sync-delay": "0",
        "hash-max-listpack-value": "512",
        "hash-max-listpack-entries": "128",
        "daemonize": "no",
    }
    return [word for name, value in settings.items() for word in (f"--{name}", value)]


def restart_delay_s(quick_ends: int) -> float:
    """Return how long to wait before the next start, after so many ends in a row soon after a start."""
    return float(min(0.1 * 2 ** min(quick_ends, 10), 5.0))


class _Server(ProcessProtocol):
    """The running child; ``ended`` fires with why."""

    _log = Logger()

    def __init__(self) -> None:
        self.ended: Deferred[str] = Deferred()
        self.is_running = True

    def errReceived(self, data: bytes) -> None:
        self._log.warn("redis server: {text}", text=data.decode("utf-8", "replace").strip())

    def processEnded(self, reason: Failure) -> None:
        self.is_running = False
        self.ended.callback(reason.getErrorMessage())


class EmbeddedRedis(TaskService):
    """Keeps a server running on ``state_dir``, and brings it back within a second when it ends.

    A server left behind by an owner that was killed is stopped first: its file has everything it
    acknowledged.

    Args:
        unix_socket: where it listens; ``redis.sock`` in the folder unless given.
        pid_file: gets the server's process id at each start; ``redis.pid`` in the folder always does.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        state_dir: str,
        *,
        durability: Durability = Durability.PROCESS,
        unix_socket: str | None = None,
        listen: TcpListen | None = None,
        pid_file: str | None = None,
    ) -> None:
        super().__init__()
        self._reactor = reactor
        self._folder = os.path.abspath(state_dir)
        self._socket = os.path.join(self._folder, "redis.sock") if unix_socket is None else unix_socket
        self._pid_files = [os.path.join(self._folder, "redis.pid"), *([pid_file] if pid_file else [])]
        self._durability, self._listen = durability, listen
        self._lock: int | None = None
        self._server: _Server | None = None

    @property
    def address(self) -> RedisAddress:
        """Where clients find the server."""
        return RedisAddress(path=self._socket)

    @property
    def pid(self) -> int | None:
        """The process id of the server that runs now."""
        if self._server is None or not self._server.is_running:
            return None
        pid: int | None = self._server.transport.pid  # type: ignore[union-attr]  # a process transport
        return pid

    def startService(self) -> None:
        """Begin; raise StateFolderBusy when the folder has another owner."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        self._lock = _lock(os.path.join(self._folder, "redis.lock"))
        super().startService()
        self.spawn("keep the Redis server running", self._keep_running())
        password = None if self._listen is None else self._listen.password
        server = evolve(self.address, password=password)
        room = Room(self._reactor, self._folder, server, lambda: bool(self.running))
        self.spawn("keep room for commits", room.keep())

    def stopService(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._stop(super().stopService()))

    async def _stop(self, tasks_ended: Deferred[None]) -> None:
        await tasks_ended
        try:
            await self._stop_server()
        finally:
            if self._lock is not None:  # otherwise the folder, and what is in it, is another's
                give_back_reserve(self._folder)
                for path in self._pid_files:
                    _remove(path)
                os.close(self._lock)
                self._lock = None

    async def _stop_server(self) -> None:
        server = self._server
        if server is None or not server.is_running:
            return
        server.ended = Deferred()
        killing = self._reactor.callLater(STOP_TIMEOUT_S, self._signal, server, "KILL")
        self._signal(server, "TERM")
        await server.ended
        if killing.active():
            killing.cancel()

    @staticmethod
    def _signal(server: _Server, signal: str) -> None:
        try:
            server.transport.signalProcess(signal)  # type: ignore[union-attr]  # a process transport
        except ProcessExitedAlready:
            pass  # it ends just now

    async def _keep_running(self) -> None:
        await stop_servers_in(self._folder, self._reactor, STOP_TIMEOUT_S)
        quick_ends = 0
        while True:
            started_s = self._reactor.seconds()
            try:
                reason = await self._run_server()
            except OSError as exc:  # nothing was started, such as when the disk is full
                reason = str(exc)
            lived_s = self._reactor.seconds() - started_s
            quick_ends = quick_ends + 1 if lived_s < _SETTLED_S else 0
            self._log.warn(
                "the redis server of {folder} ended after {lived_s:.1f} s, see redis.log: {reason}",
                folder=self._folder,
                lived_s=lived_s,
                reason=reason,
            )
            await sleep(self._reactor, restart_delay_s(max(0, quick_ends - 1)))

    async def _run_server(self) -> str:
        """Start the server and return why it ended."""
        program = find_server()
        # a name relative to the folder may be longer than an address of a socket
        inside = os.path.dirname(os.path.abspath(self._socket)) == self._folder
        socket = os.path.basename(self._socket) if inside else self._socket
        settings = [*self._secret_settings(), *server_settings(self._durability, socket, self._listen)]
        words = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), program, *settings]
        self._server = _Server()
        process = self._reactor.spawnProcess(self._server, sys.executable, words, env={}, path=self._folder)
        process.closeStdin()
        for path in self._pid_files:
            try:
                _write_pid(path, process.pid)
            except OSError as exc:
                self._log.warn("{path} has no process id: {reason}", path=path, reason=str(exc))
        self._log.info("started the redis server of {folder} as {pid}", folder=self._folder, pid=process.pid)
        return await self._server.ended

    def _secret_settings(self) -> Sequence[str]:
        """Return the file of options to start with: the password, where there is one."""
        if self._listen is None or self._listen.password is None:
            return []
        words = self._listen.password.replace("\\", "\\\\").replace('"', '\\"')
        _write_secret(os.path.join(self._folder, PASSWORD_FILE), f'requirepass "{words}"\n')
        return [PASSWORD_FILE]


def _write_secret(path: str, text: str) -> None:
    if os.path.exists(path) and Path(path).read_text(encoding="utf-8") == text:
        return  # the disk may be full
    _remove(path)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


@contextmanager
def owned_folder(state_dir: str) -> Iterator[None]:
    """Own a folder without a server; raise StateFolderBusy when it has another owner."""
    descriptor = _lock(os.path.join(state_dir, "redis.lock"))
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(path: str) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StateFolderBusy(
            f"{path} is locked by another process; is a second daemon on this folder?"
        ) from None
    return descriptor


def _write_pid(path: str, pid: int) -> None:
    """Write a number that is always read whole, in place where there was one: the disk may be full."""
    line = b"%-10d\n" % pid
    if os.path.exists(path):
        with open(path, "rb+", buffering=0) as file:
            file.write(line)
        return
    with open(f"{path}.new", "wb") as file:
        file.write(line)
    os.replace(f"{path}.new", path)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass  # never started
