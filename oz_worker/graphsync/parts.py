"""What a session of a provider is made of: the connection under it, and the zone behind it."""

from __future__ import annotations

from typing import Any, Protocol

from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime

from oz_worker.authentication import Authenticator
from oz_worker.graphsync.operations import ProviderOperations
from oz_worker.online import Online
from oz_worker.state import ZoneState


class Wire(Protocol):
    """The connection under a session."""

    def send(self, text: str) -> None:
        """Send a text frame."""

    def close(self) -> None:
        """Close the connection after what was sent."""


@frozen
class SessionParts:
    """What every session needs of the zone.

    Attributes:
        attributes: told in the handshake.
    """

    clock: IReactorTime
    state: ZoneState
    authenticator: Authenticator
    operations: ProviderOperations
    online: Online
    attributes: dict[str, Any] = field(factory=dict)
