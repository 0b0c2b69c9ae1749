"""Operations on shares."""

from __future__ import annotations

from typing import Any

from cluster_worker.http.answers import send_created, send_json, send_nothing
from onedata.errors import BadValueIdentifier, MissingAtLeastOneValue, NotFound, ShareExpired
from onedata.ids import FileGuid, InvalidFileId, ShareId
from op_worker.files.model import FileType
from op_worker.files.stored.share_records import Share
from op_worker.http.rest.calls import BASE_PATH, RestCall
from op_worker.shares.service import Wishes

_CHANGEABLE = ("name", "description", "expires", "password")
_TYPES = {FileType.REG: "file", FileType.DIR: "dir"}


async def create_share(call: RestCall) -> None:
    """Share a file or a directory."""
    wishes = _wishes(call)
    share = await call.shares.create(call.caller, _root(call), call.params["name"], wishes)
    send_created(call.request, call.link(f"/shares/{share.share_id}"), {"shareId": share.share_id})


async def get_share(call: RestCall) -> None:
    """What is known of a share."""
    share = await call.shares.get(call.caller, _share_id(call))
    exists = await call.shares.leads_somewhere(share)
    send_json(call.request, {**_shown(call, share), "rootFileExists": exists})


async def get_public_share(call: RestCall) -> None:
    """What anybody may know of a share."""
    share = await call.shares.find(_share_id(call))
    if share is None:
        raise NotFound()
    if call.shares.is_over(share):
        raise ShareExpired()
    send_json(call.request, {**_public(call, share), "fileType": _TYPES[share.type]})


async def change_share(call: RestCall) -> None:
    """Change the name, description, end or password of a share."""
    if all(call.params[key] is None for key in _CHANGEABLE):
        raise MissingAtLeastOneValue(list(_CHANGEABLE))
    await call.shares.change(call.caller, _share_id(call), _wishes(call))
    send_nothing(call.request)


async def remove_share(call: RestCall) -> None:
    """End a share; the shared file stays."""
    await call.shares.remove(call.caller, _share_id(call))
    send_nothing(call.request)


async def list_shares(call: RestCall) -> None:
    """A page of the shares of a space, in order of their ids."""
    page = await call.shares.page(call.caller, call.space_id, call.params["limit"], call.params["token"])
    shares = [_shown(call, share) for share in page.items]
    send_json(call.request, {"shares": shares, "isLast": page.is_last, "nextPageToken": page.next_token})


def _share_id(call: RestCall) -> ShareId:
    return ShareId(call.ids["shid"])


def _wishes(call: RestCall) -> Wishes:
    params = call.params
    return Wishes(
        name=params["name"],
        description=params["description"],
        expires_s=params["expires"],
        password=params["password"],
    )


def _root(call: RestCall) -> FileGuid:
    for key in ("rootFileId", "fileId"):
        text = call.params[key]
        if text is not None:
            try:
                return FileGuid.from_object_id(text)
            except InvalidFileId:
                raise BadValueIdentifier(key) from None
    raise MissingAtLeastOneValue(["fileId", "rootFileId"])


def _public(call: RestCall, share: Share) -> dict[str, Any]:
    return {
        "shareId": share.share_id,
        "name": share.name,
        "description": share.description,
        "publicUrl": call.url(f"/share/{share.share_id}"),
        "publicRestUrl": call.url(f"{BASE_PATH}/shares/{share.share_id}/public"),
        "rootFileId": share.root_guid.object_id(),
        "rootFileType": share.type.value,
        "handleId": None,
        "creationTime": share.created_s,
        "expires": share.expires_s,
        "hasPassword": bool(share.password_hash),
    }


def _shown(call: RestCall, share: Share) -> dict[str, Any]:
    return {
        **_public(call, share),
        "spaceId": share.space_id,
        "creator": share.creator,
        "isExpired": call.shares.is_over(share),
    }
