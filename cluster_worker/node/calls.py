"""Calls and casts: how one is served, and how one is made over a link."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.node.application import Application
from cluster_worker.node.errors import NodeUnavailable
from cluster_worker.runtime.metrics import Histogram
from cluster_worker.runtime.request_ids import REQUEST_ID
from cluster_worker.wire.call_messages import Call, Cast, NotOwner
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


class CallTally:
    """Calls between this node and others, counted."""

    __slots__ = ("made", "made_failed", "served", "served_failed")

    def __init__(self) -> None:
        self.made, self.served = Histogram(), Histogram()
        self.made_failed = self.served_failed = 0


class CallServer:
    """Serves calls on this node, whoever makes them.

    Attributes:
        tally: counts calls from and to other nodes.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, application: Application) -> None:
        self._clock, self._application = clock, application
        self.tally = CallTally()

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
        """Serve a call that came over a link, in a task of its own."""
        REQUEST_ID.set(call.request_id)
        began_s = self._clock.seconds()
        try:
            reply: Message = Result(await self.serve(call.worker, call.payload, call.timeout_ms / 1000))
        except OnedataError as error:
            reply = Failed(ONEDATA_ERROR, error.description, error.to_json())
        except RequestTimedOut as error:
            reply = Failed("timeout", str(error))
        self.tally.served.add(self._clock.seconds() - began_s)
        self.tally.served_failed += isinstance(reply, Failed)
        return reply

    async def serve_cast(self, cast: Cast, timeout_s: float) -> None:
        """Serve a cast in a task of its own; a failure is only logged."""
        REQUEST_ID.set(cast.request_id)
        try:
            await self.serve(cast.worker, cast.payload, timeout_s)
        except (OnedataError, RequestTimedOut) as error:
            self._log.warn("a cast to {worker} failed: {error}", worker=cast.worker, error=error)

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
