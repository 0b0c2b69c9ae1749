"""Keeping statistics: each batch of changes becomes one commit of contributions, totals and position."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import define, evolve, field

from cluster_worker.feeds.position import POSITIONS, SharedPosition
from cluster_worker.persistence.engine import (
    Batch,
    Change,
    Delete,
    Document,
    Engine,
    Key,
    Scope,
    Seq,
    Step,
)
from cluster_worker.runtime.clock import WallClock
from onedata.ids import SpaceId, space_root_uuid
from op_worker.files.finding.lookup import MOST_ANCESTORS
from op_worker.files.settings import Settings
from op_worker.files.stored.documents import PARENT
from op_worker.files.stored.hard_links import MAX_NAMES, links_key
from op_worker.statistics.books import MOST_REMEMBERED, Books, together
from op_worker.statistics.contributions import (
    BUCKETS,
    READ,
    Contribution,
    bucket,
    contribution_of,
    decode_all,
    may_have_links,
)
from op_worker.statistics.history import totals_key
from op_worker.statistics.ledger import Ledger, parents
from op_worker.statistics.states import FIELD, STATE, Phase, State

READER = "statistics"
_REMOVED_AT_ONCE = 64


@define(eq=False)
class StatisticsConsumer:
    """Consumes the feeds of spaces that have statistics, and follows the switch of each space.

    Args:
        storage_of: the storage that supports a space.
    """

    _engine: Engine
    _settings: Settings
    _position: SharedPosition
    _storage_of: Callable[[SpaceId], str | None]
    _wall_clock: WallClock
    _states: dict[Scope, State] = field(factory=dict)
    _books: dict[Scope, Books] = field(factory=dict)
    _read_to: dict[Scope, Seq] = field(factory=dict)
    name: str = READER

    async def position(self, scope: Scope) -> Seq | None:
        """Return where to go on; ``None`` for spaces without statistics, and while another node reads."""
        is_wanted = (await self._settings.of(SpaceId(scope))).statistics
        position = await self._position.load(scope)
        if position is None or position != self._read_to.get(scope):
            self._drop(scope)  # another node may have written
        if position is None:
            return None
        self._read_to[scope] = position
        state = await self._state(scope)
        try:
            return await self._switched(scope, state, position, is_wanted=is_wanted)
        except BaseException:
            self._drop(scope)
            raise

    async def consume(self, scope: Scope, changes: Sequence[Change]) -> None:
        """Take in a batch. Raises: PersistenceError; nothing was taken in then, or everything."""
        state = await self._state(scope)
        last = changes[-1].seq
        try:
            books = self._books_of(scope)
            ledger, after = await self._recorded(scope, books, state, [one.key for one in changes])
            if after.phase is Phase.INITIALIZING and last >= after.target:
                after = evolve(after, phase=Phase.ENABLED)
            is_same = after == state
            steps = [
                state.unchanged() if is_same else after.put(),
                *self._position.steps(scope, last),
                *await books.steps(ledger, int(self._wall_clock())),
            ]
            await self._engine.commit(scope, Batch(steps))
        except BaseException:
            self._position.forget(scope)
            self._drop(scope)
            raise
        self._position.moved(scope, last)
        self._read_to[scope] = last
        self._states[scope] = after if is_same else evolve(after, revision=state.revision + 1)
        self._forget_some()

    async def _switched(self, scope: Scope, state: State, position: Seq, *, is_wanted: bool) -> Seq | None:
        """Follow the switch of the space, one phase after the other."""
        if state.phase is Phase.STOPPING or (not is_wanted and state.phase is not Phase.DISABLED):
            state = await self._remove(scope, state)
        if not is_wanted:
            return None
        if state.phase is Phase.DISABLED:
            await self._begin(scope, state)
            return await self._position.load(scope)
        return position

    async def _begin(self, scope: Scope, state: State) -> None:
        storage_id = self._storage_of(SpaceId(scope))
        target = await self._engine.last_seq(scope)
        phase = Phase.INITIALIZING if target else Phase.ENABLED
        storages = () if storage_id is None else (storage_id,)
        await self._save(scope, evolve(state, phase=phase, target=target, storages=storages))

    async def _remove(self, scope: Scope, state: State) -> State:
        """Remove everything that statistics left in the store, then say that they are off."""
        if state.phase is not Phase.STOPPING:
            state = await self._save(scope, evolve(state, phase=Phase.STOPPING))
        self._books.pop(scope, None)
        for first in range(0, BUCKETS, _REMOVED_AT_ONCE):
            buckets = [bucket(number) for number in range(first, first + _REMOVED_AT_ONCE)]
            found = await together([self._engine.get_all(scope, key) for key in buckets])
            steps: list[Step] = []
            for key, stored in zip(buckets, found, strict=True):
                directories = [Key(one) for one, its in decode_all(stored).items() if its.is_directory]
                steps.extend(Delete(totals_key(one)) for one in directories)
                steps.extend([Delete(key)] if stored else [])
            if steps:
                await self._commit(scope, [state.unchanged(), *steps])
        off = evolve(state, phase=Phase.DISABLED)
        await self._commit(scope, [off.put(), Delete(POSITIONS, READER)])
        self._position.forget(scope)
        self._states[scope] = evolve(off, revision=off.revision + 1)
        return self._states[scope]

    async def _save(self, scope: Scope, state: State) -> State:
        await self._commit(scope, [state.put()])
        self._states[scope] = evolve(state, revision=state.revision + 1)
        return self._states[scope]

    async def _commit(self, scope: Scope, steps: Sequence[Step]) -> None:
        await self._engine.commit(scope, Batch([*self._position.fenced(scope), *steps]))

    async def _recorded(
        self, scope: Scope, books: Books, state: State, keys: Sequence[Key]
    ) -> tuple[Ledger, State]:
        """Return a finished ledger of these keys as they are now, and the state with new storages."""
        storages = list(state.storages)

        def number_of(storage_id: str) -> int:
            if storage_id not in storages:
                storages.append(storage_id)
            return storages.index(storage_id)

        found = await self._engine.get_many(scope, keys, READ)
        further = await self._further(scope, keys, found)
        present = {
            key: contribution_of(documents, number_of, further.get(key, ()))
            for key, documents in zip(keys, found, strict=True)
        }
        ledger = await books.open([*present, *parents(present)])
        for key in list(present):
            if key not in present:
                continue
            if ledger.makes_loop(key, present[key]):
                for above, one in (await self._ancestry(scope, key, number_of)).items():
                    await books.load(ledger, [above, *parents({above: one})])
                    ledger.record(above, one)
                    present.pop(above, None)
            else:
                ledger.record(key, present[key])
        ledger.finish()
        return ledger, evolve(state, storages=tuple(storages))

    async def _further(
        self, scope: Scope, keys: Sequence[Key], found: Sequence[Mapping[str, Document]]
    ) -> dict[Key, list[str]]:
        """Return the directories of the hard links of those files that have any."""
        linked = [key for key, documents in zip(keys, found, strict=True) if may_have_links(documents)]
        asked = [self._engine.page(scope, links_key(key), None, MAX_NAMES, [PARENT]) for key in linked]
        return {
            key: [link.documents[PARENT].data.decode() for link in links if PARENT in link.documents]
            for key, links in zip(linked, await together(asked), strict=True)
        }

    async def _ancestry(
        self, scope: Scope, key: Key, number_of: Callable[[str], int]
    ) -> dict[Key, Contribution | None]:
        """Return a directory and all above it as they are at one moment, the highest first.

        Recorded in this order they cannot make a loop, whatever the remembered tree is like.
        """
        found = await self._engine.ancestors(scope, key, PARENT, READ, MOST_ANCESTORS)
        return {above: contribution_of(documents, number_of) for above, documents in reversed(found)}

    async def _state(self, scope: Scope) -> State:
        known = self._states.get(scope)
        if known is None:
            known = State.decode((await self._engine.get(scope, STATE, [FIELD])).get(FIELD))
            self._states[scope] = known
        return known

    def _books_of(self, scope: Scope) -> Books:
        if scope not in self._books:
            self._books[scope] = Books(self._engine, scope, Key(space_root_uuid(SpaceId(scope))))
        return self._books[scope]

    def _drop(self, scope: Scope) -> None:
        """Forget what is known of a space."""
        self._states.pop(scope, None)
        self._books.pop(scope, None)
        self._read_to.pop(scope, None)

    def _forget_some(self) -> None:
        if sum(books.remembered for books in self._books.values()) > MOST_REMEMBERED:
            self._books.clear()
