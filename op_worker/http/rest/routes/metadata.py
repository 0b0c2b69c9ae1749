"""Routes of custom metadata."""

from __future__ import annotations

from collections.abc import Sequence

from op_worker.http.rest import metadata, parameters
from op_worker.http.rest.table import FILE, JSON, RDF, Access, Body, Missing, Route

_META = f"{FILE}/metadata"

ROUTES: Sequence[Route] = (
    Route(
        method="GET",
        path=f"{_META}/xattrs",
        operation=metadata.get_xattrs,
        access=Access.SHARED,
        params=parameters.XATTRS,
    ),
    Route(
        method="PUT",
        path=f"{_META}/xattrs",
        operation=metadata.put_xattrs,
        status=204,
        params=(parameters.RESOLVE,),
        body=Body.CONTENT,
        consumes=JSON,
    ),
    Route(
        method="DELETE",
        path=f"{_META}/xattrs",
        operation=metadata.remove_xattrs,
        status=204,
        params=parameters.KEYS,
        body=Body.PARAMS,
    ),
    Route(
        method="GET",
        path=f"{_META}/json",
        operation=metadata.get_json,
        access=Access.SHARED,
        params=parameters.JSON_READ,
        missing=Missing.NOT_FOUND,
    ),
    Route(
        method="PUT",
        path=f"{_META}/json",
        operation=metadata.put_json,
        status=204,
        params=parameters.FILTER,
        body=Body.CONTENT,
        consumes=JSON,
        missing=Missing.NOT_FOUND,
    ),
    Route(
        method="DELETE",
        path=f"{_META}/json",
        operation=metadata.remove_json,
        status=204,
        params=(parameters.RESOLVE,),
        missing=Missing.NOT_FOUND,
    ),
    Route(
        method="GET",
        path=f"{_META}/rdf",
        operation=metadata.get_rdf,
        access=Access.SHARED,
        params=(parameters.RESOLVE,),
        produces=RDF,
        missing=Missing.NOT_FOUND,
    ),
    Route(
        method="PUT",
        path=f"{_META}/rdf",
        operation=metadata.put_rdf,
        status=204,
        params=(parameters.RESOLVE,),
        body=Body.CONTENT,
        consumes=RDF,
        missing=Missing.NOT_FOUND,
    ),
    Route(
        method="DELETE",
        path=f"{_META}/rdf",
        operation=metadata.remove_rdf,
        status=204,
        params=(parameters.RESOLVE,),
        missing=Missing.NOT_FOUND,
    ),
)
