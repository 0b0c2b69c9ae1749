"""Spaces by the names that users give in paths."""

from __future__ import annotations

from attrs import frozen

from onedata.errors import Errno, Posix
from onedata.ids import FileGuid, SpaceId, space_root_guid
from op_worker.auth.caller import Caller
from op_worker.files.access import Access
from op_worker.files.paths import split_space_name


@frozen(eq=False)
class SpaceNames:
    """Finds the root of a space by ``Name``, ``Name@Id`` or its bare id."""

    _access: Access

    async def find(self, caller: Caller, text: str) -> FileGuid:
        """Return the root of a space of the caller. Raises: Posix(ENOENT); SpaceNotSupportedBy."""
        spaces = await self._access.spaces_of(caller)
        name, given_id = split_space_name(text)
        for space in spaces:
            if text == space.space_id or (given_id == space.space_id and name == space.name):
                return self._supported(space.space_id)
        named = [space for space in spaces if space.name == text]
        if len(named) == 1:
            return self._supported(named[0].space_id)
        user = await self._access.user(caller)
        if given_id in user.spaces or text in user.spaces:
            raise self._access.not_supported(given_id if given_id in user.spaces else text)
        raise Posix(Errno.ENOENT, "no such space, or several of this name")

    def _supported(self, space_id: SpaceId) -> FileGuid:
        if self._access.storages.for_space(space_id) is None:
            raise self._access.not_supported(space_id)
        return space_root_guid(space_id)
