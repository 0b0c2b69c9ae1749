"""Whose turn it is: limits are kept, priorities go first, and nobody waits for ever."""

from __future__ import annotations

from attrs import define, frozen
from hypothesis import given
from hypothesis import strategies as st

from cluster_worker.jobs.pool import Limits, Retries
from cluster_worker.jobs.scheduling import Turns, shortlist


@define(eq=False)
class Waiter:
    """Something that waits, told apart by identity."""

    group: str
    task: str
    priority: int = 0


@frozen
class Asked:
    """An event: somebody asks."""

    group: str
    task: str
    priority: int


FREED = "freed"
asked = st.builds(Asked, st.sampled_from("AB"), st.sampled_from("xyz"), st.integers(0, 2))
events = st.lists(asked | st.just(FREED), max_size=60)


@given(st.integers(1, 4), events)
def test_never_more_than_the_limit_have_a_slot_and_none_stays_empty_while_somebody_waits(
    limit: int, history: list[Asked | str]
) -> None:
    turns: Turns[Waiter] = Turns(limit)
    busy = 0
    for event in history:
        if isinstance(event, Asked):
            turns.ask(Waiter(event.group, f"{event.group}{event.task}", event.priority))
        elif busy:
            turns.free()
            busy -= 1
        while turns.grant() is not None:
            busy += 1
        assert busy == turns.busy <= limit
        assert busy == limit or turns.waiting == 0


@given(st.integers(1, 4), events)
def test_nobody_is_served_while_one_of_greater_priority_waits(limit: int, history: list[Asked | str]) -> None:
    turns: Turns[Waiter] = Turns(limit)
    waiting: list[Waiter] = []
    for event in history:
        if isinstance(event, Asked):
            waiting.append(Waiter(event.group, f"{event.group}{event.task}", event.priority))
            turns.ask(waiting[-1])
        elif turns.busy:
            turns.free()
        while (one := turns.grant()) is not None:
            assert one.priority == max(each.priority for each in waiting)
            waiting.remove(one)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6))
def test_groups_take_turns_whatever_their_length(lengths: list[int]) -> None:
    turns: Turns[Waiter] = Turns(1)
    for group, length in enumerate(lengths):
        for number in range(length):
            turns.ask(Waiter(str(group), f"{group}-{number % 3}"))
    served = []
    while (one := turns.grant()) is not None:
        served.append(one.group)
        turns.free()
    for start in range(len(served)):
        left = {group: served[start:].count(group) for group in set(served[start:])}
        assert set(served[start : start + len(left)]) == set(left)


@given(st.integers(1, 5), st.integers(1, 5))
def test_one_who_waits_is_served_before_others_come_twice(groups: int, tasks: int) -> None:
    """New ones of every group and task come all the time; the wait is bounded by how many tasks there are."""
    turns: Turns[Waiter] = Turns(1)
    everybody = [(str(group), f"{group}/{task}") for group in range(groups) for task in range(tasks)]
    for group, task in everybody * 2:
        turns.ask(Waiter(group, task))
    last = Waiter("0", "the last")
    turns.ask(last)
    for served in range(groups * (tasks + 1)):
        one = turns.grant()
        if one is last:
            return
        assert one is not None
        turns.free()
        turns.ask(Waiter(one.group, one.task))
        assert served < groups * (tasks + 1) - 1, "it was not served in time"


def test_who_withdraws_is_not_served() -> None:
    turns: Turns[Waiter] = Turns(1)
    one, other = Waiter("g", "t"), Waiter("g", "t")
    turns.ask(one)
    turns.ask(other)
    turns.withdraw(one)
    assert turns.grant() is other
    assert turns.waiting == 0


def test_memory_of_who_was_served_is_bounded() -> None:
    turns: Turns[Waiter] = Turns(1)
    turns.ask(Waiter("stays", "stays", -1))
    for number in range(10_000):
        turns.ask(Waiter(str(number), str(number)))
        assert turns.grant() is not None
        turns.free()
    assert len(turns._tasks) < 5000


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from("ABC")), max_size=40), st.integers(1, 10))
def test_shortlist_leaves_no_group_out_for_the_length_of_another(
    tasks: list[tuple[int, str]], most: int
) -> None:
    waiting = [Waiter(group, str(place), priority) for place, (priority, group) in enumerate(tasks)]
    chosen = shortlist(waiting, most)
    assert len(chosen) == min(most, len(waiting))
    priorities = [one.priority for one in chosen]
    assert priorities == sorted(priorities, reverse=True)
    for priority in set(priorities):
        left = {one.group for one in waiting if one.priority == priority and one not in chosen}
        counts = {
            group: sum(1 for one in chosen if (one.priority, one.group) == (priority, group))
            for group in "ABC"
        }
        for group in left:
            assert counts[group] >= max(counts.values()) - 1


@given(st.integers(1, 100), st.integers(1, 40))
def test_shares_of_nodes_are_rounded_up_and_cover_the_limit(limit: int, nodes: int) -> None:
    share = Limits(limit, limit, limit).on_one_of(nodes).masters
    assert 1 <= share
    assert limit <= share * nodes < limit + nodes


def test_retries_pause_3_to_30_seconds_and_end() -> None:
    assert [Retries().pause_s(failures) for failures in (1, 2, 3)] == [3.0, 6.0, None]
    assert Retries(tries=9).pause_s(8) == 30.0
