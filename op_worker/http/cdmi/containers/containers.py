"""Containers: creating, reading, updating, deleting."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from cluster_worker.runtime.streams import ByteStream
from onedata.errors import BadData, BadValueTooHigh, Errno, MissingRequiredValue, Posix
from op_worker.auth.caller import Caller
from op_worker.files.granting.share_sets import WantedShare
from op_worker.files.model import CreateOptions, FileStat, Json, MetadataChange, Target
from op_worker.files.service import FileService
from op_worker.files.stored.conditions import ContentCondition
from op_worker.http.cdmi.answers import (
    CREATED,
    NO_CONTENT,
    NOT_ACCEPTABLE,
    Answer,
    AnyAnswer,
    not_modified,
    representation,
)
from op_worker.http.cdmi.belonging import require_belonging
from op_worker.http.cdmi.bodies.incoming import read_json
from op_worker.http.cdmi.bodies.members import parse_container_body
from op_worker.http.cdmi.capabilities.tree import MAX_CHILDREN
from op_worker.http.cdmi.containers.exports import ContainerExports
from op_worker.http.cdmi.containers.snapshots import ContainerSnapshots
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.referring import References
from op_worker.http.cdmi.relocations.relocations import Relocations, refuse_reserved
from op_worker.http.cdmi.representations import metadata
from op_worker.http.cdmi.representations.permitted import Readable, permitted
from op_worker.http.cdmi.representations.representation import (
    child_name,
    container_members,
    range_text,
    render,
)
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Query, Span
from op_worker.http.cdmi.requests.request import CdmiRequest, Form, accepts_kind, write_condition, write_form
from op_worker.http.cdmi.serialization.deserializing import Deserializing, is_asked_for

_OF_CHILDREN = frozenset({"childrenrange", "children"})


class Containers:
    """GET, HEAD, PUT and DELETE of containers.

    Args:
        json_limit_b: the longest JSON body.
    """

    def __init__(
        self,
        files: FileService,
        locator: Locator,
        relocations: Relocations,
        deserializing: Deserializing,
        snapshots: ContainerSnapshots,
        json_limit_b: int,
    ) -> None:
        self._files, self._locator, self._relocations = files, locator, relocations
        self._references = References(files)
        self._deserializing, self._snapshots = deserializing, snapshots
        self._exports = ContainerExports(files)
        self._json_limit_b = json_limit_b

    async def read(self, caller: Caller, request: CdmiRequest) -> AnyAnswer:
        """Answer a GET.

        Raises:
            MissingRequiredValue: a request without a version (key ``version``).
        """
        target = await self._locator.target(caller, request.address)
        stat = await self._locator.existing(caller, request.address, target)
        if request.version is None:
            raise MissingRequiredValue("version")
        if not accepts_kind(request, Kind.CONTAINER):
            return NOT_ACCEPTABLE
        known = not_modified(request, stat)
        if known is not None and await self._snapshots.is_complete(stat):
            return known
        readable = await self._locator.wanted(caller, stat, request.query, ("metadata",))
        return await self._representation(caller, request, stat, readable, 200)

    async def write(self, caller: Caller, request: CdmiRequest, body: ByteStream) -> AnyAnswer:
        """Answer a PUT."""
        form = write_form(request)
        target = await self._locator.target(caller, request.address)
        stat = await self._locator.present(caller, request.address, target)
        if form is Form.CDMI:
            return await self._write_cdmi(caller, request, target, stat, body)
        write_condition(request).require(stat)
        if stat is not None:
            raise Posix(Errno.EEXIST)
        refuse_reserved(request.address, is_container=True)
        await self._files.create_directory(caller, target, CreateOptions())
        return CREATED

    async def delete(self, caller: Caller, request: CdmiRequest) -> AnyAnswer:
        """Answer a DELETE, which takes everything below along."""
        refuse_reserved(request.address, is_container=True)
        target = await self._locator.target(caller, request.address)
        stat = await self._locator.existing(caller, request.address, target)
        if stat.parent is None:
            raise Posix(Errno.EPERM, "the root container stays")
        condition = write_condition(request, of_state=True)
        if not await self._snapshots.remove(caller, stat, condition):
            await self._files.remove(caller, Target(stat.guid), condition)
        return NO_CONTENT

    async def _write_cdmi(
        self,
        caller: Caller,
        request: CdmiRequest,
        target: Target,
        stat: FileStat | None,
        stream: ByteStream,
    ) -> AnyAnswer:
        body = parse_container_body(await read_json(stream, self._json_limit_b))
        condition = write_condition(request, of_state=True)
        condition.require(stat)
        names = () if body.copy is not None else request.query.metadata  # a copy takes what they name
        change = metadata.update(body.metadata, names)
        space_id = target.base.space_id
        await require_belonging(self._files, caller, space_id, body, Kind.CONTAINER, request.host)
        if body.reference is not None:
            return await self._references.make(caller, request, target, stat, body.reference)
        if body.copy is not None or body.move is not None:
            return await self._relocations.write(caller, request, target, stat, body, change, condition)
        if is_asked_for(body):
            refuse_reserved(request.address, is_container=True)
            return await self._deserializing.write(caller, request, target, stat, Kind.CONTAINER, body)
        exports = await self._exports.wanted(caller, target, stat, body.exports)
        if stat is None:
            if body.snapshot is not None:
                raise Posix(Errno.ENOENT, "a snapshot is taken of a container that is there")
            refuse_reserved(request.address, is_container=True)
            return await self._create(caller, request, target, change, exports)
        await self._update(caller, request.query, stat, change, condition)
        await self._exports.replace(caller, stat.guid, exports)
        if body.snapshot is not None:
            return await self._snapshots.take(caller, stat, body.snapshot)
        return NO_CONTENT

    async def _create(
        self,
        caller: Caller,
        request: CdmiRequest,
        target: Target,
        change: MetadataChange,
        exports: Sequence[WantedShare] | None,
    ) -> Answer:
        options, change = metadata.at_creation(change)
        stat = await self._files.create_directory(caller, target, options)
        if not change.is_empty or exports:
            try:
                if not change.is_empty:
                    await self._files.metadata.change(caller, Target(stat.guid), change)
                await self._exports.replace(caller, stat.guid, exports)
            except Exception:  # whatever it was: what this request made goes again
                await self._files.remove_empty(caller, Target(stat.guid))
                raise
        stat = evolve(stat, has_metadata=not change.is_empty)
        if exports:
            stat = await self._files.stat(caller, Target(stat.guid))
        readable = await self._locator.readable(caller, stat)
        return await self._representation(caller, evolve(request, query=Query()), stat, readable, 201)

    async def _update(
        self,
        caller: Caller,
        query: Query,
        stat: FileStat,
        change: MetadataChange,
        condition: ContentCondition,
    ) -> None:
        if change.is_empty:
            return
        if query.metadata and change.changes_custom:
            xattrs = (await self._locator.readable(caller, stat)).xattrs
            metadata.check_limits(metadata.after(xattrs, change))
        await self._files.metadata.change(caller, Target(stat.guid), change, condition)

    async def _representation(
        self, caller: Caller, request: CdmiRequest, stat: FileStat, readable: Readable, status: int
    ) -> Answer:
        query = request.query
        shown = container_members(stat, readable.xattrs, query)
        shown.update(await self._exports.members(caller, stat, query, request.known_origin()))
        members, is_complete = await self._snapshots.members(caller, stat, shown, query)
        denied: tuple[str, ...] = ()
        if is_complete and (query.wants("childrenrange") or query.wants("children")):
            try:
                members.update(await self._children(caller, stat, query))
            except Posix as error:
                is_all = query.fields is not None and query.fields <= _OF_CHILDREN
                if error.errno is not Errno.EACCES or is_all:
                    raise
                denied = tuple(_OF_CHILDREN)
        members = permitted(members, readable, denied)
        state = stat if status == 200 and is_complete else None
        return representation(Kind.CONTAINER, render(members), status, state)

    async def _children(self, caller: Caller, stat: FileStat, query: Query) -> dict[str, Json]:
        target = Target(stat.guid)
        count = await self._files.count_children(caller, target)
        span = children_span(query.children, count, is_listed=query.wants("children"))
        members: dict[str, Json] = {}
        if query.wants("childrenrange"):
            members["childrenrange"] = range_text(span.first, span.length) if span is not None else ""
        if query.wants("children"):
            found = [] if span is None else await self._slice_of(caller, target, span)
            members["children"] = [child_name(child) for child in found]
        return members

    async def _slice_of(self, caller: Caller, target: Target, span: Span) -> list[FileStat]:
        return await self._files.children_slice(caller, target, span.first, span.last)


def children_span(asked: Span | None, count: int, *, is_listed: bool) -> Span | None:
    """Return which of ``count`` children are meant; ``None`` for none of none.

    Raises:
        BadValueTooHigh: more than one request may list.
        BadData: a range that ends beyond the children (both ``childrenrange``).
    """
    if asked is not None and asked.last >= count:
        raise BadData("childrenrange", "the range ends beyond the children")
    span = asked or (Span(0, count - 1) if count else None)
    if span is not None and is_listed and span.length > MAX_CHILDREN:
        raise BadValueTooHigh("childrenrange", MAX_CHILDREN)
    return span
