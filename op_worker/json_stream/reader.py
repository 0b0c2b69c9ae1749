"""JSON read in pieces: bytes in, events out, nothing held but what is short. Pure."""

from __future__ import annotations

import codecs
from collections.abc import Callable

from op_worker.json_stream.events import Event, InvalidJson, JsonTooLong, Take
from op_worker.json_stream.machine import Machine

MAX_DEPTH = 64
"""How deep a value may lie inside arrays and objects."""
MAX_STRING_B = 4 * 1024 * 1024
"""The longest string that is handed on whole."""

_BOM = b"\xef\xbb\xbf"


def _events(_: tuple[str, ...]) -> Take:
    return Take.EVENTS


class JsonReader:
    """Reads one JSON document, a chunk at a time.

    Feed it the chunks as they come and act on the events that each call returns; call ``finish`` after
    the last one. Objects come as ``Mark.OBJECT``, then a ``Key`` before each value, then
    ``Mark.END_OBJECT``; arrays and scalars accordingly. ``take`` says for which members the value comes in
    pieces instead. It is asked once for each member, with the keys that lead to it from the top; arrays
    add nothing, so that ``("children", "value")`` is the ``value`` of every element of ``children``::

        def take(path: tuple[str, ...]) -> Take:
            is_value = path[-1] == "value" and set(path[:-1]) <= {"children"}
            return Take.PIECES if is_value else Take.EVENTS

        reader = JsonReader(take)
        while chunk := await body.read():
            for event in reader.feed(chunk):
                ...  # Key("value"), then Piece(b"SGVs", False), Piece(b"bG8=", True)
        reader.finish()

    ``unescaped`` of ``op_worker.json_stream.grammar`` makes text of a piece; ``Building`` makes a value of
    events. What is accepted is what ``json`` accepts, without NaN, infinite numbers and halves of surrogate
    pairs; a byte order mark in front is skipped. Keys may be repeated. Numbers and nested strings in what is
    handed on as text are checked as well, but not converted.

    The kept libraries that read JSON in pieces (ijson, json-stream) hold a string whole; this one does not.
    It never looks at single characters: strings are searched for their quote, and runs of scalars that are
    handed on as text are passed over by one pattern.

    Args:
        take: how the value of a member is handed on; ``top``: how the whole document is.
        max_depth: how deep a value may lie.
        max_string_b: the longest key, or string that is not handed on in pieces.
        limit_b: the most bytes outside of pieces; ``None`` for no bound, when the consumer keeps nothing.
    """

    def __init__(
        self,
        take: Callable[[tuple[str, ...]], Take] = _events,
        *,
        top: Take = Take.EVENTS,
        max_depth: int = MAX_DEPTH,
        max_string_b: int = MAX_STRING_B,
        limit_b: int | None = None,
    ) -> None:
        self._machine = Machine(take, top, max_depth, max_string_b)
        self._limit_b, self._plain_b = limit_b, 0
        self._held, self._is_begun = b"", False

    def feed(self, chunk: bytes) -> list[Event]:
        """Return what the next bytes bring.

        Raises:
            InvalidJson: it is no JSON, nested too deep, or no UTF-8. The reader is of no use any more.
            JsonTooLong: a string, or everything outside of pieces, is too long.
        """
        text, cut = _characters(self._held + chunk if self._held else chunk)
        at = 0
        if not self._is_begun and text:
            self._is_begun = True
            at = len(_BOM) if text.startswith(_BOM) else 0
        at = self._machine.run(text, at)
        self._held = text[at:] + cut
        self._plain_b += at - self._machine.pieces_b
        if self._limit_b is not None and self._plain_b > self._limit_b:
            raise JsonTooLong
        return self._machine.events()

    def finish(self) -> list[Event]:
        """Return what the end of the bytes brings.

        Raises:
            InvalidJson: the document is not whole.
        """
        out = self.feed(b" ")  # ends a number at the top
        if self._held or not self._machine.is_over:
            raise InvalidJson("the document is not whole")
        return out


def _characters(data: bytes) -> tuple[bytes, bytes]:
    """Split off a character that is cut at the end; refuse what is no UTF-8."""
    if data.isascii():
        return data, b""
    try:
        _, end = codecs.utf_8_decode(data, "strict", False)
    except UnicodeDecodeError:
        raise InvalidJson("no UTF-8") from None
    return data[:end], data[end:]
