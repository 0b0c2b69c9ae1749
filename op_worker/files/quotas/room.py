"""Whether there is room for content that is about to come; the commit decides for good."""

from __future__ import annotations

from collections.abc import Sequence

from op_worker.files.charging.rooms import wanted
from op_worker.files.context import FilesContext
from op_worker.files.finding.lookup import Found
from op_worker.files.finding.visit import Visit
from op_worker.files.stored.charges import refusal
from op_worker.files.stored.nodes import Chain

ASK_FIRST_B = 1 << 20
"""For content announced longer than this the room is looked at before it is received."""


async def require_room(context: FilesContext, visit: Visit, found: Found, size_b: int) -> None:
    """Return when a whole content fits where a walk ended, on any storage. Raises: Posix(ENOSPC, EDQUOT)."""
    storages = list(visit.support.sizes_b)
    if found.missing:
        await _require(context, visit, visit.user_id, found.chain, size_b, storages)
        return
    chain, location = found.chain, found.chain.file.location
    growth_b = size_b - (0 if location is None else location.held_b)
    await _require(context, visit, chain.file.meta.owner, chain.above, growth_b, storages)


async def require_growth(context: FilesContext, visit: Visit, chain: Chain, growth_b: int) -> None:
    """Return when a file may hold so many bytes more where it lies. Raises: Posix(ENOSPC, EDQUOT)."""
    location = chain.file.location
    storages = [visit.support.storage.storage_id if location is None else location.storage_id]
    await _require(context, visit, chain.file.meta.owner, chain.above, growth_b, storages)


async def _require(
    context: FilesContext,
    visit: Visit,
    owner: str,
    directory: Chain,
    growth_b: int,
    storages: Sequence[str],
) -> None:
    """Return when one of the storages at least has the room."""
    room = await context.rooms.of(visit)
    counters = await context.engine.counters(visit.scope)
    charges = wanted(room, owner, directory)
    refusals = [refusal(room, charges, storage_id, counters, growth_b) for storage_id in storages]
    if None not in refusals and refusals[0] is not None:
        raise refusals[0]
