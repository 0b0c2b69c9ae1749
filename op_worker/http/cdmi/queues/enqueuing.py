"""POST to queues: values that are sent, or that are copied or moved from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from cluster_worker.runtime.spool import Spools
from cluster_worker.runtime.streams import ByteStream
from onedata.errors import BadData, MissingRequiredValue, NotSupported
from op_worker.auth.caller import Caller
from op_worker.files.model import Json, Target
from op_worker.files.queues.incoming import Incoming
from op_worker.files.queues.values import DEFAULT_MIMETYPE, ValueType
from op_worker.files.service import FileService
from op_worker.http.cdmi.bodies.decoding import JsonDecoder
from op_worker.http.cdmi.bodies.incoming import read_json
from op_worker.http.cdmi.bodies.members import Encoding
from op_worker.http.cdmi.bodies.multipart import Part, Parts, first_part
from op_worker.http.cdmi.bodies.object_body import IncomingObject
from op_worker.http.cdmi.bodies.sent_values import SentValues
from op_worker.http.cdmi.locating import Locator, Source
from op_worker.http.cdmi.queues.bodies import EnqueueBody, default_type, parse_enqueue_body
from op_worker.http.cdmi.relocations.relocations import permitted_only
from op_worker.http.cdmi.requests.negotiation import Kind, is_storable_mimetype
from op_worker.http.cdmi.requests.request import MULTIPART, CdmiRequest

_KINDS = (Kind.QUEUE, Kind.OBJECT)


@frozen(eq=False)
class Enqueuing:
    """Adds values to queues. Nothing is added when a request is refused.

    Args:
        json_limit_b: the longest JSON besides the values.
        spools: where values wait until it is known how they travel.
    """

    _files: FileService
    _locator: Locator
    _json_limit_b: int
    _spools: Spools

    async def post(self, caller: Caller, request: CdmiRequest, target: Target, body: ByteStream) -> None:
        """Enqueue what a body says.

        Raises:
            MissingRequiredValue: a request without a version, or without values.
            NotSupported: another media type than those of queues and data objects.
            BadData: arrays of unequal length, values that are not what they should be.
        """
        sent = request.content_type
        if request.version is None:
            raise MissingRequiredValue("version")
        if sent is not None and sent.essence == MULTIPART:
            await self._parts(caller, request, target, body)
        elif sent is not None and sent.kind in _KINDS:
            await self._json(caller, request, target, body)
        else:
            raise NotSupported

    async def _json(self, caller: Caller, request: CdmiRequest, target: Target, stream: ByteStream) -> None:
        incoming = await self._files.queues.begin(caller, target)
        async with IncomingObject(stream, self._json_limit_b, self._spools) as sent:
            await sent.begin()
            await sent.settle()
            body = parse_enqueue_body(sent.members, has_value=sent.has_value)
            if sent.has_value:
                await self._array(incoming, SentValues(sent.value(JsonDecoder()), body.encoding), body)
                return
        await self._relocate(caller, request, target, body)

    async def _array(self, incoming: Incoming, values: SentValues, body: EnqueueBody) -> None:
        try:
            while (value := await values.next()) is not None:
                await incoming.receive(value)
            await incoming.enqueue(body.types([default_type()] * incoming.count))
        finally:
            await incoming.drop()

    async def _parts(self, caller: Caller, request: CdmiRequest, target: Target, stream: ByteStream) -> None:
        parts = Parts(request.content_type, stream)
        members = await read_json(await first_part(parts, _KINDS), self._json_limit_b)
        body = _body_of_parts(members)
        incoming = await self._files.queues.begin(caller, target)
        types: list[ValueType] = []
        try:
            while (part := await parts.next()) is not None:
                types.append(_type_of(part))
                await incoming.receive(part)
            await incoming.enqueue(body.types(types))
        finally:
            await incoming.drop()

    async def _relocate(
        self, caller: Caller, request: CdmiRequest, target: Target, body: EnqueueBody
    ) -> None:
        """Enqueue the value of a data object, or the oldest values of a queue."""
        uri = body.copy if body.copy is not None else body.move
        source = await self._locator.source(caller, uri or "", request.host)
        if source.stat.is_queue:
            await permitted_only(self._from_queue(caller, source, target, body))
            return
        if source.stat.is_directory or source.query.fields is not None:
            raise BadData("path", "the source must be a data object or a queue")
        queues, origin = self._files.queues, Target(source.stat.guid)
        if body.move is not None:
            await permitted_only(queues.move_object(caller, origin, target))
        else:
            await permitted_only(queues.copy_object(caller, origin, target))

    async def _from_queue(self, caller: Caller, source: Source, target: Target, body: EnqueueBody) -> range:
        queues, origin, count = self._files.queues, Target(source.stat.guid), count_of(source)
        if body.move is not None:
            return await queues.move_values(caller, origin, count, target)
        return await queues.copy_values(caller, origin, count, target)


def count_of(source: Source) -> int:
    """Return how many values of a queue a URI speaks of: one, unless it says so."""
    count = source.query.values
    if count is None and source.query.fields in (None, frozenset({"value"})):
        return 1
    if not isinstance(count, int) or source.query.fields != frozenset({"values"}):
        raise BadData("values", "expected: values:COUNT")
    return count


def _body_of_parts(members: Mapping[str, Json]) -> EnqueueBody:
    if "value" in members or "copy" in members or "move" in members:
        raise BadData("value", "the values are in further parts")
    return parse_enqueue_body(members, has_value=True)


def _type_of(part: Part) -> ValueType:
    sent = part.content_type
    if sent is None or not is_storable_mimetype(sent.mimetype):
        return ValueType(DEFAULT_MIMETYPE, Encoding.BASE64.value)
    return ValueType(sent.mimetype, (Encoding.UTF8 if sent.says_utf8 else Encoding.BASE64).value)
