"""How far a reader got, kept in the scope that it reads: one node reads at a time, and none repeats."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import ABSENT, Engine, Key, Lease, PersistenceError, Put, Scope, Seq
from cluster_worker.persistence.leases import take

POSITIONS = Key("positions")
"""The document whose fields are the positions of a scope's readers."""
LEASE_S = 15.0
_RENEW_S = LEASE_S / 3


@define(eq=False)
class _Held:
    """A position as this node knows it. ``is_sure`` until a step was given out that was not ``moved``."""

    lease: Lease
    renewed_s: float
    seq: Seq
    revision: int
    is_sure: bool = True


@define(eq=False)
class SharedPosition:
    """The position of a reader that all nodes share.

    A lease keeps two nodes from doing the same work; that work counts once is ensured by ``step``, which
    belongs into the commit of the results and fails when another node was faster. While this node holds
    the lease and its commits succeed, it knows the position by itself and asks nobody.
    """

    engine: Engine
    reader: str
    node_name: str
    clock: IReactorTime
    _held: dict[Scope, _Held] = field(factory=dict)

    async def load(self, scope: Scope) -> Seq | None:
        """Return the position, 0 at the beginning; ``None`` while another node reads."""
        now_s, held = self.clock.seconds(), self._held.get(scope)
        if held is not None and held.is_sure and now_s - held.renewed_s < _RENEW_S:
            return held.seq
        lease = await take(self.engine, f"reader:{self.reader}:{scope}", self.node_name, LEASE_S)
        if lease is None:
            self._held.pop(scope, None)
            return None
        if held is not None and held.is_sure and held.lease.token == lease.token:
            held.renewed_s = now_s
            return held.seq
        return await self._read(scope, lease, now_s)

    def step(self, scope: Scope, seq: Seq) -> Put:
        """Return the step that moves the position, as last loaded, to ``seq``; once for each ``load``."""
        held = self._held[scope]
        held.is_sure = False
        return Put(POSITIONS, self.reader, seq.to_bytes(8, "big"), expect=held.revision)

    def moved(self, scope: Scope, seq: Seq) -> None:
        """Tell that the commit with the last ``step`` succeeded. Without this ``load`` reads anew."""
        held = self._held[scope]
        held.seq, held.revision, held.is_sure = seq, held.revision + 1, True

    def forget(self, scope: Scope) -> None:
        """Read the position anew at the next ``load``; the lease stays."""
        if scope in self._held:
            self._held[scope].is_sure = False

    async def reached(self, scope: Scope) -> Seq:
        """Return the position, whichever node reads."""
        found = (await self.engine.get(scope, POSITIONS, [self.reader])).get(self.reader)
        return Seq(0 if found is None else int.from_bytes(found.data, "big"))

    async def let_go(self) -> None:
        """Give every lease back, so that another node goes on at once instead of after ``LEASE_S``."""
        held, self._held = self._held, {}
        for one in held.values():
            try:
                await self.engine.release(one.lease)
            except PersistenceError:
                return  # the leases run out by themselves

    async def _read(self, scope: Scope, lease: Lease, renewed_s: float) -> Seq:
        self._held[scope] = _Held(lease, renewed_s, Seq(0), ABSENT, is_sure=False)  # known to ``let_go``
        found = (await self.engine.get(scope, POSITIONS, [self.reader])).get(self.reader)
        seq = Seq(0 if found is None else int.from_bytes(found.data, "big"))
        revision = ABSENT if found is None else found.revision
        self._held[scope] = _Held(lease, renewed_s, seq, revision)
        return seq
