"""The CDMI door: authenticate, parse, one operation, send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from klein import Klein
from werkzeug.routing import BaseConverter

from cluster_worker.http.credentials import (
    basic_from,
    consumer_token_from,
    peer_ip,
    service_token_from,
    token_from,
)
from cluster_worker.http.errors import HttpError
from cluster_worker.http.request import StreamingRequest
from cluster_worker.http.routing import door_resource
from cluster_worker.runtime.spool import Spools
from onedata.errors import OnedataError, Unauthorized
from onedata.ids import user_root_guid
from op_worker.auth.caller import Caller
from op_worker.domains.service import Domains
from op_worker.files.service import FileService
from op_worker.http.cdmi.answers import Answer
from op_worker.http.cdmi.operations import (
    Operations,
    is_capability,
    methods_of,
    read_capability,
    refuse_method,
)
from op_worker.http.cdmi.requests.negotiation import CDMI_HEADERS, LIST_HEADERS, VERSION_HEADER
from op_worker.http.cdmi.requests.request import CdmiRequest, parse_request
from op_worker.http.cdmi.sending import method, refuse, send
from op_worker.queue_services.service import QueueServices
from op_worker.snapshots.service import Snapshots

JSON_LIMIT_B = 4 * 1024 * 1024
_INTERFACE = "rest"
_SPELLED = {name.title().encode("ascii"): name for name in CDMI_HEADERS}
"""The headers that Twisted spells in another way."""


class Authenticate(Protocol):
    """Verifies a token; ``op_worker.zone`` has the implementation."""

    async def __call__(
        self,
        token: str,
        *,
        peer_ip: str | None,
        interface: str,
        consumer_token: str | None,
        service_token: str | None,
    ) -> Caller:
        """Return who sent the token. Raises: Unauthorized."""


class _AnyPath(BaseConverter):
    """Everything below the door, slashes included; the door parses the path itself."""

    regex = r"[\s\S]*"
    part_isolating = False


def _app() -> Klein:
    app = Klein()
    app.url_map.converters["cdmi"] = _AnyPath
    return app


class CdmiDoor:
    """CDMI 1.1.1, to be mounted by its ``resource``.

    Args:
        spools: where bodies wait that cannot be used before they have ended.
        json_limit_b: the longest JSON body of a request, without the value of a data object, which has no
            limit; nor have plain bodies.
    """

    app = _app()

    def __init__(
        self,
        files: FileService,
        authenticate: Authenticate,
        *,
        snapshots: Snapshots,
        domains: Domains,
        queue_services: QueueServices,
        spools: Spools,
        json_limit_b: int = JSON_LIMIT_B,
    ) -> None:
        self._operations = Operations(files, snapshots, domains, queue_services, json_limit_b, spools)
        self._offer = files.context.offer
        self._authenticate = authenticate
        self.resource = door_resource(self.app, self, on_error=refuse)

    @app.route("/<cdmi:path>", methods=["GET"])
    async def read(self, request: StreamingRequest, path: str) -> None:
        """GET and HEAD."""
        asked = _parse(request)
        if is_capability(asked.address):
            await send(request, read_capability(asked, await self._root_container_id(request), self._offer))
            return
        caller = await self._caller(request)
        refuse_method(asked)
        await send(request, await self._operations.read(caller, asked))

    @app.route("/<cdmi:path>", methods=["PUT"])
    async def write(self, request: StreamingRequest, path: str) -> None:
        """PUT."""
        caller = await self._caller(request)
        asked = _parse(request)
        refuse_method(asked)
        answer = await self._operations.write(caller, asked, request.body, request.body_length)
        await send(request, answer)

    @app.route("/<cdmi:path>", methods=["POST"])
    async def post(self, request: StreamingRequest, path: str) -> None:
        """POST."""
        caller = await self._caller(request)
        asked = _parse(request)
        refuse_method(asked)
        answer = await self._operations.post(caller, asked, request.body, request.body_length)
        await send(request, answer)

    @app.route("/<cdmi:path>", methods=["DELETE"])
    async def delete(self, request: StreamingRequest, path: str) -> None:
        """DELETE."""
        caller = await self._caller(request)
        asked = _parse(request)
        refuse_method(asked)
        await send(request, await self._operations.delete(caller, asked))

    @app.route("/<cdmi:path>", methods=["OPTIONS"])
    async def options(self, request: StreamingRequest, path: str) -> None:
        """OPTIONS: the methods there are."""
        request.setHeader(b"Allow", methods_of(_parse(request).address))
        await send(request, Answer(status=204))

    @app.route("/<cdmi:path>")
    async def unknown(self, request: StreamingRequest, path: str) -> None:
        """Any other method."""
        raise HttpError(405, {b"Allow": methods_of(_parse(request).address)})

    async def _root_container_id(self, request: StreamingRequest) -> str | None:
        """Return the id of the caller's root container; ``None`` when no good token says who he is."""
        try:
            caller = await self._caller(request)
        except OnedataError:
            return None
        return None if caller.user_id is None else user_root_guid(caller.user_id).object_id()

    async def _caller(self, request: StreamingRequest) -> Caller:
        token = token_from(request) or _password(request)
        if token is None:
            raise Unauthorized
        caller = await self._authenticate(
            token,
            peer_ip=peer_ip(request),
            interface=_INTERFACE,
            consumer_token=consumer_token_from(request),
            service_token=service_token_from(request),
        )
        request.user_id = caller.user_id or "-"
        return caller


def _password(request: StreamingRequest) -> str | None:
    """Return the token of clients that know HTTP Basic only, which send it as somebody's password."""
    basic = basic_from(request)
    return basic.password if basic is not None else None


def _parse(request: StreamingRequest) -> CdmiRequest:
    depth = 1 + len(request.prepath or ())
    below = request.path.split(b"/", depth)[depth:]
    scheme = "https" if request.isSecure() else "http"
    path = b"/" + b"".join(below)
    header = _headers(request).get
    asked = parse_request(method(request), path, request.query, header, scheme, lambda: request.is_gone)
    if asked.version is not None:
        request.setHeader(VERSION_HEADER.encode("ascii"), asked.version.encode("ascii"))
    return asked


def _headers(request: StreamingRequest) -> Mapping[str, str]:
    """Return the headers by their usual names: much more is looked up than clients send."""
    headers = {}
    for name, values in request.requestHeaders.getAllRawHeaders():
        usual = _SPELLED.get(name) or name.decode("latin-1")
        headers[usual] = (b",".join(values) if usual in LIST_HEADERS else values[-1]).decode("latin-1")
    return headers
