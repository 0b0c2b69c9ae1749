"""Contents that grow in staging files of their own over many requests, at any node, until they are placed.

Their names begin with ``GROWING``, so they do not go with the life of a node; whoever keeps the records of
them tells which ones are still wanted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from attrs import frozen

from cluster_worker.persistence.engine import Scope, Step
from onedata.ids import SpaceId
from op_worker.auth.caller import Caller
from op_worker.files.content.replacing import Replacing, Request
from op_worker.files.content.staging import Staged
from op_worker.files.context import FilesContext
from op_worker.files.model import CreateOptions, FileStat, MetadataChange, Target
from op_worker.files.quotas.room import require_room
from op_worker.files.stored.intents import INTENTS, Intent
from op_worker.files.stored.paths import GROWING, STAGING, staging_path
from op_worker.files.translation import translated
from op_worker.storage.helper import StorageError, StorageFile, StoragePath


@frozen(eq=False)
class GrowingContents:
    """Begins, opens, places and drops such contents. Raises what ``FileService`` raises, but ``open``."""

    _context: FilesContext
    _replacing: Replacing

    @translated
    async def begin(self, caller: Caller, target: Target, create: CreateOptions, size_b: int) -> str:
        """Return the id of the storage for a content that the caller may make a file of.

        Raises: Posix(EEXIST, EACCES, ENOSPC...).
        """
        request = Request(caller, target, size_b, create, MetadataChange())
        visit, found = await self._context.transactions.retrying(
            target.base.space_id, lambda: self._replacing.allowed(request)
        )
        await require_room(self._context, visit, found, size_b)
        return (await self._context.storage_for(visit, visit.support.storage)).storage_id

    async def open(self, space_id: SpaceId, storage_id: str, name: str) -> StorageFile:
        """Open the staging file, which is made when it is missing; its calls raise StorageError.

        Raises: StorageError.
        """
        storage = self._context.storage(storage_id)
        return await storage.helper.open_write(staging_path(space_id, GROWING + name))

    @translated
    async def place(
        self,
        caller: Caller,
        target: Target,
        create: CreateOptions,
        storage_id: str,
        staged: Staged,
        also: Sequence[Step],
    ) -> FileStat:
        """Make a file of a content, or replace a file's; ``staged.name`` is without the prefix.

        ``also`` is committed with it. When this raises, the content stays as it is.

        Raises: as ``FileService.replace_content``.
        """
        request = Request(caller, target, staged.size_b, create, MetadataChange(), also=also)
        named = Staged(GROWING + staged.name, staged.size_b, staged.sha256)
        stat = await self._replacing.place(request, self._context.storage(storage_id), named)
        self._context.tallies.wrote(target.base.space_id, caller.user_id, staged.size_b)
        return stat

    @translated
    async def discard(self, space_id: SpaceId, storage_id: str, name: str) -> None:
        """Remove a content that no record speaks of any more."""
        storage = self._context.storage(storage_id)
        await storage.helper.remove(staging_path(space_id, GROWING + name))

    @translated
    async def sweep(self, space_id: SpaceId, is_wanted: Callable[[str], Awaitable[bool]]) -> None:
        """Remove the contents of a space that are neither wanted nor on their way to a file's place."""
        support = self._context.storages.for_space(space_id)
        if support is None or support.storage.directories is None:
            return
        try:
            names = await support.storage.directories.list_directory(StoragePath(f"{space_id}/{STAGING}"))
        except StorageError:
            return  # nothing was ever staged there
        for name in names:
            path = staging_path(space_id, name)
            if not name.startswith(GROWING) or await is_wanted(name.removeprefix(GROWING)):
                continue
            documents = await self._context.engine.get_all(Scope(space_id), INTENTS)
            if path not in {Intent.decode(document.data).source for document in documents.values()}:
                await support.storage.helper.remove(path)

    def spaces(self) -> list[SpaceId]:
        """Return every supported space."""
        return [support.space_id for support in self._context.storages.supported()]
