"""One request: its parts, its body as a stream, its answer with back-pressure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.error import UnsupportedMethod
from twisted.web.http import parse_qs
from twisted.web.resource import IResource
from twisted.web.server import Request

from cluster_worker.http.errors import HttpError, render_error
from cluster_worker.http.request_body import EMPTY_BODY, EmptyBody, RequestBody
from cluster_worker.runtime.request_ids import REQUEST_ID
from cluster_worker.runtime.streams import StreamBroken

if TYPE_CHECKING:
    from cluster_worker.http.channel import StreamingChannel
    from cluster_worker.http.site import StreamingSite


class _NoContent:
    """Stands where Twisted keeps a temporary file with the body; ours is ``request.body``."""

    def read(self, size_b: int = -1) -> bytes:
        return b""

    def close(self) -> None:
        """Nothing to give back."""


_NO_CONTENT = _NoContent()


class StreamingRequest(Request):
    """A request that is handled while its body may still be on its way.

    Attributes:
        body: the body as a ``ByteStream``.
        body_length: bytes announced; ``None`` when the body comes in chunks, 0 when there is none.
        query: the raw query string.
        user_id: who asks, for the access log; set by the door after it verified the credentials.
        request_id: what the logs of all nodes call this request.
    """

    channel: StreamingChannel
    site: StreamingSite
    defaultContentType = None
    query: bytes = b""
    user_id: str = "-"
    request_id: str = "-"
    work: Deferred[Any] | None = None
    """What is cancelled when the client goes; ``None`` when the handler is to run to its end."""

    def __init__(self, channel: StreamingChannel, *args: object, **kwargs: object) -> None:
        super().__init__(channel, parsePOSTFormSubmission=False)
        self.body: RequestBody | EmptyBody = EMPTY_BODY
        self.body_length: int | None = 0
        self.started_s = channel.site.clock.seconds()
        self._begun = False

    # -- called by the channel --------------------------------------------------------------------

    def expect_body(self, length_b: int | None, wants_continue: bool) -> None:
        """A body follows the headers."""
        limits = self.channel.site.limits
        self.body_length = length_b
        self.body = RequestBody(
            self.channel, length_b, limits.body_piece_b, limits.body_waiting_b, wants_continue
        )

    def begin(self, command: bytes, uri: bytes, version: bytes) -> None:
        """The headers are in: find the resource and render it."""
        self._begun = True
        self.content = _NO_CONTENT
        self.method, self.uri, self.clientproto = command, uri, version
        self.path, _, self.query = uri.partition(b"?")
        self.args = parse_qs(self.query, True) if self.query else {}
        self.process()

    def gotLength(self, length: int | None) -> None:
        """Nothing is set aside for a body."""

    def handleContentChunk(self, data: bytes) -> None:
        assert isinstance(self.body, RequestBody)
        self.body.push(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if self._begun:
            assert isinstance(self.body, RequestBody)
            self.body.end()
        else:
            self.begin(command, path, version)

    def discard_body(self) -> None:
        """The answer is out; the rest of the body interests nobody."""
        if isinstance(self.body, RequestBody):
            self.body.discard()

    def connectionLost(self, reason: Failure) -> None:
        self._disconnected = True
        if isinstance(self.body, RequestBody):
            self.body.fail(StreamBroken("the client went away before the end of the body"))
        if self._begun and not self.finished:
            self.channel.site.aborted(self)
        work, self.work = self.work, None
        if work is not None:
            work.cancel()
        super().connectionLost(reason)

    # -- finding the resource ---------------------------------------------------------------------

    def process(self) -> None:
        self.site = site = self.channel.site
        headers = self.responseHeaders
        headers.setRawHeaders(b"Date", [site.date()])
        self.prepath = []
        path = self.path[1:]
        segments = path.split(b"/")
        self.postpath = list(map(unquote_to_bytes, segments)) if b"%" in path else segments
        self.request_id = site.request_id_for(self)
        headers.setRawHeaders(b"X-Request-Id", [self.request_id.encode("ascii")])
        outside = REQUEST_ID.set(self.request_id)
        try:
            self.render(site.getResourceFor(self))
        except Exception:  # noqa: BLE001 - the boundary: whatever a resource raises becomes an answer
            self.processingFailed(Failure())
        finally:
            REQUEST_ID.reset(outside)

    def render(self, resource: IResource) -> None:
        """Render ``resource``; a method that it does not know is answered 405."""
        try:
            body = resource.render(self)
        except UnsupportedMethod as error:
            raise HttpError(405, {b"Allow": b", ".join(sorted(error.allowedMethods))}) from None
        if isinstance(body, bytes):
            self.responseHeaders.setRawHeaders(b"Content-Length", [b"%d" % len(body)])
            self.write(body)
            self.finish()

    def processingFailed(self, reason: Failure) -> None:
        render_error(self, reason)

    # -- answering --------------------------------------------------------------------------------

    @property
    def is_gone(self) -> bool:
        """Whether nobody will read what is written from now on."""
        return bool(self._disconnected)

    def write(self, data: bytes) -> None:
        if not self.startedWriting and not self._disconnected:
            if not self.channel.keeps_connection_after(self):
                self.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        super().write(data)
        if not self._disconnected:
            self.channel.flush_head()

    async def drained(self) -> None:
        """Return when the client has taken enough of what was written that more may follow.

        Raises:
            StreamBroken: the client went away.
        """
        waiter = None if self._disconnected else self.channel.drained()
        if waiter is not None:
            await waiter
        if self._disconnected:
            raise StreamBroken("the client went away before the end of the answer")

    def abort(self) -> None:
        """Drop the connection at once, so that the client cannot mistake a part for the whole."""
        if not self._disconnected:
            self.channel.abort()

    async def drain(self, limit_b: int) -> bool:
        """Read and drop the rest of the body; ``False`` when it is longer than ``limit_b``."""
        size_b = 0
        while piece := await self.body.read():
            size_b += len(piece)
            if size_b > limit_b:
                return False
        return True
