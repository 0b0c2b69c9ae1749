"""What this provider knows of its zone right now, in memory. Pure."""

from __future__ import annotations

from onedata.gri import Gri, Scope
from onedata.ids import SpaceId, UserId
from op_worker.zone.records import SpaceInfo, UserInfo
from op_worker.zone.resources import (
    ProviderInfo,
    Resource,
    TokenEvents,
    is_outline,
    provider_from,
    space_from,
    token_events_from,
    user_from,
)
from op_worker.zone.topics import Kind, Topic


class KnownZone:
    """Users, spaces, our own record and token revocations; ``version`` grows with every change."""

    def __init__(self) -> None:
        self.version = 0
        self.provider: ProviderInfo | None = None
        self.token_events = TokenEvents()
        self.users: dict[UserId, UserInfo] = {}
        self.spaces: dict[SpaceId, SpaceInfo] = {}
        self.supported: frozenset[SpaceId] = frozenset()
        self._outlines: set[SpaceId] = set()
        self._revisions: dict[Topic, int] = {}

    def apply(self, topic: Topic, resource: Resource) -> bool:
        """Take over a resource; return whether it was news (not older than what is known, nor less of it).

        Raises:
            MalformedResourceError: it cannot be understood; nothing has changed.
        """
        if topic.kind is Kind.SPACE and is_outline(resource) and self._has_members(SpaceId(topic.entity_id)):
            return False
        revision = resource.get("revision")
        if isinstance(revision, int):
            if revision < self._revisions.get(topic, revision):
                return False
            self._take(topic, resource)
            self._revisions[topic] = revision
        else:
            self._take(topic, resource)
        self.version += 1
        return True

    def forget(self, topic: Topic) -> None:
        """Drop a resource that is gone, or not ours to see any more."""
        self._revisions.pop(topic, None)
        self.version += 1
        match topic.kind:
            case Kind.USER:
                self.users.pop(UserId(topic.entity_id), None)
            case Kind.SPACE:
                self.spaces.pop(SpaceId(topic.entity_id), None)
                self._outlines.discard(SpaceId(topic.entity_id))
            case Kind.PROVIDER:
                self.provider, self.supported = None, frozenset()
            case Kind.TOKEN_EVENTS:
                self.token_events = TokenEvents()

    def forget_revisions(self) -> None:
        """Take whatever comes next as news: revisions of another connection are not comparable."""
        self._revisions.clear()

    def is_behind(self, topic: Topic, resource: Resource) -> bool:
        """Whether a resource is newer than what is known, or nothing is known of it."""
        revision, known = resource.get("revision"), self._revisions.get(topic)
        return isinstance(revision, int) and (known is None or revision > known)

    def is_shown_by(self, topic: Topic, gri: Gri) -> bool:
        """Whether what is known of a topic came from the address ``gri`` of it."""
        if topic.kind is not Kind.SPACE:
            return True
        space_id = SpaceId(topic.entity_id)
        return space_id in self.spaces and (space_id in self._outlines) is (gri.scope is Scope.PROTECTED)

    def knows_enough_of(self, space_id: SpaceId) -> bool:
        """Whether a space is known, with its members if we support it."""
        return space_id in self.spaces and not (space_id in self.supported and space_id in self._outlines)

    def is_supported_user(self, user: UserInfo) -> bool:
        """Whether we support any of the user's spaces."""
        return not self.supported.isdisjoint(user.spaces)

    def _has_members(self, space_id: SpaceId) -> bool:
        return space_id in self.spaces and space_id not in self._outlines

    def _take(self, topic: Topic, resource: Resource) -> None:
        match topic.kind:
            case Kind.USER:
                user_id = UserId(topic.entity_id)
                self.users[user_id] = user_from(user_id, resource)
            case Kind.SPACE:
                space_id = SpaceId(topic.entity_id)
                self.spaces[space_id] = space_from(space_id, resource)
                if is_outline(resource):
                    self._outlines.add(space_id)
                else:
                    self._outlines.discard(space_id)
            case Kind.PROVIDER:
                self.provider = provider_from(resource)
                self.supported = frozenset(self.provider.spaces)
            case Kind.TOKEN_EVENTS:
                self.token_events = token_events_from(resource)
