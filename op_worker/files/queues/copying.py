"""Copies of whole queues. The values of a copy are numbered anew, from 0."""

from __future__ import annotations

from collections.abc import AsyncIterator

from attrs import evolve, frozen

from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.metadata.metadata_checks import checked
from op_worker.files.model import CreateOptions, FileStat, MetadataChange, Target
from op_worker.files.queues.adding import Adding
from op_worker.files.queues.making import Making
from op_worker.files.queues.reading import QueueReading
from op_worker.files.queues.transferring import Transferring
from op_worker.files.queues.values import MAX_VALUES, QueuedValue, StagedValue
from op_worker.files.removing.removal import Removal
from op_worker.files.stored.nodes import Chain


@frozen(eq=False)
class QueueCopies:
    """Copies queues; implements ``content.copying.CopiesQueues``."""

    _context: FilesContext
    _making: Making
    _adding: Adding
    _removal: Removal
    _reading: QueueReading
    _transferring: Transferring

    async def copy(
        self,
        visit: Visit,
        source: Chain,
        at: Target,
        options: CreateOptions,
        custom: MetadataChange,
        *,
        is_apart: bool,
    ) -> FileStat:
        """Copy a queue that may be read; up to 1000 values appear with it, more of them in further steps.

        Nothing is left of a copy that fails. Raises: Posix(EEXIST); as ``FileService.copy``.
        """
        change = await checked(self._context.blocking, custom)
        caller = visit.caller
        into, _, _ = await self._making.place(caller, at, options)
        pages = _pages(self._reading.every(visit, source, None))
        first = await self._staged(into, await anext(pages), is_apart)

        async def attempt() -> FileStat:
            into, directory, name = await self._making.place(caller, at, options)
            key = self._context.key_for(at)
            return await self._making.make(into, directory, name, key, options, change, first)

        stat = await self._adding.keeping(at.base.space_id, first, attempt)
        try:
            async for values in pages:
                staged = await self._staged(into, values, is_apart)
                await self._add(into, Target(stat.guid), staged)
        except BaseException:
            await self._removal.discard(caller, Target(stat.guid))
            raise
        return stat

    async def _staged(self, into: Visit, values: list[QueuedValue], is_apart: bool) -> list[StagedValue]:
        staged = await self._transferring.stage(into, values)
        return [evolve(value, is_apart=is_apart) for value in staged]

    async def _add(self, into: Visit, target: Target, staged: list[StagedValue]) -> None:
        async def attempt() -> range:
            visit, queue = await self._context.chain(into.caller, target)
            return await self._adding.add(visit, queue, staged)

        await self._adding.keeping(into.space_id, staged, attempt)


async def _pages(values: AsyncIterator[QueuedValue]) -> AsyncIterator[list[QueuedValue]]:
    """Yield the values in lists of up to so many as one commit may have; the first list may be empty."""
    page: list[QueuedValue] = []
    async for value in values:
        if len(page) == MAX_VALUES:
            yield page
            page = []
        page.append(value)
    yield page
