"""The route that registers files of imported storages."""

from __future__ import annotations

from collections.abc import Sequence

from op_worker.http.rest import registration
from op_worker.http.rest.table import JSON, Body, Route

ROUTES: Sequence[Route] = (
    Route(
        method="POST",
        path="/data/register",
        operation=registration.register_file,
        status=201,
        params=registration.PARAMS,
        body=Body.PARAMS,
        consumes=JSON,
    ),
)
