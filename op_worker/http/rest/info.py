"""Operations that need no credentials: configuration, health, a picture to measure with; and spaces."""

from __future__ import annotations

import base64
from typing import Any

from cluster_worker.http.answers import send_bytes, send_json
from onedata.errors import InternalServerError
from onedata.ids import FileGuid, archives_root_uuid, space_root_guid, trash_uuid
from op_worker.http.rest.calls import RestCall
from op_worker.http.rest.configuration import configuration_document
from op_worker.zone.records import SpaceInfo

_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


async def get_configuration(call: RestCall) -> None:
    """Who this provider is and which versions it works with."""
    send_json(call.request, configuration_document(call.services.zone, call.services.product))


async def get_health(call: RestCall) -> None:
    """Whether this node serves."""
    if not call.services.is_healthy():
        raise InternalServerError()
    send_json(call.request, {"status": "healthy"})


async def get_test_image(call: RestCall) -> None:
    """A picture of one pixel, to test the connection with."""
    send_bytes(call.request, _PIXEL, [b"image/png"])


async def list_spaces(call: RestCall) -> None:
    """The caller's spaces, also those that are not supported here."""
    send_json(call.request, [_space(space) for space in await call.files.spaces(call.caller)])


async def get_space(call: RestCall) -> None:
    """One of the caller's spaces, supported here."""
    send_json(call.request, _space(await call.files.space(call.caller, call.space_id)))


def _space(space: SpaceInfo) -> dict[str, Any]:
    space_id = space.space_id
    root_id = space_root_guid(space_id).object_id()
    return {
        "spaceId": space_id,
        "name": space.name,
        "fileId": root_id,
        "dirId": root_id,
        "trashDirId": FileGuid(trash_uuid(space_id), space_id).object_id(),
        "archivesDirId": FileGuid(archives_root_uuid(space_id), space_id).object_id(),
        "providers": [
            {"providerId": provider_id, "providerName": space.provider_names.get(provider_id, provider_id)}
            for provider_id in space.supports
        ],
    }
