"""The resources that a provider follows in its zone, and where each is remembered. Pure."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from onedata.gri import Gri, Scope
from onedata.ids import ProviderId, SpaceId, UserId


class Kind(Enum):
    """What a resource is."""

    PROVIDER = "provider"
    TOKEN_EVENTS = "token_events"
    SPACE = "space"
    USER = "user"


@frozen
class Topic:
    """One resource that can be subscribed to; ``entity_id`` is the id of the provider, space or user."""

    kind: Kind
    entity_id: str

    @property
    def gri(self) -> Gri:
        """Its address in the zone."""
        match self.kind:
            case Kind.PROVIDER:
                return Gri("provider", self.entity_id, "instance", scope=Scope.PRIVATE)
            case Kind.TOKEN_EVENTS:
                return Gri("provider", self.entity_id, "token_events", scope=Scope.PRIVATE)
            case Kind.SPACE:
                return Gri("space", self.entity_id, "instance", scope=Scope.PRIVATE)
            case Kind.USER:
                return Gri("user", self.entity_id, "instance", scope=Scope.PROTECTED)

    @property
    def gris(self) -> tuple[Gri, ...]:
        """Its addresses in the zone, the one that shows most first.

        Providers that support a space see its members; others, with users in it, see an outline.
        """
        if self.kind is Kind.SPACE:
            return self.gri, Gri("space", self.entity_id, "instance", scope=Scope.PROTECTED)
        return (self.gri,)


def provider_topic(provider_id: ProviderId) -> Topic:
    """This provider: its name and what it supports."""
    return Topic(Kind.PROVIDER, provider_id)


def token_events_topic(provider_id: ProviderId) -> Topic:
    """Revocations of tokens."""
    return Topic(Kind.TOKEN_EVENTS, provider_id)


def space_topic(space_id: SpaceId) -> Topic:
    """A space: its supports and, where we support it, its members with their privileges."""
    return Topic(Kind.SPACE, space_id)


def user_topic(user_id: UserId) -> Topic:
    """A user: names, spaces, groups."""
    return Topic(Kind.USER, user_id)


def topic_of(gri: Gri) -> Topic | None:
    """Return the topic that a pushed resource belongs to; ``None`` when we follow no such thing."""
    match (gri.type, gri.aspect):
        case ("provider", "instance"):
            kind = Kind.PROVIDER
        case ("provider", "token_events"):
            kind = Kind.TOKEN_EVENTS
        case ("space", "instance"):
            kind = Kind.SPACE
        case ("user", "instance"):
            kind = Kind.USER
        case _:
            return None
    return None if gri.id is None or gri.aspect_id is not None else Topic(kind, gri.id)
