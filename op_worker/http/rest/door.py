"""The REST door: for each request who asks, what exactly is asked, then one operation of the table."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from klein import Klein
from twisted.python.failure import Failure

from cluster_worker.http.answers import send_bytes
from cluster_worker.http.bodies import content_type, read_json_object
from cluster_worker.http.errors import HttpError, render_error
from cluster_worker.http.params import parse_query, sanitise
from cluster_worker.http.routing import DoorResource, RestOfPath
from onedata.errors import (
    Errno,
    Forbidden,
    NotFound,
    NotSupported,
    OnedataError,
    Posix,
    ServiceUnavailable,
    Unauthorized,
)
from onedata.ids import FileGuid, SpaceId
from op_worker.auth.caller import Caller
from op_worker.changes.service import ChangeStreams
from op_worker.downloads.service import Downloads
from op_worker.files.service import FileService
from op_worker.http.callers import Authenticator, caller_of
from op_worker.http.guests import guest_of, password_in_header
from op_worker.http.rest.calls import RestCall, RestServices, file_of, names_of
from op_worker.http.rest.configuration import ProductInfo
from op_worker.http.rest.negotiation import accepts
from op_worker.http.rest.openapi import openapi_document
from op_worker.http.rest.routes import ROUTES
from op_worker.http.rest.table import Access, Body, Missing, Route
from op_worker.importing.registering import Registering
from op_worker.mapping.showing import ShownOwners
from op_worker.metrics.answers import MetricAnswers
from op_worker.search.service import Searching
from op_worker.shares.service import Shares
from op_worker.statistics.service import Statistics
from op_worker.zone.directory import Zone

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

Handler = Callable[..., Coroutine[Any, Any, None]]
_WRITING = frozenset((b"PUT", b"POST", b"PATCH"))
_ANY_ORIGIN = [b"*"]


class RestDoor:
    """``/api/v3/oneprovider``.

    Args:
        is_serving: when false, every request for data is answered 503 ``serviceUnavailable``.
        is_healthy: what ``/health`` tells.
        statistics: answers of directories; without them no space has statistics.
        metrics: time series of spaces; without them nothing has been gathered.
        owners: what files are shown to belong to; without it, computed uids and gids.
        registering: makes files of imported storages known; without it none are.
        domain: host (and port) for absolute links; by default the provider's, else what the client sent.

    Attributes:
        resource: to be mounted at ``/api/v3/oneprovider``.
    """

    def __init__(
        self,
        files: FileService,
        zone: Zone,
        authenticator: Authenticator,
        *,
        searching: Searching,
        changes: ChangeStreams,
        shares: Shares,
        downloads: Downloads,
        product: ProductInfo | None = None,
        is_serving: Callable[[], bool] = lambda: True,
        is_healthy: Callable[[], bool] = lambda: True,
        domain: Callable[[], str | None] | None = None,
        statistics: Statistics | None = None,
        metrics: MetricAnswers | None = None,
        owners: ShownOwners | None = None,
        registering: Registering | None = None,
    ) -> None:
        self._zone, self._authenticator, self._is_serving = zone, authenticator, is_serving
        self._services = RestServices(
            files=files,
            searching=searching,
            changes=changes,
            shares=shares,
            downloads=downloads,
            zone=zone,
            product=product or ProductInfo(),
            is_healthy=is_healthy,
            domain=domain or (lambda: zone.provider_domain),
            statistics=statistics,
            metrics=metrics,
            owners=owners,
            registering=registering,
        )
        self.resource = DoorResource(self._make_app(), self._render_error)

    def _make_app(self) -> Klein:
        app = Klein()
        app.url_map.converters["rest"] = RestOfPath
        for number, route in enumerate(ROUTES):
            for pattern in _patterns(route.path):
                app.route(pattern, methods=[route.method], endpoint=f"{number} {pattern}")(
                    self._handler(route)
                )
        app.route("/openapi.json", methods=["GET"], endpoint="openapi")(self._get_openapi)
        return app

    def _handler(self, route: Route) -> Handler:
        async def handle(request: StreamingRequest, **values: str) -> None:
            request.responseHeaders.setRawHeaders(b"Access-Control-Allow-Origin", _ANY_ORIGIN)
            await self._handle(request, route, values)

        return handle

    async def _handle(self, request: StreamingRequest, route: Route, values: Mapping[str, str]) -> None:
        if route.access is not Access.PUBLIC and not self._is_serving():
            raise ServiceUnavailable()
        caller = await caller_of(request, self._authenticator)
        if caller.is_guest and route.access is Access.TOKEN:
            raise Unauthorized()
        _check_media_types(request, route)
        guid, caller = await self._file(request, route, values, caller)
        call = RestCall(
            services=self._services,
            request=request,
            caller=caller,
            names=names_of(values.get("path", "")),
            space_id=SpaceId(values.get("sid", "")),
            ids=values,
            params=sanitise(route.params, await _given(request, route)),
            guid=guid,
        )
        try:
            await route.operation(call)
        except (Forbidden, Posix) as error:
            raise _as_told(error, route, caller) from None

    async def _file(
        self, request: StreamingRequest, route: Route, values: Mapping[str, str], caller: Caller
    ) -> tuple[FileGuid | None, Caller]:
        """Return the file named in the path, and who is taken to ask: for a share's file, anybody."""
        text = values.get("id")
        if text is None:
            return None, caller
        guid = file_of(text, self._zone)
        if guid.share_id is None:
            if caller.is_guest:
                raise Unauthorized()
            return guid, caller
        if route.access is not Access.SHARED:
            raise NotSupported()
        password = password_in_header(request)
        return guid, await guest_of(request, self._services.shares, guid.share_id, password)

    async def _get_openapi(self, request: StreamingRequest) -> None:
        request.responseHeaders.setRawHeaders(b"Access-Control-Allow-Origin", _ANY_ORIGIN)
        send_bytes(request, self._openapi, [b"application/json"])

    @cached_property
    def _openapi(self) -> bytes:
        return json.dumps(openapi_document(ROUTES, self._services.product.version)).encode()

    def _render_error(self, request: StreamingRequest, failure: Failure) -> None:
        if not request.startedWriting:
            request.responseHeaders.setRawHeaders(b"Access-Control-Allow-Origin", _ANY_ORIGIN)
            request.responseHeaders.removeHeader(b"Content-Disposition")
        render_error(request, failure)


def _patterns(path: str) -> list[str]:
    """Return the Klein patterns of a path of the table; a trailing path may be missing."""
    pattern = re.sub(r"{(\w+)}", r"<\1>", path)
    if "<path>" not in pattern:
        return [pattern]
    return [pattern.replace("<path>", "<rest:path>"), pattern.replace("/<path>", "")]


def _check_media_types(request: StreamingRequest, route: Route) -> None:
    accept: bytes | None = request.getHeader(b"accept")
    if accept is not None and not any(
        accepts(accept.decode("latin-1"), produced) for produced in (route.produces, *route.also_produces)
    ):
        raise HttpError(406)
    if route.consumes is None or request.body_length == 0 or request.method not in _WRITING:
        return
    if content_type(request) not in (route.consumes, ""):  # uploads by curl -T name no type
        raise HttpError(415)


async def _given(request: StreamingRequest, route: Route) -> Mapping[str, Any]:
    query = parse_query(request.query)
    if route.body is not Body.PARAMS or request.body_length == 0:
        return query
    return {**await read_json_object(request), **query}


def _as_told(error: OnedataError, route: Route, caller: Caller) -> OnedataError:
    """Return the error that this route tells for ``error``."""
    if isinstance(error, Forbidden) and caller.is_guest:
        return Unauthorized()
    if route.missing is Missing.NOT_FOUND and isinstance(error, Posix) and error.errno is Errno.ENOENT:
        return NotFound()
    return error
