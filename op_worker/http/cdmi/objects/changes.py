"""What a CDMI body changes about a data object besides its bytes. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from op_worker.files.model import Json, MetadataChange
from op_worker.http.cdmi.bodies.members import Encoding, ObjectBody
from op_worker.http.cdmi.representations import metadata
from op_worker.http.cdmi.requests.request import CdmiRequest

_CREATED_AS = {Encoding.JSON: "application/json"}
_CREATED_AS_TEXT = "text/plain"


def encoding_for(body: ObjectBody, xattrs: Mapping[str, Json]) -> Encoding:
    """Return how a sent value is encoded: as the body says, as was stored, or as text."""
    return body.encoding or metadata.encoding_of(xattrs) or Encoding.UTF8


def sent(request: CdmiRequest, body: ObjectBody, xattrs: Mapping[str, Json]) -> MetadataChange:
    """Return what the members of a body change.

    Args:
        xattrs: of the object as it is.

    Raises:
        BadData, Posix: as ``metadata.update``.
    """
    names = () if body.copy is not None else request.query.metadata  # a copy takes what they name
    change = metadata.with_properties(
        metadata.update(body.metadata, names),
        mimetype=body.mimetype,
        encoding=body.encoding,
        completion=metadata.PROCESSING if request.is_partial else None,
    )
    return metadata.with_others(change, body.others, xattrs)


def of_new(request: CdmiRequest, body: ObjectBody, encoding: Encoding) -> MetadataChange:
    """Return the properties and metadata of an object that is made; raises as ``sent``."""
    mimetype = body.mimetype or _CREATED_AS.get(encoding, _CREATED_AS_TEXT)
    return metadata.with_properties(sent(request, body, {}), mimetype=mimetype, encoding=encoding)


def of_present(request: CdmiRequest, body: ObjectBody, xattrs: Mapping[str, Json]) -> MetadataChange:
    """Return the changes of an object that is there; raises as ``sent``."""
    change = sent(request, body, xattrs)
    if request.query.metadata:
        metadata.check_limits(metadata.after(xattrs, change))
    return metadata.merged(change, metadata.written(is_partial=request.is_partial, xattrs=xattrs))
