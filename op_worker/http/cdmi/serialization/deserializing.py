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
from op_worker.files.content.detached import DetachedTree
from op_worker.files.content.restoring import Made
from op_worker.files.model import FileStat, FileType, Follow, Target
from op_worker.files.service import FileService
from op_worker.files.stored.conditions import ContentCondition
from op_worker.http.cdmi.answers import NO_CONTENT, Answer, representation
from op_worker.http.cdmi.bodies.members import ContainerBody, ObjectBody
from op_worker.http.cdmi.handlers import Place
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.representations.representation import container_members, object_members, render
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Query
from op_worker.http.cdmi.requests.request import CdmiRequest, write_condition
from op_worker.http.cdmi.serialization.descriptions import Described, check_domain, described, with_given
from op_worker.http.cdmi.serialization.reading import KEY, CanonicalItems, Ended
from op_worker.http.cdmi.serialization.serializing import source_of
from op_worker.http.cdmi.serialization.updating import ContainerUpdates
from op_worker.http.cdmi.serialization.values import (
    Wanted,
    WholeValue,
    begun,
    child_of,
    expect_end,
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
        type_: FileType,
        body: Body,
    ) -> Answer:
        """Answer a PUT. What is made appears as a whole when all of the source was read.

        Args:
            type_: what the request wants to be made; the source must be of its kind.

        Raises:
            BadData: of ``deserialize`` for a source that is no canonical JSON, or of another kind; of
                ``domainURI`` for resources of another domain.
            BadValueIdentifier: of ``objectID``, when something else is there than what was serialised.
            Refused: 400, when the source is missing.
        """
        async with self._opened(caller, request, type_, body) as opened:
            opened.require_domain(target.base.space_id)
            condition = write_condition(request, of_state=True)
            condition.require(present)
            if present is not None:
                await self._update(caller, present, opened, condition)
                return NO_CONTENT
            stat = await self._made(caller, target, opened)
        return await self._shown(caller, stat)

    async def make(self, caller: Caller, request: CdmiRequest, place: Place, body: ObjectBody) -> Answer:
        """Answer a POST: the object gets its id, if that is free, and it for a name. Raises: as ``write``."""
        async with self._opened(caller, request, FileType.REG, body) as opened:
            guid = opened.top.file.guid
            is_free = guid is not None and await self._files.restoring.is_free(guid)
            domain_uri = body.domain_uri or opened.top.domain
            placed = await place.take(domain_uri, guid if is_free else None)
            opened.require_domain(placed.target.base.space_id)
            stat = await self._made(caller, placed.target, opened)
        return evolve(await self._shown(caller, stat), location=placed.location)

    @asynccontextmanager
    async def _opened(
        self, caller: Caller, request: CdmiRequest, type_: FileType, body: Body
    ) -> AsyncIterator[_Opened]:
        """Give the source, read up to the value or the children of what it begins with."""
        async with self._source(caller, request, body) as source:

            def again() -> CanonicalItems:
                return CanonicalItems(Wanted(source(), request.is_gone))

            items = again()
            top = described(await begun(items))
            if top.file.type is not type_:
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
        source = await source_of(self._locator, caller, request, body.deserialize)
        reader = await self._files.open_content(caller, Target(source.guid), Follow.NO)
        try:
            yield lambda: ReaderStream(reader)
        finally:
            await reader.close()

    async def _made(self, caller: Caller, target: Target, opened: _Opened) -> FileStat:
        restoring, top, items = self._files.restoring, opened.top, opened.items
        tree, made = await restoring.begin(caller, target, top.file)
        try:
            if top.file.type is FileType.REG:
                await restoring.fill_top(tree, value_of(items, top))
                await expect_end(items)
            else:
                await self._fill(tree, made, opened)
            await expect_nothing(items)
            return await restoring.finish(caller, tree, target)
        except BaseException:
            await restoring.give_up(tree)
            raise

    async def _fill(self, tree: DetachedTree, top: Made, opened: _Opened) -> None:
        """Make what is in a container, up to its end."""
        above, items, domain = [top], opened.items, opened.domain(tree.space_id)
        while above:
            item = await items.next()
            if isinstance(item, Ended):
                above.pop()
                continue
            child = child_of(item, domain)
            if child.file.type is FileType.DIR:
                above.append(await self._files.restoring.add_directory(tree, above[-1], child.file))
            else:
                await self._files.restoring.add_file(tree, above[-1], child.file, value_of(items, child))
                await expect_end(items)

    async def _update(
        self, caller: Caller, present: FileStat, opened: _Opened, condition: ContentCondition
    ) -> None:
        """Give a resource back what it was serialised with."""
        top, target = opened.top.file, Target(present.guid)
        if top.guid is None or top.guid != present.guid:
            raise BadValueIdentifier("objectID")
        if present.type is FileType.DIR:
            await self._update_container(caller, present, opened)
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

    async def _shown(self, caller: Caller, stat: FileStat) -> Answer:
        xattrs = await self._locator.changed_xattrs(caller, stat)
        if stat.type is FileType.DIR:
            return representation(Kind.CONTAINER, render(container_members(stat, xattrs, Query())), 201)
        return representation(Kind.OBJECT, render(object_members(stat, xattrs, Query())), 201)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeError):
        raise BadData("base64", "the value is not base64") from None
