"""The site's tree: REST, Graph Sync, health and the few public pages beside them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET

from cluster_worker.http.answers import send_bytes
from cluster_worker.http.errors import HttpError, render_error
from cluster_worker.http.routing import door_resource
from oz_worker.rest.routes import RouteDoor
from oz_worker.rest.zone import PIXEL, ZoneInfo

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest


class Missing(Resource):
    """404 with an empty body, for whatever is not there."""

    isLeaf = True

    def render(self, request: StreamingRequest) -> Any:
        render_error(request, HttpError(404))
        return NOT_DONE_YET


class Branch(Resource):
    """A place that only has children."""

    def getChild(self, path: bytes, request: StreamingRequest) -> IResource:
        return Missing()

    def render(self, request: StreamingRequest) -> Any:
        return Missing().render(request)


class Page(Resource):
    """The same bytes for every GET."""

    isLeaf = True

    def __init__(self, body: bytes, media_type: bytes) -> None:
        super().__init__()
        self._body, self._media_type = body, media_type

    def render(self, request: StreamingRequest) -> Any:
        if request.method not in (b"GET", b"HEAD"):
            render_error(request, HttpError(405, {b"Allow": b"GET"}))
            return NOT_DONE_YET
        request.setHeader(b"Access-Control-Allow-Origin", b"*")
        send_bytes(request, self._body, [self._media_type])
        return NOT_DONE_YET


def make_tree(door: RouteDoor, graph_sync: IResource, nagios: IResource | None, info: ZoneInfo) -> Resource:
    """Return the root resource.

    Args:
        nagios: the health page; ``None`` leaves it out.
    """
    root, api, version, onezone, channel = Branch(), Branch(), Branch(), OnezoneBranch(door), Branch()
    root.putChild(b"api", api)
    api.putChild(b"v3", version)
    version.putChild(b"onezone", onezone)
    onezone.putChild(b"test_image", Page(PIXEL, b"image/png"))
    root.putChild(b"configuration", Page(json.dumps(info.to_json()).encode(), b"application/json"))
    root.putChild(b"graph_sync", channel)
    channel.putChild(b"provider", graph_sync)
    if nagios is not None:
        root.putChild(b"nagios", nagios)
    return root


class OnezoneBranch(Resource):
    """REST below ``/api/v3/onezone``; fixed children first, everything else by the route table."""

    def __init__(self, door: RouteDoor) -> None:
        super().__init__()
        self._rest = door_resource(door.app, door)

    def getChild(self, path: bytes, request: StreamingRequest) -> IResource:
        assert request.prepath is not None and request.postpath is not None
        request.postpath.insert(0, request.prepath.pop())
        return self._rest

    def render(self, request: StreamingRequest) -> Any:
        return Missing().render(request)
