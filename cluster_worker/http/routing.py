"""Doors: a class with its own Klein app, ``async def`` handlers, one table of errors.

    class SpaceDoor:
        app = Klein()

        def __init__(self, spaces: Spaces) -> None:
            self.resource = door_resource(self.app, self)

        @app.route("/spaces/<space_id>", methods=["GET"])
        async def get_space(self, request: StreamingRequest, space_id: str) -> None:
            send_json(request, await self.spaces.get(space_id))

A handler answers and finishes by itself (``cluster_worker.http.answers``) or returns the body: ``bytes``,
or a ``dict`` or ``list`` for JSON. Whatever it raises goes to ``errors.render_error``. Handlers of
GET and HEAD are cancelled when the client goes; others run to their end, because half an operation is
worse than an unread answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from klein import Klein
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource
from twisted.web.server import NOT_DONE_YET
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter
from zope.interface import implementer

from cluster_worker.http.answers import send_json
from cluster_worker.http.errors import render_error
from onedata.errors import MalformedData

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

_READING = frozenset((b"GET", b"HEAD"))

ErrorRenderer = Callable[["StreamingRequest", Failure], None]


def door_resource(app: Klein, door: object, *, on_error: ErrorRenderer = render_error) -> DoorResource:
    """Return the resource that routes requests to the handlers of ``door``, whose class has ``app``.

    Args:
        on_error: answers a request whose handler raised; by default with the house's JSON errors.
    """
    return DoorResource(app.__get__(door, type(door)), on_error)


class RestOfPath(BaseConverter):
    """The rest of a path, whatever it holds, also nothing."""

    regex = r"[\s\S]*?"
    weight = 200
    part_isolating = False


@implementer(IResource)
class DoorResource:
    """Routes what is below its place in the tree. Slashes are taken as they come, never redirected."""

    isLeaf = True

    def __init__(self, app: Klein, on_error: ErrorRenderer) -> None:
        self._app = app
        self._on_error = on_error
        app.url_map.strict_slashes = False
        app.url_map.merge_slashes = False
        app.url_map.redirect_defaults = False
        for rule in app.url_map.iter_rules():
            rule.strict_slashes, rule.merge_slashes = False, False
        self._match = app.url_map.bind("").match

    def render(self, request: StreamingRequest) -> Any:
        """Start the handler; always answers later or by itself."""
        try:
            path = "/" + b"/".join(request.postpath or []).decode("utf-8")
            rule, values = self._match(path, request.method.decode("ascii"), return_rule=True)
        except HTTPException:
            self._on_error(request, Failure())
        except UnicodeDecodeError:
            self._on_error(request, Failure(MalformedData()))
        else:
            self._start(request, rule.endpoint, values)
        return NOT_DONE_YET

    def _start(self, request: StreamingRequest, endpoint: str, values: Mapping[str, Any]) -> None:
        try:
            result = self._app.execute_endpoint(endpoint, request, **values)
        except Exception:  # noqa: BLE001 - the boundary of a door
            self._on_error(request, Failure())
            return
        if not isinstance(result, Deferred):
            self._answered(result, request)
            return
        if request.method in _READING and not result.called:
            request.work = result
        result.addCallback(self._answered, request)
        result.addErrback(self._failed, request)

    def _answered(self, result: object, request: StreamingRequest) -> None:
        request.work = None
        if request.is_gone or request.finished:
            return
        if isinstance(result, dict | list):
            send_json(request, result)
            return
        if isinstance(result, bytes):
            if not request.startedWriting:
                request.responseHeaders.setRawHeaders(b"Content-Length", [b"%d" % len(result)])
            request.write(result)
        request.finish()

    def _failed(self, failure: Failure, request: StreamingRequest) -> None:
        request.work = None
        self._on_error(request, failure)

    # -- the rest of IResource --------------------------------------------------------------------

    def getChildWithDefault(self, name: bytes, request: IRequest) -> IResource:
        """A leaf has no children."""
        return self

    def putChild(self, path: bytes, child: IResource) -> None:
        """A leaf has no children."""
        raise NotImplementedError("a door has no children; mount beside it")
