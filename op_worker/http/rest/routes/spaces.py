"""Routes of spaces."""

from __future__ import annotations

from collections.abc import Sequence

from op_worker.http.rest import info, parameters, recycling, spaces
from op_worker.http.rest.table import JSON, Body, Route

ROUTES: Sequence[Route] = (
    Route(method="GET", path="/spaces", operation=info.list_spaces),
    Route(method="GET", path="/spaces/{sid}", operation=info.get_space),
    Route(method="GET", path="/spaces/{sid}/settings", operation=spaces.get_settings),
    Route(
        method="PATCH",
        path="/spaces/{sid}/settings",
        operation=spaces.change_settings,
        params=parameters.SPACE_SETTINGS,
        body=Body.PARAMS,
        consumes=JSON,
    ),
    Route(method="GET", path="/spaces/{sid}/removals", operation=recycling.list_removals),
    Route(
        method="GET",
        path="/spaces/{sid}/recycle_bin",
        operation=recycling.list_recycle_bin,
        params=(parameters.LIMIT, parameters.TOKEN),
    ),
    Route(method="DELETE", path="/spaces/{sid}/recycle_bin", operation=recycling.empty_bin, status=204),
    Route(
        method="DELETE",
        path="/spaces/{sid}/recycle_bin/{item}",
        operation=recycling.remove_from_bin,
        status=204,
    ),
    Route(
        method="POST",
        path="/spaces/{sid}/recycle_bin/{item}/restore",
        operation=recycling.restore,
        params=parameters.RESTORE,
        body=Body.PARAMS,
        consumes=JSON,
    ),
)
