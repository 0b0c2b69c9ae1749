"""What holds in every history of a cluster, and what every history comes to in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_manager.membership.cluster_state import Phase
from cluster_manager.membership.events import (
    DrainAsked,
    Effects,
    Event,
    HealthReported,
    NodeLeft,
    NodeRegistered,
    NodeSilent,
    RemovalAsked,
    Send,
    StepReported,
    Ticked,
    UndrainAsked,
)
from cluster_manager.membership.membership import _TABLE, Membership
from cluster_manager.membership.remembered import Remembered
from cluster_worker.node.ring import Ring
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.fields import Fields
from cluster_worker.wire.membership_messages import RingUpdate
from cluster_worker.wire.slot_table import SLOTS
from tests.support.memberships import cluster, registers, ring_told, silent

NODES = "abcd"
KINDS: dict[str, Callable[[str, str, Membership], Event]] = {
    "register": lambda node, boot, of: registers(node, boot),
    "booted": lambda node, boot, of: registers(node, boot, of._state.incarnation, ring_told(of)),
    "alien": lambda node, boot, of: registers(node, boot, Epoch(int(boot), 1)),
    "silent": lambda node, boot, of: silent(node, boot),
    "left": lambda node, boot, of: NodeLeft(node),
    "report": lambda node, boot, of: step_report(of, node, None),
    "fail": lambda node, boot, of: step_report(of, node, "failed"),
    "well": lambda node, boot, of: HealthReported(of.epoch, None),
    "tick": lambda node, boot, of: Ticked(),
    "drain": lambda node, boot, of: DrainAsked(node, 1),
    "undrain": lambda node, boot, of: UndrainAsked(node, 1),
    "remove": lambda node, boot, of: RemovalAsked(node, 1),
}
steps = st.tuples(
    st.sampled_from([*KINDS, "report", "report", "register", "tick", "manager"]),
    st.sampled_from(NODES),
    st.sampled_from("12"),
)
histories = st.lists(steps, max_size=60)


def step_report(membership: Membership, node: str, error: str | None) -> StepReported:
    state = membership._state
    solo = state.solos.get(node)
    step, epoch = (solo.step, solo.epoch) if solo else (state.boot.step, membership.epoch)
    return StepReported(node, epoch or membership.epoch, step.value, error)


def following_manager(membership: Membership, now: float) -> Membership:
    """Another manager, which knows what was remembered."""
    rules, term = membership._state.rules, membership.epoch.term + 1
    following = cluster(rules.worker_num, term=term, owners=rules.owners)
    remembered = membership.remembered()
    if remembered is not None:
        following.recall(Remembered.decode(Fields(remembered.encode())), now)
        assert following.remembered() == remembered
    return following


def check(membership: Membership) -> None:
    """The ring names only members, is whole and balanced, and somebody serves while somebody is there."""
    if membership.phase is Phase.GATHERING:
        return
    roster, told = membership.roster, ring_told(membership)
    assert set(told.table) | set(told.away) | set(told.draining) <= set(roster.nodes)
    assert roster.leaving <= roster.draining and not roster.draining & set(told.table)
    counts = Counter(told.table)
    assert sum(counts.values()) == SLOTS and max(counts.values()) - min(counts.values()) <= 1
    ring = Ring(
        nodes=roster.nodes,
        table=told.table,
        away=frozenset(told.away),
        draining=frozenset(told.draining),
    )
    assert (ring.owner("key") is not None) == bool(roster.present)
    joined = {node for node in roster.nodes if not membership._state.is_joining(node)}
    assert joined - roster.draining == set(told.table)
    for node, solo in membership._state.solos.items():
        assert node in roster.away and (solo.epoch is None or solo.epoch <= membership.epoch)


def play(history: list[tuple[str, str, str]], worker_num: int, owners: int) -> tuple[Membership, float]:
    membership, now = cluster(worker_num, owners=owners), 0.0
    for what, node, boot in history:
        now += 3.0
        if what == "manager":
            membership = following_manager(membership, now)
        else:
            event = KINDS[what](node, boot, membership)
            handle(membership, event, now)
    return membership, now


def handle(membership: Membership, event: Event, now: float) -> Effects:
    before, known = membership.epoch, set(membership.roster.nodes)
    if isinstance(event, NodeRegistered):
        known.add(event.address.node)
    served = membership.roster.present if membership.phase is Phase.READY else ()
    effects = membership.handle(event, now)
    assert membership.epoch >= before
    for effect in effects:
        if isinstance(effect, Send):
            assert set(effect.nodes) <= known
            assert before <= effect.message.epoch <= membership.epoch  # type: ignore[attr-defined]
    if served:
        assert membership.phase is Phase.READY
    check(membership)
    return effects


@given(st.integers(1, 3), st.integers(1, 2), histories)
def test_any_history_keeps_a_whole_ring_of_members_and_never_ends_a_cluster_that_serves(
    worker_num: int, owners: int, history: list[tuple[str, str, str]]
) -> None:
    play(history, worker_num, owners)


@pytest.mark.slow
@given(st.integers(1, 3), histories)
def test_after_any_history_all_nodes_that_stay_are_in_service(
    worker_num: int, history: list[tuple[str, str, str]]
) -> None:
    membership, now = play(history, worker_num, 1)
    boots = dict.fromkeys(NODES, 10)
    for _ in range(200):
        now += 3.0
        if all(membership.standing(node) in ("serving", "draining") for node in NODES):
            break
        for node in NODES:
            live(membership, node, boots, now)
        membership.handle(HealthReported(membership.epoch, None), now)
        membership.handle(Ticked(), now)
    assert set(membership.roster.nodes) == set(NODES) and membership.phase is Phase.READY
    check(membership)
    assert set(membership.roster.working) == set(ring_told(membership).table)


def live(membership: Membership, node: str, boots: dict[str, int], now: float) -> None:
    """The node does what it is to do next: register, report its step, or stop and start anew."""
    member, standing = membership.roster.get(node), membership.standing(node)
    if standing == "leaving":
        membership.handle(NodeLeft(node), now)
    elif member is None or member.boot_id != f"{node}{boots[node]}" or member.silent_since is not None:
        boots[node] += 1
        membership.handle(registers(node, str(boots[node])), now)
    elif standing in ("booting", "joining", "recovering"):
        membership.handle(step_report(membership, node, None), now)
    elif standing == "away":
        boots[node] += 1
        membership.handle(registers(node, str(boots[node])), now)


def test_table_has_an_answer_for_every_event_in_every_phase() -> None:
    kinds: set[Any] = {NodeRegistered, NodeSilent, NodeLeft, StepReported, HealthReported, Ticked}
    kinds |= {DrainAsked, UndrainAsked, RemovalAsked}
    assert {phase: set(row) for phase, row in _TABLE.items()} == {phase: kinds for phase in Phase}


def test_ring_of_a_thousand_members_is_told_in_one_frame() -> None:
    membership = cluster(1000)
    for number in range(1000):
        effects = membership.handle(registers(f"worker@node{number}.example"), 0.0)
    (ring,) = [
        effect.message
        for effect in effects
        if isinstance(effect, Send) and isinstance(effect.message, RingUpdate)
    ]
    assert len(Counter(ring.table)) == 1000
