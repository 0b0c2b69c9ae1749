"""Operations that show files: attributes, children, everything below, lookup."""

from __future__ import annotations

from collections.abc import Mapping

from cluster_worker.http.answers import send_bytes, send_json
from onedata.errors import Errno, Posix
from op_worker.files.model import FileStat, FileType, Json, Shown, Target
from op_worker.http.rest.attributes import (
    ACL,
    CHILD_DEFAULTS,
    FILE_DEFAULTS,
    RECURSIVE_DEFAULTS,
    XATTR,
    Selection,
    select,
)
from op_worker.http.rest.calls import RestCall
from op_worker.http.rest.owners import as_shown
from op_worker.http.rest.public_attributes import select_public
from op_worker.http.rest.statistics import with_directory_distribution, with_directory_sizes

SIZE = "size"
_NAMES = ("fileId", "file_id", "name", "index")
"""What the permission to list a directory is enough for."""


async def get_attributes(call: RestCall) -> None:
    """Attributes of a file."""
    selection = _selection(call, FILE_DEFAULTS)
    stat = await call.files.stat(call.caller, call.target)
    if selection.shows(ACL) and not await call.files.acls.shown(call.caller, stat):
        raise Posix(Errno.EACCES, "the ACL may not be read")
    if selection.shows(SIZE):
        (stat,) = await with_directory_sizes(call, [stat])
    xattrs: Mapping[str, Json] = {}
    if selection.xattrs:
        xattrs = await call.files.metadata.xattrs(call.caller, Target(stat.guid))
    send_json(call.request, selection.render(await as_shown(call, selection, stat), xattrs))


async def list_children(call: RestCall) -> None:
    """A page of a directory."""
    params = call.params
    selection = _selection(call, CHILD_DEFAULTS)
    page = await call.files.list_children(
        call.caller,
        call.target,
        limit=params["limit"],
        token=params["token"],
        index=params["index"],
        offset=params["offset"],
        inclusive=params["inclusive"],
        shown=_shown(selection),
    )
    stats = page.items
    if selection.shows(SIZE):
        stats = await with_directory_sizes(call, stats)
    children = [await rendered(call, selection, stat) for stat in stats]
    send_json(call.request, {"children": children, "isLast": page.is_last, "nextPageToken": page.next_token})


async def list_recursively(call: RestCall) -> None:
    """A page of all files below a directory."""
    params = call.params
    selection = select(params, RECURSIVE_DEFAULTS)
    page = await call.files.list_recursive(
        call.caller,
        call.target,
        limit=params["limit"],
        token=params["token"],
        start_after=params["start_after"],
        prefix=params["prefix"],
        glob=params["glob"],
        include_directories=params["include_directories"],
        shown=_shown(selection),
    )
    shows_path = selection.shows("path")
    files, stats = [], [stat for _, stat in page.items]
    if selection.shows(SIZE):
        stats = await with_directory_sizes(call, stats)
    for path, stat in zip((path for path, _ in page.items), stats, strict=True):
        shown = await rendered(call, selection, stat)
        files.append({**shown, "path": path} if shows_path else shown)
    send_json(
        call.request,
        {"files": files, "inaccessiblePaths": list(page.inaccessible), "nextPageToken": page.next_token},
    )


async def lookup_file_id(call: RestCall) -> None:
    """The id of the file at an absolute path."""
    guid = await call.files.locate(call.caller, call.names)
    send_json(call.request, {"fileId": guid.object_id()})


async def get_symlink_value(call: RestCall) -> None:
    """Where a symbolic link points."""
    stat = await call.files.stat(call.caller, call.target)
    if stat.type is not FileType.SYMLNK:
        raise Posix(Errno.EINVAL)
    send_bytes(call.request, (stat.symlink_target or "").encode(), [b"application/octet-stream"])


async def get_distribution(call: RestCall) -> None:
    """Which provider and storage holds which bytes of a file."""
    distribution = await call.files.distribution.blocks(call.caller, call.target)
    send_json(call.request, await with_directory_distribution(call, distribution))


async def get_storage_locations(call: RestCall) -> None:
    """The paths of a file on storages."""
    send_json(call.request, await call.files.distribution.locations(call.caller, call.target))


def _selection(call: RestCall, defaults: tuple[str, ...]) -> Selection:
    """Return which attributes are shown; of what is seen through a share fewer may be asked for."""
    choose = select if call.target.base.share_id is None else select_public
    return choose(call.params, defaults)


async def rendered(call: RestCall, selection: Selection, stat: FileStat) -> dict[str, Json]:
    """Return the attributes of a listed file; those that the caller may not read are null."""
    shown = selection.render(await as_shown(call, selection, stat), stat.xattrs)
    if ACL in shown and not await call.files.acls.shown(call.caller, stat):
        shown[ACL] = None
    return shown


def _shown(selection: Selection) -> Shown:
    """Return what a listing has to tell of each file."""
    return Shown(
        attributes=any(key not in _NAMES for key, _ in selection.shown),
        xattrs=frozenset(key.removeprefix(XATTR) for key in selection.xattrs),
    )
