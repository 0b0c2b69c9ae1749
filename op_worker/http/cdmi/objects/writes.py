"""Creating and updating data objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve

from cluster_worker.runtime.streams import BytesStream, ByteStream
from onedata.errors import BadData, Errno, MissingRequiredValue, Posix
from op_worker.auth.caller import Caller
from op_worker.files.model import CreateOptions, Existing, FileStat, Json, MetadataChange, Target
from op_worker.files.service import FileService
from op_worker.files.stored.digests import Digest
from op_worker.http.cdmi.answers import CREATED, NO_CONTENT, Answer, AnyAnswer, representation
from op_worker.http.cdmi.bodies.incoming import read_json, read_span
from op_worker.http.cdmi.bodies.members import (
    Encoding,
    ObjectBody,
    decode_value,
    parse_object_body,
)
from op_worker.http.cdmi.handlers import Place
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.referring import References
from op_worker.http.cdmi.relocations import Relocations
from op_worker.http.cdmi.representations import metadata
from op_worker.http.cdmi.representations.representation import object_members, render
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Query, Span
from op_worker.http.cdmi.requests.request import (
    CdmiRequest,
    Form,
    parse_content_range,
    post_form,
    write_form,
)

_CREATE_MIMETYPE = "text/plain"


class ObjectWrites:
    """PUT and POST of data objects.

    Args:
        json_limit_b: the longest JSON body.
    """

    def __init__(
        self, files: FileService, locator: Locator, relocations: Relocations, json_limit_b: int
    ) -> None:
        self._files, self._locator, self._relocations = files, locator, relocations
        self._references = References(files)
        self._json_limit_b = json_limit_b

    async def write(
        self, caller: Caller, request: CdmiRequest, body: ByteStream, length_b: int | None
    ) -> AnyAnswer:
        """Answer a PUT; ``length_b`` is the body's announced length."""
        form = write_form(request)
        target = await self._locator.target(caller, request.address)
        if form is Form.CDMI:
            return await self._write_cdmi(caller, request, target, body)
        if request.content_range is not None:
            span = parse_content_range(request.content_range, length_b)
            return await self._write_plain_range(caller, request, target, span, body, length_b)
        return await self._write_plain(caller, request, target, body, length_b)

    async def make(
        self, caller: Caller, request: CdmiRequest, place: Place, body: ByteStream, length_b: int | None
    ) -> AnyAnswer:
        """Answer a POST that makes a data object at a place; see ``Maker``."""
        if post_form(request) is Form.CDMI:
            sent = parse_object_body(await read_json(body, self._json_limit_b))
            change = _cdmi_change(request, sent)
            if sent.copy is not None or sent.move is not None:
                return await self._relocations.make(caller, request, place, sent, change)
            placed = await place.take(None)
            if sent.reference is not None:
                answer = await self._references.make(caller, request, placed.target, None, sent.reference)
            else:
                answer = await self._create(caller, request, placed.target, sent, change)
        else:
            placed = await place.take(None)
            answer = await self._write_plain(caller, request, placed.target, body, length_b)
        return evolve(answer, location=placed.location)

    # -- plain ------------------------------------------------------------------------------------

    async def _write_plain(
        self, caller: Caller, request: CdmiRequest, target: Target, body: ByteStream, length_b: int | None
    ) -> Answer:
        change = _plain_change(request, {})
        create = CreateOptions(existing=Existing.UPDATE) if target.names else None
        try:
            stat, created = await self._files.replace_content(
                caller,
                target,
                body,
                expected_b=length_b,
                create=create,
                metadata=change,
                digests=request.digests.for_whole(),
                condition=request.conditions.content,
            )
        except Posix as error:
            if error.errno in (Errno.EISDIR, Errno.EEXIST, Errno.ENOENT):
                await self._locator.present(caller, request.address, target)
            raise
        if created:
            return evolve(CREATED, written=stat)
        if stat.has_metadata:  # what an earlier writer set may differ from the defaults
            xattrs = await self._locator.xattrs(caller, stat)
            await self._change(caller, stat, _plain_change(request, xattrs))
        return evolve(NO_CONTENT, written=stat)

    async def _write_plain_range(
        self,
        caller: Caller,
        request: CdmiRequest,
        target: Target,
        span: Span,
        body: ByteStream,
        length_b: int | None,
    ) -> AnyAnswer:
        stat = await self._locator.present(caller, request.address, target)
        if length_b is None:
            body = BytesStream(await read_span(body, span, self._json_limit_b))
        digests, condition = request.digests.for_part(), request.conditions.content
        if stat is None:
            condition.require(None)
            change = _plain_change(request, {})
            await self._create_with_range(caller, target, span, body, change, digests)
            return CREATED
        target = Target(stat.guid)
        stat = await self._files.write_content(
            caller, target, span.first, body, expected_b=span.length, digests=digests, condition=condition
        )
        xattrs = await self._locator.xattrs(caller, stat)
        change = metadata.written(is_partial=request.is_partial, xattrs=xattrs)
        if request.content_type is not None and request.content_type.says_utf8:
            change = metadata.with_properties(change, encoding=Encoding.UTF8)
        await self._change(caller, stat, change)
        return evolve(NO_CONTENT, written=stat)

    async def _create_with_range(
        self,
        caller: Caller,
        target: Target,
        span: Span,
        body: ByteStream,
        change: MetadataChange,
        digests: Sequence[Digest] = (),
    ) -> FileStat:
        """Make an object whose value begins with a gap; nothing is left of it when that fails."""
        options, change = metadata.at_creation(change)
        stat = await self._files.create_file(caller, target, options)
        made = Target(stat.guid)
        try:
            stat = await self._files.write_content(
                caller, made, span.first, body, expected_b=span.length, digests=digests
            )
            await self._change(caller, stat, change)
        except Exception:  # whatever it was: what this request made goes again
            await self._files.discard(caller, made)
            raise
        return stat

    # -- CDMI -------------------------------------------------------------------------------------

    async def _write_cdmi(
        self, caller: Caller, request: CdmiRequest, target: Target, stream: ByteStream
    ) -> AnyAnswer:
        stat = await self._locator.present(caller, request.address, target)
        body = parse_object_body(await read_json(stream, self._json_limit_b))
        change = _cdmi_change(request, body)
        if body.reference is not None:
            return await self._references.make(caller, request, target, stat, body.reference)
        if body.copy is not None or body.move is not None:
            return await self._relocations.write(caller, request, target, stat, body, change)
        if stat is None:
            return await self._create(caller, request, target, body, change)
        await self._update(caller, request, stat, body, change)
        return NO_CONTENT

    async def _create(
        self, caller: Caller, request: CdmiRequest, target: Target, body: ObjectBody, change: MetadataChange
    ) -> Answer:
        span = request.query.value
        encoding = Encoding.BASE64 if span is not None else body.encoding or Encoding.UTF8
        data = _range_value(body, span) if span is not None else decode_value(body.value or "", encoding)
        change = metadata.with_properties(
            change, mimetype=body.mimetype or _CREATE_MIMETYPE, encoding=encoding
        )
        if span is not None:
            stat = await self._create_with_range(caller, target, span, BytesStream(data), change)
        else:
            stat, _ = await self._files.replace_content(
                caller,
                target,
                BytesStream(data),
                expected_b=len(data),
                create=CreateOptions(),
                metadata=change,
            )
        xattrs = await self._locator.changed_xattrs(caller, stat)
        return representation(Kind.OBJECT, render(object_members(stat, xattrs, Query())), 201)

    async def _update(
        self, caller: Caller, request: CdmiRequest, stat: FileStat, body: ObjectBody, change: MetadataChange
    ) -> None:
        target, span = Target(stat.guid), request.query.value
        if request.query.metadata == (metadata.ACL,) and body.value is None and not change.changes_custom:
            await self._change(caller, stat, change)
            return
        xattrs = await self._locator.xattrs(caller, stat)
        if request.query.metadata:
            metadata.check_limits(metadata.after(xattrs, change))
        change = metadata.merged(change, metadata.written(is_partial=request.is_partial, xattrs=xattrs))
        if span is not None:
            data = BytesStream(_range_value(body, span))
            await self._files.write_content(caller, target, span.first, data, expected_b=span.length)
            change = metadata.with_properties(change, encoding=Encoding.BASE64)
        elif body.value is not None:
            encoding = body.encoding or metadata.encoding_of(xattrs) or Encoding.UTF8
            value = decode_value(body.value, encoding)
            await self._files.replace_content(
                caller, target, BytesStream(value), expected_b=len(value), metadata=change
            )
            return
        await self._change(caller, stat, change)

    async def _change(self, caller: Caller, stat: FileStat, change: MetadataChange) -> None:
        if not change.is_empty:
            await self._files.metadata.change(caller, Target(stat.guid), change)


def _cdmi_change(request: CdmiRequest, body: ObjectBody) -> MetadataChange:
    """Return what a CDMI write does to the metadata and the properties of an object."""
    return metadata.with_properties(
        metadata.update(body.metadata, request.query.metadata),
        mimetype=body.mimetype,
        encoding=body.encoding,
        completion=metadata.PROCESSING if request.is_partial else None,
    )


def _plain_change(request: CdmiRequest, xattrs: Mapping[str, Json]) -> MetadataChange:
    """Return what a plain write does to the properties of an object with these attributes."""
    return metadata.merged(
        metadata.retyped(request.content_type, xattrs),
        metadata.written(is_partial=request.is_partial, xattrs=xattrs),
    )


def _range_value(body: ObjectBody, span: Span) -> bytes:
    if body.value is None:
        raise MissingRequiredValue("value")
    data = decode_value(body.value, Encoding.BASE64)
    if len(data) != span.length:
        raise BadData("range", "the value has another length than the range")
    return data
