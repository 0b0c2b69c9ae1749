"""A server for ourselves alone, that has what a dump says."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from cluster_worker.persistence import leash
from cluster_worker.persistence.address import RedisAddress
from cluster_worker.persistence.backup.errors import DumpUnreadable
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.endpoints import make_endpoint
from cluster_worker.persistence.inquiry import NoAnswer, inquire
from cluster_worker.runtime.clock import sleep

_POLL_S = 0.05
_ASK_TIMEOUT_S = 5.0


@asynccontextmanager
async def private_server(
    reactor: Any, program: str, dump: Path, config: RedisConfig
) -> AsyncIterator[RedisAddress]:
    """Yield the address of a server of ``program`` that has loaded ``dump``, and writes nothing.

    Raises: DumpUnreadable.
    """
    folder = tempfile.mkdtemp(prefix="backup-")
    try:
        server = _Server()
        socket = os.path.join(folder, "redis.sock")
        words = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), program]
        words += _options(folder, socket, dump)
        process = reactor.spawnProcess(server, sys.executable, words, env={}, path=folder)
        process.closeStdin()
        try:
            address = RedisAddress(path=socket)
            await _loaded(reactor, server, address, folder)
            yield address
        finally:
            await _end(server, process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _options(folder: str, socket: str, dump: Path) -> list[str]:
    settings = {
        "port": "0",
        "unixsocket": socket,
        "unixsocketperm": "700",
        "logfile": os.path.join(folder, "redis.log"),
        "dir": str(dump.parent.resolve()),
        "dbfilename": dump.name,
        "appendonly": "no",
        "save": "",
        "daemonize": "no",
    }
    return [word for name, value in settings.items() for word in (f"--{name}", value)]


class _Server(ProcessProtocol):
    """The process; ``ended`` fires when it has ended."""

    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()

    def processEnded(self, reason: Failure) -> None:
        self.ended.callback(None)


async def _loaded(reactor: Any, server: _Server, address: RedisAddress, folder: str) -> None:
    """Return when the server answers, however long it loads."""
    endpoint = make_endpoint(reactor, address, None, _ASK_TIMEOUT_S)
    while not server.ended.called:
        try:
            await inquire(reactor, endpoint, address, [(b"DBSIZE",)], _ASK_TIMEOUT_S)
            return
        except NoAnswer:
            await sleep(reactor, _POLL_S)
    log = Path(folder, "redis.log")
    said = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else []
    raise DumpUnreadable("; ".join(said) or "the server said nothing")


async def _end(server: _Server, process: Any) -> None:
    if not server.ended.called:
        try:
            process.signalProcess("KILL")  # it has nothing to keep
        except ProcessExitedAlready:
            pass  # it ends just now
        await server.ended
