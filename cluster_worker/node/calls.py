"""Calls and casts between nodes: whom they go to, and how one is served."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.node.application import Application
from cluster_worker.node.errors import NodeUnavailable
from cluster_worker.node.ring import Ring
from cluster_worker.runtime.clock import sleep
from cluster_worker.wire.call_messages import Call, NotOwner
from cluster_worker.wire.errors import LinkClosed, RemoteFailure, RequestTimedOut
from cluster_worker.wire.fields import Payload
from cluster_worker.wire.link import Link
from cluster_worker.wire.link_messages import Failed, Result
from cluster_worker.wire.messages import Message
from onedata.errors import OnedataError, error_from_json

ONEDATA_ERROR = "onedata"
"""The code of error replies whose details are an ``OnedataError``."""
KEYED_CALLS = "keyed_calls"
"""The capability of a peer that understands ``NotOwner``."""

_MAX_ROUTES = 5
_FIRST_PAUSE_S = 0.1


@frozen
class OnNode:
    """The node of this name."""

    node: str


@frozen
class ByKey:
    """The node that the ring makes responsible for this key."""

    key: str


@frozen
class AnyNode:
    """This node, or one that is less loaded when this one has too much to do."""


Target = OnNode | ByKey | AnyNode


class CallServer:
    """Serves calls on this node, whoever makes them."""

    _log = Logger()

    def __init__(self, clock: IReactorTime, application: Application) -> None:
        self._clock, self._application = clock, application

    async def serve(self, worker: str, payload: Payload, timeout_s: float) -> Payload:
        """Return the result of a call; what the application raises passes through.

        Raises:
            RequestTimedOut: it took longer than ``timeout_s`` and was cancelled.
        """
        work = Deferred.fromCoroutine(self._run(worker, payload))
        if not work.called:
            work.addTimeout(timeout_s, self._clock)
        try:
            return await work
        except DeferredTimeout as problem:
            raise RequestTimedOut(f"{worker} took longer than {timeout_s:g} s") from problem

    async def answer(self, call: Call) -> Message:
        """Serve a call that came over a link."""
        try:
            return Result(await self.serve(call.worker, call.payload, call.timeout_ms / 1000))
        except OnedataError as error:
            return Failed(ONEDATA_ERROR, error.description, error.to_json())
        except RequestTimedOut as error:
            return Failed("timeout", str(error))

    async def serve_cast(self, worker: str, payload: Payload, timeout_s: float) -> None:
        """Serve a cast; a failure is only logged."""
        try:
            await self.serve(worker, payload, timeout_s)
        except (OnedataError, RequestTimedOut) as error:
            self._log.warn("a cast to {worker} failed: {error}", worker=worker, error=error)

    async def _run(self, worker: str, payload: Payload) -> Payload:
        return await self._application.handle_call(worker, payload)


async def call_over(link: Link, call: Call) -> Payload | NotOwner:
    """Make a call on another node.

    Raises:
        OnedataError: the application there raised it.
        NodeUnavailable: the link ended; whether the call was served is unknown.
        RequestTimedOut, RemoteFailure, LinkBusy, BadRequest: see ``Link.request``.
    """
    try:
        reply = await link.request(call, call.timeout_ms / 1000)
    except LinkClosed as problem:
        raise NodeUnavailable(str(problem)) from problem
    except RemoteFailure as failure:
        if failure.code == ONEDATA_ERROR and failure.details is not None:
            raise error_from_json(dict(failure.details)) from failure
        if failure.code == "timeout":
            raise RequestTimedOut(failure.description) from failure
        raise
    if isinstance(reply, NotOwner):
        return reply
    if not isinstance(reply, Result):
        raise RemoteFailure("badReply", f"{type(reply).__name__} in reply to a call")
    return reply.payload


async def route_by_key(
    key: str,
    ring: Callable[[], Ring],
    ask: Callable[[str], Deferred[Payload | NotOwner]],
    clock: IReactorTime,
) -> Payload:
    """Ask the owner of ``key``, and again while the nodes' rings disagree: 5 tries, 100 ms doubling.

    Raises:
        NodeUnavailable: no node is responsible, or the rings still disagree.
    """
    pause_s = _FIRST_PAUSE_S
    for attempt in range(_MAX_ROUTES):
        owner = ring().owner(key)
        if owner is None:
            raise NodeUnavailable(f"no node is responsible for {key!r}")
        answer = await ask(owner)
        if not isinstance(answer, NotOwner):
            return answer
        if attempt + 1 < _MAX_ROUTES:
            await sleep(clock, pause_s)
            pause_s *= 2
    raise NodeUnavailable(f"the nodes do not agree on who owns {key!r}")
