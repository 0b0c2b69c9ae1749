"""A link to another node, over any transport: requests, notices, keep-alive, the end."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from cluster_worker.wire.conversation import (
    CloseLink,
    Conversation,
    Effects,
    Expectation,
    LinkOpened,
    NoticeCame,
    Peer,
    ReplyCame,
    RequestCame,
    SendBytes,
    Side,
    State,
)
from cluster_worker.wire.errors import BadRequest, LinkBusy, LinkClosed, RemoteFailure
from cluster_worker.wire.handlers import LinkParts, LinkTransport
from cluster_worker.wire.link_messages import Failed, Goodbye, Ping
from cluster_worker.wire.messages import NO_CORRELATION, Message, encode_message
from cluster_worker.wire.refusals import Reason
from cluster_worker.wire.replies import WaitingReplies


class Link:
    """One link. The protocol below it feeds it; everybody else uses the methods named here.

    Attributes:
        peer: who is at the other end, once the link is open.
    """

    _log = Logger()

    def __init__(self, parts: LinkParts, expectation: Expectation, side: Side) -> None:
        self._parts, self._limits, self._clock = parts, parts.limits, parts.clock
        self.conversation = Conversation(parts.hello(), expectation, side)
        self.peer: Peer | None = None
        self._transport: LinkTransport | None = None
        self._replies = WaitingReplies(parts.clock)
        self._serving = 0
        self._heard_at_s = 0.0
        self._timer: IDelayedCall | None = None
        self._reason: str | None = None
        self._opening: list[Deferred[Peer]] = []
        self._congested, self._unsent_b = False, 0
        self._address = "?"

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self.conversation.state is State.OPEN

    @property
    def waiting(self) -> int:
        """How many requests wait for the peer's reply."""
        return len(self._replies)

    @property
    def serving(self) -> int:
        """How many requests of the peer are being handled."""
        return self._serving

    async def opened(self) -> Peer:
        """Return when the link is open. Raises: LinkClosed when it will never be."""
        if self.peer is None:
            if self._reason is not None:
                raise LinkClosed(self._reason)
            waiter: Deferred[Peer] = Deferred(self._opening.remove)
            self._opening.append(waiter)
            return await waiter
        return self.peer

    async def request(self, message: Message, timeout_s: float) -> Message:
        """Send ``message`` and return the reply.

        Raises:
            RemoteFailure: the peer answered with an error.
            RequestTimedOut: it did not answer in time.
            LinkClosed: the link is not open, or ended before the reply came.
            LinkBusy: too many requests wait already, or the peer does not read.
            BadRequest: the message cannot be sent.
        """
        if not self.is_open:
            raise LinkClosed(self._reason or "the link is not open")
        if self._congested and self._unsent_b > self._limits.max_unsent_b // 2:
            raise LinkBusy("the peer does not read what it is sent")
        correlation, waiter = self._replies.open(timeout_s)
        try:
            self._write(encode_message(message, correlation, self.conversation.version))
        except BadRequest:
            waiter.addErrback(lambda _: None)
            waiter.cancel()
            raise
        reply = await waiter
        if isinstance(reply, Failed):
            raise RemoteFailure(reply.code, reply.description, reply.details)
        return reply

    def notify(self, message: Message) -> None:
        """Send a message that has no reply; on a link that is not open it is lost.

        Raises:
            BadRequest: the message cannot be sent.
        """
        if self.is_open:
            self._write(encode_message(message, NO_CORRELATION, self.conversation.version))

    def notify_frame(self, frame: bytes) -> None:
        """As ``notify``, with a message that was encoded for the version of this link."""
        if self.is_open:
            self._write(frame)

    def close(self, reason: str) -> None:
        """Say goodbye and end the link."""
        if self.is_open:
            self.notify(Goodbye(reason))
        self.drop(reason)

    def drop(self, reason: str) -> None:
        """End the link without a word; what was written before is still sent, for a short time."""
        self.conversation.state = State.CLOSED
        if self._reason is None and self._transport is not None:
            self._reason = reason
            self._transport.unregisterProducer()  # TLS would wait for it before it closes
            self._transport.loseConnection()
            self._set_timer(self._limits.closing_timeout_s, self._abort)

    # What the protocol below calls.

    def attached(self, transport: LinkTransport, address: str = "?") -> None:
        """There is a transport to ``address``; the greeting has to come in time."""
        self._transport, self._address = transport, address
        self._set_timer(self._limits.greeting_timeout_s, self._greeting_missing)

    def refuse(self, reason: Reason, text: str) -> None:
        """Count something that the peer did and should not have done."""
        self._parts.refusals.count(reason, self._address if self.peer is None else self._name(), text)

    def heard(self) -> None:
        """Bytes came from the peer."""
        self._heard_at_s = self._clock.seconds()

    def congested(self, is_congested: bool) -> None:
        """The transport's buffer is full, or has room again."""
        self._congested, self._unsent_b = is_congested, 0

    def detached(self, reason: str) -> None:
        """The transport is gone; everybody who waits is told."""
        self.conversation.state = State.CLOSED
        self._cancel_timer()
        self._reason = self._reason or reason
        self._replies.fail_all(LinkClosed(self._reason))
        opening, self._opening = self._opening, []
        for waiter in opening:
            waiter.errback(LinkClosed(self._reason))
        if self.peer is not None:
            self._parts.handler.link_closed(self, self._reason)

    def perform(self, effects: Effects) -> None:
        """Do what the conversation decided."""
        for effect in effects:
            match effect:
                case RequestCame(message, correlation):
                    self._request_came(message, correlation)
                case ReplyCame(message, correlation):
                    self._replies.settle(correlation, message)
                case NoticeCame(message):
                    self._notice_came(message)
                case SendBytes(data):
                    self._write(data)
                case LinkOpened(peer):
                    self._open(peer)
                case CloseLink(reason):
                    if self.conversation.refused is not None:
                        self.refuse(Reason(self.conversation.refused), reason)
                    self.drop(reason)

    def _open(self, peer: Peer) -> None:
        self.peer = peer
        self.heard()
        self._set_timer(self._limits.ping_interval_s, self._keep_alive)
        opening, self._opening = self._opening, []
        self._parts.handler.link_opened(self)
        for waiter in opening:
            waiter.callback(peer)

    def _request_came(self, message: Message, correlation: int) -> None:
        if self._serving >= self._limits.max_serving:
            self.refuse(Reason.OVERLOADED, f"more than {self._serving} requests at a time")
            self._answer(Failed("overloaded", f"{self._serving} requests are being served"), correlation)
            return
        self._serving += 1
        self._parts.tasks.spawn("request", self._serve(message, correlation))

    async def _serve(self, message: Message, correlation: int) -> None:
        try:
            reply = await self._parts.handler.handle_request(self, message)
        except BadRequest as problem:
            reply = Failed("badRequest", str(problem))
        except Exception:  # noqa: BLE001 - the peer must get an answer, whatever the bug is
            self._log.failure("{kind} from {node} failed", kind=type(message).__name__, node=self._name())
            reply = Failed("internal", "the request failed; the callee's log says why")
        finally:
            self._serving -= 1
        self._answer(reply, correlation)

    def _answer(self, reply: Message, correlation: int) -> None:
        if not self.is_open:
            return
        try:
            data = encode_message(reply, correlation, self.conversation.version)
        except BadRequest as problem:
            data = encode_message(Failed("badReply", str(problem)), correlation, self.conversation.version)
        self._write(data)

    def _notice_came(self, message: Message) -> None:
        try:
            self._parts.handler.handle_notice(self, message)
        except Exception:  # noqa: BLE001 - one notice must not cost the link
            self._log.failure("{kind} from {node} failed", kind=type(message).__name__, node=self._name())

    def _write(self, data: bytes) -> None:
        if self._transport is None:
            return
        self._transport.write(data)
        if self._congested:
            self._unsent_b += len(data)
            if self._unsent_b > self._limits.max_unsent_b:
                self.drop("the peer does not read what it is sent")
                self._abort()

    def _keep_alive(self) -> None:
        silence_s = self._clock.seconds() - self._heard_at_s
        if silence_s >= self._limits.silence_timeout_s:
            self.drop(f"nothing was heard for {silence_s:.0f} s")
            self._abort()  # who does not answer would not say goodbye either
            return
        if silence_s >= self._limits.ping_interval_s * 0.9:
            correlation, reply = self._replies.open(self._limits.silence_timeout_s)
            reply.addErrback(lambda _: None)
            self._write(encode_message(Ping(), correlation, self.conversation.version))
        self._set_timer(self._limits.ping_interval_s, self._keep_alive)

    def _set_timer(self, delay_s: float, then: Callable[[], None]) -> None:
        self._cancel_timer()
        self._timer = self._clock.callLater(delay_s, self._timer_fired, then)

    def _timer_fired(self, then: Callable[[], None]) -> None:
        self._timer = None
        then()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _greeting_missing(self) -> None:
        self.refuse(Reason.NO_GREETING, "no greeting in time")
        self.drop("no greeting in time")

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abortConnection()

    def _name(self) -> str:
        return "?" if self.peer is None else self.peer.node
