"""``deserialize`` and ``deserializevalue``: resources made of canonical JSON, or made like it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from attrs import define, evolve, frozen

from cluster_worker.runtime.streams import BytesStream, ByteStream, StreamBroken
from onedata.errors import BadData, BadValueIdentifier
from op_worker.auth.caller import Caller
from op_worker.files.content.copying import ReaderStream
from op_worker.files.content.detached import DetachedTree
from op_worker.files.content.restoring import Made
from op_worker.files.model import FileStat, FileType, Follow, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.answers import NO_CONTENT, Answer, representation
from op_worker.http.cdmi.bodies.decoding import ValueDecoder, decoder_for
from op_worker.http.cdmi.bodies.members import ContainerBody, ObjectBody
from op_worker.http.cdmi.handlers import Place
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.representations.representation import container_members, object_members, render
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Query
from op_worker.http.cdmi.requests.request import CdmiRequest
from op_worker.http.cdmi.serialization.descriptions import Described, described, with_given
from op_worker.http.cdmi.serialization.reading import KEY, Begun, CanonicalItems, Ended, ValueText
from op_worker.http.cdmi.serialization.serializing import source_of

Body = ObjectBody | ContainerBody


def is_asked_for(body: Body) -> bool:
    """Whether a body has a member of this module."""
    return body.deserialize is not None or body.deserializevalue is not None


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
        async with self._begun(caller, request, type_, body) as (items, top, begun):
            _check_domain(top, target)
            if present is not None:
                return await self._update(caller, present, items, top, begun)
            stat = await self._made(caller, target, items, top, begun)
        return await self._shown(caller, stat)

    async def make(self, caller: Caller, request: CdmiRequest, place: Place, body: ObjectBody) -> Answer:
        """Answer a POST: the object gets its id, if that is free, and it for a name. Raises: as ``write``."""
        async with self._begun(caller, request, FileType.REG, body) as (items, top, begun):
            guid = top.file.guid
            is_free = guid is not None and await self._files.restoring.is_free(guid)
            placed = await place.take(None, guid if is_free else None)
            _check_domain(top, placed.target)
            stat = await self._made(caller, placed.target, items, top, begun)
        return evolve(await self._shown(caller, stat), location=placed.location)

    @asynccontextmanager
    async def _begun(
        self, caller: Caller, request: CdmiRequest, type_: FileType, body: Body
    ) -> AsyncIterator[tuple[CanonicalItems, Described, Begun]]:
        """Give the source, from its value or its children on, and what it begins with."""
        async with self._source(caller, request, body) as source:
            items = CanonicalItems(_Wanted(source, request.is_gone))
            begun = await items.next()
            if not isinstance(begun, Begun):
                raise BadData(KEY, "there is nothing")
            top = described(begun)
            if top.file.type is not type_:
                raise BadData(KEY, "the source is of another kind")
            yield items, evolve(top, file=with_given(top.file, body.metadata)), begun

    async def _made(
        self, caller: Caller, target: Target, items: CanonicalItems, top: Described, begun: Begun
    ) -> FileStat:
        restoring = self._files.restoring
        tree, made = await restoring.begin(caller, target, top.file)
        try:
            if top.file.type is FileType.REG:
                value = _value(items, top, begun)
                await restoring.fill_top(tree, value)
                await _expect_end(items)
            else:
                await self._fill(tree, made, items, target)
            await _expect_nothing(items)
            return await restoring.finish(caller, tree, target)
        except BaseException:
            await restoring.give_up(tree)
            raise

    async def _fill(self, tree: DetachedTree, top: Made, items: CanonicalItems, target: Target) -> None:
        """Make what is in a container, up to its end."""
        opened = [top]
        while opened:
            item = await items.next()
            if isinstance(item, Ended):
                opened.pop()
                continue
            if not isinstance(item, Begun):
                raise BadData(KEY, "a container has children")
            child = described(item)
            _check_domain(child, target)
            if child.file.type is FileType.DIR:
                opened.append(await self._files.restoring.add_directory(tree, opened[-1], child.file))
            else:
                value = _value(items, child, item)
                await self._files.restoring.add_file(tree, opened[-1], child.file, value)
                await _expect_end(items)

    async def _update(
        self, caller: Caller, present: FileStat, items: CanonicalItems, top: Described, begun: Begun
    ) -> Answer:
        """Give an object the value and metadata that it was serialised with."""
        if top.file.guid is None or top.file.guid != present.guid:
            raise BadValueIdentifier("objectID")
        if present.type is FileType.DIR:
            return await self._update_container(caller, present, items, top)
        body = _Whole(items, _value(items, top, begun))
        await self._files.replace_content(
            caller, Target(present.guid), body, expected_b=None, metadata=top.file.metadata
        )
        return NO_CONTENT

    async def _update_container(
        self, caller: Caller, present: FileStat, items: CanonicalItems, top: Described
    ) -> Answer:
        if not isinstance(await items.next(), Ended):
            raise BadData(KEY, "children of a container that is there are not replaced")
        await _expect_nothing(items)
        if not top.file.metadata.is_empty:
            await self._files.metadata.change(caller, Target(present.guid), top.file.metadata)
        return NO_CONTENT

    @asynccontextmanager
    async def _source(self, caller: Caller, request: CdmiRequest, body: Body) -> AsyncIterator[ByteStream]:
        if body.deserialize is None:
            yield BytesStream(_decoded(body.deserializevalue or ""))
            return
        source = await source_of(self._locator, caller, request, body.deserialize)
        reader = await self._files.open_content(caller, Target(source.guid), Follow.NO)
        try:
            yield ReaderStream(reader)
        finally:
            await reader.close()

    async def _shown(self, caller: Caller, stat: FileStat) -> Answer:
        xattrs = await self._locator.changed_xattrs(caller, stat)
        if stat.type is FileType.DIR:
            return representation(Kind.CONTAINER, render(container_members(stat, xattrs, Query())), 201)
        return representation(Kind.OBJECT, render(object_members(stat, xattrs, Query())), 201)


@frozen(eq=False)
class _Wanted:
    """A body that ends when nobody waits for the answer any more."""

    _source: ByteStream
    _is_gone: Callable[[], bool]

    async def read(self) -> bytes:
        """Return the next piece. Raises: StreamBroken."""
        if self._is_gone():
            raise StreamBroken("the client went away")
        return await self._source.read()


@define(eq=False)
class _Value:
    """The bytes of the value of the resource that was begun last."""

    _items: CanonicalItems
    _decoder: ValueDecoder
    _is_over: bool = False

    async def read(self) -> bytes:
        """Return the next bytes."""
        while not self._is_over:
            item = await self._items.next()
            if not isinstance(item, ValueText):
                raise BadData(KEY, "a value that does not end")
            self._is_over = item.is_last
            if data := self._decoder.decode(item.text, is_last=item.is_last):
                return data
        return b""


@define(eq=False)
class _Whole:
    """A value that ends when all of the canonical JSON was read."""

    _items: CanonicalItems
    _value: ByteStream
    _is_over: bool = False

    async def read(self) -> bytes:
        """Return the next bytes."""
        data = b"" if self._is_over else await self._value.read()
        if not data and not self._is_over:
            self._is_over = True
            await _expect_end(self._items)
            await _expect_nothing(self._items)
        return data


def _value(items: CanonicalItems, resource: Described, begun: Begun) -> ByteStream:
    if not begun.has_value:
        return BytesStream(b"")
    return _Value(items, decoder_for(resource.encoding))


async def _expect_end(items: CanonicalItems) -> None:
    if not isinstance(await items.next(), Ended):
        raise BadData(KEY, "a data object has a value and nothing below it")


async def _expect_nothing(items: CanonicalItems) -> None:
    if await items.next() is not None:
        raise BadData(KEY, "something follows")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeError):
        raise BadData("base64", "the value is not base64") from None


def _check_domain(resource: Described, target: Target) -> None:
    """Raise BadData(``domainURI``) for a resource of another domain than the one where it will be."""
    if resource.domain not in (None, f"/cdmi_domains/{target.base.space_id}/"):
        raise BadData("domainURI", "the resource belongs to another domain")
