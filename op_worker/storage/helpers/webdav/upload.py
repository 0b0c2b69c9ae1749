"""A content that is written from its beginning, in one request that lasts as long as the writing does."""

from __future__ import annotations

import errno
from collections.abc import Mapping

from twisted.internet.defer import CancelledError, Deferred, TimeoutError

from op_worker.storage.helper import StorageError, StoragePath, StorageUnavailable
from op_worker.storage.helpers.web.answers import Head, failure
from op_worker.storage.helpers.web.bodies import GrowingBody, UploadBroken
from op_worker.storage.helpers.web.session import SMALL_B, Session


class Upload:
    """A ``PUT`` whose body comes by ``write``. Callers take turns; ``finish`` or ``abort`` ends it."""

    def __init__(self, session: Session, path: StoragePath, url: str, headers: Mapping[str, str]) -> None:
        self._session, self._path = session, path
        self._body = GrowingBody()
        self._answer = Deferred.fromCoroutine(self._sent(url, headers))
        self._failed: BaseException | None = None
        self._answer.addErrback(self._keep)
        self.end_b = 0

    async def write(self, data: bytes) -> None:
        """Send more; it has arrived only when ``finish`` returns. Raises: StorageError."""
        sending = Deferred.fromCoroutine(self._send(data))
        try:
            await sending.addTimeout(self._session.timeout_s, self._session.clock)
        except UploadBroken:
            head = await self.finish()
            raise failure(head, self._path) from None
        except TimeoutError as error:
            self.abort()
            raise StorageUnavailable(errno.ETIMEDOUT, self._path, "the server takes no bytes") from error
        except CancelledError:
            self.abort()
            raise
        self.end_b += len(data)

    async def finish(self) -> Head:
        """Complete the body and return the server's answer. Raises: StorageError."""
        self._body.end()
        try:
            head = await self._answer.addTimeout(self._session.timeout_s, self._session.clock)
        except TimeoutError as error:
            raise StorageUnavailable(errno.ETIMEDOUT, self._path, "no answer to an upload") from error
        if head is not None:
            return head
        if isinstance(self._failed, StorageError | CancelledError):
            raise self._failed
        raise StorageUnavailable(errno.EIO, self._path, "the upload broke off") from self._failed

    def abort(self) -> None:
        """Break it off: the server cannot take what came for the whole."""
        self._body.fail()
        self._answer.cancel()

    async def _send(self, data: bytes) -> None:
        if self._answer.called:  # the server refuses before it has seen everything
            raise UploadBroken
        await self._body.write(data)

    async def _sent(self, url: str, headers: Mapping[str, str]) -> Head:
        async with self._session.asking("PUT", url, self._path, headers, self._body) as answer:
            await answer.body.skip(SMALL_B)
            return answer.head

    def _keep(self, reason: object) -> None:
        self._failed = getattr(reason, "value", None)
        self._body.stopProducing()  # a writer that waits for the connection learns it
