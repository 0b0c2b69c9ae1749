"""Children of a directory by their names: what a caller sees whose token is confined to some of them."""

from __future__ import annotations

from collections.abc import Iterable

from cluster_worker.persistence.engine import Engine
from op_worker.files.finding.visit import Visit
from op_worker.files.stored.documents import BASE
from op_worker.files.stored.nodes import Chain, Node


async def named_children(engine: Engine, visit: Visit, directory: Chain, names: Iterable[str]) -> list[Node]:
    """Return the children with these names that exist, in name order."""
    found = []
    for raw in sorted(name.encode("utf-8", "surrogatepass") for name in names):
        walked = await engine.resolve(visit.scope, directory.file.key, [raw], BASE)
        if len(walked) > 1:
            found.append(Node.found(walked[1]))
    return [node for node in found if node.exists]
