"""Queues: what every method does with one."""

from __future__ import annotations

from attrs import evolve

from cluster_worker.runtime.spool import Spools
from cluster_worker.runtime.streams import ByteStream
from onedata.errors import BadData, BadValueIdentifier, Errno, MissingRequiredValue, Posix
from onedata.ids import SpaceId
from op_worker.auth.caller import Caller
from op_worker.files.model import FileStat, MetadataChange, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.answers import NO_CONTENT, Answer, AnyAnswer, representation
from op_worker.http.cdmi.belonging import require_belonging
from op_worker.http.cdmi.bodies.incoming import read_json
from op_worker.http.cdmi.bodies.members import ContainerBody
from op_worker.http.cdmi.handlers import Place
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.queues.bodies import parse_queue_body
from op_worker.http.cdmi.queues.enqueuing import Enqueuing
from op_worker.http.cdmi.queues.reads import QueueReads
from op_worker.http.cdmi.queues.relocating import QueueRelocations
from op_worker.http.cdmi.queues.service_metadata import ServiceMetadata
from op_worker.http.cdmi.referring import References
from op_worker.http.cdmi.refusals import Redirected
from op_worker.http.cdmi.representations import metadata
from op_worker.http.cdmi.representations.representation import shown_path
from op_worker.http.cdmi.requests.addresses import Branch, path_text
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Span
from op_worker.http.cdmi.requests.request import CdmiRequest, write_condition
from op_worker.http.cdmi.serialization.deserializing import Deserializing, is_asked_for
from op_worker.queue_services.service import QueueServices


class Queues:
    """Answers for queues, and makes them; a ``KindHandler`` and a ``Maker``.

    Args:
        json_limit_b: the longest JSON body, without values.
        spools: where values wait.
    """

    def __init__(
        self,
        files: FileService,
        locator: Locator,
        services: QueueServices,
        deserializing: Deserializing,
        json_limit_b: int,
        spools: Spools,
    ) -> None:
        self._files, self._locator, self._json_limit_b = files, locator, json_limit_b
        self._filled = ServiceMetadata(files, services)
        self._deserializing = deserializing
        self._reads = QueueReads(files, locator, self._filled)
        self._enqueuing = Enqueuing(files, locator, json_limit_b, spools)
        self._relocations = QueueRelocations(files, locator)
        self._references = References(files)

    async def read(self, caller: Caller, request: CdmiRequest, stat: FileStat) -> AnyAnswer:
        """Answer a GET or HEAD."""
        _require_form(request, stat)
        return await self._reads.read(caller, request, stat)

    async def write(
        self,
        caller: Caller,
        request: CdmiRequest,
        stat: FileStat | None,
        body: ByteStream,
        length_b: int | None,
    ) -> AnyAnswer:
        """Answer a PUT.

        Raises:
            BadValueIdentifier: another media type on a queue, that of queues on something else or with a
                slash (key ``path``).
            MissingRequiredValue: a request without a version (key ``version``).
        """
        sent = request.content_type
        is_queue = sent is not None and sent.kind is Kind.QUEUE
        if not is_queue and stat is not None:
            _require_form(request, stat)
        if is_queue and request.version is None:
            raise MissingRequiredValue("version")
        if not is_queue or request.address.is_container or (stat is not None and not stat.is_queue):
            raise BadValueIdentifier("path")
        write_condition(request, of_state=True).require(stat)
        asked = parse_queue_body(await read_json(body, self._json_limit_b))
        target = await self._locator.target(caller, request.address)
        await self._require_belonging(caller, request, target.base.space_id, asked)
        if is_asked_for(asked):
            return await self._deserializing.write(caller, request, target, stat, Kind.QUEUE, asked)
        if stat is not None:
            return await self._update(caller, request, stat, asked)
        return await self._create(caller, request, target, asked)

    async def make(
        self, caller: Caller, request: CdmiRequest, place: Place, body: ByteStream, length_b: int | None
    ) -> AnyAnswer:
        """Answer a POST that makes a queue at a place; see ``Maker``."""
        if request.version is None:
            raise MissingRequiredValue("version")
        asked = parse_queue_body(await read_json(body, self._json_limit_b))
        if is_asked_for(asked):
            return await self._deserializing.make(caller, request, place, Kind.QUEUE, asked)
        source = await self._source(caller, request, asked)
        moved = source.guid if source is not None and asked.move is not None else None
        placed = await place.take(asked.domain_uri, moved)
        await self._require_belonging(caller, request, placed.target.base.space_id, asked)
        answer = await self._made(caller, request, placed.target, asked, source)
        return evolve(answer, location=placed.location)

    async def post(
        self, caller: Caller, request: CdmiRequest, stat: FileStat, body: ByteStream, length_b: int | None
    ) -> AnyAnswer:
        """Answer a POST, which enqueues."""
        _require_form(request, stat)
        await self._enqueuing.post(caller, request, Target(stat.guid), body)
        return NO_CONTENT

    async def delete(self, caller: Caller, request: CdmiRequest, stat: FileStat) -> AnyAnswer:
        """Answer a DELETE: of the queue, or of the oldest values when the query says so."""
        _require_form(request, stat)
        query, target, queues = request.query, Target(stat.guid), self._files.queues
        condition = write_condition(request, of_state=True)
        if query.fields is None:
            await self._files.remove(caller, target, condition)
            return NO_CONTENT
        condition.require(stat)
        if query.fields == frozenset({"value"}) and not query.value_ranges:
            await queues.dequeue(caller, target)
        elif query.fields == frozenset({"values"}) and isinstance(query.values, Span):
            await queues.dequeue_range(caller, target, query.values.first, query.values.last)
        elif query.fields == frozenset({"values"}) and isinstance(query.values, int):
            await queues.dequeue(caller, target, query.values)
        else:
            raise BadData("query string", "expected: value, values:COUNT or values:FIRST-LAST")
        return NO_CONTENT

    async def _require_belonging(
        self, caller: Caller, request: CdmiRequest, space_id: SpaceId, body: ContainerBody
    ) -> None:
        """Raise when the domain or the capabilities that a body names are not those of a queue there."""
        await require_belonging(self._files, caller, space_id, body, Kind.QUEUE, request.host)

    async def _create(
        self, caller: Caller, request: CdmiRequest, target: Target, body: ContainerBody
    ) -> Answer:
        if body.reference is not None:
            return await self._references.make(caller, request, target, None, body.reference)
        source = await self._source(caller, request, body)
        return await self._made(caller, request, target, body, source)

    async def _made(
        self,
        caller: Caller,
        request: CdmiRequest,
        target: Target,
        body: ContainerBody,
        source: FileStat | None,
    ) -> Answer:
        """Make a queue, empty or from another one, and show it."""
        if body.reference is not None:
            return await self._references.make(caller, request, target, None, body.reference)
        change = metadata.update(body.metadata, ())
        definition = self._filled.asked(body.metadata, is_empty=source is None)
        if source is None:
            stat = await self._files.queues.create(caller, target, metadata=change)
            await self._filled.begin(caller, stat, definition)
        else:
            stat = await self._relocations.make(caller, source, target, body, change)
        stat = evolve(stat, has_metadata=True)
        return representation(Kind.QUEUE, await self._reads.created(caller, stat), 201)

    async def _source(self, caller: Caller, request: CdmiRequest, body: ContainerBody) -> FileStat | None:
        if body.copy is None and body.move is None:
            return None
        return await self._relocations.source(caller, request, body)

    async def _update(
        self, caller: Caller, request: CdmiRequest, stat: FileStat, body: ContainerBody
    ) -> Answer:
        condition = write_condition(request, of_state=True)
        if body.reference is not None:
            raise BadData("reference", "what is there already cannot become a reference")
        if body.move is not None:
            raise Posix(Errno.EEXIST, "a queue is in the way")
        names = request.query.metadata
        change = metadata.update(body.metadata, names)
        source = await self._source(caller, request, body)
        if source is not None:
            await self._relocations.update(caller, source, stat, change, condition)
            return NO_CONTENT
        of_service = await self._filled.change(stat, body.metadata, names)
        if not change.is_empty:
            await self._checked(caller, stat, change, names)
            await self._files.metadata.change(caller, Target(stat.guid), change, condition)
        await self._filled.carry_out(caller, stat, of_service)
        return NO_CONTENT

    async def _checked(
        self, caller: Caller, stat: FileStat, change: MetadataChange, names: tuple[str, ...]
    ) -> None:
        """Raise BadData when named items would bring the metadata beyond the limits."""
        if names and change.changes_custom:
            readable = await self._locator.readable(caller, stat)
            metadata.check_limits(metadata.after(readable.xattrs, change))


def _require_form(request: CdmiRequest, stat: FileStat) -> None:
    """Raise Redirected for a queue that is asked for with a slash."""
    if request.address.is_container:
        address = request.address
        names = address.names if address.branch is Branch.NAMESPACE else shown_path(stat)
        raise Redirected(path_text(names))
