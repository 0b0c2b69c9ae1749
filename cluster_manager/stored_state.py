"""What leaders leave to those that come after them, in the cluster's Redis.

One document of the scope ``cluster``, key ``manager``, with two fields. ``leader`` says who leads, or led
last; each leader writes it first of all, and whatever it stores later demands that nobody has written it
since. So a leader that was deposed without having noticed cannot change anything. ``remembered`` is what
``Membership.remembered`` gives, or nil while the cluster is not ready.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from attrs import frozen

from cluster_manager.membership.remembered import Remembered
from cluster_worker.persistence.engine import (
    ABSENT,
    Batch,
    Check,
    Document,
    Engine,
    Key,
    OutcomeUnknown,
    PersistenceError,
    PreconditionFailed,
    Put,
    Scope,
)
from cluster_worker.wire.connections import Address
from cluster_worker.wire.errors import BadFrame
from cluster_worker.wire.fields import BadField, Fields, pack_fields, unpack_fields

SCOPE, KEY = Scope("cluster"), Key("manager")
LEADER, REMEMBERED = "leader", "remembered"
SCHEMA = 1

T = TypeVar("T")


class LaterLeader(Exception):
    """Another manager has begun to lead since; nothing was written."""


class MemoryAway(Exception):
    """The store cannot be reached now; the same may be tried again."""


class UnreadableMemory(Exception):
    """What is stored cannot be read, as when a later version of this program has written it."""


@frozen
class Leader:
    """``[schema, term, node, host, port, door]``: who leads, where workers reach it, the URL of its door."""

    term: int
    node: str
    address: Address
    door: str = ""

    def encode(self) -> list[object]:
        return [SCHEMA, self.term, self.node, self.address.host, self.address.port, self.door]

    @classmethod
    def decode(cls, fields: Fields) -> Leader:
        door = fields.any_or_none(5)
        address = Address(fields.text(3), fields.integer(4))
        return cls(fields.integer(1), fields.text(2), address, door if isinstance(door, str) else "")


class ClusterMemory(Protocol):
    """What outlives a leader. Any method may raise ``MemoryAway`` or ``UnreadableMemory``."""

    async def begin(self, leader: Leader) -> Remembered | None:
        """Become the one who may save, and return what was remembered. Raises: LaterLeader."""

    async def save(self, remembered: Remembered | None) -> None:
        """Remember this instead. Raises: LaterLeader."""

    async def leader(self) -> Leader | None:
        """Who leads, or led last, if anybody ever did."""


class NoMemory:
    """Remembers nothing: a sole manager learns the state of the cluster from the workers."""

    async def begin(self, leader: Leader) -> Remembered | None:
        return None

    async def save(self, remembered: Remembered | None) -> None:
        """There is nobody who would ask."""

    async def leader(self) -> Leader | None:
        return None


class StoredState:
    """The memory of several managers. One object serves one manager, one reign after the other."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._fence = ABSENT

    async def begin(self, leader: Leader) -> Remembered | None:
        while True:
            stored = await self._read(LEADER)
            last = None if stored is None else _decoded(stored, Leader.decode)
            revision = ABSENT if stored is None else stored.revision
            if last == leader:
                self._fence = revision
                return await self._remembered()
            if last is not None and last.term >= leader.term:
                raise LaterLeader(f"{last.node} has begun term {last.term}")
            put = Put(KEY, LEADER, pack_fields(leader.encode()), expect=revision)
            try:
                await self._engine.commit(SCOPE, Batch([put]))
            except (PreconditionFailed, OutcomeUnknown):
                continue  # what is there now decides
            except PersistenceError as problem:
                raise MemoryAway(str(problem)) from problem

    async def save(self, remembered: Remembered | None) -> None:
        state = None if remembered is None else remembered.encode()
        put = Put(KEY, REMEMBERED, pack_fields([SCHEMA, state]))
        try:
            await self._engine.commit(SCOPE, Batch([Check(KEY, LEADER, self._fence), put]))
        except PreconditionFailed as problem:
            raise LaterLeader("another manager has begun to lead") from problem
        except PersistenceError as problem:
            raise MemoryAway(str(problem)) from problem

    async def leader(self) -> Leader | None:
        stored = await self._read(LEADER)
        return None if stored is None else _decoded(stored, Leader.decode)

    async def _remembered(self) -> Remembered | None:
        stored = await self._read(REMEMBERED)
        return None if stored is None else _decoded(stored, _remembered)

    async def _read(self, name: str) -> Document | None:
        try:
            return (await self._engine.get(SCOPE, KEY, [name])).get(name)
        except PersistenceError as problem:
            raise MemoryAway(str(problem)) from problem


def _remembered(fields: Fields) -> Remembered | None:
    return None if fields.any(1) is None else Remembered.decode(fields.nested(1))


def _decoded(document: Document, decode: Callable[[Fields], T]) -> T:
    try:
        fields = Fields(unpack_fields(document.data))
        if fields.integer(0) != SCHEMA:
            raise UnreadableMemory(f"schema {fields.integer(0)} is stored, {SCHEMA} is known")
        return decode(fields)
    except (BadField, BadFrame) as problem:
        raise UnreadableMemory(f"the stored state of the managers: {problem}") from problem
