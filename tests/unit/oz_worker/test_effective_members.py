"""Membership through nested groups, against a plain model."""

from __future__ import annotations

from attrs import field, frozen
from hypothesis import given
from hypothesis import strategies as st

from oz_worker.members import (
    Privileges,
    descendants,
    effective_groups,
    effective_users,
    would_close_a_cycle,
)

GROUPS, USERS, RIGHTS = "abcdef", "uvwxyz", ("view", "write", "admin")


@frozen
class Circle:
    users: dict[str, Privileges] = field(factory=dict)
    groups: dict[str, Privileges] = field(factory=dict)


rights = st.frozensets(st.sampled_from(RIGHTS))
circles = st.builds(
    Circle,
    st.dictionaries(st.sampled_from(USERS), rights, max_size=3),
    st.dictionaries(st.sampled_from(GROUPS), rights, max_size=3),
)
graphs = st.dictionaries(st.sampled_from(GROUPS), circles)


def reaches(start: str, goal: str, groups: dict[str, Circle], depth: int = len(GROUPS)) -> bool:
    """Plain recursion: is ``goal`` ``start`` or nested in it?"""
    if start == goal:
        return True
    inner = groups[start].groups if start in groups and depth else {}
    return any(reaches(child, goal, groups, depth - 1) for child in inner)


@given(circles, graphs)
def test_users_hold_the_union_of_all_paths_to_them(circle: Circle, groups: dict[str, Circle]) -> None:
    expected: dict[str, Privileges] = dict(circle.users)
    for direct, held in circle.groups.items():
        for group_id, group in groups.items():
            if reaches(direct, group_id, groups):
                for user_id in group.users:
                    expected[user_id] = expected.get(user_id, frozenset()) | held
    assert effective_users(circle, groups) == expected


@given(circles, graphs)
def test_nested_groups_hold_what_the_outer_group_holds(circle: Circle, groups: dict[str, Circle]) -> None:
    found = effective_groups(circle, groups)
    for direct, held in circle.groups.items():
        for group_id in groups:
            if reaches(direct, group_id, groups):
                assert found[group_id] >= held
    assert all(any(reaches(d, g, groups) for d in circle.groups) for g in found)


@given(graphs, st.sampled_from(GROUPS), st.sampled_from(GROUPS))
def test_refusing_cycles_keeps_every_group_out_of_itself(
    groups: dict[str, Circle], parent: str, child: str
) -> None:
    assert would_close_a_cycle(parent, child, groups) == reaches(child, parent, groups)


@given(st.lists(st.tuples(st.sampled_from(GROUPS), st.sampled_from(GROUPS)), max_size=20))
def test_graph_built_with_the_check_never_has_a_cycle(edges: list[tuple[str, str]]) -> None:
    groups = {group_id: Circle() for group_id in GROUPS}
    for parent, child in edges:
        if not would_close_a_cycle(parent, child, groups):
            groups[parent].groups[child] = frozenset()
    for group_id, group in groups.items():
        assert all(group_id not in descendants(child, groups) for child in group.groups)


def test_walk_over_a_stored_cycle_still_ends() -> None:
    groups = {"a": Circle(groups={"b": frozenset()}), "b": Circle(users={"u": frozenset()})}
    groups["b"].groups["a"] = frozenset()
    assert descendants("a", groups) == {"a", "b"}
    assert effective_users(Circle(groups={"a": frozenset({"view"})}), groups) == {"u": {"view"}}
