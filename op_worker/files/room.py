"""Whether there is room for a body that is about to come."""

from __future__ import annotations

from onedata.errors import Errno, Posix
from op_worker.files import batches
from op_worker.files.access import Visit
from op_worker.files.context import FilesContext


async def require_room(context: FilesContext, visit: Visit, size_b: int) -> None:
    """Refuse early what cannot fit; the commit decides for good. Raises: Posix(ENOSPC)."""
    counters = await context.engine.counters(visit.scope)
    used_b = counters.get(batches.used_counter(visit.support.storage.storage_id), 0)
    if used_b + size_b > visit.support.size_b:
        raise Posix(Errno.ENOSPC, "the space has no room left")
