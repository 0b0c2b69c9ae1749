"""Operations on what was removed from a space: its recycle bin, and trees that are being purged."""

from __future__ import annotations

from typing import Any

from cluster_worker.http.answers import send_json, send_nothing
from op_worker.files.model import CreateOptions
from op_worker.files.removing.removals import Removing
from op_worker.files.tree.recycle_bin import RecycledFile
from op_worker.http.rest.calls import RestCall, names_of, required_names
from op_worker.statistics.counts import DIRECTORIES, FILES, LOGICAL, Counts, at


async def list_recycle_bin(call: RestCall) -> None:
    """A page of the recycle bin of a space."""
    params = call.params
    page = await call.files.recycle_bin.items(
        call.caller, call.space_id, limit=params["limit"], token=params["token"]
    )
    items = [_item(item) for item in page.items]
    send_json(call.request, {"items": items, "isLast": page.is_last, "nextPageToken": page.next_token})


async def restore(call: RestCall) -> None:
    """Put a removed file back."""
    path = call.params["path"]
    stat = await call.files.recycle_bin.restore(
        call.caller,
        call.space_id,
        call.ids["item"],
        None if path is None else required_names(names_of(path)),
        CreateOptions(create_parents=call.params["create_parents"]),
    )
    send_json(call.request, {"fileId": stat.guid.object_id(), "path": "/".join(stat.path)})


async def remove_from_bin(call: RestCall) -> None:
    """Remove an item of the recycle bin for good."""
    await call.files.recycle_bin.remove(call.caller, call.space_id, call.ids["item"])
    send_nothing(call.request)


async def empty_bin(call: RestCall) -> None:
    """Remove for good what the caller may of the recycle bin."""
    await call.files.recycle_bin.empty(call.caller, call.space_id)
    send_nothing(call.request)


async def list_removals(call: RestCall) -> None:
    """Trees that were removed and are being purged; and what is left of all of them, where that is known."""
    removals = await call.files.removals.of(call.caller, call.space_id)
    statistics = call.services.statistics
    left = None if statistics is None else await statistics.waiting_for_purge(call.space_id)
    send_json(call.request, {"removals": [_removal(one) for one in removals], "left": _left(left)})


def _left(counts: Counts | None) -> dict[str, int] | None:
    if counts is None:
        return None
    return {
        "files": at(counts, FILES),
        "directories": at(counts, DIRECTORIES),
        "bytes": at(counts, LOGICAL),
    }


def _item(item: RecycledFile) -> dict[str, Any]:
    return {
        "itemId": item.item_id,
        "fileId": item.guid.object_id(),
        "name": item.path[-1],
        "path": "/".join(item.path),
        "type": item.type.value,
        "size": item.size_b,
        "ownerUserId": item.owner,
        "removedBy": item.removed_by,
        "removedAt": int(item.removed_s),
        "expiresAt": int(item.expires_s),
    }


def _removal(one: Removing) -> dict[str, Any]:
    return {
        "path": one.path,
        "removedBy": one.removed_by,
        "removedAt": one.since_s,
        "purgedFiles": one.files,
        "purgedDirectories": one.directories,
        "purgedBytes": one.given_back_b,
    }
