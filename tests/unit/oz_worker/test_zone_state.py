"""The zone in memory: ways back from members, and what changes do to them."""

from __future__ import annotations

from attrs import evolve

from onedata.privileges import SPACE_ADMIN
from oz_worker.records import Support, key_of
from oz_worker.state import ZoneState
from tests.unit.oz_worker.zone_records import group, provider, space, state_of, user

VIEW = frozenset({"space_view"})


def small_zone() -> ZoneState:
    """anna owns s; bob is in it through inner, which is nested in outer; p supports it."""
    return state_of(
        user("anna"),
        user("bob"),
        group("inner", users={"bob": frozenset()}, privileges=frozenset({"oz_users_list"})),
        group("outer", groups={"inner": frozenset()}),
        space(
            "s",
            users={"anna": frozenset()},
            groups={"outer": VIEW},
            owners=frozenset({"anna"}),
            supports={"p": Support({"d": 5})},
        ),
        provider("p"),
    )


def test_nested_member_is_found_from_both_ends() -> None:
    state = small_zone()
    assert state.effective("user", "bob", "space") == {"s"}
    assert state.direct("user", "bob", "space") == set()
    assert state.members(state.spaces["s"]).users["bob"] == VIEW
    assert state.groups_of_user("bob") == {"inner", "outer"}


def test_owner_holds_every_privilege_without_being_given_any() -> None:
    state = small_zone()
    assert state.members(state.spaces["s"]).users["anna"] == SPACE_ADMIN


def test_zone_privileges_come_from_groups_too() -> None:
    state = small_zone()
    assert state.zone_privileges(state.users["bob"]) == {"oz_users_list"}
    assert state.zone_privileges(state.users["anna"]) == frozenset()


def test_provider_has_the_users_of_its_spaces() -> None:
    state = small_zone()
    assert state.users_of_provider(state.providers["p"]) == {"anna", "bob"}
    assert state.groups_of_provider(state.providers["p"]) == {"inner", "outer"}
    assert state.providers_of("user", "bob") == {"p"}


def test_changed_group_is_seen_at_once() -> None:
    state = small_zone()
    assert "bob" in state.members(state.spaces["s"]).users
    inner = evolve(state.groups["inner"], users={})
    state.apply(key_of(inner), 2, inner)
    assert "bob" not in state.members(state.spaces["s"]).users
    assert state.groups_of_user("bob") == frozenset()


def test_removed_space_leaves_no_links() -> None:
    state = small_zone()
    state.apply(key_of(state.spaces["s"]), 0, None)
    assert state.effective("user", "bob", "space") == frozenset()
    assert state.supported_by("p") == frozenset()
    assert state.users_of_provider(state.providers["p"]) == frozenset()


def test_same_document_twice_changes_nothing() -> None:
    state = small_zone()
    before = state.spaces["s"]
    state.apply(key_of(before), 1, evolve(before))
    assert state.spaces["s"] is before
    assert state.revision(key_of(before)) == 1


def test_recreated_record_replaces_the_old_one_of_the_same_revision() -> None:
    state = small_zone()
    fresh = user("anna", username="other")
    state.apply(key_of(fresh), 1, fresh)
    assert state.user_named("other") is fresh and state.user_named("anna") is None
