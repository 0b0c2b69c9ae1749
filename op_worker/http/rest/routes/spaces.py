"""Routes of spaces."""

from __future__ import annotations

from collections.abc import Sequence

from op_worker.http.rest import info, parameters, spaces
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
)
