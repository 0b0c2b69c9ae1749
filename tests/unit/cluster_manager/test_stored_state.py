"""What leaders leave to each other, over the engine that keeps everything in memory."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred

from cluster_manager.decisions import Decisions
from cluster_manager.membership.events import Effects, Send
from cluster_manager.membership.remembered import Remembered, RememberedMember
from cluster_manager.stored_state import (
    KEY,
    LEADER,
    SCOPE,
    LaterLeader,
    Leader,
    StoredState,
    UnreadableMemory,
)
from cluster_worker.node.slots import even_table
from cluster_worker.persistence.engine import Batch, Committed, OutcomeUnknown, Put, Scope
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.services import TaskOwner
from cluster_worker.wire.connections import Address
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.fields import Fields
from cluster_worker.wire.membership_messages import NodeAddress, Registered

A = NodeAddress("worker@a", "10.0.0.1", 5056)
STATE = Remembered(Epoch(3, 1), (RememberedMember(A, "op_worker", "b1", Epoch(3, 1)),), away=("worker@b",))

names = st.text(max_size=8)
epochs = st.builds(Epoch, st.integers(0, 2**40), st.integers(0, 2**20))
addresses = st.builds(NodeAddress, names, names, st.integers(0, 65535))
members = st.builds(RememberedMember, addresses, names, names, st.none() | epochs)
lists = st.lists(names, max_size=3).map(tuple)


@st.composite
def drawn_states(draw: st.DrawFn) -> Remembered:
    """States whose slots belong to their members."""
    known = draw(st.lists(members, max_size=3).map(tuple))
    table = even_table(member.address.node for member in known)
    return Remembered(draw(epochs), known, draw(lists), draw(lists), draw(lists), table)


states = drawn_states()


def leader(term: int, node: str = "cm@a") -> Leader:
    return Leader(term, node, Address("10.0.0.9", 5055))


@given(states)
def test_what_is_remembered_survives_its_encoding(state: Remembered) -> None:
    packed = msgpack.unpackb(msgpack.packb(state.encode()), raw=False)
    assert Remembered.decode(Fields(packed)) == state


@ensureDeferred
async def test_next_leader_finds_what_the_last_one_saved() -> None:
    engine = MemoryEngine()
    first, second = StoredState(engine), StoredState(engine)
    assert await first.leader() is None
    assert await first.begin(leader(3)) is None
    await first.save(STATE)
    assert await second.leader() == leader(3)
    assert await second.begin(leader(4, "cm@b")) == STATE
    await second.save(None)
    assert await StoredState(engine).begin(leader(5)) is None


@ensureDeferred
async def test_deposed_leader_can_neither_save_nor_begin_again() -> None:
    engine = MemoryEngine()
    first, second = StoredState(engine), StoredState(engine)
    await first.begin(leader(3))
    await first.save(STATE)
    await second.begin(leader(4, "cm@b"))
    with pytest.raises(LaterLeader):
        await first.save(None)
    with pytest.raises(LaterLeader, match="cm@b has begun term 4"):
        await first.begin(leader(3))
    assert await StoredState(engine).begin(leader(5)) == STATE


class Forgetful(MemoryEngine):
    """Loses the answer of every other commit."""

    def __init__(self) -> None:
        super().__init__()
        self.commits = 0

    async def commit(self, scope: Scope, batch: Batch) -> Committed:
        done = await super().commit(scope, batch)
        self.commits += 1
        if self.commits % 2:
            raise OutcomeUnknown("the answer was lost")
        return done


@ensureDeferred
async def test_leader_whose_first_answer_was_lost_leads_nevertheless() -> None:
    state = StoredState(Forgetful())
    await state.begin(leader(3))
    await state.save(STATE)
    assert await state.leader() == leader(3)


@ensureDeferred
async def test_state_of_a_later_program_is_not_misread() -> None:
    engine = MemoryEngine()
    await engine.commit(SCOPE, Batch([Put(KEY, LEADER, msgpack.packb([2, "something else"]))]))
    with pytest.raises(UnreadableMemory, match="schema 2 is stored"):
        await StoredState(engine).leader()
    await engine.commit(SCOPE, Batch([Put(KEY, LEADER, b"no msgpack")]))
    with pytest.raises(UnreadableMemory):
        await StoredState(engine).begin(leader(1))


@ensureDeferred
async def test_term_that_another_manager_has_begun_is_not_begun_again() -> None:
    engine = MemoryEngine()
    await StoredState(engine).begin(leader(3))
    with pytest.raises(LaterLeader):
        await StoredState(engine).begin(leader(3, "cm@b"))


# Decisions


class Scene:
    """Decisions whose saves end when the test says so."""

    def __init__(self) -> None:
        self.saves: list[tuple[Remembered | None, Deferred[bool]]] = []
        self.told: Effects = []
        self.decisions = Decisions(None, Epoch(1), self.save, self.told.extend, TaskOwner())

    async def save(self, remembered: Remembered | None) -> bool:
        done: Deferred[bool] = Deferred()
        self.saves.append((remembered, done))
        return await done

    def take(self, remembered: Remembered | None, counter: int) -> Send:
        effect = Send(("a",), Registered(Epoch(1, counter)))
        self.decisions.take(remembered, Epoch(1, counter), [effect])
        return effect


def test_decision_that_changes_nothing_to_remember_is_told_at_once() -> None:
    scene = Scene()
    assert scene.take(None, 1) in scene.told and scene.saves == []
    assert scene.decisions.epoch == Epoch(1, 1)


def test_nobody_is_told_before_it_is_stored_and_order_is_kept() -> None:
    scene = Scene()
    effects = [scene.take(STATE, 1), scene.take(STATE, 2)]
    assert scene.told == [] and scene.decisions.epoch == Epoch(1)
    ((_, done),) = scene.saves
    done.callback(True)
    assert scene.told == effects and scene.decisions.epoch == Epoch(1, 2)


def test_decisions_that_pile_up_are_stored_by_one_save() -> None:
    scene = Scene()
    other = Remembered(Epoch(9), ())
    effects = [scene.take(STATE, 1), scene.take(None, 2), scene.take(other, 3)]
    scene.saves[0][1].callback(True)
    assert [state for state, _ in scene.saves] == [STATE, other] and scene.told == effects[:1]
    scene.saves[1][1].callback(True)
    assert scene.told == effects


def test_decision_that_cannot_be_stored_is_never_told() -> None:
    scene = Scene()
    scene.take(STATE, 1)
    scene.saves[0][1].callback(False)
    assert scene.told == []
