"""``/nagios``: the health of every node and component as XML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Protocol
from xml.sax.saxutils import quoteattr

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import INTERNAL_SERVER_ERROR, NOT_ALLOWED, OK
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from cluster_worker.node.errors import ClusterUnavailable
from cluster_worker.runtime.clock import WallClock

Statuses = Mapping[str, Mapping[str, str]]
"""Node → component → ``ok``, ``out_of_sync`` or ``error: reason``."""

_SEVERITY = ("ok", "out_of_sync", "error")
_FIRST = ("node_manager", "dispatcher")
_LISTENER_SUFFIX = "_listener"


class HasClusterStatus(Protocol):
    """What the page needs of a node, see ``ClusterNode``."""

    @property
    def app_name(self) -> str: ...

    async def cluster_status(self) -> Statuses: ...


def worst_status(statuses: Iterable[str]) -> str:
    """The worst of ``ok``, ``out_of_sync`` and ``error``; ``ok`` of nothing."""
    return _SEVERITY[max((_severity(status) for status in statuses), default=0)]


def nagios_xml(app_name: str, statuses: Statuses, now_s: float) -> bytes:
    """Return the page: one element per node, sorted by name, one inside for each component.

    Components come in the order node_manager, dispatcher, workers, listeners; workers and listeners
    among themselves as they are given. ``now_s`` is in seconds since the epoch, the date in UTC.
    """
    date = datetime.fromtimestamp(now_s, UTC).strftime("%Y/%m/%d %H:%M:%S")
    whole = worst_status(worst_status(components.values()) for components in statuses.values())
    nodes = "".join(_node_xml(app_name, node, statuses[node]) for node in sorted(statuses))
    page = f'<?xml version="1.0"?><healthdata date="{date}" status="{whole}">{nodes}</healthdata>'
    return page.encode()


def _node_xml(app_name: str, node: str, components: Mapping[str, str]) -> str:
    inner = "".join(
        f"<{name} status={quoteattr(components[name])}/>" for name in sorted(components, key=_place)
    )
    status = worst_status(components.values())
    return f'<{app_name} name={quoteattr(node)} status="{status}">{inner}</{app_name}>'


def _place(component: str) -> int:
    if component in _FIRST:
        return _FIRST.index(component)
    return 3 if component.endswith(_LISTENER_SUFFIX) else 2


def _severity(status: str) -> int:
    word = status.partition(":")[0]
    return _SEVERITY.index(word) if word in _SEVERITY else _SEVERITY.index("error")


class NagiosResource(Resource):
    """Serves the page: 200 and XML, however bad; 500 and nothing without a ready cluster."""

    isLeaf = True
    _log = Logger()

    def __init__(self, node: HasClusterStatus, wall_clock: WallClock) -> None:
        super().__init__()
        self._node, self._wall_clock = node, wall_clock

    def render(self, request: Request) -> bytes | int:
        if request.method != b"GET":
            request.setResponseCode(NOT_ALLOWED)
            request.setHeader(b"allow", b"GET")
            return b""
        gone = request.notifyFinish()
        work = Deferred.fromCoroutine(self._answer(request))
        gone.addErrback(lambda _: work.cancel())
        work.addErrback(self._failed, request)
        return NOT_DONE_YET

    async def _answer(self, request: Request) -> None:
        try:
            statuses = await self._node.cluster_status()
        except ClusterUnavailable as problem:
            self._log.info("no health to show: {problem}", problem=problem)
            request.setResponseCode(INTERNAL_SERVER_ERROR)
            request.finish()
            return
        request.setResponseCode(OK)
        request.setHeader(b"content-type", b"application/xml")
        request.write(nagios_xml(self._node.app_name, statuses, self._wall_clock()))
        request.finish()

    def _failed(self, failure: Failure, request: Request) -> None:
        if getattr(request, "_disconnected", False):
            return
        self._log.failure("the health page failed", failure=failure)
        request.setResponseCode(INTERNAL_SERVER_ERROR)
        request.finish()
