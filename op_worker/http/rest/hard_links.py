"""Operations on the names of a file."""

from __future__ import annotations

from cluster_worker.http.answers import send_json, send_nothing
from onedata.errors import NotFound
from onedata.ids import FileGuid, InvalidFileId
from op_worker.http.rest.calls import RestCall


async def list_hard_links(call: RestCall) -> None:
    """The ids of all names of a file."""
    names = await call.files.hard_links.names(call.caller, call.target, call.params["limit"])
    send_json(call.request, [guid.object_id() for guid in names])


async def check_hard_link(call: RestCall) -> None:
    """Whether two ids are names of one file."""
    try:
        other = FileGuid.from_object_id(call.ids["hid"])
    except InvalidFileId:
        raise NotFound() from None
    await call.files.hard_links.require_same(call.caller, call.target, other)
    send_nothing(call.request)
