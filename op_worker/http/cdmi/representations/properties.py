"""Properties of data objects that are kept as attributes: mimetype, transfer encoding, completion. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from attrs import evolve

from onedata.errors import BadData
from op_worker.files.model import Json, MetadataChange
from op_worker.http.cdmi.bodies.members import NAMED, Encoding
from op_worker.http.cdmi.representations.user_items import MAX_ITEM_B
from op_worker.http.cdmi.requests.negotiation import MediaType, is_storable_mimetype

MIMETYPE = "cdmi_mimetype"
ENCODING = "cdmi_valuetransferencoding"
COMPLETION = "cdmi_completion_status"
OTHERS = "cdmi_other_members"
PROCESSING = "Processing"
COMPLETE = "Complete"
DEFAULT_MIMETYPE = "application/octet-stream"
"""The mimetype of objects for which none was ever set; it is not stored."""


def with_properties(
    change: MetadataChange,
    *,
    mimetype: str | None = None,
    encoding: Encoding | None = None,
    completion: str | None = None,
) -> MetadataChange:
    """Add an object's properties to a change; ``None`` leaves a property as it is."""
    given = {MIMETYPE: mimetype, ENCODING: encoding and encoding.value, COMPLETION: completion}
    properties = {name: value for name, value in given.items() if value is not None}
    return evolve(change, set_xattrs={**change.set_xattrs, **properties}) if properties else change


def with_others(
    change: MetadataChange, sent: Mapping[str, Json], xattrs: Mapping[str, Json]
) -> MetadataChange:
    """Add members that no clause names to a change; those that were stored and not sent again stay.

    Raises:
        BadData: they are too long together (key ``body``).
    """
    if not sent:
        return change
    others = {**others_of(xattrs), **sent}
    if len(json.dumps(others, separators=(",", ":"))) > MAX_ITEM_B:
        raise BadData("body", f"members without a meaning may have up to {MAX_ITEM_B} bytes together")
    return evolve(change, set_xattrs={**change.set_xattrs, OTHERS: others})


def others_of(xattrs: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return the stored members that no clause of the standard names."""
    stored = xattrs.get(OTHERS)
    if not isinstance(stored, Mapping):
        return {}
    return {name: value for name, value in stored.items() if name not in NAMED}


def written(*, is_partial: bool, xattrs: Mapping[str, Json]) -> MetadataChange:
    """Return what a write does to the completion of an object with these attributes.

    Completeness is stored only to end a partial series.
    """
    if is_partial:
        return with_properties(MetadataChange(), completion=PROCESSING)
    if completion_of(xattrs) != COMPLETE:
        return with_properties(MetadataChange(), completion=COMPLETE)
    return MetadataChange()


def retyped(sent: MediaType | None, xattrs: Mapping[str, Json]) -> MetadataChange:
    """Return what a plain ``Content-Type`` does to an object with these attributes.

    What equals the default is stored only to replace something else.
    """
    if sent is None:
        return MetadataChange()
    mimetype = sent.mimetype if is_storable_mimetype(sent.mimetype) else DEFAULT_MIMETYPE
    encoding = Encoding.UTF8 if sent.says_utf8 else Encoding.BASE64
    stored = encoding_of(xattrs) or Encoding.BASE64
    return with_properties(
        MetadataChange(),
        mimetype=mimetype if mimetype != mimetype_of(xattrs) else None,
        encoding=encoding if encoding is not stored else None,
    )


def merged(*changes: MetadataChange) -> MetadataChange:
    """Return the first change with the attributes that the further ones set."""
    first, *others = changes
    for other in others:
        first = evolve(first, set_xattrs={**first.set_xattrs, **other.set_xattrs})
    return first


def mimetype_of(xattrs: Mapping[str, Json]) -> str:
    """Return the object's mimetype."""
    stored = xattrs.get(MIMETYPE)
    return stored if isinstance(stored, str) else DEFAULT_MIMETYPE


def encoding_of(xattrs: Mapping[str, Json]) -> Encoding | None:
    """Return the stored transfer encoding; ``None`` when none was ever set."""
    stored = xattrs.get(ENCODING)
    known = {encoding.value: encoding for encoding in Encoding}
    return known.get(stored) if isinstance(stored, str) else None


def completion_of(xattrs: Mapping[str, Json]) -> str:
    """Return ``Complete``, or ``Processing`` while a partial series is open."""
    stored = xattrs.get(COMPLETION)
    return stored if isinstance(stored, str) else COMPLETE
