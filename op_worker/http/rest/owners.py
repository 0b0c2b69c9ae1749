"""The uid and gid that files are shown with, which the storage of their space has a say in."""

from __future__ import annotations

from attrs import evolve

from op_worker.files.model import FileStat
from op_worker.http.rest.attributes import Selection
from op_worker.http.rest.calls import RestCall

_SHOWN = ("displayUid", "displayGid", "storage_user_id", "storage_group_id")


async def as_shown(call: RestCall, selection: Selection, stat: FileStat) -> FileStat:
    """Return a file with its display uid and gid, if they are asked for; guests are told neither."""
    owners = call.services.owners
    if owners is None or stat.guid.share_id is not None or not any(map(selection.shows, _SHOWN)):
        return stat
    ids = await owners.of(stat.owner, stat.guid.space_id)
    return stat if ids is None else evolve(stat, display_uid=ids.uid, display_gid=ids.gid)
