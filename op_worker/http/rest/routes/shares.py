"""Routes of shares."""

from __future__ import annotations

from collections.abc import Sequence

from op_worker.http.rest import parameters, shares
from op_worker.http.rest.table import JSON, Access, Body, Missing, Route

ROUTES: Sequence[Route] = (
    Route(
        method="POST",
        path="/shares",
        operation=shares.create_share,
        status=201,
        params=parameters.SHARE_CREATE,
        body=Body.PARAMS,
        consumes=JSON,
        missing=Missing.NOT_FOUND,
    ),
    Route(method="GET", path="/shares/{shid}", operation=shares.get_share),
    Route(
        method="PATCH",
        path="/shares/{shid}",
        operation=shares.change_share,
        status=204,
        params=parameters.SHARE_CHANGE,
        body=Body.PARAMS,
        consumes=JSON,
    ),
    Route(method="DELETE", path="/shares/{shid}", operation=shares.remove_share, status=204),
    Route(
        method="GET", path="/shares/{shid}/public", operation=shares.get_public_share, access=Access.PUBLIC
    ),
    Route(method="GET", path="/spaces/{sid}/shares", operation=shares.list_shares, params=parameters.SHARES),
)
