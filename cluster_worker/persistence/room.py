"""Room on the disk for commits that are still to come, so that none is answered which the disk does not take.

A server that cannot write to its append-only file answers the commits of that moment all the same, and
refuses only later ones: killed before there is room again, it has forgotten what it had acknowledged. So
some blocks behind the end of the file are kept allocated, and when no more can be had the server is told to
refuse writes while those last.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from cluster_worker.persistence.address import RedisAddress
from cluster_worker.persistence.endpoints import make_endpoint
from cluster_worker.persistence.inquiry import NoAnswer, inquire
from cluster_worker.runtime.clock import sleep

RESERVE_B = 32 * 1024 * 1024
LOOK_S = 0.5
"""How often is looked; what is committed in between must fit into the reserve."""

_KEEP_SIZE = 1
_TELL_TIMEOUT_S = 2.0
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_libc = ctypes.CDLL(None, use_errno=True)


def keep_reserve(folder: str) -> bool:
    """Have ``RESERVE_B`` allocated behind the end of the server's file; return whether there is that room.

    The length of the file stays as it is. True also where there is no file yet, and where the file system
    cannot allocate ahead.
    """
    files = sorted(Path(folder, "appendonlydir").glob("*.incr.aof"), key=_age)
    if not files or not hasattr(_libc, "fallocate"):
        return True
    try:
        file = os.open(files[-1], os.O_WRONLY)
    except FileNotFoundError:
        return True  # it was rewritten just now
    try:
        end, length = ctypes.c_int64(os.fstat(file).st_size), ctypes.c_int64(RESERVE_B)
        failed = _libc.fallocate(file, _KEEP_SIZE, end, length) != 0
        return not (failed and ctypes.get_errno() in _NO_ROOM)
    finally:
        os.close(file)


def give_back_reserve(folder: str) -> None:
    """Free what ``keep_reserve`` allocated, once the server has ended."""
    for file in Path(folder, "appendonlydir").glob("*.incr.aof"):
        os.truncate(file, file.stat().st_size)


def _age(file: Path) -> int:
    """Return the number in a name such as ``appendonly.aof.12.incr.aof``; the newest has the greatest."""
    return int(file.name.split(".")[-3])


class Room:
    """Lets a server take writes only while there is room for them.

    Args:
        folder: where it works.
        server: how it is reached.
        wanted: whether to go on; a question to the server that is cancelled looks like one without answer.
        has_room: looks, and may block.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        folder: str,
        server: RedisAddress,
        wanted: Callable[[], bool],
        has_room: Callable[[str], bool] = keep_reserve,
    ) -> None:
        self._reactor, self._folder, self._server = reactor, folder, server
        self._wanted, self._has_room = wanted, has_room
        self.is_refusing = False

    async def keep(self) -> None:
        """Look every ``LOOK_S`` seconds."""
        while self._wanted():
            pool = self._reactor.getThreadPool()
            has_room = await deferToThreadPool(self._reactor, pool, self._has_room, self._folder)
            if not has_room or self.is_refusing:  # a server that was started again has to be told again
                await self._refuse_writes(not has_room)
            await sleep(self._reactor, LOOK_S)

    async def _refuse_writes(self, is_refusing: bool) -> None:
        """Let writes need a replica, which there is none of, or not."""
        endpoint = make_endpoint(self._reactor, self._server, None, _TELL_TIMEOUT_S)
        value = b"1" if is_refusing else b"0"
        command = (b"CONFIG", b"SET", b"min-replicas-to-write", value)
        try:
            await inquire(self._reactor, endpoint, self._server, [command], _TELL_TIMEOUT_S)
        except NoAnswer:
            return  # asked again soon
        if is_refusing is not self.is_refusing:
            self.is_refusing = is_refusing
            self._log.warn(
                "the disk of {folder} {state}",
                folder=self._folder,
                state="is full: commits are refused" if is_refusing else "has room again",
            )
