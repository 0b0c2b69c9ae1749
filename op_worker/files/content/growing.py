"""Contents that grow over many requests, at any node, until they are made files.

They do not go with the life of a node; whoever keeps the records of them tells which ones are still wanted.
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
from op_worker.files.stored.intents import INTENTS, FileWork, Intent, IntentKind
from op_worker.files.stored.landings import Landing
from op_worker.files.stored.paths import GROWING, STAGING, staging_path
from op_worker.files.translation import translated
from op_worker.storage.helper import StorageError, StorageFile, StoragePath


@frozen
class Grown:
    """A content that has all its bytes: on which storage, by which name, and what it is."""

    storage_id: str
    name: str
    size_b: int
    sha256: bytes


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
        wanted = self._replacing.wanted(request, found)
        chosen = (await self._context.choosing.storages(visit.support, wanted, size_b))[0]
        return (await self._context.storage_for(visit, chosen)).storage_id

    async def open(self, space_id: SpaceId, storage_id: str, name: str) -> StorageFile:
        """Open the bytes, a file that is made when it is missing; its calls raise StorageError.

        Raises: StorageError.
        """
        landing = self._landing(space_id, storage_id, name)
        return await self._context.storage(storage_id).helper.open_write(landing.path)

    @translated
    async def place(
        self,
        caller: Caller,
        target: Target,
        create: CreateOptions,
        grown: Grown,
        also: Sequence[Step],
    ) -> FileStat:
        """Make a file of a content, or replace a file's.

        ``also`` is committed with it. When this raises, the content stays as it is.

        Raises: as ``FileService.replace_content``.
        """
        space_id = target.base.space_id
        request = Request(caller, target, grown.size_b, create, MetadataChange(), also=also)
        landing = self._landing(space_id, grown.storage_id, grown.name)
        stat = await self._replacing.place(request, Staged(landing, grown.size_b, grown.sha256))
        self._context.tallies.wrote(space_id, caller.user_id, grown.size_b)
        return stat

    @translated
    async def discarding(self, space_id: SpaceId, storage_id: str, name: str) -> Intent:
        """Return the removal of a content, to be committed with the end of its record, then ``discard``ed."""
        landing, storage = self._landing(space_id, storage_id, name), self._context.storage(storage_id)
        return self._context.journal.new(IntentKind.REMOVE, storage, name, landing.path)

    async def discard(self, space_id: SpaceId, removal: Intent) -> None:
        """Carry out the removal of a content that no record speaks of any more; later when this fails."""
        await self._context.journal.carry_out_files(space_id, [FileWork(removal)])

    @translated
    async def sweep(self, space_id: SpaceId, is_wanted: Callable[[str], Awaitable[bool]]) -> None:
        """Remove the contents of a space that are neither wanted nor on their way to a file's place."""
        support = self._context.storages.for_space(space_id)
        named = None if support is None else support.named
        if named is None or named.directories is None:
            return  # nothing is lost elsewhere: what ends a record has the bytes removed
        try:
            names = await named.directories.list_directory(StoragePath(f"{space_id}/{STAGING}"))
        except StorageError:
            return  # nothing was ever staged there
        for name in names:
            path = staging_path(space_id, name)
            if not name.startswith(GROWING) or await is_wanted(name.removeprefix(GROWING)):
                continue
            documents = await self._context.engine.get_all(Scope(space_id), INTENTS)
            if path not in {Intent.decode(document.data).source for document in documents.values()}:
                await named.helper.remove(path)

    def _landing(self, space_id: SpaceId, storage_id: str, name: str) -> Landing:
        support = self._context.storages.for_space(space_id)
        if support is None:
            raise self._context.access.not_supported(space_id)
        return self._context.places.growing(support, self._context.storage(storage_id), name)

    def spaces(self) -> list[SpaceId]:
        """Return every supported space."""
        return [support.space_id for support in self._context.storages.supported()]
