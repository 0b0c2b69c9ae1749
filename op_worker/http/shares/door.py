"""The door ``/share/<id>[/path]``: a file is downloaded, a directory is listed or downloaded whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from klein import Klein
from twisted.python.failure import Failure

from cluster_worker.http.answers import send_bytes, send_json
from cluster_worker.http.errors import render_error
from cluster_worker.http.params import Choice, Param, Text, parse_query, sanitise
from cluster_worker.http.routing import DoorResource, RestOfPath
from cluster_worker.persistence.engine import PersistenceUnavailable
from onedata.errors import NotFound, OnedataError, ServiceUnavailable
from onedata.ids import ShareId
from op_worker.auth.caller import Caller
from op_worker.downloads.service import Downloads
from op_worker.files.model import FileStat, FileType, Follow, Target
from op_worker.files.service import FileService
from op_worker.files.stored.share_records import Share
from op_worker.http.conditions import parse_conditions
from op_worker.http.content import ContentAnswer, attachment, request_header
from op_worker.http.guests import guest_of, password_of
from op_worker.http.rest.calls import names_of
from op_worker.http.shares.page import POLICY, Folder, folder_page, refusal_page, share_url
from op_worker.http.shares.refusals import Refusal, refusal_of
from op_worker.shares.service import Shares

if TYPE_CHECKING:
    from cluster_worker.http.request import StreamingRequest

PAGE = 500
"""The most entries on a page."""

_HTML = [b"text/html; charset=utf-8"]
_HEADERS = (
    (b"Content-Security-Policy", POLICY.encode()),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Referrer-Policy", b"no-referrer"),
    (b"Cache-Control", b"private, no-cache"),
    (b"Vary", b"Accept"),
)
_PARAMS = (
    Param("after", Text(), "Continue after the page that had this nextPageToken."),
    Param("download", Choice(("tar",)), "Get the whole directory instead of a page."),
)


class ShareDoor:
    """Thin: who asks, for which file of which share, then one answer.

    Args:
        is_serving: when false, every request is answered 503.

    Attributes:
        resource: to be mounted at ``/share``.
    """

    def __init__(
        self,
        files: FileService,
        shares: Shares,
        downloads: Downloads,
        *,
        is_serving: Callable[[], bool] = lambda: True,
    ) -> None:
        self._files, self._shares, self._downloads = files, shares, downloads
        self._is_serving = is_serving
        app = Klein()
        app.url_map.converters["rest"] = RestOfPath
        app.route("/<share_id>", methods=["GET"], endpoint="top")(self._get)
        app.route("/<share_id>/<rest:path>", methods=["GET"], endpoint="below")(self._get)
        self.resource = DoorResource(app, self._refuse)

    async def _get(self, request: StreamingRequest, share_id: str, path: str = "") -> None:
        if not self._is_serving():
            raise ServiceUnavailable()
        share = await self._shares.find(ShareId(share_id))
        if share is None:
            raise NotFound()
        names = names_of(path)
        caller = await guest_of(request, self._shares, share.share_id, password_of(request))
        stat = await self._files.stat(caller, Target(share.root_guid, names), Follow.YES)
        for name, value in _HEADERS:
            request.responseHeaders.setRawHeaders(name, [value])
        if stat.is_directory:
            await self._send_directory(request, caller, share, names, stat)
        else:
            await self._send_file(request, caller, stat)

    async def _send_file(self, request: StreamingRequest, caller: Caller, stat: FileStat) -> None:
        """Send a file for saving: it is never shown, so it never runs in the name of the provider."""
        reader = await self._files.open_content(caller, Target(stat.guid))
        request.responseHeaders.setRawHeaders(b"Content-Disposition", [attachment(reader.stat.name)])
        header = request_header(request)
        answer = ContentAnswer(ranges=header("Range"), conditions=parse_conditions(header))
        await answer.send(request, reader)

    async def _send_directory(
        self,
        request: StreamingRequest,
        caller: Caller,
        share: Share,
        names: tuple[str, ...],
        stat: FileStat,
    ) -> None:
        params = sanitise(_PARAMS, parse_query(request.query))
        if params["download"] is not None:
            code = await self._downloads.issue(caller, stat.guid, follows=False)
            _redirect(request, f"/download/{code}")
            return
        page = await self._files.list_children(caller, Target(stat.guid), limit=PAGE, token=params["after"])
        next_token = None if page.is_last else page.next_token
        folder = Folder(share=share, names=names, entries=page.items, next_token=next_token)
        if prefers_json(request.getHeader(b"accept")):
            send_json(request, _listed(folder))
        else:
            send_bytes(request, folder_page(folder).encode(), _HTML)

    def _refuse(self, request: StreamingRequest, failure: Failure) -> None:
        """Answer with a page, or with the error in JSON where that is preferred."""
        error = failure.value
        if isinstance(error, PersistenceUnavailable):
            error = ServiceUnavailable()
        if not isinstance(error, OnedataError) or request.startedWriting or request.is_gone:
            render_error(request, failure)
            return
        headers = request.responseHeaders
        headers.removeHeader(b"Content-Disposition")
        for name, value in _HEADERS:
            headers.setRawHeaders(name, [value])
        _send_refusal(request, refusal_of(error), error)


def prefers_json(accept: bytes | None) -> bool:
    """Whether a client wants JSON rather than a page."""
    types = {part.partition(b";")[0].strip().lower() for part in (accept or b"").split(b",")}
    return b"application/json" in types and b"text/html" not in types


def _redirect(request: StreamingRequest, location: str) -> None:
    request.setResponseCode(302)
    request.responseHeaders.setRawHeaders(b"Location", [location.encode("ascii")])
    request.responseHeaders.setRawHeaders(b"Content-Length", [b"0"])
    request.finish()


def _send_refusal(request: StreamingRequest, refusal: Refusal, error: OnedataError) -> None:
    if refusal.status == 401:
        challenge = b'Basic realm="share", charset="UTF-8"'
        request.responseHeaders.setRawHeaders(b"WWW-Authenticate", [challenge])
    if prefers_json(request.getHeader(b"accept")):
        send_json(request, error.wrapped(), refusal.status)
    else:
        text = refusal_page(refusal.title, refusal.sentence)
        send_bytes(request, text.encode(), _HTML, refusal.status)


def _listed(folder: Folder) -> dict[str, Any]:
    share = folder.share
    return {
        "shareId": share.share_id,
        "name": share.name,
        "description": share.description,
        "expires": share.expires_s,
        "path": "/" + "/".join(folder.names),
        "entries": [_entry(folder, stat) for stat in folder.entries],
        "isLast": folder.next_token is None,
        "nextPageToken": folder.next_token,
    }


def _entry(folder: Folder, stat: FileStat) -> dict[str, Any]:
    return {
        "name": stat.name,
        "type": stat.type.value,
        "size": stat.size_b if stat.type is FileType.REG else None,
        "mtime": int(stat.mtime_s),
        "fileId": stat.guid.object_id(),
        "url": share_url(folder.share.share_id, (*folder.names, stat.name)),
    }
