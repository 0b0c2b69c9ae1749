"""Creating and updating data objects."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from attrs import evolve

from cluster_worker.runtime.spool import Spools
from cluster_worker.runtime.streams import ByteStream
from onedata.errors import BadData
from op_worker.auth.caller import Caller
from op_worker.files.model import FileStat, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.answers import NO_CONTENT, Answer, AnyAnswer
from op_worker.http.cdmi.bodies.multipart import Parts, first_file, first_part
from op_worker.http.cdmi.bodies.object_body import IncomingObject
from op_worker.http.cdmi.bodies.value_parts import ValueParts
from op_worker.http.cdmi.handlers import Place
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.objects import changes
from op_worker.http.cdmi.objects.part_writes import PartWrites
from op_worker.http.cdmi.objects.plain_writes import PlainWrites
from op_worker.http.cdmi.objects.storing import Storing
from op_worker.http.cdmi.objects.value_writes import ValueWrites, members_of
from op_worker.http.cdmi.referring import References
from op_worker.http.cdmi.relocations.relocations import Relocations
from op_worker.http.cdmi.requests.addresses import Branch
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.request import (
    CdmiRequest,
    Form,
    is_upload,
    post_form,
    write_condition,
    write_form,
)
from op_worker.http.cdmi.serialization.deserializing import Deserializing, is_asked_for
from op_worker.http.cdmi.serialization.serializing import Serializing


class ObjectWrites:
    """PUT and POST of data objects.

    Args:
        json_limit_b: the most bytes of JSON besides the value.
        spools: where values wait that cannot be used before the body has ended.
    """

    def __init__(
        self,
        files: FileService,
        locator: Locator,
        relocations: Relocations,
        serializing: Serializing,
        deserializing: Deserializing,
        json_limit_b: int,
        spools: Spools,
    ) -> None:
        self._files, self._locator, self._relocations = files, locator, relocations
        self._serializing, self._deserializing = serializing, deserializing
        self._json_limit_b, self._spools = json_limit_b, spools
        storing = Storing(files)
        self._plain = PlainWrites(files, locator, storing, spools)
        self._parts = PartWrites(files, locator, storing, spools)
        self._values = ValueWrites(files, locator, storing, spools)
        self._references = References(files)

    async def write(
        self, caller: Caller, request: CdmiRequest, body: ByteStream, length_b: int | None
    ) -> AnyAnswer:
        """Answer a PUT; ``length_b`` is the body's announced length."""
        form = write_form(request)
        target = await self._locator.target(caller, request.address)
        if form is Form.PLAIN:
            return await self._plain.write(caller, request, target, body, length_b)
        stat = await self._locator.present(caller, request.address, target)
        write_condition(request, of_state=True).require(stat)
        async with self._received(request, form, body) as (incoming, values):
            if values is not None:
                return await self._write_parts(caller, request, target, stat, incoming, values)
            return await self._write_json(caller, request, target, stat, incoming)

    async def make(
        self, caller: Caller, request: CdmiRequest, place: Place, body: ByteStream, length_b: int | None
    ) -> AnyAnswer:
        """Answer a POST that makes a data object at a place; see ``Maker``."""
        form = post_form(request)
        if form is Form.PLAIN:
            return await self._make_plain(caller, request, place, body, length_b)
        async with self._received(request, form, body) as (incoming, values):
            if values is None:
                return await self._make_json(caller, request, place, incoming)
            members = members_of(incoming, has_value=True)
            placed = await place.take(members.domain_uri)
            await self._values.agree(caller, request, placed.target, members)
            stat = await self._parts.create(caller, request, placed.target, members, values)
            return evolve(await self._values.shown(caller, stat), location=placed.location)

    async def _make_plain(
        self, caller: Caller, request: CdmiRequest, place: Place, body: ByteStream, length_b: int | None
    ) -> Answer:
        """Make an object of a value, or of the first file of a form that a browser sent."""
        name = ""
        if is_upload(request):
            sent = await first_file(request.content_type, body)
            body, name, length_b = sent.stream, sent.name, None
            request = evolve(request, content_type=sent.content_type)
        placed = await place.take(None, wish=name)
        answer = await self._plain.write_whole(caller, request, placed.target, body, length_b)
        return evolve(answer, location=placed.location)

    @asynccontextmanager
    async def _received(
        self, request: CdmiRequest, form: Form, body: ByteStream
    ) -> AsyncIterator[tuple[IncomingObject, ValueParts | None]]:
        """Give the members of a body up to its value, and its value parts when it has any."""
        parts = Parts(request.content_type, body) if form is Form.MULTIPART else None
        source = body if parts is None else await first_part(parts)
        async with IncomingObject(source, self._json_limit_b, self._spools) as incoming:
            await incoming.begin()
            if parts is None:
                yield incoming, None
                return
            if incoming.has_value:
                raise BadData("value", "the value is in further parts")
            second = await parts.next()
            ranges = request.query.value_ranges
            yield incoming, None if second is None else ValueParts(parts, second, ranges)

    async def _write_parts(
        self,
        caller: Caller,
        request: CdmiRequest,
        target: Target,
        stat: FileStat | None,
        incoming: IncomingObject,
        values: ValueParts,
    ) -> AnyAnswer:
        members = members_of(incoming, has_value=True)
        await self._values.agree(caller, request, target, members)
        if stat is None:
            made = await self._parts.create(caller, request, target, members, values)
            return await self._values.shown(caller, made)
        await self._parts.update(caller, request, stat, members, values)
        return NO_CONTENT

    async def _make_json(
        self, caller: Caller, request: CdmiRequest, place: Place, incoming: IncomingObject
    ) -> Answer:
        body = members_of(incoming)
        if body.copy is not None or body.move is not None:
            change = changes.sent(request, body, {})
            return await self._relocations.make(caller, request, place, body, change)
        if is_asked_for(body):
            return await self._deserializing.make(caller, request, place, Kind.OBJECT, body)
        is_named = request.address.branch is not Branch.OBJECT_IDS
        is_placed = is_named or not body.has_value or body.domain_uri is not None
        placed = await place.take(body.domain_uri) if is_placed else None
        if body.has_value and request.query.value is None:
            if placed is not None:
                await self._files.require_writable(caller, placed.target)
            await incoming.settle()  # a later member may tell the place or the encoding
            body = members_of(incoming)
        placed = placed or await place.take(body.domain_uri)
        await self._values.agree(caller, request, placed.target, body)
        if body.reference is not None:
            answer = await self._references.make(caller, request, placed.target, None, body.reference)
        elif body.serialize is not None:
            change = changes.sent(request, body, {})
            answer = await self._serializing.write(caller, request, placed.target, None, body, change)
        elif request.query.value is not None:
            span = request.query.value
            answer = await self._values.write_range(caller, request, placed.target, None, incoming, span)
        else:
            answer = await self._values.create(caller, request, placed.target, incoming, body)
        return evolve(answer, location=placed.location)

    async def _write_json(
        self,
        caller: Caller,
        request: CdmiRequest,
        target: Target,
        stat: FileStat | None,
        incoming: IncomingObject,
    ) -> AnyAnswer:
        body = members_of(incoming)
        await self._values.agree(caller, request, target, body)
        if body.reference is not None:
            return await self._references.make(caller, request, target, stat, body.reference)
        if body.copy is not None or body.move is not None:
            change = changes.sent(request, body, {})
            condition = write_condition(request, of_state=True)
            return await self._relocations.write(caller, request, target, stat, body, change, condition)
        if body.serialize is not None:
            change = changes.sent(request, body, {})
            return await self._serializing.write(caller, request, target, stat, body, change)
        if is_asked_for(body):
            return await self._deserializing.write(caller, request, target, stat, Kind.OBJECT, body)
        span = request.query.value
        if span is not None:
            return await self._values.write_range(caller, request, target, stat, incoming, span)
        if body.has_value and body.encoding is None:
            await self._files.require_writable(caller, target)
            await incoming.settle()  # a later member may tell
            body = members_of(incoming)
        if stat is None:
            return await self._values.create(caller, request, target, incoming, body)
        if body.has_value:
            await self._values.replace(caller, request, stat, incoming, body)
        else:
            await self._values.change(caller, request, stat, body)
        return NO_CONTENT
