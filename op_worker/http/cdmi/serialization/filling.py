"""Making resources of canonical JSON in a tree that appears as a whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from attrs import frozen

from cluster_worker.runtime.streams import ByteStream
from onedata.errors import BadData
from onedata.ids import SpaceId
from op_worker.auth.caller import Caller
from op_worker.files.content.detached import DetachedTree
from op_worker.files.content.restoring import Description, Made
from op_worker.files.model import FileStat, FileType, MetadataChange, Target
from op_worker.files.queues.values import ValueType
from op_worker.files.service import FileService
from op_worker.files.stored.queues import ENCODING, MIMETYPE, value_name
from op_worker.http.cdmi.bodies.sent_values import SentValues
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.serialization.descriptions import Described
from op_worker.http.cdmi.serialization.reading import KEY, CanonicalItems, Ended
from op_worker.http.cdmi.serialization.values import ValueJson, child_of, expect_end, expect_nothing, value_of


@frozen(eq=False)
class Filling:
    """Makes what is serialised."""

    _files: FileService

    async def make(
        self,
        caller: Caller,
        target: Target,
        resource: Described,
        items: CanonicalItems,
        domain: SpaceId | None,
        *,
        is_all: bool,
    ) -> FileStat:
        """Make a resource that was begun, with all in it, up to its end; nothing is left when that fails.

        Args:
            domain: see ``child_of``.
            is_all: whether nothing may follow it.
        """
        restoring = self._files.restoring
        tree, made = await restoring.begin(caller, target, resource.file)
        try:
            if resource.kind is Kind.CONTAINER:
                await self._children(tree, made, items, domain)
            elif resource.kind is Kind.QUEUE:
                await self._values(tree, made, items, resource)
            else:
                await restoring.fill_top(tree, value_of(items, resource))
                await expect_end(items)
            if is_all:
                await expect_nothing(items)
            return await restoring.finish(caller, tree, target)
        except BaseException:
            await restoring.give_up(tree)
            raise

    async def _children(
        self, tree: DetachedTree, top: Made, items: CanonicalItems, domain: SpaceId | None
    ) -> None:
        """Make what is in a container, up to its end."""
        above, restoring = [top], self._files.restoring
        while above:
            item = await items.next()
            if isinstance(item, Ended):
                above.pop()
                continue
            child = child_of(item, domain)
            if child.kind is Kind.OBJECT:
                await restoring.add_file(tree, above[-1], child.file, value_of(items, child))
                await expect_end(items)
                continue
            made = await restoring.add_directory(tree, above[-1], child.file)
            if child.kind is Kind.CONTAINER:
                above.append(made)
            else:
                await self._values(tree, made, items, child)

    async def _values(
        self, tree: DetachedTree, queue: Made, items: CanonicalItems, resource: Described
    ) -> None:
        """Make the values of a queue, up to its end."""
        numbers = resource.file.numbers or range(0)
        async for at, type_, value in values_of(items, resource):
            xattrs = {MIMETYPE: type_.mimetype, ENCODING: type_.encoding}
            file = Description(
                name=value_name(numbers[at]), type=FileType.REG, metadata=MetadataChange(set_xattrs=xattrs)
            )
            await self._files.restoring.add_file(tree, queue, file, value)


async def values_of(
    items: CanonicalItems, resource: Described
) -> AsyncGenerator[tuple[int, ValueType, ByteStream], None]:
    """Yield the values of a queue with their places, up to the queue's end; each is to be read to its end.

    Raises: BadData; MalformedData.
    """
    types, at = resource.types, 0

    def encoding_of(place: int) -> str:
        if place >= len(types):
            raise BadData(KEY, "there are more values than mimetypes")
        return types[place].encoding

    if resource.has_value:
        values = SentValues(ValueJson(items), encoding_of)
        while (value := await values.next()) is not None:
            yield at, types[at], value
            at += 1
    if at != len(types):
        raise BadData(KEY, "there are fewer values than mimetypes")
    await expect_end(items)
