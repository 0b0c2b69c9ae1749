"""The JSON body of a write of a data object: its value in pieces, everything else as members."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from attrs import frozen

from cluster_worker.runtime.spool import Spools
from cluster_worker.runtime.streams import ByteStream
from onedata.errors import BadData, MalformedData
from op_worker.files.model import Json
from op_worker.http.cdmi.bodies.decoding import ValueDecoder
from op_worker.http.cdmi.refusals import Refused
from op_worker.json_stream.events import Event, InvalidJson, JsonTooLong, Key, Mark, Piece, Take
from op_worker.json_stream.grammar import whole
from op_worker.json_stream.reader import JsonReader

VALUE = "value"
_SPACES = b" \t\n\r"
_NOTHING_ELSE_B = 64
"""More than the frame of a value that is read back."""


def _take(_: tuple[str, ...]) -> Take:
    return Take.TEXT


class IncomingObject:
    """A JSON object on its way in, whose members may come in any order; a context manager.

    ``begin`` reads up to the value, ``value`` gives it and reads whatever follows it as well. ``settle``
    makes the value wait in a spool, so that every member is known before it is looked at. ``members`` holds
    what came so far, without the value; it is whole when the stream of the value ended. Of a member that
    comes twice the last one counts, as ``json`` has it; but a value cannot be taken back, so that a second
    one is refused.

    Args:
        limit_b: the most bytes of JSON besides the value.

    Raises, wherever it reads:
        MalformedData: no JSON object in UTF-8, nested too deep, or with what cannot be sent back.
        Refused: 413 beyond ``limit_b``.
        StreamBroken: the client went away.
    """

    def __init__(self, stream: ByteStream, limit_b: int, spools: Spools) -> None:
        self._text_reader = ObjectText(stream, limit_b)
        self._spool = spools.new()
        self._is_settled = False

    async def __aenter__(self) -> IncomingObject:
        await self._spool.__aenter__()
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._spool.__aexit__(*raised)

    @property
    def members(self) -> Mapping[str, Json]:
        """What was sent so far, besides the value."""
        return self._text_reader.members

    @property
    def has_value(self) -> bool:
        """Whether a value came."""
        return self._text_reader.has_value

    async def begin(self) -> None:
        """Read until the value begins, or to the end when there is none."""
        await self._text_reader.begin()

    async def settle(self) -> None:
        """Read to the end; the value waits. Raises also: Posix(ENOSPC, EIO)."""
        if not self._is_settled:
            await self._spool.fill(_ValueText(self._text_reader))
            self._is_settled = True

    def value(self, decoder: ValueDecoder) -> ByteStream:
        """Return the bytes of the value, once; they end when the whole body was read. None without a value.

        Reading raises also: what the decoder does.
        """
        if not self._is_settled or not self.has_value:
            return _Decoded(self._text_reader, decoder)
        return _Decoded(ObjectText(_AsBody(self._spool.stream()), limit_b=_NOTHING_ELSE_B), decoder)


class ObjectText:
    """The members of a JSON object, read one after the other; its value as pieces of JSON text."""

    def __init__(self, stream: ByteStream, limit_b: int) -> None:
        self._stream, self._limit_b = stream, limit_b
        self._reader = JsonReader(_take, limit_b=limit_b)
        self._is_blank, self._is_begun, self._key = True, False, ""
        self._text: list[bytes] = []
        self._left_b = limit_b
        self._pieces: deque[Piece] = deque()
        self.members: dict[str, Json] = {}
        self.has_value = self.is_over = False

    async def begin(self) -> None:
        """Read until the value begins, or to the end when there is none."""
        while not self.has_value and not self.is_over:
            await self._advance()

    async def next_piece(self) -> Piece | None:
        """Return the next piece of the value's JSON text; ``None`` when the whole body was read."""
        while not self._pieces and not self.is_over:
            await self._advance()
        return self._pieces.popleft() if self._pieces else None

    async def _advance(self) -> None:
        chunk = await self._stream.read()
        try:
            if chunk:
                self._is_blank = self._is_blank and not chunk.strip(_SPACES)
                events = self._reader.feed(chunk)
            else:
                self.is_over = True
                events = [] if self._is_blank else self._reader.finish()
            for event in events:
                self._on_event(event)
        except InvalidJson:
            raise MalformedData from None
        except JsonTooLong:
            raise Refused(
                413, BadData("body", f"JSON besides the value may have up to {self._limit_b} bytes")
            ) from None

    def _on_event(self, event: Event) -> None:
        if not self._is_begun and event is not Mark.OBJECT:
            raise MalformedData
        self._is_begun = True
        if isinstance(event, Key):
            self._key = event.name
            if self._key == VALUE and self.has_value:
                raise MalformedData
            self.has_value = self.has_value or self._key == VALUE
        elif isinstance(event, Piece):
            self._on_piece(event)

    def _on_piece(self, piece: Piece) -> None:
        if self._key == VALUE:
            self._pieces.append(piece)
            return
        self._text.append(piece.text)
        self._left_b -= len(piece.text)
        if self._left_b < 0:
            raise JsonTooLong
        if piece.is_last:
            self.members[self._key] = whole(b"".join(self._text))
            self._text = []


@frozen(eq=False)
class _Decoded:
    """A ``ByteStream`` of the bytes that a value means; it ends when the whole body was read."""

    _incoming: ObjectText
    _decoder: ValueDecoder

    async def read(self) -> bytes:
        """Return the next bytes."""
        while (piece := await self._incoming.next_piece()) is not None:
            if data := self._decoder.decode(piece.text, is_last=piece.is_last):
                return data
        return b""


@frozen(eq=False)
class _ValueText:
    """A ``ByteStream`` of a value's JSON text as it was sent; it ends when the whole body was read."""

    _incoming: ObjectText

    async def read(self) -> bytes:
        """Return the next bytes."""
        while (piece := await self._incoming.next_piece()) is not None:
            if piece.text:
                return piece.text
        return b""


class _AsBody:
    """The text of a value that waited, as the body of an object that has nothing else."""

    def __init__(self, text: ByteStream) -> None:
        self._before, self._text, self._after = b'{"value":', text, b"}"

    async def read(self) -> bytes:
        before, self._before = self._before, b""
        if before:
            return before
        if text := await self._text.read():
            return text
        after, self._after = self._after, b""
        return after
