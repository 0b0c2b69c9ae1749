"""Routes of searching."""

from __future__ import annotations

from collections.abc import Sequence

from op_worker.http.rest import parameters, searching
from op_worker.http.rest.table import JSON, Body, Route

_PATH = "/spaces/{sid}/search"

ROUTES: Sequence[Route] = (
    Route(
        method="GET",
        path=_PATH,
        operation=searching.search_space,
        params=parameters.SEARCH,
        body=Body.PARAMS,
    ),
    Route(
        method="POST",
        path=_PATH,
        operation=searching.search_space,
        params=parameters.SEARCH,
        body=Body.PARAMS,
        consumes=JSON,
    ),
)
