"""Writing contents that are open: as one upload from the beginning, inside, or anew."""

from __future__ import annotations

import errno
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from http import HTTPStatus

from attrs import frozen

from op_worker.storage.helper import StorageError
from op_worker.storage.helpers.web.answers import Head, Version, failure
from op_worker.storage.helpers.webdav.contents import Contents
from op_worker.storage.helpers.webdav.open_files import Content
from op_worker.storage.helpers.webdav.upload import Upload
from op_worker.storage.helpers.webdav.writing_inside import (
    Kept,
    RangeWrites,
    Segment,
    Zeros,
    pieces,
    range_request,
    resized,
    total,
    written,
)

_COPIED_B = 1024 * 1024
_ZEROS_B = 64 * 1024
_OTHERS = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.PRECONDITION_FAILED})
"""Answers when what was opened is not there any more."""


@frozen(eq=False)
class Writing:
    """Changes open files for one user.

    Args:
        most_upload_b: the server takes no request with more; 0 is no limit.
    """

    contents: Contents
    range_writes: RangeWrites
    most_upload_b: int

    async def write(self, content: Content, offset_b: int, data: bytes) -> None:
        """See ``StorageFile.write``; what begins an empty file and goes on from there is one upload."""
        if not data:
            return
        async with self.contents.locks.hold(content):
            upload = content.upload
            if upload is not None and upload.end_b == offset_b and self._fits(offset_b + len(data)):
                await self._upload(content, upload, data)
                return
            await self.contents.settle(content)
            if content.is_empty and offset_b == 0 and self._fits(len(data)):
                await self._upload(content, self._begin(content), data)
            elif self.range_writes is RangeWrites.NONE:
                found = await self.contents.present(content)
                await self._rewrite(content, written(content.path, found.size_b, offset_b, data))
            else:
                for start_b, piece in pieces(offset_b, data, self.most_upload_b):
                    await self._write_range(content, start_b, piece)

    async def truncate(self, content: Content, size_b: int) -> None:
        """See ``StorageFile.truncate``. Raises: StorageError(ERANGE) when too much had to be sent anew."""
        async with self.contents.locks.hold(content):
            await self.contents.settle(content)
            found = await self.contents.present(content)
            if found.size_b == size_b:
                return
            if size_b == 0:
                await self._put(content, b"")
            elif size_b > found.size_b and self.range_writes is not RangeWrites.NONE:
                await self._write_range(content, size_b - 1, b"\0")
            else:
                await self._rewrite(content, resized(content.path, found.size_b, size_b))

    async def replace(self, content: Content, data: bytes) -> None:
        """Give a content that is open other bytes, all at once."""
        async with self.contents.locks.hold(content):
            await self.contents.settle(content)
            await self._put(content, data)

    def _begin(self, content: Content) -> Upload:
        session = self.contents.tree.session
        url = content.upload_url or session.endpoint.url(content.path)
        content.upload = Upload(session, content.path, url, {} if content.upload_url else {"If-Match": "*"})
        return content.upload

    async def _upload(self, content: Content, upload: Upload, data: bytes) -> None:
        content.is_empty = False
        try:
            await upload.write(data)
        except BaseException as error:
            content.upload = None
            broken = StorageError(errno.EIO, content.path, "the upload was broken off")
            content.broken = error if isinstance(error, StorageError) else broken
            raise

    async def _write_range(self, content: Content, offset_b: int, data: bytes) -> None:
        method, headers = range_request(self.range_writes, offset_b, len(data))
        await self._change(content, method, headers, data)

    async def _put(self, content: Content, data: bytes) -> None:
        self._require_fit(content, len(data))
        await self._change(content, "PUT", {}, data)
        content.is_empty = not data

    async def _change(self, content: Content, method: str, headers: Mapping[str, str], data: bytes) -> None:
        """Write to what was opened and to nothing else. Raises: StorageError(ESTALE)."""
        condition = content.version.condition if content.version is not None else "*"
        if condition == "*" and content.version is not None:  # the server has no tag to ask for
            condition = (await self.contents.present(content)).version.condition
        head = await self._asked(content, method, {**headers, "If-Match": condition}, data)
        if head.status == HTTPStatus.PRECONDITION_FAILED and condition != "*":
            await self.contents.present(content)  # tags can be weak for a while after a change
            head = await self._asked(content, method, {**headers, "If-Match": "*"}, data)
        if head.status in _OTHERS:
            raise self.contents.stale(content)
        _require_success(head, content)
        self.contents.changed(content, Version(head.header("etag"), len(data)))

    async def _asked(self, content: Content, method: str, headers: Mapping[str, str], data: bytes) -> Head:
        session = self.contents.tree.session
        content.is_empty = False
        try:
            return await session.ask(method, session.endpoint.url(content.path), content.path, headers, data)
        except BaseException:
            self.contents.changed(content, None)  # perhaps it arrived
            raise

    async def _rewrite(self, content: Content, segments: Sequence[Segment]) -> None:
        """Send a file anew: short ones at once, others aside first, so that no part of one is ever seen."""
        size_b = total(segments)
        self._require_fit(content, size_b)
        if size_b <= _COPIED_B:
            await self._put(content, b"".join([each async for each in self._bytes(content, segments)]))
            return
        tree, held = self.contents.tree, self.contents.open_files.new_held_path()
        await tree.make_parents(held)
        upload = Upload(tree.session, held, tree.session.endpoint.url(held), {})
        try:
            async with aclosing(self._bytes(content, segments)) as new:
                async for data in new:
                    await upload.write(data)
            _require_success(await upload.finish(), content)
        except BaseException:
            upload.abort()
            raise
        await self.contents.present(content)
        _require_success(await tree.move(held, content.path, replaces=True), content)
        self.contents.changed(content, None)

    async def _bytes(self, content: Content, segments: Sequence[Segment]) -> AsyncGenerator[bytes, None]:
        for segment in segments:
            if isinstance(segment, bytes):
                yield segment
            elif isinstance(segment, Zeros):
                for start_b in range(0, segment.size_b, _ZEROS_B):
                    yield bytes(min(_ZEROS_B, segment.size_b - start_b))
            else:
                async with aclosing(self._kept(content, segment)) as kept:
                    async for data in kept:
                        yield data

    async def _kept(self, content: Content, kept: Kept) -> AsyncGenerator[bytes, None]:
        offset_b, end_b = kept.offset_b, kept.offset_b + kept.size_b
        while offset_b < end_b:
            part = await self.contents.part(content, offset_b, min(_COPIED_B, end_b - offset_b))
            if part is None or not part.data or not _is_of(content, part.version):
                raise self.contents.stale(content)
            yield part.data
            offset_b += len(part.data)

    def _fits(self, size_b: int) -> bool:
        return not self.most_upload_b or size_b <= self.most_upload_b

    def _require_fit(self, content: Content, size_b: int) -> None:
        if not self._fits(size_b):
            words = f"{size_b} bytes at once are more than maximumUploadSize"
            raise StorageError(errno.EFBIG, content.path, words)


def _is_of(content: Content, version: Version | None) -> bool:
    return content.version is None or version is None or content.version.is_same(version)


def _require_success(head: Head, content: Content) -> None:
    if not head.is_success:
        raise failure(head, content.path)
