"""Routes that follow changes."""

from __future__ import annotations

from collections.abc import Sequence

from op_worker.http.rest import following, parameters
from op_worker.http.rest.table import EVENTS, JSON, Body, Route

_PATH = "/changes/metadata/{sid}"

ROUTES: Sequence[Route] = (
    Route(
        method="POST",
        path=_PATH,
        operation=following.follow_changes,
        params=parameters.CHANGES,
        body=Body.CONTENT,
        consumes=JSON,
        also_produces=(EVENTS,),
    ),
    Route(
        method="GET",
        path=_PATH,
        operation=following.follow_changes_classic,
        params=parameters.CHANGES,
        also_produces=(EVENTS,),
    ),
)
