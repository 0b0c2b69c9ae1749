"""The route table: what Klein routes, what is checked before an operation runs, what OpenAPI tells."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from attrs import frozen

from cluster_worker.http.params import Param
from op_worker.http.rest import changes, contents, info, listings, metadata, parameters
from op_worker.http.rest.calls import Operation

JSON = "application/json"
OCTETS = "application/octet-stream"
RDF = "application/rdf+xml"


class Access(Enum):
    """Who may ask."""

    TOKEN = "a user with a token"
    SHARED = "a user with a token, or anybody when the file id is of a share"
    PUBLIC = "anybody"


class Body(Enum):
    """What the body of a request is."""

    IGNORED = "nothing"
    PARAMS = "a JSON object of parameters, which those of the query override"
    CONTENT = "data for the operation itself"


class Missing(Enum):
    """How a file that does not exist is reported."""

    ENOENT = "posix enoent, 400"
    NOT_FOUND = "notFound, 404"


@frozen(kw_only=True)
class Route:
    """One method on one path.

    ``path`` is below the door; ``{id}`` is a file id or space id, ``{sid}`` a space id, ``{path}`` the rest
    of the path. ``consumes`` is checked for PUT, POST and PATCH; ``status`` is the usual success.
    """

    method: str
    path: str
    operation: Operation
    status: int = 200
    access: Access = Access.TOKEN
    params: Sequence[Param] = ()
    body: Body = Body.IGNORED
    consumes: str | None = None
    produces: str = JSON
    missing: Missing = Missing.ENOENT


_FILE = "/data/{id}"
_META = "/data/{id}/metadata"
_GONE = Missing.NOT_FOUND

ROUTES: Sequence[Route] = (
    Route(
        method="GET",
        path=f"{_FILE}/content",
        operation=contents.get_content,
        access=Access.SHARED,
        params=(parameters.FOLLOW,),
        produces=OCTETS,
    ),
    Route(
        method="PUT",
        path=f"{_FILE}/content",
        operation=contents.put_content,
        status=204,
        params=(parameters.OFFSET,),
        body=Body.CONTENT,
        consumes=OCTETS,
    ),
    Route(
        method="GET",
        path=_FILE,
        operation=listings.get_attributes,
        access=Access.SHARED,
        params=parameters.ATTRIBUTES,
        body=Body.PARAMS,
    ),
    Route(
        method="PUT",
        path=_FILE,
        operation=changes.set_mode,
        status=204,
        params=parameters.MODE,
        body=Body.PARAMS,
        consumes=JSON,
    ),
    Route(method="DELETE", path=_FILE, operation=changes.remove, status=204),
    Route(
        method="GET",
        path=f"{_FILE}/children",
        operation=listings.list_children,
        access=Access.SHARED,
        params=parameters.CHILDREN,
        body=Body.PARAMS,
    ),
    Route(
        method="POST",
        path=f"{_FILE}/children",
        operation=changes.create_child,
        status=201,
        params=parameters.CREATE_CHILD,
        body=Body.CONTENT,
        consumes=OCTETS,
    ),
    Route(
        method="GET",
        path=f"{_FILE}/files",
        operation=listings.list_recursively,
        params=parameters.RECURSIVE,
        body=Body.PARAMS,
    ),
    Route(
        method="GET",
        path=f"{_FILE}/symlink_value",
        operation=listings.get_symlink_value,
        access=Access.SHARED,
        produces=OCTETS,
    ),
    Route(
        method="PUT",
        path=f"{_FILE}/path/{{path}}",
        operation=changes.create_at_path,
        status=201,
        params=parameters.CREATE_AT_PATH,
        body=Body.CONTENT,
        consumes=OCTETS,
    ),
    Route(
        method="GET",
        path=f"{_FILE}/path/{{path}}",
        operation=contents.get_content,
        params=(parameters.FOLLOW,),
        produces=OCTETS,
    ),
    Route(method="DELETE", path=f"{_FILE}/path/{{path}}", operation=changes.remove_at_path, status=204),
    Route(method="POST", path="/lookup-file-id/{path}", operation=listings.lookup_file_id),
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
        missing=_GONE,
    ),
    Route(
        method="PUT",
        path=f"{_META}/json",
        operation=metadata.put_json,
        status=204,
        params=parameters.FILTER,
        body=Body.CONTENT,
        consumes=JSON,
        missing=_GONE,
    ),
    Route(
        method="DELETE",
        path=f"{_META}/json",
        operation=metadata.remove_json,
        status=204,
        params=(parameters.RESOLVE,),
        missing=_GONE,
    ),
    Route(
        method="GET",
        path=f"{_META}/rdf",
        operation=metadata.get_rdf,
        access=Access.SHARED,
        params=(parameters.RESOLVE,),
        produces=RDF,
        missing=_GONE,
    ),
    Route(
        method="PUT",
        path=f"{_META}/rdf",
        operation=metadata.put_rdf,
        status=204,
        params=(parameters.RESOLVE,),
        body=Body.CONTENT,
        consumes=RDF,
        missing=_GONE,
    ),
    Route(
        method="DELETE",
        path=f"{_META}/rdf",
        operation=metadata.remove_rdf,
        status=204,
        params=(parameters.RESOLVE,),
        missing=_GONE,
    ),
    Route(method="GET", path=f"{_FILE}/distribution", operation=listings.get_distribution, missing=_GONE),
    Route(
        method="GET",
        path=f"{_FILE}/storage_locations",
        operation=listings.get_storage_locations,
        missing=_GONE,
    ),
    Route(method="GET", path="/spaces", operation=info.list_spaces),
    Route(method="GET", path="/spaces/{sid}", operation=info.get_space),
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
