"""One HTTP/1.1 connection whose requests are handled as soon as their headers are in.

Twisted's ``HTTPChannel`` parses; this class changes when a request starts (before its body), where the
body goes (to the request's bounded stream), when ``100 Continue`` is sent (when somebody reads), and how
a connection ends whose client is slow, wrong, or was answered before it had sent everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import ISSLTransport, ITCPTransport
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, _MalformedChunkedDataError
from twisted.web.http_headers import Headers

from cluster_worker.http.phases import REFUSALS, Phase
from cluster_worker.http.request import StreamingRequest

if TYPE_CHECKING:
    from cluster_worker.http.limits import HttpLimits
    from cluster_worker.http.site import StreamingSite

_MOST_LENGTH_DIGITS = 18
_USUAL_READ_B = FileDescriptor.bufferSize
_LARGE_READ_B = 256 * 1024
"""How much is read from the socket at once while a large body comes in: a tenth less work for it."""


class StreamingChannel(HTTPChannel):
    """The server's end of one connection. Made by ``StreamingSite``; handlers use the request only."""

    requestFactory = StreamingRequest  # type: ignore[assignment]  # every request of ours is one
    timeOut = None
    site: StreamingSite
    requests: list[StreamingRequest]
    transport: Any

    def __init__(self) -> None:
        super().__init__()
        self.phase = Phase.HEADERS
        self.deadline_s: float | None = None
        self._limits: HttpLimits
        self._incoming: StreamingRequest | None = None
        self._to_begin: StreamingRequest | None = None
        self._body_paused = False
        self._drained: Deferred[None] | None = None
        self._linger_left_b = 0
        self._head = b""
        self._is_secure = False

    def connectionMade(self) -> None:
        self._is_secure = super().isSecure()
        self._limits = limits = self.site.limits
        self.totalHeadersSize = self.MAX_LENGTH = limits.max_header_b
        self.maxHeaders = limits.max_header_count
        super().connectionMade()
        self._wait(limits.header_timeout_s)
        self.site.opened(self)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # its default is unused
        self.site.closed(self)
        self.deadline_s = None
        self.phase = Phase.CLOSING
        super().connectionLost(reason)
        self._release_writer()

    def isSecure(self) -> bool:
        """Whether the connection is TLS; it stays what it is."""
        return self._is_secure

    @property
    def is_taken_over(self) -> bool:
        """Whether another protocol (WebSocket) has the transport now."""
        return self.transport is None

    def timed_out(self) -> None:
        """The deadline passed: end the connection in the way that fits what was awaited."""
        if self._waitingForTransport or self.phase in (Phase.CLOSING, Phase.DISCARDING):
            self.abort()
        elif self.phase is Phase.IDLE or (self.phase is Phase.HEADERS and not self.requests):
            self.close()
        else:
            self.refuse(408)

    def close(self) -> None:
        """Close after what was written; the client gets ``linger_timeout_s`` to agree."""
        self.phase = Phase.CLOSING
        self._wait(self._limits.linger_timeout_s)
        self.loseConnection()

    def abort(self) -> None:
        """Drop the connection at once; what was not sent yet is lost."""
        self.phase = Phase.CLOSING
        self.deadline_s = None
        self.transport.abortConnection()

    def finish_soon(self, first_request_s: float) -> None:
        """The server stops: close now when idle, otherwise after the answer at hand.

        A client that has just connected gets ``first_request_s`` seconds to say what it wants, and an answer.
        """
        if self.phase is Phase.HEADERS and not self.requests:
            self._wait(
                first_request_s
            )  # still to be kept: Twisted reads no request on a connection that is not
            return
        self.persistent = False
        if self.phase is Phase.IDLE:
            self.close()

    def refuse(self, code: int) -> None:
        """Answer what is not, or no longer, a request with an empty ``code`` and end the connection."""
        started = any(request.startedWriting for request in self.requests)
        failure = Failure(ConnectionAborted())
        requests, self.requests = self.requests, []
        for request in requests:
            request.connectionLost(failure)
        if started:
            self.abort()
        elif self.phase is not Phase.CLOSING:
            head = b"HTTP/1.1 %d %b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            self.transport.write(head % (code, REFUSALS[code]))
            self._linger()

    def dataReceived(self, data: bytes) -> None:
        phase = self.phase
        if phase is Phase.IDLE:
            self.phase = Phase.HEADERS
            self._wait(self._limits.header_timeout_s)
        elif phase is Phase.BODY:
            self._wait(self._limits.body_stall_timeout_s)
        elif phase is Phase.CLOSING:
            self._linger_left_b -= len(data)
            if self._linger_left_b < 0:
                self.abort()
            return
        super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        if self.phase is Phase.CLOSING:
            return
        super().lineReceived(line)
        request = self._to_begin
        if request is not None:
            self._to_begin = None
            request.begin(self._command, self._path, self._version)

    def lineLengthExceeded(self, line: bytes) -> None:
        self.refuse(431 if self.requests else 414)

    def rawDataReceived(self, data: bytes) -> None:
        if self.phase is Phase.CLOSING:
            return
        try:
            super().rawDataReceived(data)
        except _MalformedChunkedDataError:
            self.refuse(400)

    def allHeadersReceived(self) -> None:
        request = self.requests[-1]
        self.persistent = self.checkPersistence(request, self._version) and not self.site.is_stopping
        if self.length == 0:
            return
        request.expect_body(self.length, self._wants_continue(request))
        self._incoming = self._to_begin = request
        if self.length is None or self.length > _LARGE_READ_B:
            self._read_at_once(_LARGE_READ_B)
        self.phase = Phase.BODY
        self._wait(self._limits.body_stall_timeout_s)

    def allContentReceived(self) -> None:
        if self.phase is Phase.CLOSING:
            return  # refused in the middle of a piece that held the end as well
        request = self.requests[-1]
        self._incoming = None
        self._read_at_once(_USUAL_READ_B)
        self.phase, self.deadline_s = Phase.ANSWER, None
        answered = bool(request.finished)
        super().allContentReceived()
        if answered:
            self._next(request)

    def _read_at_once(self, size_b: int) -> None:
        """Read up to so many bytes from the socket, which is below TLS, at a time."""
        getattr(self.transport, "transport", self.transport).bufferSize = size_b

    def _wants_continue(self, request: StreamingRequest) -> bool:
        expect = request.requestHeaders.getRawHeaders(b"Expect") or (b"",)
        return expect[0].lower() == b"100-continue" and bool(self._version == b"HTTP/1.1")

    def _maybeChooseTransferDecoder(self, header: bytes, data: bytes) -> bool:
        if header == b"Content-Length" and len(data) > _MOST_LENGTH_DIGITS:
            return bool(self._failChooseTransferDecoder())
        return bool(super()._maybeChooseTransferDecoder(header, data))

    def _respondToBadRequestAndDisconnect(self) -> None:
        too_much = (
            self._receivedHeaderSize > self.totalHeadersSize or self._receivedHeaderCount > self.maxHeaders
        )
        self.refuse(431 if too_much else 400)

    def keeps_connection_after(self, request: StreamingRequest) -> bool:
        """Whether this connection can serve another request when ``request`` is answered now.

        Asked once, when the answer's head is written.
        """
        if self._incoming is request and not self._rest_is_small(request):
            self.persistent = False
        return bool(self.persistent)

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        lines = [b"%b %b %b" % (version, code, reason)]
        for name, values in headers.getAllRawHeaders():
            lines += [b"%b: %b" % (name, value) for value in values]
        lines.append(b"\r\n")
        self._head = b"\r\n".join(lines)

    def write(self, data: bytes) -> None:
        """Write, with a head that waits for its first bytes of body: one TLS record instead of two."""
        head, self._head = self._head, b""
        self.transport.write(head + data if head else data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        self.write(b"".join(iovec))

    def flush_head(self) -> None:
        """Send the head now if no body came with it."""
        if self._head:
            self.write(b"")

    def requestDone(self, request: StreamingRequest) -> None:
        if self._incoming is not request:
            self._next(request)
        elif self.persistent:
            self.phase = Phase.DISCARDING
            self._wait(self._limits.linger_timeout_s)
            request.discard_body()
        else:
            self._incoming = None
            self.requests.remove(request)
            self._linger()

    def _next(self, request: StreamingRequest) -> None:
        self.phase = Phase.IDLE
        self._wait(self._limits.idle_timeout_s)
        if not self.persistent:
            self.phase = Phase.CLOSING
            self._wait(self._limits.linger_timeout_s)
        super().requestDone(request)

    def _rest_is_small(self, request: StreamingRequest) -> bool:
        body = request.body
        missing_b = getattr(body, "missing_b", None)
        return missing_b is not None and missing_b <= self._limits.discard_b and not body.wants_continue

    def _linger(self) -> None:
        """Close our direction only and drop what comes: closing both would make the client's system
        throw away our answer when more of its body arrives."""
        self.phase = Phase.CLOSING
        self._linger_left_b = self._limits.linger_b
        self._wait(self._limits.linger_timeout_s)
        self.transport.unregisterProducer()
        self.transport.resumeProducing()
        if ITCPTransport.providedBy(self.transport) and not ISSLTransport.providedBy(self.transport):
            self.transport.loseWriteConnection()
        else:
            self.transport.loseConnection()

    def pauseProducing(self) -> None:
        super().pauseProducing()
        if self.phase in (Phase.BODY, Phase.ANSWER):
            self._wait(self._limits.response_stall_timeout_s)

    def resumeProducing(self) -> None:
        self._waitingForTransport = False
        if self.phase is Phase.ANSWER:
            self.deadline_s = None
        if self._requestProducer is not None:
            self._requestProducer.resumeProducing()
        if not self._handlingRequest and not self._body_paused:
            self._networkProducer.resumeProducing()
        self._release_writer()

    def drained(self) -> Deferred[None] | None:
        """``None`` when more may be written now, otherwise a Deferred that fires when it may."""
        if not self._waitingForTransport:
            return None
        if self._drained is None:
            self._drained = Deferred(self._forget_writer)
        return self._drained

    def pause_body(self) -> None:
        self._body_paused = True
        self.deadline_s = None
        self._networkProducer.pauseProducing()

    def resume_body(self) -> None:
        self._body_paused = False
        if self.phase is Phase.BODY:
            self._wait(self._limits.body_stall_timeout_s)
        if not self._waitingForTransport and self.phase is not Phase.CLOSING:
            self._networkProducer.resumeProducing()

    def send_continue(self) -> None:
        if self._incoming is not None and not self._incoming.startedWriting:
            self._send100Continue()

    def _release_writer(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None:
            drained.callback(None)

    def _forget_writer(self, _: Deferred[Any]) -> None:
        self._drained = None

    def _wait(self, duration_s: float) -> None:
        self.deadline_s = self.site.clock.seconds() + duration_s
