"""Writing data objects by JSON bodies: whole values, ranges, members alone."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

from cluster_worker.runtime.spool import Spool, Spools
from onedata.errors import BadData, MalformedData, MissingRequiredValue
from op_worker.auth.caller import Caller
from op_worker.files.model import CreateOptions, FileStat, Json, MetadataChange, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.answers import NO_CONTENT, Answer, representation
from op_worker.http.cdmi.belonging import require_belonging
from op_worker.http.cdmi.bodies.decoding import decoder_for
from op_worker.http.cdmi.bodies.members import Encoding, ObjectBody, parse_object_body
from op_worker.http.cdmi.bodies.object_body import IncomingObject
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.objects import changes
from op_worker.http.cdmi.objects.storing import Section, Storing
from op_worker.http.cdmi.representations import metadata
from op_worker.http.cdmi.representations.permitted import permitted
from op_worker.http.cdmi.representations.representation import object_members, render
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Query, Span
from op_worker.http.cdmi.requests.request import CdmiRequest, write_condition


@frozen(eq=False)
class ValueWrites:
    """Makes and changes data objects as a JSON body says.

    Every method raises what ``IncomingObject``, ``parse_object_body`` and the file service raise.
    """

    _files: FileService
    _locator: Locator
    _storing: Storing
    _spools: Spools

    async def create(
        self,
        caller: Caller,
        request: CdmiRequest,
        target: Target,
        incoming: IncomingObject,
        body: ObjectBody,
    ) -> Answer:
        """Make an object of the value that comes; answer 201."""
        encoding = changes.encoding_for(body, {})

        async def change() -> MetadataChange:
            complete = _all_members(incoming, body)
            await self.agree(caller, request, target, complete)
            return changes.of_new(request, complete, encoding)

        stat, _ = await self._files.replace_content(
            caller,
            target,
            incoming.value(decoder_for(encoding)),
            expected_b=None,
            create=CreateOptions(),
            metadata=change,
            condition=write_condition(request, of_state=True),
        )
        return evolve(await self.shown(caller, stat), state=stat)

    async def replace(
        self, caller: Caller, request: CdmiRequest, stat: FileStat, incoming: IncomingObject, body: ObjectBody
    ) -> None:
        """Replace the value of an object, and change what else the body says."""
        xattrs = (await self._locator.readable(caller, stat)).xattrs
        encoding = changes.encoding_for(body, xattrs)

        async def change() -> MetadataChange:
            complete = _all_members(incoming, body)
            await self.agree(caller, request, Target(stat.guid), complete)
            return changes.of_present(request, complete, xattrs)

        await self._files.replace_content(
            caller,
            Target(stat.guid),
            incoming.value(decoder_for(encoding)),
            expected_b=None,
            metadata=change,
            condition=write_condition(request, of_state=True),
        )

    async def change(self, caller: Caller, request: CdmiRequest, stat: FileStat, body: ObjectBody) -> None:
        """Change what a body without a value says."""
        xattrs: Mapping[str, Json] = {}
        is_acl_alone = request.query.metadata == (metadata.ACL,)
        if is_acl_alone and not changes.sent(request, body, {}).changes_custom:
            change = changes.sent(request, body, {})  # needs no right to read anything else
        else:
            xattrs = (await self._locator.readable(caller, stat)).xattrs
            change = changes.of_present(request, body, xattrs)
        condition = write_condition(request, of_state=True)
        await self._storing.change(caller, stat, change, condition)

    async def write_range(
        self,
        caller: Caller,
        request: CdmiRequest,
        target: Target,
        stat: FileStat | None,
        incoming: IncomingObject,
        span: Span,
    ) -> Answer:
        """Write a range of an object, which may be a new one, when the whole body is here."""
        condition = write_condition(request, of_state=True)
        await self._files.require_writable(caller, target)
        async with self._spools.new() as spool:
            body = await _received_range(incoming, span, spool)
            await self.agree(caller, request, target, body)
            section = Section(span, spool.stream())
            if stat is None:
                change = changes.of_new(request, body, Encoding.BASE64)
                made = await self._storing.create_with_gaps(
                    caller, target, [section], change, condition=condition
                )
                return await self.shown(caller, made)
            xattrs = (await self._locator.readable(caller, stat)).xattrs
            change = changes.of_present(request, body, xattrs)
            stat = await self._storing.write_sections(caller, stat, [section], condition=condition)
        await self._storing.change(caller, stat, metadata.with_properties(change, encoding=Encoding.BASE64))
        return NO_CONTENT

    async def agree(self, caller: Caller, request: CdmiRequest, target: Target, body: ObjectBody) -> None:
        """Return when the body names the domain and the capabilities that the object has anyway."""
        space_id = target.base.space_id
        await require_belonging(self._files, caller, space_id, body, Kind.OBJECT, request.host)

    async def shown(self, caller: Caller, stat: FileStat) -> Answer:
        """Answer 201 with the representation of what was made."""
        readable = await self._locator.readable(caller, evolve(stat, has_metadata=True))
        members = permitted(object_members(stat, readable.xattrs, Query()), readable)
        return representation(Kind.OBJECT, render(members), 201)


def members_of(incoming: IncomingObject, *, has_value: bool = False) -> ObjectBody:
    """Return what was sent so far; raises as ``parse_object_body``.

    Args:
        has_value: that there is a value elsewhere.
    """
    return parse_object_body(incoming.members, has_value=incoming.has_value or has_value)


def _all_members(incoming: IncomingObject, early: ObjectBody) -> ObjectBody:
    """Return what was sent in all, when the value was decoded by what came before it.

    Raises: as ``parse_object_body``; MalformedData for a second encoding behind the value.
    """
    body = members_of(incoming)
    if body.encoding is not early.encoding:
        raise MalformedData
    return body


async def _received_range(incoming: IncomingObject, span: Span, spool: Spool) -> ObjectBody:
    """Receive the whole body, with its value as the bytes of a range, before any of them is written."""
    value = incoming.value(decoder_for(Encoding.BASE64))
    if not await spool.fill(value, span.length):
        raise BadData("range", "the value has another length than the range")
    body = members_of(incoming)
    if not body.has_value:
        raise MissingRequiredValue("value")
    if spool.size_b != span.length:
        raise BadData("range", "the value has another length than the range")
    return body
