"""Routes of time series."""

from __future__ import annotations

from collections.abc import Sequence

from op_worker.http.rest import metrics, parameters
from op_worker.http.rest.table import XML, Route

_SPACE = "/metrics/space/{sid}"

ROUTES: Sequence[Route] = (
    Route(
        method="GET",
        path=_SPACE,
        operation=metrics.get_space_metric,
        params=parameters.METRICS,
        also_produces=(XML,),
    ),
    Route(
        method="GET",
        path=f"{_SPACE}/user/{{uid}}",
        operation=metrics.get_user_metric,
        params=parameters.USER_METRICS,
        also_produces=(XML,),
    ),
)
