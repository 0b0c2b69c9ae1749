"""The values of serialised resources as bodies, and the ends that must follow them."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, frozen

from cluster_worker.runtime.streams import BytesStream, ByteStream, StreamBroken
from onedata.errors import BadData
from onedata.ids import SpaceId
from op_worker.http.cdmi.bodies.decoding import ValueDecoder, decoder_for
from op_worker.http.cdmi.serialization.descriptions import Described, check_domain, described
from op_worker.http.cdmi.serialization.reading import KEY, Begun, CanonicalItems, Ended, Item, ValueText


@frozen(eq=False)
class Wanted:
    """A body that ends when nobody waits for the answer any more."""

    _source: ByteStream
    _is_gone: Callable[[], bool]

    async def read(self) -> bytes:
        """Return the next piece. Raises: StreamBroken."""
        if self._is_gone():
            raise StreamBroken("the client went away")
        return await self._source.read()


@define(eq=False)
class Value:
    """The bytes of the value of the resource that was begun last."""

    _items: CanonicalItems
    _decoder: ValueDecoder
    _is_over: bool = False

    async def read(self) -> bytes:
        """Return the next bytes."""
        while not self._is_over:
            item = await _text_of_value(self._items)
            self._is_over = item.is_last
            if data := self._decoder.decode(item.text, is_last=item.is_last):
                return data
        return b""


@define(eq=False)
class ValueJson:
    """The JSON text of the value of the resource that was begun last."""

    _items: CanonicalItems
    _is_over: bool = False

    async def read(self) -> bytes:
        """Return the next piece."""
        while not self._is_over:
            item = await _text_of_value(self._items)
            self._is_over = item.is_last
            if item.text:
                return item.text
        return b""


@define(eq=False)
class WholeValue:
    """A value that ends when all of the canonical JSON was read."""

    _items: CanonicalItems
    _value: ByteStream
    _is_over: bool = False

    async def read(self) -> bytes:
        """Return the next bytes."""
        data = b"" if self._is_over else await self._value.read()
        if not data and not self._is_over:
            self._is_over = True
            await expect_end(self._items)
            await expect_nothing(self._items)
        return data


async def _text_of_value(items: CanonicalItems) -> ValueText:
    item = await items.next()
    if not isinstance(item, ValueText):
        raise BadData(KEY, "a value that does not end")
    return item


def value_of(items: CanonicalItems, resource: Described) -> ByteStream:
    """Return the bytes of the value of a resource that was begun."""
    if not resource.has_value:
        return BytesStream(b"")
    return Value(items, decoder_for(resource.encoding))


async def expect_end(items: CanonicalItems) -> None:
    """Read the end of a data object. Raises: BadData."""
    if not isinstance(await items.next(), Ended):
        raise BadData(KEY, "a data object has a value and nothing below it")


async def expect_nothing(items: CanonicalItems) -> None:
    """Read the end of the whole. Raises: BadData."""
    if await items.next() is not None:
        raise BadData(KEY, "something follows")


async def begun(items: CanonicalItems) -> Begun:
    """Return the resource that canonical JSON begins with. Raises: BadData."""
    first = await items.next()
    if not isinstance(first, Begun):
        raise BadData(KEY, "there is nothing")
    return first


def child_of(item: Item | None, domain: SpaceId | None) -> Described:
    """Return the child of a container that begins here.

    Args:
        domain: the space whose domain it must belong to, unless it says nothing; ``None`` for any.

    Raises:
        BadData: it is no resource, or of another domain (key ``domainURI``).
    """
    if not isinstance(item, Begun):
        raise BadData(KEY, "a container has children and no value")
    child = described(item)
    if domain is not None:
        check_domain(child, domain)
    return child
