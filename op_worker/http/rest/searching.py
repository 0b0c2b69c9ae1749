"""Operations that search a space."""

from __future__ import annotations

from cluster_worker.http.answers import send_json
from op_worker.http.rest.attributes import select
from op_worker.http.rest.calls import RestCall
from op_worker.http.rest.listings import render
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
    files = [await render(call, selection, stat) for stat in page.files]
    send_json(
        call.request,
        {
            "files": files,
            "nextPageToken": page.next_token,
            "seq": page.seq,
            "isCurrent": page.is_current,
        },
    )
