"""The route table, a module for each subject."""

from __future__ import annotations

from collections.abc import Sequence

from op_worker.http.rest.routes import files, metadata, permissions, provider, shares, spaces
from op_worker.http.rest.table import Route

ROUTES: Sequence[Route] = (
    *files.ROUTES,
    *metadata.ROUTES,
    *permissions.ROUTES,
    *spaces.ROUTES,
    *shares.ROUTES,
    *provider.ROUTES,
)
