"""Requests that wait for their reply, each with a deadline."""

from __future__ import annotations

from functools import partial

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from cluster_worker.wire.errors import LinkBusy, RequestTimedOut, WireError
from cluster_worker.wire.messages import Message

GRANULE_S = 0.05
"""Deadlines are kept to this precision: one timer for all of them costs less than one for each."""
MAX_WAITING = 16384


class WaitingReplies:
    """Correlation ids and who waits for them. A reply comes at most once; late ones are ignored."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._waiting: dict[int, tuple[Deferred[Message], int]] = {}
        self._by_deadline: dict[int, set[int]] = {}
        self._last = 0
        self._timer: IDelayedCall | None = None
        self._timer_due = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def open(self, timeout_s: float) -> tuple[int, Deferred[Message]]:
        """Return a new correlation id and what fires with its reply.

        The Deferred fails with ``RequestTimedOut`` at the deadline, at most ``GRANULE_S`` late.
        Cancelling it forgets the request.

        Raises:
            LinkBusy: ``MAX_WAITING`` requests wait already.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise LinkBusy(f"{MAX_WAITING} requests wait for replies on one link")
        self._last = correlation = self._last + 1
        due = int((self._clock.seconds() + timeout_s) / GRANULE_S) + 1
        reply: Deferred[Message] = Deferred(partial(self._forget, correlation))
        self._waiting[correlation] = (reply, due)
        group = self._by_deadline.get(due)
        if group is None:
            self._by_deadline[due] = group = set()
            self._watch(due)
        group.add(correlation)
        return correlation, reply

    def settle(self, correlation: int, message: Message) -> None:
        """The reply came; nobody may wait for it any more."""
        reply = self._take(correlation)
        if reply is not None:
            reply.callback(message)

    def fail_all(self, reason: WireError) -> None:
        """No reply will ever come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, {}
        self._by_deadline.clear()
        for reply, _ in waiting.values():
            reply.errback(reason)

    def _forget(self, correlation: int, _: Deferred[Message]) -> None:
        self._take(correlation)

    def _take(self, correlation: int) -> Deferred[Message] | None:
        entry = self._waiting.pop(correlation, None)
        if entry is None:
            return None
        reply, due = entry
        group = self._by_deadline[due]
        group.discard(correlation)
        if not group:
            del self._by_deadline[due]
        return reply

    def _watch(self, due: int) -> None:
        if self._timer is not None:
            if self._timer_due <= due:
                return
            self._timer.cancel()
        self._timer_due = due
        delay_s = max(0.0, due * GRANULE_S - self._clock.seconds())
        self._timer = self._clock.callLater(delay_s, self._expire)

    def _expire(self) -> None:
        self._timer = None
        now = self._clock.seconds() / GRANULE_S + 1e-6
        late = [
            correlation for due, group in self._by_deadline.items() if due <= now for correlation in group
        ]
        if any(due > now for due in self._by_deadline):
            self._watch(min(due for due in self._by_deadline if due > now))
        for correlation in late:
            reply = self._take(correlation)
            if reply is not None:
                reply.errback(RequestTimedOut("no reply before the deadline"))
