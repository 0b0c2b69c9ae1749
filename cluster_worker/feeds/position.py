"""How far a reader got, kept in the scope that it reads: one node reads at a time, and none repeats."""

from __future__ import annotations

from attrs import define, field

from cluster_worker.persistence.engine import ABSENT, Engine, Key, Put, Scope, Seq

POSITIONS = Key("positions")
"""The document whose fields are the positions of a scope's readers."""
LEASE_S = 15.0


@define(eq=False)
class SharedPosition:
    """The position of a reader that all nodes share.

    A lease keeps two nodes from doing the same work; that work counts once is ensured by ``step``, which
    belongs into the commit of the results and fails when another node was faster.
    """

    engine: Engine
    reader: str
    node_name: str
    _revisions: dict[Scope, int] = field(factory=dict)

    async def load(self, scope: Scope) -> Seq | None:
        """Return the position, 0 at the beginning; ``None`` while another node reads."""
        name = f"reader:{self.reader}:{scope}"
        if await self.engine.acquire(name, self.node_name, LEASE_S) is None:
            return None
        found = (await self.engine.get(scope, POSITIONS, [self.reader])).get(self.reader)
        self._revisions[scope] = ABSENT if found is None else found.revision
        return Seq(0 if found is None else int.from_bytes(found.data, "big"))

    def step(self, scope: Scope, seq: Seq) -> Put:
        """Return the step that moves the position, as last loaded, to ``seq``; once for each ``load``."""
        return Put(POSITIONS, self.reader, seq.to_bytes(8, "big"), expect=self._revisions[scope])
