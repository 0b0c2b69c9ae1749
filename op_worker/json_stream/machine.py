"""The grammar of JSON as a state machine over text in chunks: whole characters in, events out. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum

from attrs import define

from op_worker.json_stream.events import Event, InvalidJson, JsonTooLong, Key, Mark, Piece, Scalar, Take
from op_worker.json_stream.grammar import (
    ELEMENTS,
    MAX_NUMBER_B,
    MEMBERS,
    RUN_DEPTH,
    SPACES,
    WORD,
    check_scalar,
    scalar,
    string_end,
    unescaped,
)

_QUOTE, _COLON, _COMMA = b'":,'
_BRACE, _END_BRACE, _BRACKET, _END_BRACKET = b"{}[]"
_CLOSING = {_BRACE: _END_BRACE, _BRACKET: _END_BRACKET}
_OPENED = {_BRACE: Mark.OBJECT, _BRACKET: Mark.ARRAY}
_CLOSED = {_END_BRACE: Mark.END_OBJECT, _END_BRACKET: Mark.END_ARRAY}


class _State(Enum):
    """What may come next."""

    VALUE = "a value"
    FIRST_ELEMENT = "a value, or the end of the array"
    FIRST_KEY = "a key, or the end of the object"
    KEY = "a key"
    IN_KEY = "more of a key, or its quote"
    COLON = "a colon"
    IN_STRING = "more of a string, or its quote"
    NEXT = "a comma, or the end of what is open"
    END = "nothing but spaces"


@define
class _Open:
    """An array or object that is not closed yet. ``take`` holds for the present member, or all elements."""

    closing: int
    take: Take


class Machine:
    """Where a document is, and what it brings next. See ``JsonReader`` for the arguments.

    Attributes:
        pieces_b: how many bytes of the last run were handed on in pieces.
    """

    def __init__(
        self, take: Callable[[tuple[str, ...]], Take], top: Take, max_depth: int, max_string_b: int
    ) -> None:
        self._choose, self._top = take, top
        self._max_depth, self._max_string_b = max_depth, max_string_b
        self._steps = {
            _State.VALUE: self._value,
            _State.FIRST_ELEMENT: self._first_element,
            _State.FIRST_KEY: self._first_key,
            _State.KEY: self._key,
            _State.IN_KEY: self._in_key,
            _State.COLON: self._colon,
            _State.IN_STRING: self._in_string,
            _State.NEXT: self._next,
            _State.END: self._end,
        }
        self._state = _State.VALUE
        self._stack: list[_Open] = []
        self._path: list[str] = []
        self._parts: list[bytes] = []
        self._parts_b = 0
        self._captured: Take | None = None
        self._capture_depth = self._capture_from = self.pieces_b = 0
        self._out: list[Event] = []

    @property
    def is_over(self) -> bool:
        """Whether the document is whole."""
        return self._state is _State.END

    def run(self, text: bytes, at: int) -> int:
        """Take in a chunk from ``at``; return how far it came: the rest belongs before the next chunk.

        Raises:
            InvalidJson, JsonTooLong: as ``JsonReader.feed``.
        """
        self._capture_from = self.pieces_b = 0
        while at < len(text):
            ahead = self._steps[self._state](text, at)
            if ahead == at:
                break
            at = ahead
        if self._captured is not None and at > self._capture_from:
            self._hand_on(text, at, is_last=False)
        return at

    def events(self) -> list[Event]:
        """Return what came since the last call."""
        out, self._out = self._out, []
        return out

    # -- what is held -----------------------------------------------------------------------------

    def _collect(self, part: bytes) -> None:
        if self._captured is not None:
            return
        self._parts.append(part)
        self._parts_b += len(part)
        if self._parts_b > self._max_string_b:
            raise JsonTooLong

    def _collected(self) -> str:
        inside = b"".join(self._parts)
        self._parts, self._parts_b = [], 0
        return unescaped(inside)

    # -- what is handed on in pieces --------------------------------------------------------------

    def _capture(self, take: Take, at: int) -> None:
        self._captured, self._capture_from, self._capture_depth = take, at, len(self._stack)

    def _hand_on(self, text: bytes, end: int, *, is_last: bool) -> None:
        piece = text[self._capture_from : end]
        self.pieces_b += len(piece)
        self._capture_from = end
        self._out.append(Piece(piece, is_last))

    def _is_capture_over(self) -> bool:
        return self._captured is not None and len(self._stack) == self._capture_depth

    def _may_pass_over(self, closing: int) -> bool:
        """Whether whole runs of values are of no interest and cannot lie too deep."""
        depth = len(self._stack)
        is_inside = self._captured is Take.TEXT and depth > self._capture_depth
        return is_inside and self._stack[-1].closing == closing and depth + RUN_DEPTH < self._max_depth

    # -- steps: each returns how far it came, ``at`` when it needs more ----------------------------

    def _value(self, text: bytes, at: int) -> int:
        if self._may_pass_over(_END_BRACKET):
            at = _past(ELEMENTS, text, at)
        at = _past(SPACES, text, at)
        if at == len(text):
            return at
        if len(self._stack) >= self._max_depth:
            raise InvalidJson("nested too deep")
        take = self._stack[-1].take if self._stack else self._top
        if take is Take.TEXT and self._captured is None:
            self._capture(take, at)
        byte = text[at]
        if byte == _QUOTE:
            if take is Take.PIECES and self._captured is None:
                self._capture(take, at + 1)
            self._state = _State.IN_STRING
            return at + 1
        if byte in _CLOSING:
            self._open(byte, take)
            return at + 1
        return self._word(text, at)

    def _open(self, byte: int, take: Take) -> None:
        if self._captured is None:
            self._out.append(_OPENED[byte])
        is_object = byte == _BRACE
        self._stack.append(_Open(_CLOSING[byte], Take.EVENTS if is_object else take))
        if is_object:
            self._path.append("")
        self._state = _State.FIRST_KEY if is_object else _State.FIRST_ELEMENT

    def _word(self, text: bytes, at: int) -> int:
        end = _past(WORD, text, at)
        if end == at or end - at > MAX_NUMBER_B:
            raise InvalidJson("no value where one is due")
        if end == len(text):
            return at
        if self._captured is None:
            self._out.append(Scalar(scalar(text[at:end])))
        else:
            check_scalar(text[at:end])
        self._value_ended(text, end)
        return end

    def _in_string(self, text: bytes, at: int) -> int:
        end = string_end(text, at)
        self._collect(text[at:end])
        if text[end : end + 1] != b'"':
            return end
        if self._captured is None:
            self._out.append(Scalar(self._collected()))
        elif self._captured is Take.PIECES:
            self._hand_on(text, end, is_last=True)
            self._captured = None
        self._value_ended(text, end + 1)
        return end + 1

    def _value_ended(self, text: bytes, end: int) -> None:
        if self._is_capture_over():
            self._hand_on(text, end, is_last=True)
            self._captured = None
        self._state = _State.NEXT if self._stack else _State.END

    def _first_element(self, text: bytes, at: int) -> int:
        return self._unless_closed(_State.VALUE, text, at)

    def _first_key(self, text: bytes, at: int) -> int:
        return self._unless_closed(_State.KEY, text, at)

    def _unless_closed(self, state: _State, text: bytes, at: int) -> int:
        at = _past(SPACES, text, at)
        if at == len(text):
            return at
        if text[at] == self._stack[-1].closing:
            return self._close(text, at)
        self._state = state
        return self._steps[state](text, at)

    def _key(self, text: bytes, at: int) -> int:
        if self._may_pass_over(_END_BRACE):
            at = _past(MEMBERS, text, at)
        at = _past(SPACES, text, at)
        if at == len(text):
            return at
        if text[at] != _QUOTE:
            raise InvalidJson("no key where one is due")
        self._state = _State.IN_KEY
        return at + 1

    def _in_key(self, text: bytes, at: int) -> int:
        end = string_end(text, at)
        self._collect(text[at:end])
        if text[end : end + 1] != b'"':
            return end
        if self._captured is None:
            name = self._path[-1] = self._collected()
            self._out.append(Key(name))
            self._stack[-1].take = self._choose(tuple(self._path))
        self._state = _State.COLON
        return end + 1

    def _colon(self, text: bytes, at: int) -> int:
        at = _past(SPACES, text, at)
        if at == len(text):
            return at
        if text[at] != _COLON:
            raise InvalidJson("no colon after a key")
        self._state = _State.VALUE
        return at + 1

    def _next(self, text: bytes, at: int) -> int:
        at = _past(SPACES, text, at)
        if at == len(text):
            return at
        if text[at] == self._stack[-1].closing:
            return self._close(text, at)
        if text[at] != _COMMA:
            raise InvalidJson("no comma between values")
        self._state = _State.KEY if self._stack[-1].closing == _END_BRACE else _State.VALUE
        return at + 1

    def _close(self, text: bytes, at: int) -> int:
        if self._captured is None:
            self._out.append(_CLOSED[text[at]])
        if self._stack.pop().closing == _END_BRACE:
            self._path.pop()
        self._value_ended(text, at + 1)
        return at + 1

    def _end(self, text: bytes, at: int) -> int:
        if _past(SPACES, text, at) < len(text):
            raise InvalidJson("something follows the document")
        return len(text)


def _past(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    """Return where the run of what a pattern means ends; every pattern here may match nothing."""
    found = pattern.match(text, at)
    return at if found is None else found.end()
