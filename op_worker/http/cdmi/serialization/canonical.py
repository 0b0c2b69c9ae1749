"""Canonical JSON as a stream: representations with their values, children as the last member."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from attrs import define, field

from cluster_worker.runtime.streams import StreamBroken
from onedata.errors import Errno, Posix
from op_worker.auth.caller import Caller
from op_worker.files.model import ContentReader, Follow, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.bodies.members import Encoding
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.representations.metadata import encoding_of
from op_worker.http.cdmi.representations.representation import (
    container_members,
    object_members,
    range_text,
    render,
)
from op_worker.http.cdmi.representations.values import ValueStream, around, is_json, is_text
from op_worker.http.cdmi.requests.queries import Query
from op_worker.http.cdmi.serialization.canonical_queue import CanonicalQueue
from op_worker.serialization.walk import CanonicalWalk, Entered, Left, Met, Queued

_PIECE_B = 256 * 1024
_ALL = Query()
_CHECKS = {Encoding.UTF8: is_text, Encoding.JSON: is_json}


class CanonicalStream:
    """A ``ByteStream`` of the canonical JSON of what is at ``top``; close it.

    Args:
        is_gone: whether nobody wants it any more.
    """

    def __init__(
        self,
        files: FileService,
        locator: Locator,
        caller: Caller,
        top: Target,
        is_gone: Callable[[], bool],
    ) -> None:
        self._files, self._locator, self._caller = files, locator, caller
        self._is_gone = is_gone
        self._pieces = self._all(top)

    async def read(self) -> bytes:
        """Return the next piece.

        Raises:
            StreamBroken: nobody wants it any more.
            Posix: EAGAIN when a value was cut while it was read; what reading raises.
        """
        pieces: list[bytes] = []
        size_b = 0
        while size_b < _PIECE_B:
            if self._is_gone():
                raise StreamBroken("the client went away")
            try:
                piece = await anext(self._pieces)
            except StopAsyncIteration:
                break
            pieces.append(piece)
            size_b += len(piece)
        return b"".join(pieces)

    async def close(self) -> None:
        """Give an open file back."""
        await self._pieces.aclose()

    async def _all(self, top: Target) -> AsyncGenerator[bytes, None]:
        commas = _Commas()
        async for step in CanonicalWalk(self._files.context, self._caller).steps(top):
            if isinstance(step, Left):
                commas.leave()
                yield b"]}"
            elif isinstance(step, Entered):
                yield commas.next() + await self._container(step)
                commas.enter()
            elif isinstance(step, Queued):
                yield commas.next()
                async for piece in CanonicalQueue(
                    self._files, self._locator, self._caller, step.stat
                ).pieces():
                    yield piece
            elif (reader := await self._open(step)) is not None:
                yield commas.next()
                async for piece in self._object(reader):
                    yield piece

    async def _container(self, step: Entered) -> bytes:
        xattrs = await self._locator.xattrs(self._caller, step.stat)
        members = container_members(step.stat, xattrs, _ALL)
        members["childrenrange"] = range_text(0, step.count)
        return render(members)[:-1] + b',"children":['

    async def _open(self, step: Met) -> ContentReader | None:
        """Open an object; ``None`` when it was removed since it was met."""
        try:
            return await self._files.open_content(self._caller, Target(step.stat.guid), Follow.NO)
        except Posix as error:
            if error.errno is Errno.ENOENT:
                return None
            raise

    async def _object(self, reader: ContentReader) -> AsyncGenerator[bytes, None]:
        try:
            stream = await self._with_value(reader)
            while piece := await stream.read():
                yield piece
        except StreamBroken:
            raise Posix(Errno.EAGAIN, "a value changed while it was serialised") from None
        finally:
            await reader.close()

    async def _with_value(self, reader: ContentReader) -> ValueStream:
        stat = reader.stat
        xattrs = await self._locator.xattrs(self._caller, stat)
        encoding = encoding_of(xattrs)
        if encoding not in _CHECKS or not await _CHECKS[encoding](reader, stat.size_b):
            encoding = Encoding.BASE64
        members = object_members(stat, xattrs, _ALL)
        members["valuetransferencoding"] = encoding.value
        members["valuerange"] = range_text(0, stat.size_b)
        before, after = around(encoding)
        head = render({**members, "value": ""})[: -len('""}')] + before
        return ValueStream(head, reader, 0, stat.size_b, encoding, after + b"}")


@define
class _Commas:
    """Knows when a comma comes before an element of the arrays that are open."""

    _has_elements: list[bool] = field(factory=lambda: [False])

    def next(self) -> bytes:
        """Return what comes before the next element."""
        comma = b"," if self._has_elements[-1] else b""
        self._has_elements[-1] = True
        return comma

    def enter(self) -> None:
        """An array begins."""
        self._has_elements.append(False)

    def leave(self) -> None:
        """It ends."""
        self._has_elements.pop()
