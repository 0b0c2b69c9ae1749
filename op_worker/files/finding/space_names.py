"""Spaces by the names that users give in paths."""

from __future__ import annotations

from attrs import frozen

from onedata.errors import Errno, Posix
from onedata.ids import FileGuid, SpaceId, space_root_guid
from op_worker.auth.caller import Caller
from op_worker.files.finding.access import Access
from op_worker.files.stored.paths import split_space_name


@frozen(eq=False)
class SpaceNames:
    """Finds the root of a space by ``Name``, ``Name@Id`` or its bare id."""

    _access: Access

    async def find(self, caller: Caller, text: str) -> FileGuid:
        """Return the root of a space of the caller.

        A name that several spaces have means the one that we support, if it is one.

        Raises: Posix(ENOENT); SpaceNotSupportedBy.
        """
        spaces = await self._access.known_spaces_of(caller)
        name, given_id = split_space_name(text)
        for space in spaces:
            if text == space.space_id or (given_id == space.space_id and name == space.name):
                return self._supported(space.space_id)
        named = [space.space_id for space in spaces if space.name == text]
        supported = list(filter(self._access.is_supported, named))
        if len(supported) == 1:
            return space_root_guid(supported[0])
        if len(named) == 1:
            raise self._access.not_supported(named[0])
        untold = await self._access.space_ids_of(caller)
        if given_id in untold or text in untold:
            raise self._access.not_supported(given_id if given_id in untold else text)
        raise Posix(Errno.ENOENT, "no such space, or several of this name")

    def _supported(self, space_id: SpaceId) -> FileGuid:
        if not self._access.is_supported(space_id):
            raise self._access.not_supported(space_id)
        return space_root_guid(space_id)
