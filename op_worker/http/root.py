"""The tree of everything that the provider serves on its HTTPS port."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from attrs import frozen
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource, Resource

from cluster_worker.http.tree import Branch, Fork, Nothing

_HINT = b"""This is a Oneprovider.

REST   /api/v3/oneprovider
tus    /api/v3/oneprovider/tus/
CDMI   /cdmi
Shares /share/<id>
Health /health, /nagios, /api/v3/oneprovider/health
"""

_REST, _PANEL, _TUS = "api/v3/oneprovider", "api/v3/onepanel", "tus"
DOOR_NAMES = {
    _REST: "rest",
    f"{_REST}/{_TUS}": "tus",
    _PANEL: "panel",
    "cdmi": "cdmi",
    "share": "share",
    "download": "download",
    "configuration": "configuration",
}
"""Where a door is mounted → what metrics call it."""


@frozen(kw_only=True)
class Doors:
    """The resources to be mounted."""

    rest: IResource
    tus: IResource
    download: IResource
    cdmi: IResource
    panel: IResource
    share: IResource
    nagios: IResource


def make_root(
    doors: Doors, *, configuration: Callable[[], Mapping[str, object]], is_zone_connected: Callable[[], bool]
) -> Branch:
    """Return the tree; what is not in it is answered 404 without a body."""
    root = Branch()
    rest = Fork(doors.rest)
    rest.mount(_TUS, doors.tus)
    root.mount(_REST, rest)
    root.mount(_PANEL, doors.panel)
    root.mount("cdmi", doors.cdmi)
    root.mount("share", doors.share)
    root.mount("download", doors.download)
    root.mount("nagios", _Nagios(doors.nagios, is_zone_connected))
    root.mount("configuration", _Json(configuration))
    root.putChild(b"", _Hint())
    return root


class _Json(Resource):
    """A small document, made anew for each request."""

    isLeaf = True

    def __init__(self, document: Callable[[], Mapping[str, object]]) -> None:
        super().__init__()
        self._document = document

    def render_GET(self, request: IRequest) -> bytes:
        request.setHeader(b"Content-Type", b"application/json")
        return json.dumps(self._document()).encode()


class _Hint(Resource):
    """For a person who opens the address in a browser."""

    isLeaf = True

    def render_GET(self, request: IRequest) -> bytes:
        request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
        return _HINT


class _Nagios(Resource):
    """``/nagios`` and, below it, whether the zone is reached."""

    def __init__(self, nagios: IResource, is_zone_connected: Callable[[], bool]) -> None:
        super().__init__()
        self._nagios = nagios
        status = _Json(lambda: {"status": "ok" if is_zone_connected() else "error"})
        self.putChild(b"oz_connectivity", status)

    def getChild(self, path: bytes, request: IRequest) -> IResource:
        return self._nagios if path == b"" else Nothing()

    def render(self, request: IRequest) -> object:
        return self._nagios.render(request)
