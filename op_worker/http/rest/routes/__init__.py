"""The route table, a module for each subject."""

from __future__ import annotations

from collections.abc import Sequence

from op_worker.http.rest.routes import (
    changes,
    files,
    metadata,
    metrics,
    permissions,
    provider,
    registration,
    search,
    shares,
    spaces,
    usage,
)
from op_worker.http.rest.table import Route

ROUTES: Sequence[Route] = (
    *registration.ROUTES,
    *files.ROUTES,
    *metadata.ROUTES,
    *permissions.ROUTES,
    *spaces.ROUTES,
    *search.ROUTES,
    *changes.ROUTES,
    *shares.ROUTES,
    *usage.ROUTES,
    *metrics.ROUTES,
    *provider.ROUTES,
)
