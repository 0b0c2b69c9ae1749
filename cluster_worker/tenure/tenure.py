"""A tenure, the time in which one node owns one piece of work, and the fences it puts up.

A lease alone does not keep a node that slept through its end from writing. So each tenure rewrites a document
in the scope it writes to, and each of its commits demands that this document still is as it wrote it.
"""

from __future__ import annotations

from collections.abc import Callable

import msgpack
from attrs import evolve, field, frozen

from cluster_worker.persistence.engine import (
    ABSENT,
    Batch,
    Check,
    Committed,
    Document,
    Engine,
    Key,
    PreconditionFailed,
    Put,
    Scope,
)
from cluster_worker.runtime.locks import KeyedLocks
from cluster_worker.runtime.randomness import RandomBytes

TOKEN = "token"
"""The field of a fence's document."""


class Deposed(Exception):
    """This node does not own the work any more; whatever it was about to write was not written."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} is not ours any more: {reason}")
        self.name = name


def owner_text(node_name: str, random_bytes: RandomBytes) -> str:
    """Who this run of this node is, to the store: a node that was started again is another owner."""
    return f"{node_name}/{random_bytes(8).hex()}"


def node_of(owner: str) -> str:
    """The name of the node that an owner is a run of."""
    return owner.partition("/")[0]


def fence_key(name: str) -> Key:
    """The key of the fence of the work ``name``, in each scope that the work writes to."""
    return Key(f"fence:{name}")


@frozen
class Fence:
    """A document of ``scope`` that the tenure wrote and that every later one overwrites."""

    name: str
    scope: Scope
    revision: int

    @property
    def check(self) -> Check:
        """The precondition that the tenure still stands."""
        return Check(fence_key(self.name), TOKEN, self.revision)

    def guard(self, batch: Batch) -> Batch:
        """Return ``batch`` with the precondition in front, so that a lost tenure is told before all else."""
        return evolve(batch, steps=(self.check, *batch.steps))

    def is_behind(self, refusal: PreconditionFailed) -> bool:
        """Whether a guarded batch was refused because the tenure is over."""
        return refusal.step == self.check

    async def commit(self, engine: Engine, batch: Batch) -> Committed:
        """Commit ``batch``, guarded.

        Raises: Deposed; otherwise as ``Engine.commit``.
        """
        try:
            return await engine.commit(self.scope, self.guard(batch))
        except PreconditionFailed as refusal:
            if self.is_behind(refusal):
                raise Deposed(self.name, "another node has taken over") from refusal
            raise


@frozen(eq=False)
class Tenure:
    """This node owns the work ``name``.

    Attributes:
        owner: who this node is; a node that was started again is another owner.
        token: greater than that of every earlier owner.
    """

    name: str
    owner: str
    token: int
    _engine: Engine = field(repr=False)
    _holds: Callable[[], bool] = field(repr=False, default=lambda: True)
    _fences: dict[Scope, Fence] = field(init=False, factory=dict, repr=False)
    _locks: KeyedLocks = field(init=False, factory=KeyedLocks, repr=False)

    def holds(self) -> bool:
        """Whether the lease is this node's by the clock, now."""
        return self._holds()

    def require(self) -> None:
        """Look at the clock before something that no fence can stop. Raises: Deposed."""
        if not self.holds():
            raise Deposed(self.name, "the lease was not renewed in time")

    async def fence(self, scope: Scope) -> Fence:
        """Return the fence of this tenure in ``scope``, which is put up when it is first asked for.

        From then on no commit that an earlier tenure guards there succeeds.

        Raises: Deposed when a later tenure has been here; PersistenceUnavailable.
        """
        async with self._locks.hold(scope):
            if scope not in self._fences:
                self._fences[scope] = await self._put_up(scope)
            return self._fences[scope]

    async def _put_up(self, scope: Scope) -> Fence:
        key = fence_key(self.name)
        while True:
            found = (await self._engine.get(scope, key, [TOKEN])).get(TOKEN)
            if found is not None and _token_of(found) > self.token:
                raise Deposed(self.name, "another node has taken over")
            revision = ABSENT if found is None else found.revision
            data: bytes = msgpack.packb([1, self.token, self.owner])
            try:
                await self._engine.commit(scope, Batch([Put(key, TOKEN, data, expect=revision)]))
            except PreconditionFailed:
                continue  # who was faster is of an earlier tenure, or of a later one: the next look tells
            return Fence(self.name, scope, revision + 1)


def _token_of(document: Document) -> int:
    _, token, *_ = msgpack.unpackb(document.data)
    return int(token)
