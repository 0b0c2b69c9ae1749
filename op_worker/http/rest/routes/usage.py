"""Routes of quotas, usage and statistics."""

from __future__ import annotations

from collections.abc import Sequence

from op_worker.http.rest import parameters, quotas, statistics
from op_worker.http.rest.table import FILE, JSON, Body, Missing, Route

_USER = "/spaces/{sid}/quotas/users/{uid}"
_DIRECTORY = f"{FILE}/quota"

ROUTES: Sequence[Route] = (
    Route(method="GET", path="/spaces/{sid}/usage", operation=quotas.get_usage),
    Route(method="GET", path=_USER, operation=quotas.get_user_quota),
    Route(
        method="PUT",
        path=_USER,
        operation=quotas.put_user_quota,
        status=204,
        params=parameters.QUOTA,
        body=Body.PARAMS,
        consumes=JSON,
    ),
    Route(method="DELETE", path=_USER, operation=quotas.remove_user_quota, status=204),
    Route(method="GET", path=_DIRECTORY, operation=quotas.get_directory_quota, missing=Missing.NOT_FOUND),
    Route(
        method="PUT",
        path=_DIRECTORY,
        operation=quotas.put_directory_quota,
        status=204,
        params=parameters.QUOTA,
        body=Body.PARAMS,
        consumes=JSON,
        missing=Missing.NOT_FOUND,
    ),
    Route(
        method="DELETE",
        path=_DIRECTORY,
        operation=quotas.remove_directory_quota,
        status=204,
        missing=Missing.NOT_FOUND,
    ),
    Route(
        method="GET",
        path=f"{FILE}/dir_size_stats",
        operation=statistics.get_dir_size_stats,
        params=parameters.STATISTICS,
        body=Body.PARAMS,
        missing=Missing.NOT_FOUND,
    ),
)
