"""The value parts of a multi-part write: one after the other a whole value, or ranges of one."""

from __future__ import annotations

from collections.abc import Sequence

from cluster_worker.runtime.spool import Spool
from onedata.errors import BadData
from op_worker.http.cdmi.bodies.members import Encoding
from op_worker.http.cdmi.bodies.multipart import Part, Parts
from op_worker.http.cdmi.requests.queries import MOST_RANGES, Span
from op_worker.http.cdmi.requests.request import parse_content_range

_OTHER_LENGTH = "a part has another length than its range"


class ValueParts:
    """The parts behind the first one, which holds the members.

    When the first value part has no range, the parts together are the whole value, and a later range must
    go on where the part before ended. When it has one, each part is a range of the value, and one without
    a range goes on behind the part before. A range is told by ``Content-Range``, or by the ``value:`` item
    of the URI at the part's position.

    Args:
        first: the first value part.
        asked: the ranges in the URI.

    Raises, wherever it reads:
        BadData: a bad range, or a part of another length (key ``content-range``); ranges in the URI that are
            not those of the parts (key ``range``).
        MalformedData, StreamBroken: as ``Parts.next``.
    """

    def __init__(self, parts: Parts, first: Part, asked: Sequence[Span]) -> None:
        self._parts, self._asked = parts, asked
        self._part: Part | None = first
        self._count = self._end_b = 0
        self._are_text = True
        self._span = self._begin(first)
        self.mimetype = first.content_type.mimetype if first.content_type is not None else None
        self.are_ranges = self._span is not None

    @property
    def encoding(self) -> Encoding:
        """How the value travels in JSON: as text, when every part so far says that it is UTF-8."""
        return Encoding.UTF8 if self._are_text else Encoding.BASE64

    async def read(self) -> bytes:
        """Return the next bytes of a whole value; ``b""`` when the whole body was read."""
        while self._part is not None:
            if data := await self._part.read():
                self._end_b += len(data)
                return data
            if self._span is not None and self._end_b != self._span.last + 1:
                raise BadData("content-range", _OTHER_LENGTH)
            await self._advance()
            if self._span is not None and self._span.first != self._end_b:
                raise BadData("content-range", "parts of a whole value follow each other")
        return b""

    async def receive(self, spool: Spool) -> list[Span]:
        """Receive ranges; return which they are. Their bytes lie in the spool one after the other.

        Raises also: as ``Spool.write``.
        """
        spans: list[Span] = []
        while self._part is not None:
            first = self._end_b if self._span is None else self._span.first
            before_b = spool.size_b
            await spool.fill(self._part)
            size_b = spool.size_b - before_b
            if self._span is not None and size_b != self._span.length:
                raise BadData("content-range", _OTHER_LENGTH)
            self._end_b = first + size_b
            if size_b:
                spans.append(Span(first, self._end_b - 1))
            await self._advance()
        return spans

    async def _advance(self) -> None:
        self._part = await self._parts.next()
        self._span = None if self._part is None else self._begin(self._part)
        if self._part is None and self._asked and self._count != len(self._asked):
            raise BadData("range", "as many parts as ranges in the URI are expected")

    def _begin(self, part: Part) -> Span | None:
        self._count += 1
        if self._count > MOST_RANGES:
            raise BadData("content-range", f"at most {MOST_RANGES} value parts in one request")
        sent = part.content_type
        self._are_text = self._are_text and sent is not None and sent.says_utf8
        header = part.headers.get("Content-Range")
        span = None if header is None else parse_content_range(header, None)
        if not self._asked:
            return span
        asked = self._asked[min(self._count, len(self._asked)) - 1]
        if self._count > len(self._asked) or span not in (None, asked):
            raise BadData("range", "the ranges in the URI are not those of the parts")
        return asked
