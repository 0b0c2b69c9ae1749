"""``/status`` and ``/nodes``: what the manager knows, and what operators ask for."""

from __future__ import annotations

from collections.abc import Callable

from klein import Klein

from cluster_manager.http.guard import Guard
from cluster_manager.operator_requests import Resizing
from cluster_manager.overseeing import Overseer
from cluster_worker.http.request import StreamingRequest
from cluster_worker.http.routing import door_resource
from cluster_worker.wire.operator_messages import DrainNode, LeaveNode, UndrainNode

Json = dict[str, object]


class StatusDoor:
    """``resource`` is to be mounted at ``/status``."""

    app = Klein()

    def __init__(self, overseer: Overseer, guard: Guard) -> None:
        self._overseer, self._guard = overseer, guard
        self.resource = door_resource(self.app, self)

    @app.route("/", methods=["GET"])
    async def get_status(self, request: StreamingRequest) -> Json:
        self._guard.admit_reader(request)
        return await self._overseer.status()


class NodesDoor:
    """``resource`` is to be mounted at ``/nodes``."""

    app = Klein()

    def __init__(self, overseer: Overseer, guard: Guard) -> None:
        self._overseer, self._guard = overseer, guard
        self.resource = door_resource(self.app, self)

    @app.route("/<node>/drain", methods=["POST"])
    async def drain(self, request: StreamingRequest, node: str) -> Json:
        return await self._resize(request, DrainNode, node)

    @app.route("/<node>/undrain", methods=["POST"])
    async def undrain(self, request: StreamingRequest, node: str) -> Json:
        return await self._resize(request, UndrainNode, node)

    @app.route("/<node>/leave", methods=["POST"])
    async def leave(self, request: StreamingRequest, node: str) -> Json:
        return await self._resize(request, LeaveNode, node)

    async def _resize(self, request: StreamingRequest, kind: Callable[[str], Resizing], node: str) -> Json:
        """Answer 202 when it is decided and stored; it is done later."""
        wanted = kind(node)
        self._guard.admit_operator(request, repr(wanted))
        state = await self._overseer.resize(wanted)
        request.setResponseCode(202)
        return {"name": node, "state": state}
