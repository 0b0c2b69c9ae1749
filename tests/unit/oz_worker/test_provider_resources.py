"""What of a space a provider may read, and which changes concern that."""

from __future__ import annotations

import pytest

from onedata.errors import Forbidden, NotFound
from onedata.gri import Gri
from oz_worker.graphsync.resources import may_concern, read_resource
from oz_worker.records import Support, key_of, record_key
from oz_worker.state import ZoneState
from tests.unit.oz_worker.zone_records import group, provider, space, state_of, user

NOTHING: frozenset[str] = frozenset()


def small_zone() -> ZoneState:
    """krk supports near, par far; anna is in both, in far through a group, bob is elsewhere."""
    return state_of(
        user("anna"),
        user("bob"),
        user("carol"),
        group("team", users={"anna": NOTHING}),
        space(
            "near", users={"anna": NOTHING}, owners=frozenset({"anna"}), supports={"krk": Support({"d": 5})}
        ),
        space("far", groups={"team": NOTHING}, supports={"par": Support({"d": 7})}),
        space("private", users={"bob": NOTHING}),
        space("admins", users={"carol": NOTHING}),
        space("deserted", supports={"krk": Support({"d": 5})}),
        provider("krk", users={"carol": NOTHING}),
        provider("par"),
    )


def outline(state: ZoneState, space_id: str, *shown: str) -> dict[str, object]:
    return read_resource(state, Gri.parse(f"space.{space_id}.instance:protected"), "krk", shown)


def test_space_of_a_user_is_shown_without_members() -> None:
    assert outline(small_zone(), "far") == {
        "name": "far",
        "providers": {"par": 7},
        "providerNames": {"par": "par"},
        "providerDomains": {"par": "par.test"},
    }


@pytest.mark.parametrize("space_id", ["near", "deserted", "admins"])
def test_space_that_we_support_or_whose_member_is_in_our_cluster_is_shown(space_id: str) -> None:
    assert outline(small_zone(), space_id)["name"] == space_id


def test_space_of_strangers_is_shown_only_after_a_token_of_one() -> None:
    with pytest.raises(Forbidden):
        outline(small_zone(), "private", "anna")
    assert outline(small_zone(), "private", "bob")["providers"] == {}


def test_space_that_does_not_exist_is_not_found() -> None:
    with pytest.raises(NotFound):
        outline(small_zone(), "nowhere")


def test_members_of_a_space_are_shown_to_supporting_providers_only() -> None:
    state = small_zone()
    near = read_resource(state, Gri.parse("space.near.instance:private"), "krk", ())
    assert set(near["effectiveUsers"]) == {"anna"} and near["providers"] == {"krk": 5}
    with pytest.raises(Forbidden):
        read_resource(state, Gri.parse("space.far.instance:private"), "krk", ())


def test_space_is_hidden_when_its_last_member_is_no_user_of_ours_any_more() -> None:
    state = small_zone()
    left = space("near", supports={"krk": Support({"d": 5})})
    state.apply(key_of(left), 2, left)
    with pytest.raises(Forbidden):
        outline(state, "far")


@pytest.mark.parametrize(
    ("kind", "record_id"), [("space", "near"), ("group", "team"), ("provider", "par"), ("space", "far")]
)
def test_whatever_can_change_an_outline_concerns_it(kind: str, record_id: str) -> None:
    gri = Gri.parse("space.far.instance:protected")
    assert may_concern(gri, {kind}, {record_key(kind, record_id)})


def test_tokens_and_users_do_not_concern_an_outline() -> None:
    gri = Gri.parse("space.far.instance:protected")
    keys = {record_key("token", "t"), record_key("user", "anna")}
    assert not may_concern(gri, {"token", "user"}, keys)


def test_groups_of_a_space_are_told_with_their_names() -> None:
    state = state_of(
        user("anna"),
        group("team", users={"anna": NOTHING}),
        space("near", groups={"team": NOTHING}, supports={"krk": Support({"d": 5})}),
        provider("krk"),
    )
    near = read_resource(state, Gri.parse("space.near.instance:private"), "krk", ())
    assert near["effectiveGroups"] == {"team": []}
    assert near["groupNames"] == {"team": state.groups["team"].name}
