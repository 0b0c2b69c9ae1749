"""One line for each answered request, written in batches.

    2026-01-31T09:00:00.123Z 127.0.0.1 5c1f… GET /api/v3/oneprovider/spaces 200 311 1.4 f00d-1

Time, client, user id (``-`` for nobody), method, path without its query, status, body bytes, milliseconds
from the end of the headers to the end of the answer, request id.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from cluster_worker.http.credentials import peer_ip
from cluster_worker.runtime.clock import WallClock
from cluster_worker.runtime.pool import Blocking
from cluster_worker.runtime.services import TaskService

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

_MOST_WAITING = 20_000


@frozen
class AccessRecord:
    """What is kept of a request until its line is written."""

    at_s: float
    peer: str | None
    user: str
    method: bytes
    path: bytes
    status: int
    sent_b: int
    took_s: float
    request_id: str

    def line(self) -> str:
        """Return the line, with its line break. Control characters and non-ASCII bytes are escaped."""
        at = datetime.fromtimestamp(self.at_s, UTC)
        return (
            f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z {self.peer or '-'} {self.user} "
            f"{_printable(self.method)} {_printable(self.path)} {self.status} {self.sent_b} "
            f"{self.took_s * 1000:.1f} {self.request_id}\n"
        )


class AccessLog(TaskService):
    """Collects records and writes their lines every ``interval_s`` seconds, off the reactor thread.

    When lines come faster than they can be written, the newest are dropped and counted.

    Args:
        write: appends text to the log; runs on ``blocking``.
    """

    _log = Logger()

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        clock: IReactorTime,
        wall_clock: WallClock,
        blocking: Blocking,
        interval_s: float = 1.0,
    ) -> None:
        super().__init__()
        self._write, self._clock, self._wall_clock, self._blocking = write, clock, wall_clock, blocking
        self._interval_s = interval_s
        self._waiting: list[AccessRecord] = []
        self._dropped = 0
        self._flushing: IDelayedCall | None = None
        self._writing = False

    def record(self, request: StreamingRequest, took_s: float) -> None:
        """Note an answered request; cheap."""
        if len(self._waiting) >= _MOST_WAITING:
            self._dropped += 1
            return
        self._waiting.append(
            AccessRecord(
                self._wall_clock(),
                peer_ip(request),
                request.user_id,
                request.method,
                request.path,
                request.code,
                request.sentLength,
                took_s,
                request.request_id,
            )
        )
        if self._flushing is None and self.running:
            self._flushing = self._clock.callLater(self._interval_s, self._flush_later)

    def stopService(self) -> Deferred[None]:
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self.flush()
        await super().stopService()

    async def flush(self) -> None:
        """Write what waits."""
        if self._writing:
            return
        self._writing = True
        try:
            while self._waiting:
                records, self._waiting = self._waiting, []
                await self._blocking.run(self._write_lines, records)
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                self._log.warn("the access log lost {dropped} lines", dropped=dropped)
        finally:
            self._writing = False

    def _flush_later(self) -> None:
        self._flushing = None
        self.spawn("write the access log", self.flush())

    def _write_lines(self, records: list[AccessRecord]) -> None:
        self._write("".join(record.line() for record in records))


class AppendingFile:
    """Appends text to a file that may be renamed or removed by log rotation at any time. Blocking."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, text: str) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(text)


def _printable(raw: bytes) -> str:
    text = raw.decode("ascii", "backslashreplace")
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
