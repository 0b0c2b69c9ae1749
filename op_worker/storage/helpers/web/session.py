"""Requests to the HTTP server of a storage, in somebody's name."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from attrs import evolve, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IAgent, IResponse

from op_worker.storage.helper import StorageError
from op_worker.storage.helpers.web.answers import Head
from op_worker.storage.helpers.web.bodies import GrowingBody, WholeBody
from op_worker.storage.helpers.web.connections import TROUBLE, Connections, is_stale_connection, trouble
from op_worker.storage.helpers.web.credentials import Authorization
from op_worker.storage.helpers.web.receiving import Receiving
from op_worker.storage.helpers.web.urls import Endpoint, is_same_origin, is_web_url, redirected

MOST_REDIRECTS = 5
SMALL_B = 1024 * 1024
"""Answers that are read whole are no longer than this."""
_REDIRECTS = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)


@frozen
class Answer:
    """An answer whose body is read piece by piece."""

    head: Head
    body: Receiving

    async def content(self, limit_b: int = SMALL_B) -> bytes:
        """Return the body. Raises: StorageError(EIO) when it is longer than ``limit_b``."""
        pieces: list[bytes] = []
        size_b = 0
        while piece := await self.body.read():
            pieces.append(piece)
            size_b += len(piece)
            if size_b > limit_b:
                raise StorageError(errno.EIO, self.head.url, f"the answer is longer than {limit_b} bytes")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


@frozen(eq=False)
class Session:
    """Asks the server of a storage with somebody's credentials; ``timeout_s`` is for each silence."""

    endpoint: Endpoint
    connections: Connections
    clock: IReactorTime
    timeout_s: float
    authorization: Authorization = field(factory=Authorization)

    def as_user(self, authorization: Authorization) -> Session:
        """Return the session of somebody else, over the same connections."""
        return evolve(self, authorization=authorization)

    @asynccontextmanager
    async def asking(
        self,
        method: str,
        url: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | GrowingBody | None = None,
    ) -> AsyncIterator[Answer]:
        """Ask, and give the answer while its body is read; redirects are followed.

        A body that grows goes to one URL, and its redirect is an answer like others. ``path`` is for errors.

        Raises: StorageUnavailable; StorageError(EKEYEXPIRED).
        """
        places = self.connections.upload if isinstance(body, GrowingBody) else self.connections.request
        async with places():
            answer = await self._followed(method, url, path, headers or {}, body)
            try:
                yield answer
            except TROUBLE as error:
                raise trouble(error, path) from error
            finally:
                answer.body.let_go()

    async def ask(
        self,
        method: str,
        url: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Head:
        """Ask for what has no answer worth reading; return its beginning. Raises: as ``asking``."""
        async with self.asking(method, url, path, headers, body) as answer:
            await answer.body.skip(SMALL_B)
            return answer.head

    async def _followed(
        self,
        method: str,
        url: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | GrowingBody | None,
    ) -> Answer:
        now = url
        for _ in range(MOST_REDIRECTS + 1):
            own = self._own_headers(path) if is_same_origin(now, self.endpoint.origin) else {}
            answer = await self._sent(method, now, path, {**headers, **own}, body)
            to = redirected(now, answer.head.header("location"))
            is_redirect = answer.head.status in _REDIRECTS and answer.head.header("location")
            if not is_redirect or isinstance(body, GrowingBody):
                return answer
            answer.body.let_go()
            if not is_web_url(to):
                raise StorageError(errno.EIO, path, "the server redirects to what is no URL of HTTP")
            now = to
        raise StorageError(errno.ELOOP, path, "the server redirects in a circle")

    def _own_headers(self, path: str) -> Mapping[str, str]:
        try:
            return self.authorization.headers(self.clock.seconds())
        except StorageError as error:
            raise StorageError(error.errno, path, "the access token has expired") from error

    async def _sent(
        self,
        method: str,
        url: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | GrowingBody | None,
    ) -> Answer:
        """Send once; once more when an idle connection turned out to be closed and that harms nothing."""
        may_repeat = method != "MOVE" and not isinstance(body, GrowingBody)
        try:
            try:
                response = await self._request(self.connections.agent, method, url, headers, body)
            except TROUBLE as error:
                if not may_repeat or not is_stale_connection(error):
                    raise
                response = await self._request(self.connections.fresh_agent, method, url, headers, body)
        except TROUBLE as error:
            raise trouble(error, path) from error
        receiving = Receiving(self.clock, self.timeout_s)
        response.deliverBody(receiving)
        return Answer(_head(response, url), receiving)

    def _request(
        self,
        agent: IAgent,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | GrowingBody | None,
    ) -> Deferred[IResponse]:
        fields = Headers({name: [value] for name, value in headers.items()})
        producer = WholeBody(body) if isinstance(body, bytes) else body
        asked: Deferred[Any] = agent.request(method.encode(), url.encode("ascii"), fields, producer)
        cancellable = _cleanly_cancelled(asked)
        if isinstance(body, GrowingBody):
            return cancellable  # it is as slow as its writer, whose writes are timed
        return cancellable.addTimeout(self.timeout_s, self.clock)


def _cleanly_cancelled(asked: Deferred[IResponse]) -> Deferred[IResponse]:
    """Return what ``asked`` comes to; cancelled, it is that and not what the HTTP client makes of it."""

    is_given_up = False

    def cancel(_: Deferred[IResponse]) -> None:
        nonlocal is_given_up
        is_given_up = True
        asked.cancel()

    def forward(result: Any) -> None:
        if not is_given_up:
            given.callback(result)

    given: Deferred[IResponse] = Deferred(cancel)
    asked.addBoth(forward)
    return given


def _head(response: IResponse, url: str) -> Head:
    fields = {
        name.decode("latin-1").lower(): values[-1].decode("latin-1")
        for name, values in response.headers.getAllRawHeaders()
    }
    if response.length != UNKNOWN_LENGTH:
        fields.setdefault("content-length", str(response.length))  # the HTTP client keeps the header
    return Head(response.code, response.phrase.decode("latin-1"), url, fields)
