"""Routes of the provider itself."""

from __future__ import annotations

from collections.abc import Sequence

from op_worker.http.rest import info
from op_worker.http.rest.table import Access, Route

ROUTES: Sequence[Route] = (
    Route(method="GET", path="/configuration", operation=info.get_configuration, access=Access.PUBLIC),
    Route(method="GET", path="/health", operation=info.get_health, access=Access.PUBLIC),
    Route(
        method="GET",
        path="/test_image",
        operation=info.get_test_image,
        access=Access.PUBLIC,
        produces="image/png",
    ),
)
