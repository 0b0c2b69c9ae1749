"""What is shown of an object to somebody who may not read all of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from attrs import frozen

from onedata.errors import Errno, Posix
from op_worker.files.model import Json
from op_worker.http.cdmi.representations.metadata import ACL


@frozen
class Readable:
    """The extended attributes that a caller may read.

    Attributes:
        shows_metadata: whether they hold the metadata; else there are properties, and perhaps the ACL.
    """

    xattrs: Mapping[str, Json]
    shows_metadata: bool = True


def permitted(
    members: Mapping[str, Json],
    readable: Readable,
    denied: Collection[str] = (),
    *,
    has_more: bool = False,
) -> dict[str, Json]:
    """Return the members that may be shown; metadata that may not be read shrink to the ACL, if that may.

    Args:
        denied: members that are asked for, and that may not be read.
        has_more: further members that may be shown follow.

    Raises:
        Posix: EACCES when nothing of what is asked for may be shown.
    """
    shown = dict(members)
    hidden = set(denied)
    if not readable.shows_metadata and "metadata" in shown:
        items = shown["metadata"]
        if isinstance(items, Mapping) and ACL in items:
            shown["metadata"] = {ACL: items[ACL]}
        else:
            del shown["metadata"]
            hidden.add("metadata")
    if hidden and not shown and not has_more:
        raise Posix(Errno.EACCES, "nothing of what is asked for may be read")
    return shown
