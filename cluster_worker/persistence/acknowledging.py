"""Replies that are held back until replicas have what they speak of."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from cluster_worker.persistence.link import LinkLost, RedisLink
from cluster_worker.persistence.resp import Reply, encode_command


class NotAcknowledged(LinkLost):
    """Too few replicas confirmed the request in time: a failover may take it back, or not."""


class AcknowledgedLink:
    """A connection whose writes are answered once ``replicas`` replicas have them.

    One ``WAIT`` follows all requests that were sent since the last one went out, so that many requests in
    flight share it, and one alone still takes one round trip. The server answers nothing on this connection
    while a ``WAIT`` is pending: reads are better sent over another one.
    """

    def __init__(self, link: RedisLink, replicas: int, timeout_s: float) -> None:
        self._link, self._replicas = link, replicas
        self._wait = encode_command((b"WAIT", b"%d" % replicas, b"%d" % max(1, round(timeout_s * 1000))))
        self._pending: list[tuple[Deferred[Reply], Reply]] = []
        self._is_waiting = False
        self._is_due = False

    def send(self, request: bytes) -> Deferred[Reply]:
        """Send an encoded command; fails with ReplyError, LinkLost or NotAcknowledged."""
        held: Deferred[Reply] = Deferred()
        self._link.send(request).addCallbacks(self._answered, held.errback, callbackArgs=(held,))
        if self._is_waiting:
            self._is_due = True
        else:
            self._send_wait()
        return held

    def _answered(self, reply: Reply, held: Deferred[Reply]) -> None:
        self._pending.append((held, reply))

    def _send_wait(self) -> None:
        self._is_waiting, self._is_due = True, False
        self._link.send(self._wait).addCallbacks(self._confirmed, self._failed)

    def _confirmed(self, replicas: int) -> None:
        self._settle(replicas, f"{replicas} of {self._replicas} replicas confirmed")

    def _failed(self, failure: Failure) -> None:
        """The connection ended, or the server is a primary no more."""
        self._settle(0, failure.getErrorMessage())
        self._link.abandon(failure.getErrorMessage())

    def _settle(self, replicas: int, reason: str) -> None:
        """Answer what came before the ``WAIT``: replies come in the order of requests."""
        settled, self._pending = self._pending, []
        self._is_waiting = False
        if self._is_due:
            self._send_wait()
        for held, reply in settled:
            if held.called:
                continue  # who asked does not wait any more
            if replicas >= self._replicas:
                held.callback(reply)
            else:
                held.errback(NotAcknowledged(reason))
