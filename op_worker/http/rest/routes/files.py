"""Routes of files: content, attributes, listing, making and removing."""

from __future__ import annotations

from collections.abc import Sequence

from op_worker.http.rest import changes, checksums, contents, hard_links, listings, parameters
from op_worker.http.rest.table import FILE, JSON, NDJSON, OCTETS, Access, Body, Missing, Route

ROUTES: Sequence[Route] = (
    Route(
        method="GET",
        path=f"{FILE}/content",
        operation=contents.get_content,
        access=Access.SHARED,
        params=(parameters.FOLLOW,),
        produces=OCTETS,
    ),
    Route(
        method="PUT",
        path=f"{FILE}/content",
        operation=contents.put_content,
        status=204,
        params=(parameters.OFFSET, parameters.APPEND),
        body=Body.CONTENT,
        consumes=OCTETS,
    ),
    Route(
        method="PATCH",
        path=f"{FILE}/content",
        operation=contents.resize_content,
        status=204,
        params=parameters.SIZE,
        body=Body.PARAMS,
        consumes=JSON,
    ),
    Route(
        method="POST",
        path=f"{FILE}/checksum/verify",
        operation=checksums.verify_content,
        produces=NDJSON,
    ),
    Route(
        method="GET",
        path=FILE,
        operation=listings.get_attributes,
        access=Access.SHARED,
        params=parameters.ATTRIBUTES,
        body=Body.PARAMS,
    ),
    Route(
        method="PUT",
        path=FILE,
        operation=changes.set_mode,
        status=204,
        params=parameters.MODE,
        body=Body.PARAMS,
        consumes=JSON,
    ),
    Route(method="DELETE", path=FILE, operation=changes.remove, status=204),
    Route(
        method="GET",
        path=f"{FILE}/children",
        operation=listings.list_children,
        access=Access.SHARED,
        params=parameters.CHILDREN,
        body=Body.PARAMS,
    ),
    Route(
        method="POST",
        path=f"{FILE}/children",
        operation=changes.create_child,
        status=201,
        params=parameters.CREATE_CHILD,
        body=Body.CONTENT,
        consumes=OCTETS,
    ),
    Route(
        method="GET",
        path=f"{FILE}/files",
        operation=listings.list_recursively,
        params=parameters.RECURSIVE,
        body=Body.PARAMS,
    ),
    Route(
        method="GET",
        path=f"{FILE}/symlink_value",
        operation=listings.get_symlink_value,
        access=Access.SHARED,
        produces=OCTETS,
    ),
    Route(
        method="GET",
        path=f"{FILE}/hardlinks",
        operation=hard_links.list_hard_links,
        params=(parameters.MOST_LINKS,),
    ),
    Route(
        method="GET",
        path=f"{FILE}/hardlinks/{{hid}}",
        operation=hard_links.check_hard_link,
        status=204,
    ),
    Route(
        method="PUT",
        path=f"{FILE}/path/{{path}}",
        operation=changes.create_at_path,
        status=201,
        params=parameters.CREATE_AT_PATH,
        body=Body.CONTENT,
        consumes=OCTETS,
    ),
    Route(
        method="GET",
        path=f"{FILE}/path/{{path}}",
        operation=contents.get_content,
        params=(parameters.FOLLOW,),
        produces=OCTETS,
    ),
    Route(method="DELETE", path=f"{FILE}/path/{{path}}", operation=changes.remove_at_path, status=204),
    Route(method="POST", path="/lookup-file-id/{path}", operation=listings.lookup_file_id),
    Route(
        method="GET",
        path=f"{FILE}/distribution",
        operation=listings.get_distribution,
        missing=Missing.NOT_FOUND,
    ),
    Route(
        method="GET",
        path=f"{FILE}/storage_locations",
        operation=listings.get_storage_locations,
        missing=Missing.NOT_FOUND,
    ),
)
