"""Choosing among the storages of a space for a new content."""

from __future__ import annotations

from attrs import field, frozen

from cluster_worker.persistence.engine import Engine, Scope
from cluster_worker.runtime.randomness import RandomBytes
from onedata.errors import Errno, Posix
from op_worker.files.committing.policies import Policies
from op_worker.files.stored.charges import used_counter
from op_worker.files.stored.documents import XATTRS, decode_json
from op_worker.files.stored.landings import Wanted
from op_worker.placement.decision import Candidate, NewContent, ranked
from op_worker.placement.policy import PLACEMENT_XATTR, required_by
from op_worker.qos_expression.syntax import ANY_STORAGE, Expression
from op_worker.storage.registry import Storages
from op_worker.storage.supports import Backing, Storage, Support


@frozen(eq=False)
class Choosing:
    """Chooses. A space with one storage costs nothing."""

    _engine: Engine
    _storages: Storages
    _random_bytes: RandomBytes
    policies: Policies = field(init=False)

    @policies.default
    def _policies(self) -> Policies:
        return Policies(self._engine, self._storages.clock)

    async def storages(self, support: Support, wanted: Wanted, size_b: int | None) -> list[Storage]:
        """Return the storages to try for a content, the best one first; there is one at least.

        ``size_b`` is ``None`` when it is not known yet.

        Raises: Posix(ENOSPC) when no storage can take it; InvalidQosExpression; PersistenceUnavailable.
        """
        if len(support.backings) == 1:
            return [support.storage]
        content = NewContent(
            size_b=size_b, names=wanted.names, required=await self._required(support, wanted)
        )
        policy = await self.policies.of(support.space_id)
        by_id = {storage.storage_id: storage for storage in support.storages}
        chosen = ranked(policy, await self._candidates(support), content, self._draw)
        if not chosen:
            raise Posix(Errno.ENOSPC, "no storage of the space can take this content now")
        return [by_id[storage_id] for storage_id in chosen]

    async def _candidates(self, support: Support) -> list[Candidate]:
        counters = await self._engine.counters(Scope(support.space_id))
        return [
            await self._candidate(backing, counters.get(used_counter(backing.storage.storage_id), 0))
            for backing in support.backings
        ]

    async def _candidate(self, backing: Backing, used_b: int) -> Candidate:
        storage, record = backing.storage, backing.storage.record
        room_b = max(backing.size_b - used_b, 0)
        capacity = await self._storages.capacities.of(storage.storage_id, storage.inner)
        is_healthy = self._storages.is_healthy(storage.storage_id)
        return Candidate(
            storage_id=storage.storage_id,
            room_b=room_b if capacity is None else min(room_b, capacity.free_b),
            is_usable=is_healthy and not record.is_readonly and not record.is_draining,
            parameters={**record.parameters, "storageId": storage.storage_id},
        )

    async def _required(self, support: Support, wanted: Wanted) -> Expression:
        """Return what the file, or else the nearest directory that says anything, demands."""
        if wanted.required is not None:
            return required_by(wanted.required)
        if not wanted.marked:
            return ANY_STORAGE
        found = await self._engine.get_many(Scope(support.space_id), wanted.marked, [XATTRS])
        for documents in found:
            stored = decode_json(documents[XATTRS].data) if XATTRS in documents else None
            if isinstance(stored, dict) and PLACEMENT_XATTR in stored:
                return required_by(stored[PLACEMENT_XATTR])
        return ANY_STORAGE

    def _draw(self) -> float:
        """Return a number between 0 and 1, never an end of that."""
        return (int.from_bytes(self._random_bytes(6)) + 0.5) / (1 << 48)
