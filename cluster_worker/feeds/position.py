"""How far a reader got, kept in the scope that it reads: one node reads at a time, and none repeats."""

from __future__ import annotations

from collections.abc import Collection

from attrs import define, field

from cluster_worker.persistence.engine import ABSENT, Engine, Key, PersistenceError, Put, Scope, Seq, Step
from cluster_worker.tenure.tenure import Fence

POSITIONS = Key("positions")
"""The document whose fields are the positions of a scope's readers."""
_BEGINNING = Seq(0)


class NotOurTurn(PersistenceError):
    """Another node reads this scope from now on; nothing was written."""


@define(eq=False)
class _Held:
    """A position as this node knows it. ``is_sure`` until steps were given out that were not ``moved``."""

    fence: Fence
    seq: Seq = _BEGINNING
    revision: int = ABSENT
    is_sure: bool = False


@define(eq=False)
class SharedPosition:
    """The position of a reader that all nodes share; a node has it during its tenure (``SharedReader``).

    What is done with the changes is committed together with ``steps``, which fail when another node has taken
    over or was faster. While this node has its turn and its commits succeed, it knows the position by itself
    and asks nobody.
    """

    engine: Engine
    reader: str
    _held: dict[Scope, _Held] = field(factory=dict)

    @property
    def held(self) -> Collection[Scope]:
        """The scopes that it is our turn to read."""
        return self._held.keys()

    def take(self, scope: Scope, fence: Fence) -> None:
        """It is our turn, as long as the fence stands."""
        self._held[scope] = _Held(fence)

    def let_go(self, scope: Scope, fence: Fence) -> None:
        """It is not our turn any more by this fence."""
        if scope in self._held and self._held[scope].fence is fence:
            del self._held[scope]

    async def load(self, scope: Scope) -> Seq | None:
        """Return the position, 0 at the beginning; ``None`` while it is another node's turn."""
        held = self._held.get(scope)
        if held is None:
            return None
        if not held.is_sure:
            found = (await self.engine.get(scope, POSITIONS, [self.reader])).get(self.reader)
            held.seq = Seq(0 if found is None else int.from_bytes(found.data, "big"))
            held.revision = ABSENT if found is None else found.revision
            held.is_sure = True
        return held.seq

    def fenced(self, scope: Scope) -> list[Step]:
        """Return the steps that demand that it is our turn. Raises: NotOurTurn."""
        return [self._ours(scope).fence.check]

    def steps(self, scope: Scope, seq: Seq) -> list[Step]:
        """Return the steps that move the position, as last loaded, to ``seq``; once for each ``load``.

        Raises: NotOurTurn.
        """
        held = self._ours(scope)
        held.is_sure = False
        move = Put(POSITIONS, self.reader, seq.to_bytes(8, "big"), expect=held.revision)
        return [held.fence.check, move]

    def moved(self, scope: Scope, seq: Seq) -> None:
        """Tell that the commit with the last ``steps`` succeeded. Without this ``load`` reads anew."""
        held = self._held.get(scope)
        if held is not None:
            held.seq, held.revision, held.is_sure = seq, held.revision + 1, True

    def forget(self, scope: Scope) -> None:
        """Read the position anew at the next ``load``."""
        if scope in self._held:
            self._held[scope].is_sure = False

    async def reached(self, scope: Scope) -> Seq:
        """Return the position, whichever node reads."""
        found = (await self.engine.get(scope, POSITIONS, [self.reader])).get(self.reader)
        return Seq(0 if found is None else int.from_bytes(found.data, "big"))

    def _ours(self, scope: Scope) -> _Held:
        held = self._held.get(scope)
        if held is None:
            raise NotOurTurn(scope)
        return held
