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
