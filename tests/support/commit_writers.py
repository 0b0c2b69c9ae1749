"""Writers that commit as fast as they can, and know afterwards what must be stored."""

from __future__ import annotations

from attrs import define, field

from cluster_worker.persistence.engine import (
    Add,
    Batch,
    Document,
    Engine,
    Key,
    Link,
    OutcomeUnknown,
    PersistenceUnavailable,
    Put,
    Scope,
    Seq,
)

ROOT = Key("root")


def creation(name: str) -> Batch:
    """Return a batch of four steps that belong together."""
    key = Key(name)
    steps = [Put(key, "meta", b"m", expect=0), Put(key, "times", b"t", expect=0)]
    return Batch([*steps, Link(ROOT, name.encode(), name.encode()), Add("files", 1)], [key])


@define
class Writers:
    """Several writers that go on until told to stop, and remember what came of each commit."""

    engine: Engine
    scope: Scope
    acknowledged: set[str] = field(factory=set)
    unknown: set[str] = field(factory=set)
    refused: set[str] = field(factory=set)
    stopped: bool = False

    async def run(self, writer: int) -> None:
        number = 0
        while not self.stopped:
            number += 1
            name = f"{writer}-{number}"
            try:
                await self.engine.commit(self.scope, creation(name))
                self.acknowledged.add(name)
            except OutcomeUnknown:
                self.unknown.add(name)
            except PersistenceUnavailable:
                self.refused.add(name)

    async def check(self) -> None:
        """Compare what is stored with what was said."""
        await self.check_copy(self.engine, self.acknowledged)

    async def check_copy(self, engine: Engine, at_least: set[str]) -> None:
        """Demand that a copy has what was acknowledged by some moment, and nothing that is not whole."""
        entries = await engine.page(self.scope, ROOT, None, 10**6, ["meta", "times"])
        stored: set[str] = {one.key for one in entries}
        assert stored >= at_least
        assert not stored & self.refused
        assert stored <= self.acknowledged | self.unknown
        whole = {"meta": Document(1, b"m"), "times": Document(1, b"t")}
        assert all(one.documents == whole for one in entries)
        assert await engine.counters(self.scope) == {"files": len(stored)}
        changes = await engine.changes(self.scope, Seq(0), 10**6)
        assert [change.seq for change in changes] == list(range(1, len(stored) + 1))
