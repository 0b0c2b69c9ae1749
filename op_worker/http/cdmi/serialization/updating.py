"""Containers that are there, made like their serialised selves: child by child, in order of names.

The source is read twice: once to know that all of it can be used, then to use it. So garbage changes
nothing; but what the file service refuses then leaves what was done before.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from attrs import define, frozen

from cluster_worker.runtime.streams import ByteStream
from onedata.errors import BadData
from onedata.ids import SpaceId
from op_worker.auth.caller import Caller
from op_worker.files.model import FileStat, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.representations.representation import kind_of
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.serialization.descriptions import Described
from op_worker.http.cdmi.serialization.filling import Filling, values_of
from op_worker.http.cdmi.serialization.reading import KEY, CanonicalItems, Ended
from op_worker.http.cdmi.serialization.values import child_of, expect_end, expect_nothing, value_of
from op_worker.serialization.walk import CanonicalWalk


@define(eq=False)
class _Level:
    """A container that is being updated: the children that it has and that come next."""

    target: Target
    present: AsyncGenerator[FileStat, None]
    ahead: FileStat | None = None


@frozen(eq=False)
class ContainerUpdates:
    """Updates of containers by canonical JSON."""

    _files: FileService

    async def check(
        self, caller: Caller, items: CanonicalItems, space_id: SpaceId, domain: SpaceId | None
    ) -> None:
        """Read what is in a container, up to the end of the whole, and demand that all of it can be used.

        Args:
            domain: see ``child_of``.

        Raises: BadData; as ``Restoring.check``.
        """
        last: list[bytes] = [b""]
        while last:
            item = await items.next()
            if isinstance(item, Ended):
                last.pop()
                continue
            child = child_of(item, domain)
            name = child.file.name.encode()
            if name <= last[-1]:
                raise BadData(KEY, "children of a container that is there come in order of their names")
            last[-1] = name
            await self._files.restoring.check(caller, space_id, child.file)
            if child.kind is Kind.CONTAINER:
                last.append(b"")
            elif child.kind is Kind.QUEUE:
                async for _, _, value in values_of(items, child):
                    await _drain(value)
            else:
                await _drain(value_of(items, child))
                await expect_end(items)
        await expect_nothing(items)

    async def apply(self, caller: Caller, present: FileStat, items: CanonicalItems) -> None:
        """Make what is in a container like it was: children are updated, made and removed.

        What the caller may not read, and so was not serialised for him, stays.
        """
        levels = [await self._level(caller, Target(present.guid))]
        try:
            while levels:
                level, item = levels[-1], await items.next()
                if isinstance(item, Ended):
                    await self._remove_up_to(caller, level, None)
                    levels.pop()
                    continue
                child = child_of(item, None)
                await self._remove_up_to(caller, level, child.file.name)
                there = await self._taken(caller, level, child)
                if child.kind is Kind.CONTAINER:
                    inner = await self._container(caller, level, child, there)
                    levels.append(await self._level(caller, inner))
                else:
                    await self._leaf(caller, level, child, there, items)
        finally:
            for level in levels:
                await level.present.aclose()
        await expect_nothing(items)

    async def _level(self, caller: Caller, target: Target) -> _Level:
        present = CanonicalWalk(self._files.context, caller).children(target)
        return _Level(target, present, await anext(present, None))

    async def _remove_up_to(self, caller: Caller, level: _Level, name: str | None) -> None:
        """Remove the children that come before a name and were not met: they were not there."""
        while level.ahead is not None and (name is None or level.ahead.name.encode() < name.encode()):
            await self._files.remove(caller, Target(level.ahead.guid))
            level.ahead = await anext(level.present, None)

    async def _taken(self, caller: Caller, level: _Level, child: Described) -> FileStat | None:
        """Return the child of this name and kind, if there is one; another kind gives way, and queues do."""
        there = level.ahead
        if there is None or there.name != child.file.name:
            return None
        level.ahead = await anext(level.present, None)
        if kind_of(there) is child.kind and child.kind is not Kind.QUEUE:
            return there
        await self._files.remove(caller, Target(there.guid))
        return None

    async def _container(
        self, caller: Caller, level: _Level, child: Described, there: FileStat | None
    ) -> Target:
        if there is None:
            target = Target(level.target.base, (child.file.name,))
            restoring = self._files.restoring
            tree, _ = await restoring.begin(caller, target, child.file)
            return Target((await restoring.finish(caller, tree, target)).guid)
        if not child.file.metadata.is_empty:
            await self._files.metadata.change(caller, Target(there.guid), child.file.metadata)
        return Target(there.guid)

    async def _leaf(
        self, caller: Caller, level: _Level, child: Described, there: FileStat | None, items: CanonicalItems
    ) -> None:
        if there is None:
            target = Target(level.target.base, (child.file.name,))
            await Filling(self._files).make(caller, target, child, items, None, is_all=False)
            return
        value, change = value_of(items, child), child.file.metadata
        await self._files.replace_content(caller, Target(there.guid), value, expected_b=None, metadata=change)
        await expect_end(items)


async def _drain(value: ByteStream) -> None:
    while await value.read():
        pass
