"""What a link is made with, and who takes what comes in on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime

from cluster_worker.runtime.services import TaskOwner
from cluster_worker.wire.link_messages import Hello
from cluster_worker.wire.messages import Message
from cluster_worker.wire.refusals import Refusals

if TYPE_CHECKING:
    from cluster_worker.wire.link import Link


class LinkTransport(Protocol):
    """What a link needs of its transport, TCP or TLS."""

    def write(self, data: bytes) -> None: ...

    def loseConnection(self) -> None: ...

    def abortConnection(self) -> None: ...

    def registerProducer(self, producer: object, streaming: bool) -> None: ...

    def unregisterProducer(self) -> None: ...

    def setTcpNoDelay(self, enabled: bool) -> None: ...


class LinkHandler(Protocol):
    """What a node does with its links. One handler may serve many."""

    def link_opened(self, link: Link) -> None:
        """Both ends greeted each other; ``link.peer`` is known."""

    async def handle_request(self, link: Link, message: Message) -> Message:
        """Return the reply. ``BadRequest`` becomes an error reply; so does a bug, after it is logged."""

    def handle_notice(self, link: Link, message: Message) -> None:
        """Take a message that has no reply."""

    def link_closed(self, link: Link, reason: str) -> None:
        """The link ended after it had been opened."""


@frozen(kw_only=True)
class LinkLimits:
    """Times in seconds, sizes in bytes.

    Attributes:
        max_serving: requests of one peer that are handled at the same time; further ones are refused.
        max_unsent_b: what may wait for a peer that does not read; beyond it the link is dropped.
        max_half_open: connections that have not greeted yet, of all addresses; further ones are closed.
        max_half_open_of_one: the same of one address.
    """

    greeting_timeout_s: float = 10.0
    ping_interval_s: float = 5.0
    silence_timeout_s: float = 15.0
    closing_timeout_s: float = 5.0
    max_serving: int = 1024
    max_unsent_b: int = 32 * 1024 * 1024
    max_half_open: int = 1024
    max_half_open_of_one: int = 256


@frozen(kw_only=True)
class LinkParts:
    """What every link of a node shares.

    Attributes:
        hello: makes the greeting of a new link.
        tasks: owns the handlers of requests.
        refusals: counts what is refused on these links.
    """

    clock: IReactorTime
    hello: Callable[[], Hello]
    handler: LinkHandler
    tasks: TaskOwner
    limits: LinkLimits = field(factory=LinkLimits)
    refusals: Refusals = field(factory=Refusals)
