"""How large a file in blocks is: the last block tells."""

from __future__ import annotations

from attrs import frozen

from cluster_worker.runtime.together import together
from op_worker.storage.objects.access import ObjectAccess, or_missing
from op_worker.storage.objects.layout import MOST_BLOCKS, Layout
from op_worker.storage.objects.store import ObjectStat, SupportsListingObjects


@frozen
class FoundFile:
    """A file in blocks: its size, and when its last block changed."""

    size_b: int
    mtime_s: float


async def last_block(access: ObjectAccess, layout: Layout, base: str) -> FoundFile | None:
    """Return what the last block tells of the file at ``base``; ``None`` when it has none.

    One listing where the store lists. Elsewhere blocks are tried, about twice as many as their number has
    digits in binary; a file with holes in place of whole blocks may then seem shorter than it is.
    """
    if access.lists is not None:
        return await _listed(access.lists, layout, base)
    return await _tried(access, layout, base)


async def _listed(lists: SupportsListingObjects, layout: Layout, base: str) -> FoundFile | None:
    page = await lists.list(base + "/", limit=1)
    for found in page.objects:
        index = layout.index(base, found.key)
        if index is not None:
            return FoundFile(layout.size(index, found.size_b), found.mtime_s)
    return None


async def _tried(access: ObjectAccess, layout: Layout, base: str) -> FoundFile | None:
    async def stat(index: int) -> ObjectStat | None:
        return await or_missing(access.store.stat(layout.key(base, index)))

    last, following = await together([stat(0), stat(1)])
    if last is None:
        return None
    there, beyond = 0, 1
    while following is not None:
        last, there, beyond = following, beyond, min(2 * beyond, MOST_BLOCKS)
        following = await stat(beyond) if beyond < MOST_BLOCKS else None
    while beyond - there > 1:
        middle = (there + beyond) // 2
        found = await stat(middle)
        if found is None:
            beyond = middle
        else:
            there, last = middle, found
    return FoundFile(layout.size(there, last.size_b), last.mtime_s)
