"""Who sees what of a search: files that listings lead to, as they are now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, FirstError, gatherResults

from onedata.errors import OnedataError, Posix
from op_worker.files.context import FilesContext
from op_worker.files.finding.attributes import stat_of
from op_worker.files.finding.visit import Visit
from op_worker.files.model import FileStat
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored.nodes import Chain

_OPEN = Operation.LIST_CONTAINER | Operation.TRAVERSE


@define(eq=False)
class Viewing:
    """Decides what a caller sees: a file when listings lead to it, by its present place and permissions."""

    _context: FilesContext
    _visit: Visit
    _needs_metadata: bool
    _open: dict[str, bool] = field(factory=dict)

    async def shown(self, uuids: Sequence[str]) -> list[FileStat | None]:
        """Return what is shown of each file, ``None`` when it is gone or not to be seen."""
        asked: list[Deferred[Any]] = [Deferred.fromCoroutine(self._one(uuid)) for uuid in uuids]
        try:
            stats: list[FileStat | None] = await gatherResults(asked, consumeErrors=True)
        except FirstError as error:
            error.subFailure.raiseException()
        return stats

    async def _one(self, uuid: str) -> FileStat | None:
        visit = self._visit
        needed = Operation.READ_METADATA if self._needs_metadata else Operation.READ_ATTRIBUTES
        try:
            chain = await self._context.lookup.by_id(visit.space_id, uuid)
            if not await self._is_listed(chain):
                return None
            await visit.require(chain, needed)
        except Posix:
            return None
        return stat_of(chain, visit.space, visit.user_id)

    async def _is_listed(self, chain: Chain) -> bool:
        for depth in range(1, len(chain.nodes)):
            directory = Chain(chain.space_id, chain.nodes[:depth])
            key = directory.file.key
            if key not in self._open:
                try:
                    await self._visit.require(directory, _OPEN)
                except OnedataError:
                    self._open[key] = False
                else:
                    self._open[key] = True
            if not self._open[key]:
                return False
        return True
