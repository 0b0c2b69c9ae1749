"""Which metadata and properties a copy of some fields takes from its source. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from op_worker.files.model import Json, MetadataChange
from op_worker.http.cdmi.bodies.members import Encoding
from op_worker.http.cdmi.representations import metadata
from op_worker.http.cdmi.requests.queries import Query


def copied_fields(xattrs: Mapping[str, Json], asked: Query, *, is_of_source: bool) -> MetadataChange:
    """Return the change that gives another object the fields that are asked for, but the value.

    Args:
        xattrs: of the source, the access control list too.
        asked: ``metadata:`` items of the source's URI are prefixes, those of the destination's are names.
        is_of_source: whose query it is.
    """
    change = _items(xattrs, asked, is_of_source=is_of_source) if asked.wants("metadata") else MetadataChange()
    return metadata.with_properties(
        change,
        mimetype=metadata.mimetype_of(xattrs) if asked.wants("mimetype") else None,
        encoding=metadata.encoding_of(xattrs) if asked.wants("valuetransferencoding") else None,
    )


def with_defaults(change: MetadataChange) -> MetadataChange:
    """Return a change for a new object: mimetype and encoding that it does not set are as at any creation."""
    said = change.set_xattrs
    return metadata.with_properties(
        change,
        mimetype=None if metadata.MIMETYPE in said else "text/plain",
        encoding=None if metadata.ENCODING in said else Encoding.UTF8,
    )


def _items(xattrs: Mapping[str, Json], asked: Query, *, is_of_source: bool) -> MetadataChange:
    items = metadata.user_items(xattrs)
    if metadata.ACL in xattrs:
        items[metadata.ACL] = xattrs[metadata.ACL]
    if not asked.metadata:
        return metadata.update(items, ())
    prefixes = asked.metadata
    names = [name for name in items if name.startswith(prefixes) if is_of_source or name in prefixes]
    return metadata.update({name: items[name] for name in names}, names)
