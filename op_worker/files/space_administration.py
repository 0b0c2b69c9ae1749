"""Settings of a space, as its members see them and those with ``space_update`` change them."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from onedata.ids import SpaceId
from op_worker.auth.caller import Caller
from op_worker.files.context import FilesContext
from op_worker.files.settings import SpaceSettings
from op_worker.files.translation import translated


@frozen(eq=False)
class SpaceAdministration:
    """Reads and changes the settings of spaces. Raises what ``FileService`` raises."""

    _context: FilesContext

    @translated
    async def settings(self, caller: Caller, space_id: SpaceId) -> SpaceSettings:
        """Return the settings of a space. Raises: Forbidden to strangers; SpaceNotSupportedBy."""
        await self._context.access.enter(caller, space_id)
        return await self._context.settings.of(space_id)

    @translated
    async def change_settings(self, caller: Caller, space_id: SpaceId, **changes: Any) -> SpaceSettings:
        """Change those settings that are named. Raises: Forbidden without ``space_update``."""
        visit = await self._context.access.enter(caller, space_id)
        visit.require_privilege("space_update")
        settings = self._context.settings
        return await self._context.transactions.retrying(
            space_id, lambda: settings.change(space_id, **changes)
        )
