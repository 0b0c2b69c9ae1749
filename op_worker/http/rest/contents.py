"""Operations on the content of files."""

from __future__ import annotations

from cluster_worker.http.answers import send_nothing
from op_worker.files.model import ContentReader, FileStat, FileType, Follow
from op_worker.http.content import ContentAnswer, attachment
from op_worker.http.rest.calls import RestCall


class _LinkReader:
    """The target of a symbolic link, read as the link's content."""

    def __init__(self, stat: FileStat, data: bytes) -> None:
        self.stat, self._data = stat, data

    async def read(self, offset_b: int, size_b: int) -> bytes:
        return self._data[offset_b : offset_b + size_b]

    async def close(self) -> None:
        """Nothing is open."""


async def get_content(call: RestCall) -> None:
    """Content of a file, whole or in ranges."""
    request = call.request
    reader = await _open(call)
    request.responseHeaders.setRawHeaders(b"Content-Disposition", [attachment(reader.stat.name)])
    ranges: bytes | None = request.getHeader(b"range")
    answer = ContentAnswer(ranges=None if ranges is None else ranges.decode("latin-1"))
    await answer.send(request, reader)


async def put_content(call: RestCall) -> None:
    """Replace the content, or write from an offset on."""
    request, offset_b = call.request, call.params["offset"]
    if offset_b is None:
        await call.files.replace_content(
            call.caller, call.target, request.body, expected_b=request.body_length
        )
    else:
        await call.files.write_content(
            call.caller, call.target, offset_b, request.body, expected_b=request.body_length
        )
    send_nothing(request)


async def _open(call: RestCall) -> ContentReader:
    if not call.params["follow_symlinks"]:
        stat = await call.files.stat(call.caller, call.target)
        if stat.type is FileType.SYMLNK:
            return _LinkReader(stat, (stat.symlink_target or "").encode())
    return await call.files.open_content(call.caller, call.target, Follow.YES)
