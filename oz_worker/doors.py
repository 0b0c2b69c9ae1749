"""The site's tree: REST, Graph Sync, health, and the configuration at its old place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET

from cluster_worker.http.answers import send_bytes
from cluster_worker.http.errors import HttpError, render_error
from cluster_worker.http.routing import door_resource
from cluster_worker.http.tree import Branch
from oz_worker.rest.routes import BASE, RouteDoor
from oz_worker.rest.zone import ZoneInfo

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

GRAPH_SYNC: Final = "/graph_sync/provider"
DOOR_NAMES: Final = {
    BASE.strip("/"): "rest",
    GRAPH_SYNC.strip("/"): "graph_sync",
    "configuration": "configuration",
}
"""Where a door is mounted → what metrics call it."""


class Page(Resource):
    """The same bytes for every GET."""

    isLeaf = True

    def __init__(self, body: bytes, media_type: bytes) -> None:
        super().__init__()
        self._body, self._media_type = body, media_type

    def render(self, request: StreamingRequest) -> int:
        """Answer at once."""
        if request.method not in (b"GET", b"HEAD"):
            render_error(request, HttpError(405, {b"Allow": b"GET"}))
            return NOT_DONE_YET
        request.setHeader(b"Access-Control-Allow-Origin", b"*")
        send_bytes(request, self._body, [self._media_type])
        return NOT_DONE_YET


def make_tree(door: RouteDoor, graph_sync: IResource, nagios: IResource | None, info: ZoneInfo) -> Branch:
    """Return the root resource.

    Args:
        nagios: the health page; ``None`` leaves it out.
    """
    root = Branch()
    root.mount(BASE, door_resource(door.app, door))
    root.mount(GRAPH_SYNC, graph_sync)
    root.mount("/configuration", Page(json.dumps(info.to_json()).encode(), b"application/json"))
    if nagios is not None:
        root.mount("/nagios", nagios)
    return root
