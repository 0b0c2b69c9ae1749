"""Queues in canonical JSON: arrays with something of each value, then all values, none held in memory."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable

from attrs import frozen

from onedata.errors import Errno, Posix
from op_worker.auth.caller import Caller
from op_worker.files.model import FileStat, Target
from op_worker.files.queues.values import QueuedValue
from op_worker.files.service import FileService
from op_worker.http.cdmi.bodies.members import Encoding
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.representations.metadata import encoding_of, mimetype_of
from op_worker.http.cdmi.representations.representation import queue_members, range_text, render
from op_worker.http.cdmi.representations.values import ValueStream, is_text
from op_worker.http.cdmi.requests.queries import Query


@frozen(eq=False)
class CanonicalQueue:
    """One queue for one caller, with the values that it has now."""

    _files: FileService
    _locator: Locator
    _caller: Caller
    _stat: FileStat

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the JSON text.

        Raises: Posix(EAGAIN) when values were taken meanwhile; as reading does.
        """
        view = await self._files.queues.view(self._caller, Target(self._stat.guid))
        xattrs = await self._locator.xattrs(self._caller, view.stat)
        members = queue_members(view.stat, xattrs, view.numbers, Query())
        if view.numbers is None:
            yield render(members)
            return
        numbers = range(view.numbers[0], view.numbers[1] + 1)
        yield render(members)[:-1]
        for name, told in _ARRAYS.items():
            yield f',"{name}":['.encode()
            async for comma, value in self._values(numbers):
                yield comma + json.dumps(await told(value)).encode()
            yield b"]"
        yield b',"value":['
        async for comma, value in self._values(numbers):
            async for piece in _text(comma, value, Encoding(await _encoding(value))):
                yield piece
        yield b"]}"

    async def _values(self, numbers: range) -> AsyncGenerator[tuple[bytes, QueuedValue], None]:
        """Yield the values with these numbers, each with what comes before it in an array."""
        count = 0
        async for value in self._files.queues.every(self._caller, Target(self._stat.guid)):
            if value.number not in numbers:
                break
            yield b"," if count else b"", value
            count += 1
        if count != len(numbers):
            raise Posix(Errno.EAGAIN, "values were taken while the queue was serialised")


async def _mimetype(value: QueuedValue) -> str:
    return mimetype_of(value.xattrs)


async def _encoding(value: QueuedValue) -> str:
    """Return how a value travels: as it was enqueued, but in base64 when it is no text."""
    if encoding_of(value.xattrs) is not Encoding.UTF8:
        return Encoding.BASE64.value
    reader = await value.open()
    try:
        is_utf8 = await is_text(reader, reader.stat.size_b)
    finally:
        await reader.close()
    return (Encoding.UTF8 if is_utf8 else Encoding.BASE64).value


async def _range(value: QueuedValue) -> str:
    return range_text(0, value.stat.size_b)


async def _text(comma: bytes, value: QueuedValue, encoding: Encoding) -> AsyncGenerator[bytes, None]:
    reader = await value.open()
    try:
        stream = ValueStream(comma + b'"', reader, 0, reader.stat.size_b, encoding, b'"')
        while piece := await stream.read():
            yield piece
    finally:
        await reader.close()


_ARRAYS: dict[str, Callable[[QueuedValue], Awaitable[str]]] = {
    "mimetype": _mimetype,
    "valuetransferencoding": _encoding,
    "valuerange": _range,
}
