"""A few SFTP sessions with one server, made when they are needed and again when they are lost."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from op_worker.storage.helpers.sftp.channel import SftpChannel

Connect = Callable[[], Coroutine[Any, Any, SftpChannel]]


@define(eq=False)
class _Place:
    channel: SftpChannel | None = None
    connecting: Deferred[None] | None = None
    waiting: list[Deferred[SftpChannel]] = field(factory=list)

    @property
    def open_channel(self) -> SftpChannel | None:
        return self.channel if self.channel is not None and self.channel.is_open else None

    @property
    def load(self) -> int:
        """How much waits here; a session that is yet to be made costs as much as one request."""
        channel = self.open_channel
        return 1 + len(self.waiting) if channel is None else channel.waiting


class Sessions:
    """At most ``size`` sessions; the one in which the fewest requests wait is given.

    Making one takes as long as it takes: when nobody waits for it any more it stays for the next one.
    """

    def __init__(self, connect: Connect, size: int) -> None:
        self._connect = connect
        self._places = [_Place() for _ in range(size)]
        self._is_closing = False
        self._open = 0

    async def session(self) -> SftpChannel:
        """Return a session that is open. Raises: StorageError, as connecting does."""
        place = min(self._places, key=lambda each: each.load)
        channel = place.open_channel
        if channel is not None:
            return channel
        waiting: Deferred[SftpChannel] = Deferred(place.waiting.remove)
        place.waiting.append(waiting)
        if place.connecting is None:
            place.connecting = Deferred.fromCoroutine(self._fill(place))
        return await waiting

    def entered(self) -> None:
        """A file is open."""
        self._open += 1

    def left(self) -> None:
        """A file is closed; the last one of a helper that is closed takes the sessions with it."""
        self._open -= 1
        self._end_when_idle()

    def close(self) -> None:
        """End the sessions when no file is open any more. Idempotent."""
        self._is_closing = True
        self._end_when_idle()

    async def _fill(self, place: _Place) -> None:
        """Make a session and give it, or what went wrong, to all who wait for it."""
        found: SftpChannel | Failure
        try:
            found = place.channel = await self._connect()
        except Exception:  # noqa: BLE001 - it is theirs who wait
            found = Failure()
        waiting, place.waiting, place.connecting = place.waiting, [], None
        for each in waiting:
            each.callback(found)  # a failure makes it fail
        self._end_when_idle()

    def _end_when_idle(self) -> None:
        if not self._is_closing or self._open > 0:
            return
        for place in self._places:
            if place.channel is not None:
                place.channel.hang_up()
                place.channel = None
