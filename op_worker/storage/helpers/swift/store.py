"""Objects of a container of Swift."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import quote, urlencode

from cluster_worker.runtime.together import together
from op_worker.storage.helper import StorageError, StorageUnavailable
from op_worker.storage.helpers.swift.account import SwiftAccount
from op_worker.storage.helpers.swift.answers import (
    changed_s,
    check_removals,
    most_removals,
    page,
    refusal,
    tag,
)
from op_worker.storage.helpers.web.answers import extent, length, total_of_unsatisfied
from op_worker.storage.helpers.web.session import Answer
from op_worker.storage.objects.store import ObjectKey, ObjectPage, ObjectPiece, ObjectStat

_SINGLE_REMOVALS = 8
"""So few objects are removed faster one by one at the same time."""
_MOST_LISTING_B = 16 << 20
_MOST_REMOVALS_B = 1 << 20


class SwiftStore:
    """See ``ObjectStore``, ``SupportsListingObjects`` and ``SupportsConditionalPuts``.

    Tags are those of contents: an object put anew with the same bytes has the same tag. Only what makes a new
    object can be made conditional. Listings of a cluster with several copies may be late by a moment.
    """

    def __init__(self, account: SwiftAccount, container: str) -> None:
        self._account, self._container = account, container
        self._most_removals: int | None = None

    async def get(self, key: ObjectKey, offset_b: int, size_b: int, tag: str = "") -> ObjectPiece:
        headers = {"Range": f"bytes={offset_b}-{offset_b + size_b - 1}"}
        if tag:
            headers["If-Match"] = f'"{tag}"'
        async with self._asking("GET", key, headers) as answer:
            return await _piece(answer, key, offset_b, size_b)

    async def put(self, key: ObjectKey, data: bytes) -> str:
        return await self._put(key, data, {})

    async def put_if(self, key: ObjectKey, data: bytes, tag: str) -> str:
        if tag:
            raise StorageError(errno.ENOTSUP, key, "Swift replaces objects without conditions")
        return await self._put(key, data, {"If-None-Match": "*"})

    async def delete(self, keys: Sequence[ObjectKey]) -> None:
        most = 0 if len(keys) <= _SINGLE_REMOVALS else await self._bulk_limit()
        if not most:
            await together(self._delete(key) for key in keys)
            return
        for start in range(0, len(keys), most):
            await self._delete_many(keys[start : start + most])

    async def stat(self, key: ObjectKey) -> ObjectStat:
        async with self._asking("HEAD", key) as answer:
            size_b = length(answer.head)
            if size_b is None:
                raise StorageError(errno.EIO, key, "the server does not tell how long the object is")
            return ObjectStat(key, size_b, changed_s(answer.head), tag(answer.head))

    async def list(self, prefix: str, start: str = "", limit: int = 1000, delimiter: str = "") -> ObjectPage:
        wanted = {"format": "json", "prefix": prefix, "marker": start, "limit": str(limit)}
        query = urlencode({**wanted, **({"delimiter": delimiter} if delimiter else {})})
        async with self._account.asking("GET", f"{self._tail()}?{query}", prefix) as answer:
            if answer.head.status == HTTPStatus.NOT_FOUND:
                raise self._vanished()
            if not answer.head.is_success:
                raise refusal(answer.head, prefix)
            return page(await answer.content(_MOST_LISTING_B), limit)

    async def check(self) -> None:
        async with self._account.asking("HEAD", self._tail(), "") as answer:
            if answer.head.status == HTTPStatus.NOT_FOUND:
                raise self._vanished()
            if not answer.head.is_success:
                raise refusal(answer.head, "")

    async def close(self) -> None:
        await self._account.close()

    @asynccontextmanager
    async def _asking(
        self, method: str, key: ObjectKey, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> AsyncIterator[Answer]:
        """Ask for an object; what is answered is no refusal, but maybe that there is nothing of a range."""
        async with self._account.asking(method, self._tail(key), key, headers, body) as answer:
            status = answer.head.status
            if answer.head.is_success or status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                yield answer
                return
        if status == HTTPStatus.PRECONDITION_FAILED:
            raise StorageError(errno.ESTALE, key, "the object is another than the one that was asked for")
        if status == HTTPStatus.NOT_FOUND:
            await self.check()
        raise refusal(answer.head, key)

    async def _put(self, key: ObjectKey, data: bytes, conditions: Mapping[str, str]) -> str:
        headers = {"Content-Type": "application/octet-stream", **conditions}
        async with self._asking("PUT", key, headers, data) as answer:
            return tag(answer.head)

    async def _delete(self, key: ObjectKey) -> None:
        try:
            async with self._asking("DELETE", key):
                pass
        except StorageUnavailable:
            raise
        except StorageError as error:
            if error.errno != errno.ENOENT:
                raise

    async def _delete_many(self, keys: Sequence[ObjectKey]) -> None:
        lines = "\n".join(quote(f"{self._container}/{key}") for key in keys)
        headers = {"Content-Type": "text/plain", "Accept": "application/json"}
        async with self._account.asking("POST", "?bulk-delete", "", headers, lines.encode()) as answer:
            if not answer.head.is_success:
                raise refusal(answer.head, "")
            missing = check_removals(await answer.content(_MOST_REMOVALS_B))
        if missing:
            await self.check()

    async def _bulk_limit(self) -> int:
        if self._most_removals is None:
            self._most_removals = most_removals(await self._account.cluster())
        return self._most_removals

    def _tail(self, key: str = "") -> str:
        container = "/" + quote(self._container, safe="")
        return f"{container}/{quote(key)}" if key else container

    def _vanished(self) -> StorageUnavailable:
        return StorageUnavailable(errno.EIO, "", f"there is no container {self._container}")


async def _piece(answer: Answer, key: ObjectKey, offset_b: int, size_b: int) -> ObjectPiece:
    """Read the range that was asked for, all of it."""
    head = answer.head
    if head.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return ObjectPiece(b"", total_of_unsatisfied(head), tag(head))
    if head.status == HTTPStatus.PARTIAL_CONTENT:
        found = extent(head)
        start_b, total_b = (-1, 0) if found is None else (found.offset_b, found.total_b)
    else:
        start_b, total_b = 0, length(head) or 0
    wanted_b = max(0, min(size_b, total_b - offset_b))
    if start_b != offset_b and wanted_b:
        raise StorageError(errno.EIO, key, "the server sends another range than it was asked for")
    data = await answer.content(wanted_b) if wanted_b else b""
    if len(data) != wanted_b:
        raise StorageUnavailable(errno.EIO, key, f"the server sent {len(data)} bytes instead of {wanted_b}")
    return ObjectPiece(data, total_b, tag(head))
