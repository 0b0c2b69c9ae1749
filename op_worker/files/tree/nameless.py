"""Files that are named by their ids, and files that have an id and no name at all.

The latter lie in a directory of their space that no entry of another directory leads to, so no listing,
walk or path ever meets it: its files are found by their ids alone. It is made when it is first needed.
"""

from __future__ import annotations

from attrs import frozen

from onedata.errors import Errno, Forbidden, Posix
from onedata.ids import FileGuid, FileUuid, SpaceId, nameless_uuid
from op_worker.auth.caller import Caller
from op_worker.files.context import FilesContext
from op_worker.files.model import Target
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored.paths import NAMELESS
from op_worker.files.translation import translated
from op_worker.files.tree.unlisted import unlisted_directory

_ADDING = Operation.ADD_OBJECT | Operation.TRAVERSE


@frozen(eq=False)
class Nameless:
    """Places for new files that get their ids before they are made. Raises what ``FileService`` raises."""

    _context: FilesContext

    def named_by_id(self, directory: Target, moved: FileGuid | None = None) -> Target:
        """Return the place in a directory for a file whose name is its object id: a new one, or ``moved``."""
        space_id = directory.base.space_id
        if moved is None or moved.space_id != space_id:  # another space gives another id
            moved = FileGuid(FileUuid(self._context.new_key()), space_id)
        return Target(directory.base, (*directory.names, moved.object_id()), moved.uuid)

    @translated
    async def place(
        self, caller: Caller, space_id: SpaceId | None = None, moved: FileGuid | None = None
    ) -> Target:
        """Return the place without a name for a new file, or for ``moved``, which is about to lose its name.

        Without a space it is the one of ``moved``, or else the first of the caller's, by name, that is
        supported here and that he may add to.

        Raises: Posix(EACCES, ENOENT); Forbidden; SpaceNotSupportedBy.
        """
        if space_id is None and moved is not None:
            space_id = moved.space_id
        if space_id is not None:
            return await self._place(caller, space_id, moved)
        for space in await self._context.access.spaces_of(caller):
            if self._context.access.is_supported(space.space_id):
                try:
                    return await self._place(caller, space.space_id, None)
                except (Posix, Forbidden) as refusal:
                    if isinstance(refusal, Posix) and refusal.errno not in (Errno.EACCES, Errno.EPERM):
                        raise
        raise Posix(Errno.EACCES, "there is no space to add to")

    async def _place(self, caller: Caller, space_id: SpaceId, moved: FileGuid | None) -> Target:
        async def attempt() -> None:
            visit = await self._context.access.enter(caller, space_id)
            uuid = nameless_uuid(space_id)
            directory = await unlisted_directory(self._context, visit, uuid, NAMELESS)
            await visit.require(directory, _ADDING)

        await self._context.transactions.retrying(space_id, attempt)
        return self.named_by_id(Target(FileGuid(nameless_uuid(space_id), space_id)), moved)
