"""``copy`` and ``move`` members: other objects as the source of a PUT or POST."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from attrs import evolve, frozen

from onedata.errors import BadData, Errno, Posix
from op_worker.auth.caller import Caller
from op_worker.files.model import CreateOptions, Existing, FileStat, FileType, MetadataChange, Target
from op_worker.files.service import FileService
from op_worker.files.stored.conditions import NO_CONDITION, ContentCondition
from op_worker.http.cdmi.answers import NO_CONTENT, Answer, representation
from op_worker.http.cdmi.belonging import require_belonging
from op_worker.http.cdmi.bodies.members import ContainerBody, ObjectBody
from op_worker.http.cdmi.handlers import Place
from op_worker.http.cdmi.locating import Locator, Source
from op_worker.http.cdmi.refusals import Refused
from op_worker.http.cdmi.relocations.field_copies import FieldCopies
from op_worker.http.cdmi.representations.permitted import permitted
from op_worker.http.cdmi.representations.representation import (
    container_members,
    kind_of,
    object_members,
    render,
)
from op_worker.http.cdmi.requests.addresses import Address
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Query
from op_worker.http.cdmi.requests.request import CdmiRequest

Body = ObjectBody | ContainerBody
Moved = tuple[FileStat, bool]
"""What is at the target now, and whether it replaced something."""
T = TypeVar("T")
_SOME_VALUES = frozenset({"values"})


@frozen(eq=False)
class _Order:
    """A copy or a move whose source was found.

    Attributes:
        present: what is at the target already, whose ``condition`` must hold.
        change: of the result's metadata; metadata that the body does not give are the source's.
    """

    source: Source
    target: Target
    present: FileStat | None
    body: Body
    change: MetadataChange
    condition: ContentCondition = NO_CONDITION


class Relocations:
    """Carries out ``copy`` and ``move`` for data objects and containers.

    The form of the target (with or without a slash) does not bind the kind of the source: clients move
    directories through the object form.
    """

    def __init__(self, files: FileService, locator: Locator) -> None:
        self._files, self._locator = files, locator
        self._fields = FieldCopies(files, locator)

    async def write(
        self,
        caller: Caller,
        request: CdmiRequest,
        target: Target,
        present: FileStat | None,
        body: Body,
        change: MetadataChange,
        condition: ContentCondition,
    ) -> Answer:
        """Answer a PUT with a ``copy`` or ``move`` member.

        Raises:
            Refused: 400, when the source is missing or something is not permitted.
            BadData: source and target do not fit, or both say which fields (key ``path``, ``copy``).
            Posix: EEXIST when a container is in the way of a move.
        """
        source = await self._locator.source(caller, body.copy or body.move or "", request.host)
        _check_kinds(request.address, present, source.stat, body)
        order = _Order(source, target, present, body, change, condition)
        return await self._carry_out(caller, request, order)

    async def make(
        self, caller: Caller, request: CdmiRequest, place: Place, body: ObjectBody, change: MetadataChange
    ) -> Answer:
        """Answer a POST with a ``copy`` or ``move`` member; raises as ``write``."""
        source = await self._locator.source(caller, body.copy or body.move or "", request.host)
        if source.stat.is_directory and (not source.stat.is_queue or body.move is not None):
            raise BadData("path", "the source of a data object must be one")
        placed = await place.take(body.domain_uri, None if body.move is None else source.stat.guid)
        space_id = placed.target.base.space_id
        await require_belonging(self._files, caller, space_id, body, Kind.OBJECT, request.host)
        answer = await self._carry_out(caller, request, _Order(source, placed.target, None, body, change))
        return evolve(answer, location=placed.location)

    async def _carry_out(self, caller: Caller, request: CdmiRequest, order: _Order) -> Answer:
        if order.body.move is not None:
            if order.source.query.fields is not None:
                raise BadData("move", "what is moved is moved whole")
            stat, replaced = await permitted_only(self._move(caller, order))
            return await self._shown(caller, stat, 200 if replaced else 201)
        if order.source.query.fields is not None and request.query.fields is not None:
            raise BadData("copy", "source and destination cannot both say which fields")
        stat, replaced = await permitted_only(self._copy(caller, request, order))
        return NO_CONTENT if replaced else await self._shown(caller, stat, 201)

    async def _move(self, caller: Caller, order: _Order) -> Moved:
        source = Target(order.source.stat.guid)
        return await self._files.move(caller, source, order.target, order.change, order.condition)

    async def _copy(self, caller: Caller, request: CdmiRequest, order: _Order) -> Moved:
        source = order.source
        if source.stat.is_queue:
            return await self._joined(caller, request, order)
        if source.query.fields is not None or request.query.fields is not None:
            return await self._fields.copy(
                caller, source, order.target, order.present, order.change, request.query, order.condition
            )
        if order.present is not None and order.present.is_directory:
            stat = await self._files.tree_replacing.replace(
                caller, Target(source.stat.guid), order.target, order.change, order.condition
            )
            return stat, True
        return await self._files.copy(
            caller, Target(source.stat.guid), order.target, order.change, order.condition
        )

    async def _joined(self, caller: Caller, request: CdmiRequest, order: _Order) -> Moved:
        """Make a data object of the values of a queue, all or the oldest ones, one after the other."""
        query = order.source.query
        if request.query.fields is not None or query.fields not in (None, _SOME_VALUES):
            raise BadData("copy", "of a queue all values are copied, or values:COUNT")
        if query.fields is not None and not isinstance(query.values, int):
            raise BadData("values", "expected: values:COUNT")
        stat, created = await self._files.queues.join(
            caller,
            Target(order.source.stat.guid),
            order.target,
            count=query.values if isinstance(query.values, int) else None,
            create=CreateOptions(existing=Existing.UPDATE),
            metadata=order.change,
            condition=order.condition,
        )
        return stat, not created

    async def _shown(self, caller: Caller, stat: FileStat, status: int) -> Answer:
        """Return the representation of the result, without value or children."""
        readable = await self._locator.readable(caller, evolve(stat, has_metadata=True))
        if stat.type is FileType.DIR:
            members = permitted(container_members(stat, readable.xattrs, Query()), readable)
            return representation(Kind.CONTAINER, render(members), status)
        members = permitted(object_members(stat, readable.xattrs, Query()), readable)
        return representation(Kind.OBJECT, render(members), status)


async def permitted_only(work: Awaitable[T]) -> T:
    """Return what a copy or move did; what is not permitted makes the request a bad one, says the standard.

    Raises:
        Refused: 400, when source or target are not the caller's to use so.
    """
    try:
        return await work
    except Posix as error:
        if error.errno in (Errno.EACCES, Errno.EPERM):
            raise Refused(400, error) from None
        raise


def _check_kinds(address: Address, present: FileStat | None, source: FileStat, body: Body) -> None:
    is_container = kind_of(source) is Kind.CONTAINER
    if source.is_queue and (body.move is not None or address.is_container):
        raise BadData("path", "a queue becomes neither a container nor a data object")
    if present is not None and present.type is FileType.DIR and (body.move is not None or not is_container):
        raise Posix(Errno.EEXIST, "a container is in the way")
    refuse_reserved(address, is_container=is_container)
    if address.is_container and not is_container:
        raise BadData("path", "the source of a container must be a container")


def refuse_reserved(address: Address, *, is_container: bool) -> None:
    """Raise BadData(``path``) for containers with a name that the standard reserves."""
    if is_container and address.has_reserved_name:
        raise BadData("path", "names of containers cannot start with cdmi_")
