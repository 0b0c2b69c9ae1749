"""An operator's side of the talk with the managers of a cluster: one request to whoever leads."""

from __future__ import annotations

from collections.abc import Sequence

from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskOwner
from cluster_worker.wire.connections import Address, LinkReactor, open_link
from cluster_worker.wire.conversation import Expectation
from cluster_worker.wire.errors import LinkClosed, RemoteFailure, RequestTimedOut
from cluster_worker.wire.handlers import LinkParts
from cluster_worker.wire.link import Link
from cluster_worker.wire.link_messages import Failed, Hello, Role, VersionRange
from cluster_worker.wire.messages import Message
from cluster_worker.wire.tls import NodeCredentials

_VERSIONS = VersionRange(1, 1)
_A_MANAGER = Expectation(frozenset({Role.MANAGER}))
_REPLY_TIMEOUT_S = 20.0
_PAUSE_S = 0.5


class NoLeader(Exception):
    """No manager that leads could be asked in time; it is not known whether the last one did it."""


async def ask_managers(
    reactor: LinkReactor,
    managers: Sequence[Address],
    credentials: NodeCredentials,
    name: str,
    request: Message,
    patience_s: float = 15.0,
) -> Message:
    """Ask the managers in turn until the one that leads answers, and return its answer.

    Args:
        name: of the operator, as in its certificate: ``operator@…``.
        patience_s: in which a request is begun; a new leader is there within 5 s.

    Raises:
        RemoteFailure: the leader declined; see ``docs/wire-protocol.md`` for the codes.
        NoLeader: nobody led within ``patience_s``.
        BadCredentials: the certificate cannot be used.
    """
    credentials.load()
    until_s, problem = reactor.seconds() + patience_s, "there is no manager to ask"
    while True:
        for address in managers:
            try:
                return await _ask(reactor, address, credentials, name, request)
            except RemoteFailure as failure:
                if failure.code != "notLeader":
                    raise
                problem = f"{address}: {failure}"
            except (LinkClosed, RequestTimedOut) as failure:
                problem = f"{address}: {failure}"
        if reactor.seconds() >= until_s:
            raise NoLeader(problem)
        await sleep(reactor, _PAUSE_S)


async def _ask(
    reactor: LinkReactor, address: Address, credentials: NodeCredentials, name: str, request: Message
) -> Message:
    tasks = TaskOwner()
    hello = Hello(_VERSIONS, frozenset(), Role.OPERATOR, name, "operator", "", "")
    parts = LinkParts(clock=reactor, hello=lambda: hello, handler=_ServesNobody(), tasks=tasks)
    try:
        link = await open_link(reactor, address, credentials, parts, _A_MANAGER)
        try:
            return await link.request(request, _REPLY_TIMEOUT_S)
        finally:
            link.close("that was all")
    finally:
        await tasks.close()


class _ServesNobody:
    """The handler of an operator's links."""

    def link_opened(self, link: Link) -> None: ...

    def link_closed(self, link: Link, reason: str) -> None: ...

    def handle_notice(self, link: Link, message: Message) -> None: ...

    async def handle_request(self, link: Link, message: Message) -> Message:
        return Failed("badRequest", "an operator serves nobody")
