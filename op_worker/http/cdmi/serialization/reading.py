"""Canonical JSON read in pieces: resources with their members, values as streams, the end of each."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from attrs import define, field, frozen

from cluster_worker.runtime.streams import ByteStream
from onedata.errors import BadData
from op_worker.files.model import Json
from op_worker.json_stream.events import Event, InvalidJson, JsonTooLong, Key, Mark, Piece, Take
from op_worker.json_stream.grammar import whole
from op_worker.json_stream.reader import JsonReader

KEY = "deserialize"
"""The key of errors about what is deserialised."""
_MEMBERS_B = 4 * 1024 * 1024
"""The most bytes of members that one resource may have, its value and its children apart."""
_MOST_DEPTH = 8192
"""Two levels for each directory: more than paths can have."""
_VALUE, _CHILDREN = "value", "children"
_TOLD_BEFORE = frozenset(
    {"objectType", "objectID", "objectName", "domainURI", "mimetype", "metadata", "valuetransferencoding"}
)
"""What must be known before a value or children can be taken in."""


@frozen(eq=False)
class Begun:
    """A resource: what came before its value, or before its children."""

    members: Mapping[str, Json]
    has_value: bool = False
    has_children: bool = False


@frozen
class ValueText:
    """A piece of the JSON text of the value of the resource that was begun last."""

    text: bytes
    is_last: bool


@frozen
class Ended:
    """The resource that was begun last, and has not ended yet, ends."""


Item = Begun | ValueText | Ended


@define(eq=False)
class _Resource:
    """A resource that is being read."""

    members: dict[str, Json] = field(factory=dict)
    left_b: int = _MEMBERS_B
    is_begun: bool = False
    is_listing: bool = False


class CanonicalItems:
    """The parts of canonical JSON, one after the other.

    Raises, from ``next``:
        BadData: of ``deserialize``, for what is no canonical JSON.
        StreamBroken: the source broke off.
    """

    def __init__(self, source: ByteStream) -> None:
        self._source = source
        self._reader = JsonReader(_take, max_depth=_MOST_DEPTH)
        self._open: list[_Resource] = []
        self._key = ""
        self._text: list[bytes] = []
        self._items: deque[Item] = deque()
        self._is_over = self._is_in_value = False

    async def next(self) -> Item | None:
        """Return the next part; ``None`` when the whole of it was read."""
        while not self._items and not self._is_over:
            await self._advance()
        return self._items.popleft() if self._items else None

    async def _advance(self) -> None:
        chunk = await self._source.read()
        self._is_over = not chunk
        try:
            for event in self._reader.feed(chunk) if chunk else self._reader.finish():
                self._on_event(event)
        except InvalidJson as error:
            raise BadData(KEY, f"this is no JSON: {error}") from None
        except JsonTooLong:
            raise BadData(KEY, "a member is too long") from None

    def _on_event(self, event: Event) -> None:
        resource = self._open[-1] if self._open else None
        if isinstance(event, Key):
            self._key = event.name
        elif isinstance(event, Piece) and resource is not None:
            self._on_piece(resource, event)
        elif event is Mark.OBJECT and (resource is None or resource.is_listing):
            self._open.append(_Resource())
        elif event is Mark.END_OBJECT and resource is not None:
            self._begin(resource)
            self._open.pop()
            self._items.append(Ended())
        elif event is Mark.ARRAY and resource is not None and not resource.is_listing:
            self._begin_body(resource, has_children=True)
            resource.is_listing = True
        elif event is Mark.END_ARRAY and resource is not None:
            resource.is_listing = False
        else:
            raise BadData(KEY, "resources are objects, and their children an array of such")

    def _on_piece(self, resource: _Resource, piece: Piece) -> None:
        if self._key == _VALUE:
            if not self._is_in_value:
                self._begin_body(resource, has_value=True)
            self._is_in_value = not piece.is_last
            self._items.append(ValueText(piece.text, piece.is_last))
            return
        resource.left_b -= len(piece.text)
        if resource.left_b < 0:
            raise JsonTooLong
        self._text.append(piece.text)
        if piece.is_last:
            value, self._text = whole(b"".join(self._text)), []
            if resource.is_begun and self._key in _TOLD_BEFORE:
                raise BadData(KEY, f"{self._key} comes before the value and the children")
            resource.members[self._key] = value

    def _begin_body(
        self, resource: _Resource, *, has_value: bool = False, has_children: bool = False
    ) -> None:
        if resource.is_begun:
            raise BadData(KEY, "a resource has one value, or children")
        self._begin(resource, has_value=has_value, has_children=has_children)

    def _begin(self, resource: _Resource, *, has_value: bool = False, has_children: bool = False) -> None:
        if not resource.is_begun:
            resource.is_begun = True
            self._items.append(Begun(resource.members, has_value, has_children))


def _take(path: tuple[str, ...]) -> Take:
    return Take.EVENTS if path[-1] == _CHILDREN else Take.TEXT
