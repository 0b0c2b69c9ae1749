"""One conversation with the zone over one link: requests with their answers, pushes."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.runtime.request_ids import REQUEST_ID
from onedata.errors import NoConnectionToOnezone, OnedataError, Timeout
from onedata.graphsync import (
    Batch,
    ErrorPush,
    ErrorResponse,
    GraphPush,
    GraphRequest,
    GraphResponse,
    HandshakeRequest,
    HandshakeResponse,
    Message,
    NosubPush,
    Response,
    RpcResponse,
    TokenAuth,
    UnsubRequest,
    UnsubResponse,
    decode,
    encode,
)
from onedata.tokens.subjects import Subject
from op_worker.zone.link import Link

ZonePush = GraphPush | NosubPush
OnPush = Callable[[ZonePush], None]
Ask = GraphRequest | UnsubRequest | HandshakeRequest

_ANSWERS = (GraphResponse, HandshakeResponse, UnsubResponse, RpcResponse, ErrorResponse)


class GraphSession:
    """Speaks Graph Sync on an open link; ends with it.

    Attributes:
        ended: fires with the reason when the link is lost.
    """

    _log = Logger()

    def __init__(self, on_push: OnPush, clock: IReactorTime, *, reply_timeout_s: float = 30.0) -> None:
        self._on_push, self._clock, self._reply_timeout_s = on_push, clock, reply_timeout_s
        self._link: Link | None = None
        self._waiting: dict[str, Deferred[Response]] = {}
        self._last_id = 0
        self.ended: Deferred[str] = Deferred()

    def start(self, link: Link) -> None:
        """Use ``link`` from now on."""
        self._link = link

    def close(self) -> None:
        """Close the link; ``ended`` fires when it is gone."""
        if self._link is not None:
            self._link.close()

    def next_id(self) -> str:
        """Return a message id not used before in this session.

        It begins with the id of the client's request for which the zone is asked, if there is one.
        """
        self._last_id += 1
        request_id = REQUEST_ID.get()
        return str(self._last_id) if request_id is None else f"{request_id}.{self._last_id}"

    async def handshake(self, token: str, *, timeout_s: float = 10.0) -> Subject:
        """Introduce ourselves; return whom the zone takes us for. Raises: OnedataError; Timeout."""
        request = HandshakeRequest(id=self.next_id(), auth=TokenAuth(token))
        answer = await self.ask(request, timeout_s=timeout_s)
        assert isinstance(answer, HandshakeResponse)
        return answer.identity

    async def ask(self, request: Ask, *, timeout_s: float | None = None) -> Response:
        """Send a request and return its answer.

        Raises:
            OnedataError: the zone's answer is an error.
            NoConnectionToOnezone: the link is lost before the answer.
            Timeout: no answer came in time.
        """
        if self._link is None:
            raise NoConnectionToOnezone
        answer: Deferred[Response] = Deferred(lambda _: None)
        self._waiting[request.id] = answer
        self._link.send(encode(request))
        try:
            result = await answer.addTimeout(timeout_s or self._reply_timeout_s, self._clock)
        except TimeoutError as error:
            raise Timeout from error
        finally:
            self._waiting.pop(request.id, None)
        if isinstance(result, ErrorResponse):
            raise result.error
        return result

    def text_received(self, text: str) -> None:
        """Take a frame from the link. What cannot be understood is logged and left out."""
        try:
            message = decode(text)
        except OnedataError as error:
            self._log.warn("the zone sent a frame that is no message: {error}", error=error.description)
            return
        self._take(message)

    def lost(self, reason: str) -> None:
        """The link is gone: whoever waits is told."""
        self._link = None
        waiting, self._waiting = self._waiting, {}
        for answer in waiting.values():
            if not answer.called:
                answer.errback(NoConnectionToOnezone())
        if not self.ended.called:
            self.ended.callback(reason)

    def _take(self, message: Message) -> None:
        match message:
            case Batch(messages=messages):
                for each in messages:
                    self._take(each)
            case GraphPush() | NosubPush():
                self._on_push(message)
            case ErrorPush(error=error):
                self._log.warn("the zone reports: {error}", error=error.description)
            case _ if isinstance(message, _ANSWERS):
                answer = self._waiting.pop(message.id, None)
                if answer is not None and not answer.called:
                    answer.callback(message)
            case _:
                self._log.warn("the zone sent a request: {kind}", kind=type(message).__name__)
