"""Registering files that lie on an imported storage."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from cluster_worker.http.answers import send_created
from cluster_worker.http.params import Boolean, Integer, JsonObject, Octal, Param, Text
from onedata.errors import BadData, BadValueFilePath, Forbidden
from onedata.ids import SpaceId, StorageId
from op_worker.files.model import MetadataChange, Target
from op_worker.http.rest.calls import RestCall
from op_worker.importing.registering import Wish

PARAMS = (
    Param("spaceId", Text(), "The space.", required=True),
    Param("storageId", Text(), "The imported storage.", required=True),
    Param("storageFileId", Text(), "The path of the file on the storage.", required=True),
    Param("destinationPath", Text(), "Its path in the space; missing directories are made.", required=True),
    Param("size", Integer(0, 2**53 - 1), "In bytes; by default what the storage says."),
    Param("mode", Octal(0, 0o1777), "Permission bits in octal."),
    Param("atime", Integer(0), "Access time, in seconds since the epoch."),
    Param("mtime", Integer(0), "Modification time, in seconds since the epoch."),
    Param("ctime", Integer(0), "Change time, in seconds since the epoch."),
    Param("uid", Integer(0, 2**32 - 2), "Whose it is on the storage."),
    Param("gid", Integer(0, 2**32 - 2), "Whose group's it is on the storage."),
    Param("autoDetectAttributes", Boolean(), "Ask the storage for what is not given.", default=True),
    Param("xattrs", JsonObject(), "Extended attributes."),
    Param("json", JsonObject(), "JSON metadata."),
    Param("rdf", Text(), "RDF metadata in Base64."),
)


async def register_file(call: RestCall) -> None:
    """Make a file of an imported storage known, or known anew, without copying it."""
    given = call.params
    change = _metadata(given)
    registering = call.services.registering
    if registering is None:
        raise Forbidden("Nothing is imported here.")
    guid = await registering.register(call.caller, _wish(given))
    if change is not None:
        await call.files.metadata.change(call.caller, Target(guid), change)
    file_id = guid.object_id()
    send_created(call.request, call.link(f"/data/{file_id}"), {"fileId": file_id})


def _wish(given: Any) -> Wish:
    path = given["destinationPath"]
    if not path.startswith("/"):
        raise BadValueFilePath
    return Wish(
        space_id=SpaceId(given["spaceId"]),
        storage_id=StorageId(given["storageId"]),
        storage_file_id=given["storageFileId"],
        destination=[name for name in path.split("/") if name],
        size_b=given["size"],
        mode=given["mode"],
        atime_s=given["atime"],
        mtime_s=given["mtime"],
        ctime_s=given["ctime"],
        uid=given["uid"],
        gid=given["gid"],
        detects=given["autoDetectAttributes"],
    )


def _metadata(given: Any) -> MetadataChange | None:
    """Return the metadata that come along. Raises: BadData for what is no Base64."""
    changes: dict[str, Any] = {}
    if given["xattrs"]:
        changes["set_xattrs"] = given["xattrs"]
    if given["json"] is not None:
        changes["json"] = given["json"]
    if given["rdf"] is not None:
        try:
            changes["rdf"] = base64.b64decode(given["rdf"], validate=True)
        except (binascii.Error, ValueError):
            raise BadData("rdf", "it is no Base64") from None
    return MetadataChange(**changes) if changes else None
