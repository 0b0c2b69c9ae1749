"""Signed requests to the objects of a storage on an S3 server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from attrs import frozen

from op_worker.storage.helpers.s3.answers import refusal
from op_worker.storage.helpers.s3.place import Place
from op_worker.storage.helpers.s3.signing import Signer
from op_worker.storage.helpers.web.answers import Head
from op_worker.storage.helpers.web.session import Answer, Session

_MOST_ERROR_B = 256 * 1024
_HEADS = "HEAD"


@frozen(eq=False)
class S3Service:
    """Asks a server in somebody's name."""

    place: Place
    session: Session
    signer: Signer

    @asynccontextmanager
    async def asking(
        self,
        method: str,
        url: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        expected: frozenset[int] = frozenset(),
    ) -> AsyncIterator[Answer]:
        """Ask, and give the answer while its body is read.

        Args:
            path: for errors.
            expected: what else is an answer, besides success.

        Raises: StorageError, with the server's words; StorageUnavailable.
        """
        signed = await self.signer.headers(method, url, headers or {}, body)
        async with self.session.asking(method, url, path, signed, body) as answer:
            head = answer.head
            if head.is_success or head.status in expected:
                yield answer
                return
            words = b"" if method == _HEADS else await answer.content(_MOST_ERROR_B)
        raise refusal(words).error(head, path)

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
            await answer.body.skip(_MOST_ERROR_B)
            return answer.head

    async def close(self) -> None:
        """Let connections go. Idempotent."""
        await self.session.connections.close()
