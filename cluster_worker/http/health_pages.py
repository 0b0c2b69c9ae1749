"""``/health``, ``/health/live`` and ``/health/ready``: for load balancers and supervisors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from twisted.web.iweb import IRequest
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET

from cluster_worker.http.answers import send_json, send_later
from cluster_worker.http.tree import Nothing
from cluster_worker.runtime.readiness import Readiness

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

Components = Callable[[], Awaitable[Mapping[str, str]]]
"""Gives the status of each component of this node: ``ok``, or what is the matter."""


class HealthPages(Resource):
    """``/health`` is about every component of this node; the pages below it are about less.

    Whether it lives (it answers), and whether it wants new requests: not while it starts or drains.
    """

    def __init__(self, readiness: Readiness, components: Components) -> None:
        super().__init__()
        self._readiness, self._components = readiness, components
        self.putChild(b"", self)
        self.putChild(b"live", _Verdict("live", tuple))
        self.putChild(b"ready", _Verdict("ready", readiness.reasons))

    def getChild(self, path: bytes, request: IRequest) -> IResource:
        return Nothing()

    def render_GET(self, request: StreamingRequest) -> int:
        send_later(request, self._reasons(), lambda reasons: _send(request, "healthy", reasons))
        return NOT_DONE_YET

    async def _reasons(self) -> Sequence[str]:
        """Why this node is not healthy."""
        components = await self._components()
        reasons = [f"{name}: {status}" for name, status in components.items() if status != "ok"]
        return [*self._readiness.reasons(), *reasons]


class _Verdict(Resource):
    """One question with an immediate answer."""

    isLeaf = True

    def __init__(self, word: str, reasons: Callable[[], Sequence[str]]) -> None:
        super().__init__()
        self._word, self._reasons = word, reasons

    def render_GET(self, request: StreamingRequest) -> int:
        _send(request, self._word, self._reasons())
        return NOT_DONE_YET


def _send(request: StreamingRequest, word: str, reasons: Sequence[str]) -> None:
    """Answer 200 with the word, or 503 with why it does not hold."""
    if reasons:
        negative = f"un{word}" if word == "healthy" else f"not {word}"
        send_json(request, {"status": negative, "reasons": list(reasons)}, 503)
    else:
        send_json(request, {"status": word})
