"""Objects of a bucket on an S3 server."""

from __future__ import annotations

import errno
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import md5
from http import HTTPStatus

from cluster_worker.runtime.together import together
from op_worker.storage.helper import StorageError, StorageUnavailable
from op_worker.storage.helpers.s3.answers import bare, check_removals, is_removable_in_xml, page, removals
from op_worker.storage.helpers.s3.conditions import ConditionalPuts
from op_worker.storage.helpers.s3.parts import WORTH_IT_B, put_in_parts
from op_worker.storage.helpers.s3.service import S3Service
from op_worker.storage.helpers.web.answers import Head, extent, length, seconds, total_of_unsatisfied
from op_worker.storage.helpers.web.session import Answer
from op_worker.storage.objects.store import ObjectKey, ObjectPage, ObjectPiece, ObjectStat

_MOST_KEYS = 1000
_MOST_TRIES = 4
_MOST_LISTING_B = 16 << 20
_UNSATISFIED = frozenset({int(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)})


class S3Store:
    """See ``ObjectStore``, ``SupportsListingObjects``, ``SupportsConditionalPuts``.

    Tags are those of contents: an object put anew with the same bytes has the same tag.
    """

    def __init__(self, service: S3Service) -> None:
        self._service, self._place = service, service.place
        self._conditional = ConditionalPuts(self._put, self.stat)

    async def get(self, key: ObjectKey, offset_b: int, size_b: int, tag: str = "") -> ObjectPiece:
        for _ in range(_MOST_TRIES - 1):
            try:
                return await self._get(key, offset_b, size_b, tag)
            except StorageUnavailable as error:
                if error.errno != errno.ECANCELED:  # the server met with a writer, and looks again when asked
                    raise
        return await self._get(key, offset_b, size_b, tag)

    async def put(self, key: ObjectKey, data: bytes) -> str:
        if len(data) >= WORTH_IT_B:
            return await put_in_parts(self._service, key, data)
        return await self._put(key, data, {})

    async def put_if(self, key: ObjectKey, data: bytes, tag: str) -> str:
        return await self._conditional.put_if(key, data, tag)

    async def delete(self, keys: Sequence[ObjectKey]) -> None:
        many = [key for key in keys if is_removable_in_xml(key)] if len(keys) > 1 else []
        for start in range(0, len(many), _MOST_KEYS):
            await self._delete_many(many[start : start + _MOST_KEYS])
        single = set(keys) - set(many)
        if single:
            await together(self._delete(key) for key in single)

    async def stat(self, key: ObjectKey) -> ObjectStat:
        try:
            head = await self._service.ask("HEAD", self._place.url(key), key)
        except StorageUnavailable:
            raise
        except StorageError as error:
            if error.errno in (errno.ENOENT, errno.EACCES):
                await self.check()  # tells a missing bucket, and whatever only an answer with a body can tell
            raise
        size_b = length(head)
        if size_b is None:
            raise StorageError(errno.EIO, key, "the server does not tell how long the object is")
        return ObjectStat(key, size_b, seconds(head.header("last-modified")), bare(head.header("etag")))

    async def list(self, prefix: str, start: str = "", limit: int = 1000, delimiter: str = "") -> ObjectPage:
        wanted = {
            "list-type": "2",
            "prefix": self._place.prefix + prefix,
            "max-keys": str(limit),
            "delimiter": delimiter,
            "continuation-token": start,
        }
        url = self._place.bucket_url({name: value for name, value in wanted.items() if value})
        async with self._service.asking("GET", url, prefix) as answer:
            return page(await answer.content(_MOST_LISTING_B), self._place.prefix)

    async def check(self) -> None:
        await self.list("", limit=1)

    async def close(self) -> None:
        await self._service.close()

    async def _get(self, key: ObjectKey, offset_b: int, size_b: int, tag: str) -> ObjectPiece:
        headers = {"Range": f"bytes={offset_b}-{offset_b + size_b - 1}"}
        if tag:
            headers["If-Match"] = f'"{tag}"'
        url = self._place.url(key)
        async with self._service.asking("GET", url, key, headers, expected=_UNSATISFIED) as answer:
            if answer.head.status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return await _piece(answer, key, offset_b, size_b)
            total_b, found = total_of_unsatisfied(answer.head), bare(answer.head.header("etag"))
        if total_b is None or not found:
            there = await self.stat(key)
            total_b, found = there.size_b, there.tag
        if tag and found != tag:
            raise StorageError(errno.ESTALE, key, "the object was replaced")
        return ObjectPiece(b"", total_b, found)

    async def _put(self, key: ObjectKey, data: bytes, conditions: Mapping[str, str]) -> str:
        headers = {"Content-Type": "application/octet-stream", **conditions}
        head: Head = await self._service.ask("PUT", self._place.url(key), key, headers, data)
        return bare(head.header("etag"))

    async def _delete(self, key: ObjectKey) -> None:
        try:
            await self._service.ask("DELETE", self._place.url(key), key)
        except StorageUnavailable:
            raise
        except StorageError as error:
            if error.errno != errno.ENOENT:
                raise

    async def _delete_many(self, keys: Sequence[ObjectKey]) -> None:
        body = removals([self._place.prefix + key for key in keys])
        headers = {
            "Content-Type": "application/xml",
            "Content-MD5": b64encode(md5(body, usedforsecurity=False).digest()).decode(),
        }
        url = self._place.bucket_url({"delete": ""})
        async with self._service.asking("POST", url, "", headers, body) as answer:
            check_removals(await answer.content(_MOST_LISTING_B), answer.head)


async def _piece(answer: Answer, key: ObjectKey, offset_b: int, size_b: int) -> ObjectPiece:
    """Read the range that was asked for, all of it."""
    head = answer.head
    if head.status == HTTPStatus.PARTIAL_CONTENT:
        found = extent(head)
        start_b, total_b = (-1, 0) if found is None else (found.offset_b, found.total_b)
    else:
        start_b, total_b = 0, length(head) or 0
    wanted_b = max(0, min(size_b, total_b - offset_b))
    if start_b != offset_b:
        raise StorageError(errno.EIO, key, "the server sends another range than it was asked for")
    data = await answer.content(wanted_b) if wanted_b else b""
    if len(data) != wanted_b:
        raise StorageUnavailable(errno.EIO, key, f"the server sent {len(data)} bytes instead of {wanted_b}")
    return ObjectPiece(data, total_b, bare(head.header("etag")))
