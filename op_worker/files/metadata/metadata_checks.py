"""What is demanded of new custom metadata before anything is stored."""

from __future__ import annotations

import json

from cluster_worker.runtime.pool import Blocking
from onedata.errors import Errno, Posix
from op_worker.files.metadata.custom import normalised
from op_worker.files.metadata.json_bounds import check_json
from op_worker.files.metadata.rdf import check_rdf
from op_worker.files.model import Json, MetadataChange

MAX_XATTR_VALUE_B = 64 * 1024
"""The most bytes that the JSON form of one extended attribute may take."""
_INLINE_B = 16 * 1024
"""Longer documents are parsed off the reactor thread."""


async def checked(blocking: Blocking, change: MetadataChange) -> MetadataChange:
    """Return the change normalised, when everything in it may be stored.

    Raises:
        BadData, BadValueJSON, BadValueXML: of ``metadata``, for attributes and RDF that cannot be kept.
        Posix: E2BIG for a value over its limit; as ``custom.normalised``.
    """
    for value in (*change.set_xattrs.values(), *(change.replace_user_xattrs or {}).values()):
        check_json(value)
    wanted = normalised(change)
    for name, value in {**wanted.set_xattrs, **(wanted.replace_user_xattrs or {})}.items():
        _check_size(name, value)
    if isinstance(wanted.rdf, bytes):
        if len(wanted.rdf) <= _INLINE_B:
            check_rdf(wanted.rdf)
        else:
            await blocking.run(check_rdf, wanted.rdf)
    return wanted


def _check_size(name: str, value: Json) -> None:
    if len(json.dumps(value, separators=(",", ":"))) > MAX_XATTR_VALUE_B:
        raise Posix(Errno.E2BIG, f"the attribute {name[:64]} may take up to {MAX_XATTR_VALUE_B} bytes")
