"""Values of queues on their way in: strings of a JSON array, one after the other, in pieces."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from cluster_worker.runtime.streams import ByteStream
from onedata.errors import BadData, MalformedData
from op_worker.http.cdmi.bodies.decoding import Base64Decoder, Utf8Decoder, ValueDecoder
from op_worker.http.cdmi.bodies.members import Encoding
from op_worker.json_stream.events import InvalidJson, Mark, Piece, Take
from op_worker.json_stream.reader import JsonReader


class SentValues:
    """The values of a JSON array, one after the other, each as a stream of the bytes that it means.

    Args:
        text: the JSON text of the array.
        encoding_of: tells how the value at a place travels; raises what is wrong with it.

    Raises, wherever it reads:
        BadData: it is no array of strings (key ``value``), or not what its encoding says (``base64``).
        MalformedData: it is no JSON.
    """

    def __init__(self, text: ByteStream, encoding_of: Callable[[int], str]) -> None:
        self._text, self._encoding_of = text, encoding_of
        self._reader = JsonReader(top=Take.PIECES)
        self._events: deque[object] = deque()
        self._is_over = False
        self.count = 0

    async def next(self) -> ByteStream | None:
        """Return the next value, the one before having been read to its end; ``None`` after the last."""
        event = await self.event()
        if self.count == 0 and event is Mark.ARRAY:
            event = await self.event()
        elif self.count == 0:
            raise BadData("value", "values are an array of strings")
        if event is Mark.END_ARRAY:
            await self.event()
            return None
        if not isinstance(event, Piece):
            raise BadData("value", "values are an array of strings")
        encoding = self._encoding_of(self.count)
        self.count += 1
        decoder = Base64Decoder() if encoding == Encoding.BASE64.value else Utf8Decoder()
        return _SentValue(self, event, decoder)

    async def event(self) -> object:
        """Return the next event of the array; ``None`` at the end."""
        while not self._events and not self._is_over:
            chunk = await self._text.read()
            self._is_over = not chunk
            try:
                self._events.extend(self._reader.feed(chunk) if chunk else self._reader.finish())
            except InvalidJson:
                raise MalformedData from None
        return self._events.popleft() if self._events else None


class _SentValue:
    """One value of an array."""

    def __init__(self, values: SentValues, first: Piece, decoder: ValueDecoder) -> None:
        self._values, self._decoder = values, decoder
        self._piece: object = first
        self._is_first = True

    async def read(self) -> bytes:
        while self._piece is not None:
            piece = self._piece
            if not isinstance(piece, Piece):
                raise MalformedData
            before, after = b'"' if self._is_first else b"", b'"' if piece.is_last else b""
            self._is_first = False
            data = self._decoder.decode(before + piece.text + after, is_last=piece.is_last)
            self._piece = None if piece.is_last else await self._values.event()
            if data:
                return data
        return b""
