"""Extended attributes of the files on one page of a listing, read together."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from cluster_worker.persistence.engine import Engine
from onedata.errors import Posix
from op_worker.files.finding.visit import Visit
from op_worker.files.metadata.custom import shown_xattrs
from op_worker.files.model import FileStat
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored.documents import XATTRS
from op_worker.files.stored.nodes import Chain

MOST_B = 8 << 20
"""A page ends with the file whose extended attributes bring it above so many bytes."""


async def with_xattrs(
    engine: Engine, visit: Visit, listed: Sequence[tuple[Chain, FileStat]], names: frozenset[str]
) -> list[FileStat]:
    """Return the files with those of their extended attributes that the caller may read.

    One round trip to the store. Fewer files, but at least one, when their attributes are too large for
    one page.
    """
    if not names or not listed:
        return [stat for _, stat in listed]
    having = [at for at, (chain, _) in enumerate(listed) if await _is_readable(visit, chain)]
    keys = [listed[at][0].file.key for at in having]
    found = await engine.get_many(visit.scope, keys, [XATTRS], MOST_B)
    end = len(listed) if len(found) == len(keys) else having[len(found)]
    stats = [stat for _, stat in listed[:end]]
    for at, documents in zip(having, found, strict=False):
        xattrs = shown_xattrs(documents, internal=False)
        wanted = {name: value for name, value in xattrs.items() if name in names}
        stats[at] = evolve(stats[at], xattrs=wanted)
    return stats


async def _is_readable(visit: Visit, chain: Chain) -> bool:
    if not chain.file.meta.has_metadata:
        return False
    try:
        await visit.require(chain, Operation.READ_METADATA)
    except Posix:
        return False
    return True
