"""Parts of files, asked of an HTTP server; an answer that does not fit what was asked is an error."""

from __future__ import annotations

import errno
from http import HTTPStatus

from attrs import evolve, frozen

from op_worker.storage.helper import StorageError, StoragePath, StorageUnavailable
from op_worker.storage.helpers.web.answers import (
    Version,
    extent,
    failure,
    length,
    total_of_unsatisfied,
    version,
)
from op_worker.storage.helpers.web.session import Answer, Session


@frozen
class Part:
    """Bytes of a file. ``version`` is ``None`` where the answer does not tell enough.

    ``is_whole`` tells that the server sent the whole instead of a part: so does a page of a directory come.
    """

    data: bytes
    version: Version | None = None
    is_whole: bool = False


async def read_range(session: Session, path: StoragePath, offset_b: int, size_b: int) -> Part:
    """Read at most ``size_b`` bytes, at least one, from ``offset_b``; fewer only at the end of the file.

    Two bytes are asked for at least, because sabre/dav takes the range of the first one for no range at all.

    Raises: StorageError(ENOENT); StorageError(ENOTSUP) when the server has no ranges; StorageError(EIO) when
        it sends other bytes than it says; StorageUnavailable.
    """
    asked_b = max(size_b, 2)
    headers = {"Range": f"bytes={offset_b}-{offset_b + asked_b - 1}", "Accept-Encoding": "identity"}
    async with session.asking("GET", session.endpoint.url(path), path, headers) as answer:
        match answer.head.status:
            case HTTPStatus.PARTIAL_CONTENT:
                part = await _part(answer, path, offset_b, asked_b)
                return evolve(part, data=part.data[:size_b])
            case HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                total_b = total_of_unsatisfied(answer.head)
                return Part(b"", None if total_b is None else version(answer.head, total_b))
            case HTTPStatus.OK:
                return await _whole(answer, path, offset_b, size_b)
        raise failure(answer.head, path)


async def _part(answer: Answer, path: StoragePath, offset_b: int, size_b: int) -> Part:
    found = extent(answer.head)
    if found is None or found.offset_b != offset_b:
        raise StorageError(errno.EIO, path, "the server sends another part than it was asked for")
    if found.size_b != min(size_b, found.total_b - offset_b):
        raise StorageError(errno.EIO, path, f"the server sends {found.size_b} bytes instead of {size_b}")
    return Part(await _exactly(answer, path, found.size_b), version(answer.head, found.total_b))


async def _whole(answer: Answer, path: StoragePath, offset_b: int, size_b: int) -> Part:
    """Use the answer of a server that ignores ``Range``, as all do for empty files."""
    total_b = length(answer.head)
    if total_b is not None and total_b <= offset_b:
        return Part(b"", version(answer.head, total_b), is_whole=True)
    if total_b is None and not await answer.body.read():
        return Part(b"", None, is_whole=True)
    if total_b is None or offset_b or total_b > size_b:
        raise StorageError(errno.ENOTSUP, path, "the server does not send parts of files")
    return Part(await _exactly(answer, path, total_b), version(answer.head, total_b), is_whole=True)


async def _exactly(answer: Answer, path: StoragePath, size_b: int) -> bytes:
    data = await answer.content(size_b)
    if len(data) != size_b:
        raise StorageUnavailable(errno.EIO, path, f"the server sent {len(data)} bytes instead of {size_b}")
    return data
