"""Routes as a table: method, path, who may, and a handler; every request takes the same steps.

The steps, which decide what error wins: authentication (401) → the entity exists (404) → the token's
API caveats (401) → authorisation (401 for nobody, 403 for others) → the body (400) → the operation.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from attrs import field, frozen
from klein import Klein

from cluster_worker.http.answers import send_bytes, send_json, send_nothing
from cluster_worker.http.bodies import read_json_object
from cluster_worker.http.errors import HttpError
from onedata.errors import Forbidden, Unauthorized
from onedata.tokens.caveats import Operation
from oz_worker.asker import Asker
from oz_worker.state import ZoneState
from oz_worker.values import Body

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

BASE: Final = "/api/v3/onezone"
_OPERATIONS: Final = {
    "GET": Operation.GET,
    "POST": Operation.CREATE,
    "PUT": Operation.CREATE,
    "PATCH": Operation.UPDATE,
    "DELETE": Operation.DELETE,
}


@frozen
class Ok:
    """200 with a JSON value."""

    value: Any


@frozen
class Created:
    """201; ``path`` below the base of the interface becomes ``Location``, ``value`` the JSON body."""

    path: str | None = None
    value: Any = None


@frozen
class Done:
    """204."""


@frozen
class Raw:
    """200 with bytes that are not JSON."""

    body: bytes
    media_type: bytes


Reply = Ok | Created | Done | Raw


@frozen
class Call:
    """One request while it is handled. ``path`` holds the path's parameters."""

    asker: Asker
    path: Mapping[str, str]
    state: ZoneState
    read_body: Callable[[], Awaitable[dict[str, Any]]]

    def __getitem__(self, name: str) -> str:
        return self.path[name]

    async def body(self) -> Body:
        """Return the JSON body. Raises: MalformedData; HttpError 413 and 415."""
        return Body(await self.read_body())


Access = Callable[[Call], bool]
Handler = Callable[[Call], Awaitable[Reply]]
Authenticate = Callable[["StreamingRequest"], Awaitable[Asker]]


@frozen
class Route:
    """One operation of the interface. Unless it is public, API caveats are checked against ``gri``."""

    method: str
    path: str
    gri: str
    access: Access
    handler: Handler = field(repr=False)

    @property
    def is_public(self) -> bool:
        """Whether it takes no credentials, so that those shown need not allow it."""
        return self.gri.endswith(":public")

    @property
    def operation(self) -> Operation:
        """The Graph Sync operation that this is."""
        return _OPERATIONS[self.method]


_MARK: Final = "_oz_routes"
F = TypeVar("F", bound=Callable[..., Awaitable[Reply]])


def route(method: str, path: str, gri: str, access: Access) -> Callable[[F], F]:
    """Mark a method ``async def handler(self, call) -> Reply`` as a route; may be used repeatedly.

    ``gri`` may use the path's parameters, as in ``space.{sid}.instance:private``.
    """

    def mark(handler: F) -> F:
        marks = getattr(handler, _MARK, ())
        setattr(handler, _MARK, (*marks, (method, path, gri, access)))
        return handler

    return mark


def routes_of(subject: object) -> list[Route]:
    """Return the routes that the methods of ``subject`` are marked with."""
    found = []
    for name in dir(type(subject)):
        handler = getattr(subject, name)
        for mark in getattr(handler, _MARK, ()):
            method, path, gri, access = mark
            found.append(Route(method, path, gri, access, handler))
    return found


class RouteDoor:
    """Serves routes below one place of a site, through ``cluster_worker.http.routing.door_resource``.

    Args:
        authenticate: finds out who asks, or raises ``Unauthorized``.
        domain: of the zone, for ``Location`` headers.
    """

    def __init__(
        self, routes: Iterable[Route], state: ZoneState, authenticate: Authenticate, domain: str
    ) -> None:
        self.app = Klein()
        self._state, self._authenticate, self._domain = state, authenticate, domain
        for number, item in enumerate(routes):
            self._mount(item, f"{number}")

    def _mount(self, item: Route, endpoint: str) -> None:
        async def handle(_: object, request: StreamingRequest, **path: str) -> None:
            await self._handle(item, request, path)

        self.app.route(item.path, methods=[item.method], endpoint=endpoint)(handle)

    async def _handle(self, item: Route, request: StreamingRequest, path: Mapping[str, str]) -> None:
        request.responseHeaders.setRawHeaders(b"Access-Control-Allow-Origin", [b"*"])
        _hide_secret(request, path)
        asker = await self._authenticate(request)
        if not asker.is_nobody:
            request.user_id = asker.subject.text

        async def read_body() -> dict[str, Any]:
            return await _read_body(request)

        call = Call(asker, path, self._state, read_body)
        is_allowed = item.access(call)
        if not item.is_public:
            asker.demand_api(item.operation, item.gri.format_map(path))
        if not is_allowed:
            raise Unauthorized() if asker.is_nobody else Forbidden()
        self._answer(request, await item.handler(call))

    def _answer(self, request: StreamingRequest, reply: Reply) -> None:
        if isinstance(reply, Done):
            send_nothing(request)
        elif isinstance(reply, Ok):
            send_json(request, reply.value)
        elif isinstance(reply, Raw):
            send_bytes(request, reply.body, [reply.media_type])
        else:
            request.setResponseCode(201)
            if reply.path is not None:
                location = f"https://{self._domain}{BASE}{reply.path}"
                request.setHeader(b"Location", location.encode())
            if reply.value is None:
                request.setHeader(b"Content-Length", b"0")
                request.finish()
            else:
                send_json(request, reply.value, 201)


async def _read_body(request: StreamingRequest) -> dict[str, Any]:
    if request.body_length != 0:
        content_type = (request.getHeader(b"content-type") or b"").split(b";")[0].strip().lower()
        if content_type != b"application/json":
            raise HttpError(415)
    return await read_json_object(request)


def _hide_secret(request: StreamingRequest, path: Mapping[str, str]) -> None:
    """Keep a token that stands in the path out of the access log."""
    if "token" in path:
        request.path = request.path.rpartition(b"/")[0] + b"/-"


def call_path(pattern: str, call: Call) -> str:
    """Return a path of the interface with the parameters of ``call`` filled in."""
    for name, value in call.path.items():
        pattern = pattern.replace(f"<{name}>", value)
    return pattern
