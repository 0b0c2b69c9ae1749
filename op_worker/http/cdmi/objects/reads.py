"""Reading and deleting data objects."""

from __future__ import annotations

import os
from collections.abc import Mapping

from attrs import evolve

from onedata.errors import BadData, Errno, Posix
from onedata.ids import FileGuid
from op_worker.auth.caller import Caller
from op_worker.files.model import ContentReader, FileStat, Follow, Json, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.answers import (
    NO_CONTENT,
    NOT_ACCEPTABLE,
    Answer,
    AnyAnswer,
    RawAnswer,
    ValueAnswer,
    not_modified,
    representation,
)
from op_worker.http.cdmi.bodies.members import NAMED, Encoding
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.objects.parts import in_parts
from op_worker.http.cdmi.representations.metadata import PROCESSING, completion_of, encoding_of, mimetype_of
from op_worker.http.cdmi.representations.permitted import Readable, permitted
from op_worker.http.cdmi.representations.representation import object_members, range_text, render
from op_worker.http.cdmi.representations.values import (
    PIECE_B,
    ValueStream,
    around,
    encoded_length_b,
    encoder_for,
    is_json,
    is_text,
)
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Query
from op_worker.http.cdmi.requests.request import CdmiRequest, Form, object_read_form, write_condition

_ATTRIBUTE_MEMBERS = ("metadata", "completionStatus", "mimetype")
_VALUE_MEMBERS = ("valuetransferencoding", "valuerange", "value")
_OF_VALUE = frozenset({"valuerange", "value"})
_OF_QUEUES = frozenset({"value", "values"})
_CHECKS = {Encoding.UTF8: is_text, Encoding.JSON: is_json}
_MOST_KNOWN = 10000
"""Of how many contents it is remembered whether they are what their encoding says."""


class ObjectReads:
    """GET, HEAD and DELETE of data objects."""

    def __init__(self, files: FileService, locator: Locator) -> None:
        self._files, self._locator = files, locator
        self._known: dict[tuple[FileGuid, str, Encoding], bool] = {}

    async def read(self, caller: Caller, request: CdmiRequest) -> AnyAnswer:
        """Answer a GET: the representation, or the bytes, as negotiated."""
        form = object_read_form(request)
        target = await self._locator.target(caller, request.address)
        if form is Form.CDMI and not any(map(request.query.wants, _VALUE_MEMBERS)):
            return await self._read_without_value(caller, request, target)
        try:
            reader = await self._open(caller, request, target)
        except Posix as error:
            asked = request.query.fields
            is_all = asked is not None and asked <= _OF_VALUE
            if error.errno is not Errno.EACCES or form is not Form.CDMI or is_all:
                raise
            return await self._read_without_value(caller, request, target, tuple(_OF_VALUE))
        try:
            answer = await self._read_open(caller, request, form, reader)
        except BaseException:
            await reader.close()
            raise
        if not isinstance(answer, RawAnswer | ValueAnswer):
            await reader.close()
        return answer

    async def delete(self, caller: Caller, request: CdmiRequest) -> AnyAnswer:
        """Answer a DELETE.

        Raises:
            BadData: values are to be taken, from what is no queue (key ``query string``).
        """
        target = await self._locator.target(caller, request.address)
        stat = await self._locator.existing(caller, request.address, target)
        if request.query.fields is not None and request.query.fields & _OF_QUEUES:
            raise BadData("query string", "values are taken from queues")
        condition = write_condition(request, of_state=request.version is not None)
        await self._files.remove(caller, Target(stat.guid), condition)
        return NO_CONTENT

    async def _open(self, caller: Caller, request: CdmiRequest, target: Target) -> ContentReader:
        try:
            return await self._files.open_content(caller, target, Follow.NO, custom=True)
        except Posix as error:
            if error.errno not in (Errno.EISDIR, Errno.EINVAL):
                raise
            await self._locator.existing(caller, request.address, target)
            raise

    async def _read_without_value(
        self, caller: Caller, request: CdmiRequest, target: Target, denied: tuple[str, ...] = ()
    ) -> AnyAnswer:
        """Answer with the members besides the value, which is not asked for, or ``denied``."""
        stat = await self._locator.existing(caller, request.address, target)
        known = not_modified(request, stat)
        if known is not None:
            return known
        others = (request.query.fields or frozenset()) - NAMED
        readable = await self._locator.wanted(caller, stat, request.query, (*_ATTRIBUTE_MEMBERS, *others))
        members = object_members(stat, readable.xattrs, request.query)
        hidden = tuple(name for name in denied if request.query.wants(name))
        return representation(Kind.OBJECT, render(permitted(members, readable, hidden)), 200, stat)

    async def _read_open(
        self, caller: Caller, request: CdmiRequest, form: Form | None, reader: ContentReader
    ) -> AnyAnswer:
        stat = reader.stat
        mimetype = mimetype_of(await self._locator.stored(caller, stat))
        if form is None:
            form = object_read_form(request, mimetype)
        if form is None:
            return NOT_ACCEPTABLE
        if form is Form.PLAIN:
            return RawAnswer(
                reader=reader, mimetype=mimetype, ranges=request.ranges, conditions=request.conditions
            )
        readable = await self._locator.readable(caller, stat)
        if form is Form.MULTIPART:
            return in_parts(reader, readable, request.query, _random_boundary())
        known = not_modified(request, stat)
        if known is not None:
            return known
        answer = await self._representation_with_value(reader, stat, readable, request.query)
        return evolve(answer, state=stat) if isinstance(answer, Answer) else answer

    async def _representation_with_value(
        self, reader: ContentReader, stat: FileStat, readable: Readable, query: Query
    ) -> AnyAnswer:
        xattrs = readable.xattrs
        members = permitted(object_members(stat, xattrs, query), readable, has_more=True)
        encoding = await self._transfer_encoding(reader, xattrs, query)
        if query.wants("valuetransferencoding"):
            members["valuetransferencoding"] = encoding.value
        if completion_of(xattrs) == PROCESSING:
            return representation(Kind.OBJECT, render(members))
        first, size_b = _range(stat.size_b, query)
        if query.wants("valuerange"):
            members["valuerange"] = range_text(first, size_b)
        if not query.wants("value"):
            return representation(Kind.OBJECT, render(members))
        return await _with_value(reader, members, first, size_b, encoding)

    async def _transfer_encoding(
        self, reader: ContentReader, xattrs: Mapping[str, Json], query: Query
    ) -> Encoding:
        """Return the encoding to send in: the stored one only when the whole value is wanted and fits it."""
        stored = encoding_of(xattrs)
        if query.value is not None or stored not in _CHECKS:
            return Encoding.BASE64
        return stored if await self._fits(reader, stored) else Encoding.BASE64

    async def _fits(self, reader: ContentReader, encoding: Encoding) -> bool:
        """Whether a content is what its encoding says. A long one is not read twice for every answer."""
        size_b = reader.stat.size_b
        if size_b <= PIECE_B:
            return await _CHECKS[encoding](reader, size_b)
        key = (reader.stat.guid, reader.stat.content_tag, encoding)
        fits = self._known.get(key)
        if fits is None:
            fits = await _CHECKS[encoding](reader, size_b)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = fits
        return fits


def _random_boundary() -> str:
    return os.urandom(16).hex()


async def _with_value(
    reader: ContentReader, members: dict[str, Json], first: int, size_b: int, encoding: Encoding
) -> AnyAnswer:
    before, after = around(encoding)
    head = render({**members, "value": ""})[: -len('""}')] + before
    tail = after + b"}"
    if size_b <= PIECE_B:
        value = await reader.read(first, size_b) if size_b else b""
        text = encoder_for(encoding).encode(value, is_last=True)
        return representation(Kind.OBJECT, head + text + tail)
    value_b = encoded_length_b(encoding, size_b)
    return ValueAnswer(
        reader=reader,
        stream=ValueStream(head, reader, first, size_b, encoding, tail),
        length_b=None if value_b is None else len(head) + value_b + len(tail),
    )


def _range(size_b: int, query: Query) -> tuple[int, int]:
    """Return the first byte and the number of bytes that are sent."""
    if query.value is None:
        return 0, size_b
    first = min(query.value.first, size_b)
    return first, min(query.value.last + 1, size_b) - first
