"""The admin door, ``/api/v3/onepanel``: whatever its sections offer, to whoever knows the passphrase."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from klein import Klein

from cluster_worker.http.answers import send_json
from cluster_worker.http.errors import render_error
from cluster_worker.http.request import StreamingRequest
from cluster_worker.http.routing import DoorResource, RestOfPath
from op_worker.http.panel.guard import PanelGuard
from op_worker.http.panel.table import PanelCall, PanelRoute

Handler = Callable[..., Awaitable[None]]


class PanelDoor:
    """Thin: admits, calls a section, answers in JSON.

    Args:
        routes: of all sections.

    Attributes:
        resource: to be mounted at ``/api/v3/onepanel``.
    """

    def __init__(self, guard: PanelGuard, routes: Sequence[PanelRoute]) -> None:
        self._guard = guard
        app = Klein()
        app.url_map.converters["rest"] = RestOfPath
        for route in routes:
            app.route(route.path, methods=[route.method], endpoint=f"{route.method} {route.path}")(
                self._handler(route)
            )
        self.resource = DoorResource(app, render_error)

    def _handler(self, route: PanelRoute) -> Handler:
        async def handle(request: StreamingRequest, **ids: str) -> None:
            self._guard.admit(request)
            answer = await route.answer(PanelCall(request=request, ids=ids))
            if answer is not None:
                send_json(request, answer, route.status)
                return
            request.setResponseCode(204 if route.status == 200 else route.status)
            request.finish()

        return handle
