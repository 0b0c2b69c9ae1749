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
from op_worker.files.content.restoring import Description
from op_worker.files.model import FileStat, FileType, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.serialization.descriptions import Described
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
            if child.file.type is FileType.DIR:
                last.append(b"")
                continue
            value = value_of(items, child)
            while await value.read():
                pass
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
                there = await self._taken(caller, level, child.file)
                if child.file.type is FileType.DIR:
                    levels.append(
                        await self._level(caller, await self._container(caller, level, child, there))
                    )
                else:
                    await self._object(caller, level, child, there, value_of(items, child))
                    await expect_end(items)
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

    async def _taken(self, caller: Caller, level: _Level, child: Description) -> FileStat | None:
        """Return the child of this name and kind, if there is one; another kind gives way."""
        there = level.ahead
        if there is None or there.name != child.name:
            return None
        level.ahead = await anext(level.present, None)
        if there.type is child.type:
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

    async def _object(
        self, caller: Caller, level: _Level, child: Described, there: FileStat | None, value: ByteStream
    ) -> None:
        if there is not None:
            await self._files.replace_content(
                caller, Target(there.guid), value, expected_b=None, metadata=child.file.metadata
            )
            return
        target, restoring = Target(level.target.base, (child.file.name,)), self._files.restoring
        tree, _ = await restoring.begin(caller, target, child.file)
        try:
            await restoring.fill_top(tree, value)
            await restoring.finish(caller, tree, target)
        except BaseException:
            await restoring.give_up(tree)
            raise
