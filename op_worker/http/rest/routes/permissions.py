"""Routes of permissions: access control lists, protection flags, holds, explanations."""

from __future__ import annotations

from collections.abc import Sequence

from op_worker.http.rest import parameters, permissions
from op_worker.http.rest.table import FILE, JSON, Body, Route

ROUTES: Sequence[Route] = (
    Route(
        method="GET",
        path=f"{FILE}/acl",
        operation=permissions.get_acl,
        params=(parameters.RESOLVE,),
    ),
    Route(
        method="PUT",
        path=f"{FILE}/acl",
        operation=permissions.put_acl,
        status=204,
        params=(parameters.RESOLVE,),
        body=Body.CONTENT,
        consumes=JSON,
    ),
    Route(
        method="DELETE",
        path=f"{FILE}/acl",
        operation=permissions.remove_acl,
        status=204,
        params=(parameters.RESOLVE,),
    ),
    Route(
        method="GET",
        path=f"{FILE}/protection_flags",
        operation=permissions.get_protection,
    ),
    Route(
        method="PUT",
        path=f"{FILE}/protection_flags",
        operation=permissions.put_protection,
        status=204,
        params=parameters.PROTECTION,
        body=Body.PARAMS,
        consumes=JSON,
    ),
    Route(
        method="GET",
        path=f"{FILE}/holds",
        operation=permissions.get_holds,
    ),
    Route(
        method="DELETE",
        path=f"{FILE}/holds",
        operation=permissions.release_holds,
        status=204,
        params=parameters.HOLDS,
    ),
    Route(
        method="GET",
        path=f"{FILE}/permissions/explain",
        operation=permissions.explain,
        params=parameters.EXPLAIN,
    ),
)
