"""Operations on quotas and usage."""

from __future__ import annotations

from typing import Any

from cluster_worker.http.answers import send_json, send_nothing
from onedata.ids import FileGuid, FileUuid, SpaceId, UserId
from op_worker.files.quotas.quota_administration import SpaceUsage, Usage
from op_worker.files.stored.quotas import Quota
from op_worker.http.rest.calls import RestCall


async def get_usage(call: RestCall) -> None:
    """What a space uses: on its storage, and of its quotas."""
    send_json(call.request, _usage(call.space_id, await call.files.quotas.usage(call.caller, call.space_id)))


async def get_user_quota(call: RestCall) -> None:
    """The quota of a user in a space."""
    usage = await call.files.quotas.user_quota(call.caller, call.space_id, UserId(call.ids["uid"]))
    send_json(call.request, _shown(call.space_id, usage))


async def put_user_quota(call: RestCall) -> None:
    """Set the quota of a user in a space."""
    user_id = UserId(call.ids["uid"])
    await call.files.quotas.set_user_quota(call.caller, call.space_id, user_id, _given(call))
    send_nothing(call.request)


async def remove_user_quota(call: RestCall) -> None:
    """Lift the quota of a user in a space."""
    await call.files.quotas.remove_user_quota(call.caller, call.space_id, UserId(call.ids["uid"]))
    send_nothing(call.request)


async def get_directory_quota(call: RestCall) -> None:
    """The quota of a directory."""
    usage = await call.files.quotas.directory_quota(call.caller, call.target)
    send_json(call.request, _shown(call.target.base.space_id, usage))


async def put_directory_quota(call: RestCall) -> None:
    """Set the quota of a directory, for everything below it."""
    await call.files.quotas.set_directory_quota(call.caller, call.target, _given(call))
    send_nothing(call.request)


async def remove_directory_quota(call: RestCall) -> None:
    """Lift the quota of a directory."""
    await call.files.quotas.remove_directory_quota(call.caller, call.target)
    send_nothing(call.request)


def _given(call: RestCall) -> Quota:
    return Quota(call.params["size"], call.params["files"])


def _shown(space_id: SpaceId, usage: Usage) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "size": {"used": usage.used_b, "limit": usage.quota.size_b},
        "files": {"used": usage.used_files, "limit": usage.quota.files},
    }
    if usage.user is not None:
        return {"userId": usage.user, **shown}
    return {"fileId": _file_id(space_id, usage.directory or ""), **shown}


def _usage(space_id: SpaceId, usage: SpaceUsage) -> dict[str, Any]:
    return {
        "storages": {one: {"used": used, "limit": limit} for one, (used, limit) in usage.storages.items()},
        "quotas": [_shown(space_id, one) for one in usage.quotas],
        "recharges": [
            {
                "fileId": _file_id(space_id, top),
                "since": job.since_s,
                "visited": job.visited,
                "changed": job.changed,
            }
            for top, job in usage.recharges.items()
        ],
    }


def _file_id(space_id: SpaceId, uuid: str) -> str:
    return FileGuid(FileUuid(uuid), space_id).object_id()
