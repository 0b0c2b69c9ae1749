"""``deserialize`` and ``deserializevalue``: resources made of canonical JSON, or made like it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from attrs import evolve, frozen

from cluster_worker.runtime.streams import BytesStream, ByteStream
from onedata.errors import BadData, BadValueIdentifier
from onedata.ids import SpaceId
from op_worker.auth.caller import Caller
from op_worker.files.content.copying import ReaderStream
from op_worker.files.model import FileStat, Follow, Target
from op_worker.files.queues.values import MAX_VALUES, ValueType
from op_worker.files.service import FileService
from op_worker.files.stored.conditions import ContentCondition
from op_worker.http.cdmi.answers import NO_CONTENT, Answer, representation
from op_worker.http.cdmi.bodies.members import ContainerBody, ObjectBody
from op_worker.http.cdmi.handlers import Place
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.representations.representation import (
    container_members,
    object_members,
    queue_members,
    render,
)
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Query
from op_worker.http.cdmi.requests.request import CdmiRequest, write_condition
from op_worker.http.cdmi.serialization.descriptions import Described, check_domain, described, with_given
from op_worker.http.cdmi.serialization.filling import Filling, values_of
from op_worker.http.cdmi.serialization.reading import KEY, CanonicalItems
from op_worker.http.cdmi.serialization.updating import ContainerUpdates
from op_worker.http.cdmi.serialization.values import (
    Wanted,
    WholeValue,
    begun,
    expect_nothing,
    value_of,
)

Body = ObjectBody | ContainerBody


def is_asked_for(body: Body) -> bool:
    """Whether a body has a member of this module."""
    return body.deserialize is not None or body.deserializevalue is not None


@frozen(eq=False)
class _Opened:
    """Canonical JSON that is being read.

    Attributes:
        again: begins to read it once more.
        domain_is_given: by the request, for all resources, whatever they say.
    """

    again: Callable[[], CanonicalItems]
    items: CanonicalItems
    top: Described
    domain_is_given: bool

    def domain(self, space_id: SpaceId) -> SpaceId | None:
        """Return the space whose domain the resources must belong to; ``None`` for any."""
        return None if self.domain_is_given else space_id

    def require_domain(self, space_id: SpaceId) -> None:
        """Return when the top may be made in a space. Raises: BadData (key ``domainURI``)."""
        if not self.domain_is_given:
            check_domain(self.top, space_id)


@frozen(eq=False)
class Deserializing:
    """Writes with a ``deserialize`` or ``deserializevalue`` member."""

    _files: FileService
    _locator: Locator

    async def write(
        self,
        caller: Caller,
        request: CdmiRequest,
        target: Target,
        present: FileStat | None,
        kind: Kind,
        body: Body,
    ) -> Answer:
        """Answer a PUT. What is made appears as a whole when all of the source was read.

        Args:
            kind: of what the request wants to be made; the source must be of it, too.

        Raises:
            BadData: of ``deserialize`` for a source that is no canonical JSON, or of another kind; of
                ``domainURI`` for resources of another domain.
            BadValueIdentifier: of ``objectID``, when something else is there than what was serialised.
            Refused: 400, when the source is missing.
        """
        async with self._opened(caller, request, kind, body) as opened:
            opened.require_domain(target.base.space_id)
            condition = write_condition(request, of_state=True)
            condition.require(present)
            if present is not None:
                await self._update(caller, present, opened, condition)
                return NO_CONTENT
            stat = await self._made(caller, target, opened)
        return await self._shown(caller, stat)

    async def make(
        self, caller: Caller, request: CdmiRequest, place: Place, kind: Kind, body: Body
    ) -> Answer:
        """Answer a POST: the object gets its id, if that is free, and it for a name. Raises: as ``write``."""
        async with self._opened(caller, request, kind, body) as opened:
            guid = opened.top.file.guid
            is_free = guid is not None and await self._files.restoring.is_free(guid)
            domain_uri = body.domain_uri or opened.top.domain
            placed = await place.take(domain_uri, guid if is_free else None)
            opened.require_domain(placed.target.base.space_id)
            stat = await self._made(caller, placed.target, opened)
        return evolve(await self._shown(caller, stat), location=placed.location)

    @asynccontextmanager
    async def _opened(
        self, caller: Caller, request: CdmiRequest, kind: Kind, body: Body
    ) -> AsyncIterator[_Opened]:
        """Give the source, read up to the value or the children of what it begins with."""
        async with self._source(caller, request, body) as source:

            def again() -> CanonicalItems:
                return CanonicalItems(Wanted(source(), request.is_gone))

            items = again()
            top = described(await begun(items))
            if top.kind is not kind:
                raise BadData(KEY, "the source is of another kind")
            yield _Opened(again, items, with_given(top, body.metadata), body.domain_uri is not None)

    @asynccontextmanager
    async def _source(
        self, caller: Caller, request: CdmiRequest, body: Body
    ) -> AsyncIterator[Callable[[], ByteStream]]:
        """Give what makes a stream of the source, from its beginning, each time."""
        if body.deserialize is None:
            data = _decoded(body.deserializevalue or "")
            yield lambda: BytesStream(data)
            return
        source = await self._locator.whole_source(caller, body.deserialize, request.host)
        reader = await self._files.open_content(caller, Target(source.guid), Follow.NO)
        try:
            yield lambda: ReaderStream(reader)
        finally:
            await reader.close()

    async def _made(self, caller: Caller, target: Target, opened: _Opened) -> FileStat:
        domain = opened.domain(target.base.space_id)
        filling = Filling(self._files)
        return await filling.make(caller, target, opened.top, opened.items, domain, is_all=True)

    async def _update(
        self, caller: Caller, present: FileStat, opened: _Opened, condition: ContentCondition
    ) -> None:
        """Give a resource back what it was serialised with."""
        top, target = opened.top.file, Target(present.guid)
        if top.guid is None or top.guid != present.guid:
            raise BadValueIdentifier("objectID")
        if opened.top.kind is not Kind.OBJECT:
            update = self._update_queue if present.is_queue else self._update_container
            await update(caller, present, opened)
            return
        body = WholeValue(opened.items, value_of(opened.items, opened.top))
        await self._files.replace_content(
            caller, target, body, expected_b=None, metadata=top.metadata, condition=condition
        )

    async def _update_container(self, caller: Caller, present: FileStat, opened: _Opened) -> None:
        """Give a container its metadata, and its children if it was serialised with them."""
        updates, top = ContainerUpdates(self._files), opened.top
        space_id = present.guid.space_id
        await updates.check(caller, opened.items, space_id, opened.domain(space_id))
        if not top.file.metadata.is_empty:
            await self._files.metadata.change(caller, Target(present.guid), top.file.metadata)
        if top.has_children:
            items = opened.again()
            await begun(items)
            await updates.apply(caller, present, items)

    async def _update_queue(self, caller: Caller, present: FileStat, opened: _Opened) -> None:
        """Give a queue its metadata, and add the values that it was serialised with."""
        target, queues = Target(present.guid), self._files.queues
        types: list[ValueType] = []
        incoming = await queues.begin(caller, target)
        try:
            async for _, type_, value in values_of(opened.items, opened.top):
                if len(types) == MAX_VALUES:
                    await incoming.enqueue(types)
                    incoming, types = await queues.begin(caller, target), []
                await incoming.receive(value, None)
                types.append(type_)
            await expect_nothing(opened.items)
            await incoming.enqueue(types)
        finally:
            await incoming.drop()
        if not opened.top.file.metadata.is_empty:
            await self._files.metadata.change(caller, target, opened.top.file.metadata)

    async def _shown(self, caller: Caller, stat: FileStat) -> Answer:
        xattrs = await self._locator.changed_xattrs(caller, stat)
        if stat.is_queue:
            view = await self._files.queues.view(caller, Target(stat.guid))
            members = queue_members(stat, xattrs, view.numbers, Query())
            return representation(Kind.QUEUE, render(members), 201)
        if stat.is_directory:
            return representation(Kind.CONTAINER, render(container_members(stat, xattrs, Query())), 201)
        return representation(Kind.OBJECT, render(object_members(stat, xattrs, Query())), 201)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeError):
        raise BadData("base64", "the value is not base64") from None
