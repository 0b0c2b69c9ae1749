"""``/download/<code>``: one file, or a whole directory as a tar archive, without credentials."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from klein import Klein

from cluster_worker.http.routing import door_resource
from cluster_worker.http.streaming import write_body
from onedata.errors import ServiceUnavailable
from op_worker.downloads.archive import ArchiveStream
from op_worker.downloads.codes import DownloadCode
from op_worker.downloads.service import Downloads
from op_worker.downloads.unchanged import ChangedSince
from op_worker.files.model import FileStat, Target
from op_worker.http.conditions import parse_conditions
from op_worker.http.content import ContentAnswer, attachment, request_header

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

_TAR = b"application/x-tar"
_FROM = re.compile(r"bytes=([0-9]{1,18})-")


class DownloadDoor:
    """Serves what codes lead to.

    Attributes:
        resource: to be mounted at ``/download``.
    """

    app = Klein()

    def __init__(self, downloads: Downloads, *, is_serving: Callable[[], bool] = lambda: True) -> None:
        self._downloads, self._is_serving = downloads, is_serving
        self.resource = door_resource(self.app, self)

    @app.route("/<code>", methods=["GET"])
    async def download(self, request: StreamingRequest, code: str) -> None:
        """GET and HEAD."""
        if not self._is_serving():
            raise ServiceUnavailable()
        record, stat = await self._downloads.redeem(code)
        if stat.is_directory:
            await self._send_archive(request, record, stat)
        else:
            await self._send_file(request, record, stat)

    async def _send_file(self, request: StreamingRequest, record: DownloadCode, stat: FileStat) -> None:
        header = request_header(request)
        reader = await self._downloads.files.open_content(record.caller, Target(stat.guid))
        request.responseHeaders.setRawHeaders(b"Content-Disposition", [attachment(stat.name)])
        answer = ContentAnswer(ranges=header("Range"), conditions=parse_conditions(header))
        await answer.send(request, reader)

    async def _send_archive(self, request: StreamingRequest, record: DownloadCode, stat: FileStat) -> None:
        wanted = request_header(request)("Range")
        if wanted is None:
            stream = self._downloads.archive(record, stat)
        else:
            resumed = await self._resumed(request, record, stat, wanted)
            if resumed is None:
                _send_416(request)
                return
            stream = resumed
        headers = request.responseHeaders
        headers.setRawHeaders(b"Content-Type", [_TAR])
        headers.setRawHeaders(b"Content-Disposition", [attachment(f"{stat.name}.tar")])
        headers.setRawHeaders(b"Accept-Ranges", [b"bytes"])
        try:
            await write_body(request, stream)
        finally:
            await stream.close()

    async def _resumed(
        self, request: StreamingRequest, record: DownloadCode, stat: FileStat, wanted: str
    ) -> ArchiveStream | None:
        """Return the archive from the wanted byte on; ``None`` when it cannot be gone on with."""
        found = _FROM.fullmatch(wanted.replace(" ", ""))
        if found is None:
            return None
        position_b = int(found[1])
        try:
            stream, total_b = await self._downloads.resumed(record, stat, position_b)
        except ChangedSince:
            return None
        if position_b >= total_b:
            await stream.close()
            return None
        request.setResponseCode(206)
        headers = request.responseHeaders
        content_range = b"bytes %d-%d/%d" % (position_b, total_b - 1, total_b)
        headers.setRawHeaders(b"Content-Range", [content_range])
        headers.setRawHeaders(b"Content-Length", [b"%d" % (total_b - position_b)])
        return stream


def _send_416(request: StreamingRequest) -> None:
    request.setResponseCode(416)
    request.responseHeaders.setRawHeaders(b"Content-Range", [b"bytes */*"])
    request.responseHeaders.setRawHeaders(b"Content-Length", [b"0"])
    request.finish()
