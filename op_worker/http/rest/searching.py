"""Operations that search a space."""

from __future__ import annotations

from attrs import evolve

from cluster_worker.http.answers import send_json
from onedata.errors import Posix
from op_worker.files.model import FileStat, Json, Target
from op_worker.http.rest.attributes import Selection, select
from op_worker.http.rest.calls import RestCall
from op_worker.http.rest.listings import rendered
from op_worker.search.compiling import Order
from op_worker.search.service import Search

DEFAULTS = ("fileId", "path")


async def search_space(call: RestCall) -> None:
    """A page of the files of a space that a query describes."""
    params = call.params
    selection = select(params, DEFAULTS)
    order: str = params["order"]
    page = await call.services.searching.search(
        call.caller,
        call.space_id,
        Search(
            params["query"],
            Order(order.removeprefix("-")),
            descending=order.startswith("-"),
            limit=params["limit"],
            token=params["token"],
        ),
    )
    files = [await _shown(call, selection, stat) for stat in page.files]
    send_json(
        call.request,
        {
            "files": files,
            "nextPageToken": page.next_token,
            "seq": page.seq,
            "isCurrent": page.is_current,
        },
    )


async def _shown(call: RestCall, selection: Selection, stat: FileStat) -> dict[str, Json]:
    """Return the attributes of a file; those that the caller may not read are null."""
    if selection.xattrs:
        try:
            stat = evolve(stat, xattrs=await call.files.metadata.xattrs(call.caller, Target(stat.guid)))
        except Posix:
            stat = evolve(stat, xattrs={})
    return await rendered(call, selection, stat)
