"""``/api/v3/oneprovider/tus/``: the protocol of tus 1.0.0 over ``op_worker.uploads``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from klein import Klein
from twisted.python.failure import Failure

from cluster_worker.http.answers import send_json
from cluster_worker.http.bodies import content_type
from cluster_worker.http.errors import HttpError, render_error
from cluster_worker.http.routing import door_resource
from onedata.errors import (
    BadValueIdentifier,
    BadValueTooHigh,
    ChecksumMismatch,
    ServiceUnavailable,
    Unauthorized,
)
from onedata.ids import FileGuid, InvalidFileId, SpaceId, space_root_guid
from op_worker.auth.caller import Caller
from op_worker.files.content.in_place import MAX_SIZE_B
from op_worker.files.service import FileService
from op_worker.http.callers import Authenticator, caller_of
from op_worker.http.conditions import http_date
from op_worker.http.content import request_header
from op_worker.http.tus.headers import (
    BODY,
    CHECKSUMS,
    EXTENSIONS,
    VERSION,
    Wanted,
    number,
    parse_checksum,
    parse_metadata,
    parse_wanted,
)
from op_worker.uploads.records import Upload, UploadTarget
from op_worker.uploads.service import Uploads

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

CHECKSUM_MISMATCH = 460
"""The status of tus for a body that does not agree with its checksum."""
_COMMON = {
    b"Tus-Resumable": VERSION.encode(),
    b"Access-Control-Allow-Origin": b"*",
    b"Access-Control-Expose-Headers": (
        b"Location, Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm, "
        b"Upload-Offset, Upload-Length, Upload-Metadata, Upload-Expires"
    ),
}
_CAPABILITIES = {
    b"Tus-Version": VERSION.encode(),
    b"Tus-Extension": EXTENSIONS.encode(),
    b"Tus-Max-Size": b"%d" % MAX_SIZE_B,
    b"Tus-Checksum-Algorithm": ",".join(CHECKSUMS).encode(),
    b"Access-Control-Allow-Methods": b"OPTIONS, POST, HEAD, PATCH, DELETE",
    b"Access-Control-Allow-Headers": (
        b"X-Auth-Token, Authorization, Content-Type, Tus-Resumable, Upload-Offset, Upload-Length, "
        b"Upload-Metadata, Upload-Checksum, X-HTTP-Method-Override"
    ),
}


class TusDoor:
    """Begins, continues, tells of and ends resumable uploads.

    Attributes:
        resource: to be mounted at ``/api/v3/oneprovider/tus``.
    """

    app = Klein()

    def __init__(
        self,
        uploads: Uploads,
        files: FileService,
        authenticator: Authenticator,
        *,
        is_serving: Callable[[], bool] = lambda: True,
    ) -> None:
        self._uploads, self._files = uploads, files
        self._authenticator, self._is_serving = authenticator, is_serving
        self.resource = door_resource(self.app, self, on_error=_refuse)

    @app.route("/", methods=["OPTIONS"])
    @app.route("/<space_id>/<upload_id>", methods=["OPTIONS"])
    async def options(self, request: StreamingRequest, space_id: str = "", upload_id: str = "") -> None:
        """What this server can do."""
        _set(request, _CAPABILITIES)
        _answer(request, 204)

    @app.route("/", methods=["POST"])
    async def create(self, request: StreamingRequest) -> None:
        """Begin an upload; a body is its beginning."""
        caller = await self._caller(request)
        header = request_header(request)
        has_body = request.body_length != 0
        if has_body:
            _require_body_type(request)
        digests = parse_checksum(header("Upload-Checksum"))
        size_b = number(header, "Upload-Length")
        metadata = header("Upload-Metadata") or ""
        becomes = await self._target(caller, parse_wanted(parse_metadata(metadata)))
        upload = await self._uploads.create(caller, becomes, size_b, metadata)
        request.responseHeaders.setRawHeaders(b"Location", [_location(request, upload)])
        if has_body:
            upload = await self._uploads.write(
                caller,
                upload.space_id,
                upload.upload_id,
                0,
                request.body,
                length_b=request.body_length,
                digests=digests,
            )
            _tell_offset(request, upload)
        _tell_expiry(request, upload)
        _answer(request, 201)

    @app.route("/<space_id>/<upload_id>", methods=["HEAD"])
    async def tell(self, request: StreamingRequest, space_id: str, upload_id: str) -> None:
        """How far an upload is."""
        caller = await self._caller(request)
        upload = await self._uploads.get(caller, SpaceId(space_id), upload_id)
        _tell_offset(request, upload)
        _tell_expiry(request, upload)
        headers = {b"Upload-Length": b"%d" % upload.size_b, b"Cache-Control": b"no-store"}
        if upload.metadata:
            headers[b"Upload-Metadata"] = upload.metadata.encode("latin-1")
        _set(request, headers)
        _answer(request, 200)

    @app.route("/<space_id>/<upload_id>", methods=["PATCH"])
    async def write(self, request: StreamingRequest, space_id: str, upload_id: str) -> None:
        """Go on with an upload."""
        caller = await self._caller(request)
        _require_body_type(request)
        header = request_header(request)
        upload = await self._uploads.write(
            caller,
            SpaceId(space_id),
            upload_id,
            number(header, "Upload-Offset"),
            request.body,
            length_b=request.body_length,
            digests=parse_checksum(header("Upload-Checksum")),
        )
        _tell_offset(request, upload)
        _tell_expiry(request, upload)
        _answer(request, 204)

    @app.route("/<space_id>/<upload_id>", methods=["DELETE"])
    async def remove(self, request: StreamingRequest, space_id: str, upload_id: str) -> None:
        """End an upload."""
        caller = await self._caller(request)
        await self._uploads.remove(caller, SpaceId(space_id), upload_id)
        _answer(request, 204)

    @app.route("/<space_id>/<upload_id>", methods=["POST"])
    async def overridden(self, request: StreamingRequest, space_id: str, upload_id: str) -> None:
        """PATCH or DELETE of clients that can only POST."""
        match request.getHeader(b"x-http-method-override"):
            case b"PATCH":
                await self.write(request, space_id, upload_id)
            case b"DELETE":
                await self.remove(request, space_id, upload_id)
            case _:
                raise HttpError(405, {b"Allow": b"OPTIONS, HEAD, PATCH, DELETE"})

    async def _caller(self, request: StreamingRequest) -> Caller:
        if not self._is_serving():
            raise ServiceUnavailable()
        if request.getHeader(b"tus-resumable") != VERSION.encode():
            raise HttpError(412, {b"Tus-Version": VERSION.encode()})
        caller = await caller_of(request, self._authenticator)
        if caller.is_guest:
            raise Unauthorized()
        return caller

    async def _target(self, caller: Caller, wanted: Wanted) -> UploadTarget:
        return UploadTarget(
            parent=await self._parent(caller, wanted),
            name=wanted.name,
            mode=wanted.mode,
            overwrites=wanted.overwrites,
        )

    async def _parent(self, caller: Caller, wanted: Wanted) -> FileGuid:
        if wanted.path is not None:
            return await self._files.locate(caller, tuple(wanted.path.split("/")))
        if wanted.space_id is not None:
            return space_root_guid(SpaceId(wanted.space_id))
        try:
            return FileGuid.from_object_id(wanted.parent_id or "")
        except InvalidFileId:
            raise BadValueIdentifier("parentId") from None


def _require_body_type(request: StreamingRequest) -> None:
    if content_type(request) != BODY:
        raise HttpError(415)


def _location(request: StreamingRequest, upload: Upload) -> bytes:
    """Return the address of an upload as the client reaches us."""
    scheme = b"https" if request.isSecure() else b"http"
    host = request.getHeader(b"host") or b""
    place = b"/".join(part for part in request.prepath or () if part)
    return b"%b://%b/%b/%b/%b" % (
        scheme,
        host,
        place,
        quote(upload.space_id, safe="").encode(),
        upload.upload_id.encode(),
    )


def _tell_offset(request: StreamingRequest, upload: Upload) -> None:
    _set(request, {b"Upload-Offset": b"%d" % upload.offset_b})


def _tell_expiry(request: StreamingRequest, upload: Upload) -> None:
    if not upload.is_finished:
        _set(request, {b"Upload-Expires": http_date(int(upload.expires_s))})


def _set(request: StreamingRequest, headers: dict[bytes, bytes]) -> None:
    for name, value in headers.items():
        request.responseHeaders.setRawHeaders(name, [value])


def _answer(request: StreamingRequest, status: int) -> None:
    _set(request, _COMMON)
    request.setResponseCode(status)
    if status != 204:
        request.responseHeaders.setRawHeaders(b"Content-Length", [b"0"])
    request.finish()


def _refuse(request: StreamingRequest, failure: Failure) -> None:
    """Answer with the house's errors, some of them under the status that tus gives them."""
    if request.startedWriting or request.is_gone:
        render_error(request, failure)
        return
    _set(request, _COMMON)
    error = failure.value
    if isinstance(error, ChecksumMismatch):
        send_json(request, error.wrapped(), CHECKSUM_MISMATCH)
    elif isinstance(error, BadValueTooHigh):
        send_json(request, error.wrapped(), 413)
    else:
        render_error(request, failure)
