"""Resources of the Onezone channel as records."""

from __future__ import annotations

import pytest

from onedata.ids import GroupId, ProviderId, SpaceId, TokenId, UserId
from op_worker.zone.resources import (
    MalformedResourceError,
    provider_from,
    space_from,
    token_events_from,
    user_from,
)


def test_space_resource_becomes_a_record() -> None:
    record = space_from(
        SpaceId("s1"),
        {
            "gri": "space.s1.instance:private",
            "revision": 3,
            "name": "first",
            "owners": ["u1"],
            "effectiveUsers": {"u1": ["space_view"], "u2": []},
            "effectiveGroups": {"g1": ["space_view"], "g2": []},
            "groupNames": {"g1": "Group"},
            "providers": {"p1": 10},
            "providerNames": {"p1": "One"},
            "something_new": 1,
        },
    )
    assert (record.name, record.owners) == ("first", frozenset({UserId("u1")}))
    assert record.user_privileges == {UserId("u1"): {"space_view"}, UserId("u2"): frozenset()}
    assert record.groups == {GroupId("g1"): "Group", GroupId("g2"): ""}
    assert record.supports == {ProviderId("p1"): 10}
    assert record.provider_names == {ProviderId("p1"): "One"}


def test_user_resource_becomes_a_record() -> None:
    record = user_from(
        UserId("u1"),
        {"fullName": "Anna", "username": None, "effectiveSpaces": ["s1"], "effectiveGroups": ["g"]},
    )
    assert (record.full_name, record.username, record.blocked) == ("Anna", None, False)
    assert (record.spaces, record.groups) == ((SpaceId("s1"),), frozenset({GroupId("g")}))


def test_spaces_of_a_provider_may_be_a_list_or_an_object() -> None:
    base = {"name": "One", "domain": "p1.test"}
    assert provider_from({**base, "effectiveSpaces": ["b", "a"]}).spaces == ("a", "b")
    assert provider_from({**base, "effectiveSpaces": {"a": 10}}).spaces == ("a",)


def test_token_events_without_content_revoke_nothing() -> None:
    assert token_events_from({}).revoked == frozenset()
    events = token_events_from({"revokedTokens": ["t"], "temporaryGenerations": {"u1": 4}})
    assert (events.revoked, events.generations) == (frozenset({TokenId("t")}), {"u1": 4})


@pytest.mark.parametrize(
    "resource",
    [
        {},
        {"name": 5},
        {"name": "s", "owners": "u1"},
        {"name": "s", "owners": [1]},
        {"name": "s", "providers": {"p": "many"}},
        {"name": "s", "effectiveUsers": ["u1"]},
        {"name": "s", "effectiveGroups": ["g1"]},
        {"name": "s", "groupNames": {"g1": 1}},
    ],
)
def test_malformed_space_is_refused_whole(resource: dict[str, object]) -> None:
    with pytest.raises(MalformedResourceError):
        space_from(SpaceId("s1"), resource)
