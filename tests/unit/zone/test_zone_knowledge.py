"""What a provider knows of its zone, in memory."""

from __future__ import annotations

import pytest

from onedata.gri import Gri
from onedata.ids import ProviderId, SpaceId, UserId
from op_worker.zone.known import KnownZone
from op_worker.zone.resources import MalformedResourceError
from op_worker.zone.topics import (
    Kind,
    Topic,
    provider_topic,
    space_topic,
    token_events_topic,
    topic_of,
    user_topic,
)

P1, S1, U1 = ProviderId("p1"), SpaceId("s1"), UserId("u1")
TOPICS = [provider_topic(P1), token_events_topic(P1), space_topic(S1), user_topic(U1)]


@pytest.mark.parametrize("topic", TOPICS)
def test_topic_is_found_again_by_its_address(topic: Topic) -> None:
    assert topic_of(topic.gri) == topic


@pytest.mark.parametrize(
    "text", ["group.g.instance:private", "space.null.instance:private", "space.s.instance,x:private"]
)
def test_address_of_something_else_is_no_topic(text: str) -> None:
    assert topic_of(Gri.parse(text)) is None


def test_user_is_read_from_the_protected_scope() -> None:
    assert user_topic(U1).gri.text == "user.u1.instance:protected"
    assert token_events_topic(P1).gri.text == "provider.p1.token_events:private"


def test_resource_changes_what_is_known_and_the_version() -> None:
    known = KnownZone()
    assert known.apply(space_topic(S1), {"name": "first", "revision": 2})
    assert known.spaces[S1].name == "first"
    assert known.version == 1


def test_older_revision_does_not_undo_a_newer_one() -> None:
    known = KnownZone()
    known.apply(space_topic(S1), {"name": "new", "revision": 5})
    assert not known.apply(space_topic(S1), {"name": "old", "revision": 4})
    assert (known.spaces[S1].name, known.version) == ("new", 1)


def test_revisions_of_a_new_connection_start_over() -> None:
    known = KnownZone()
    known.apply(space_topic(S1), {"name": "before", "revision": 5})
    known.forget_revisions()
    assert known.apply(space_topic(S1), {"name": "after a restore", "revision": 1})


def test_malformed_resource_changes_nothing() -> None:
    known = KnownZone()
    known.apply(space_topic(S1), {"name": "good", "revision": 1})
    with pytest.raises(MalformedResourceError):
        known.apply(space_topic(S1), {"name": 7, "revision": 2})
    assert known.spaces[S1].name == "good"
    assert known.apply(space_topic(S1), {"name": "repaired", "revision": 2})


def test_support_is_what_the_provider_resource_says() -> None:
    known = KnownZone()
    known.apply(provider_topic(P1), {"name": "One", "domain": "d", "effectiveSpaces": ["s1"]})
    known.apply(user_topic(U1), {"fullName": "A", "effectiveSpaces": ["s1", "s9"]})
    assert known.supported == {S1}
    assert known.is_supported_user(known.users[U1])
    known.apply(provider_topic(P1), {"name": "One", "domain": "d", "effectiveSpaces": []})
    assert not known.is_supported_user(known.users[U1])


@pytest.mark.parametrize("topic", TOPICS)
def test_forgetting_anything_moves_the_version(topic: Topic) -> None:
    known = KnownZone()
    known.apply(provider_topic(P1), {"name": "One", "domain": "d", "effectiveSpaces": ["s1"]})
    known.apply(token_events_topic(P1), {"revokedTokens": ["t"]})
    known.apply(space_topic(S1), {"name": "s"})
    known.apply(user_topic(U1), {"fullName": "A"})
    before = known.version
    known.forget(topic)
    assert known.version > before
    gone = {
        Kind.PROVIDER: known.provider is None and not known.supported,
        Kind.TOKEN_EVENTS: not known.token_events.revoked,
        Kind.SPACE: S1 not in known.spaces,
        Kind.USER: U1 not in known.users,
    }
    assert [kind for kind, is_gone in gone.items() if is_gone] == [topic.kind]


OUTLINE = {"gri": "space.s1.instance:protected", "name": "outline", "revision": 9}
WHOLE = {"gri": "space.s1.instance:private", "name": "whole", "owners": ["u1"], "revision": 1}
OURS = {"name": "One", "domain": "d", "effectiveSpaces": ["s1"]}


def test_space_has_two_addresses_the_one_with_members_first() -> None:
    assert [gri.text for gri in space_topic(S1).gris] == [WHOLE["gri"], OUTLINE["gri"]]
    assert [topic_of(gri) for gri in space_topic(S1).gris] == [space_topic(S1)] * 2
    assert user_topic(U1).gris == (user_topic(U1).gri,)


def test_outline_of_a_space_is_known_without_members() -> None:
    known = KnownZone()
    assert known.apply(space_topic(S1), OUTLINE)
    space = known.spaces[S1]
    assert (space.name, space.owners, space.user_privileges) == ("outline", frozenset(), {})


def test_outline_does_not_replace_what_shows_members() -> None:
    known = KnownZone()
    known.apply(space_topic(S1), WHOLE)
    assert not known.apply(space_topic(S1), OUTLINE)
    assert known.spaces[S1].owners == {U1}


def test_members_replace_an_outline() -> None:
    known = KnownZone()
    known.apply(space_topic(S1), OUTLINE)
    assert known.apply(space_topic(S1), {**WHOLE, "revision": 9})
    assert known.spaces[S1].owners == {U1}
    assert not known.apply(space_topic(S1), {**OUTLINE, "revision": 10})


def test_outline_is_enough_only_of_a_space_that_we_do_not_support() -> None:
    known = KnownZone()
    assert not known.knows_enough_of(S1)
    known.apply(space_topic(S1), OUTLINE)
    assert known.knows_enough_of(S1)
    known.apply(provider_topic(P1), OURS)
    assert not known.knows_enough_of(S1)
    known.apply(space_topic(S1), {**WHOLE, "revision": 9})
    assert known.knows_enough_of(S1)


def test_space_is_shown_by_the_address_it_came_from() -> None:
    known, topic = KnownZone(), space_topic(S1)
    private, protected = topic.gris
    assert not known.is_shown_by(topic, private) and not known.is_shown_by(topic, protected)
    known.apply(topic, OUTLINE)
    assert known.is_shown_by(topic, protected) and not known.is_shown_by(topic, private)
    known.forget(topic)
    known.apply(topic, WHOLE)
    assert known.is_shown_by(topic, private) and not known.is_shown_by(topic, protected)
