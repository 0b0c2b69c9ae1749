"""Whether there is room for content that is about to come; the commit decides for good."""

from __future__ import annotations

from op_worker.files.charging.rooms import wanted
from op_worker.files.context import FilesContext
from op_worker.files.finding.lookup import Found
from op_worker.files.finding.visit import Visit
from op_worker.files.stored.charges import refusal
from op_worker.files.stored.nodes import Chain

ASK_FIRST_B = 1 << 20
"""For content announced longer than this the room is looked at before it is received."""


async def require_room(context: FilesContext, visit: Visit, found: Found, size_b: int) -> None:
    """Return when a whole content fits where a walk ended. Raises: Posix(ENOSPC, EDQUOT)."""
    if found.missing:
        await _require(context, visit, visit.user_id, found.chain, size_b)
        return
    location = found.chain.file.location
    await require_growth(context, visit, found.chain, size_b - (0 if location is None else location.held_b))


async def require_growth(context: FilesContext, visit: Visit, chain: Chain, growth_b: int) -> None:
    """Return when a file may hold so many bytes more. Raises: Posix(ENOSPC, EDQUOT)."""
    await _require(context, visit, chain.file.meta.owner, chain.above, growth_b)


async def _require(context: FilesContext, visit: Visit, owner: str, directory: Chain, growth_b: int) -> None:
    room = await context.rooms.of(visit)
    counters = await context.engine.counters(visit.scope)
    storage_id = visit.support.storage.storage_id
    refused = refusal(room, wanted(room, owner, directory), storage_id, counters, growth_b)
    if refused is not None:
        raise refused
