"""Snapshots of containers: taken by an update, told in representations, removed one by one."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from op_worker.auth.caller import Caller
from op_worker.files.model import FileStat, Json, Target
from op_worker.files.stored.conditions import ContentCondition
from op_worker.http.cdmi.answers import NO_CONTENT, Answer
from op_worker.http.cdmi.representations.metadata import PROCESSING
from op_worker.http.cdmi.representations.representation import logical_path
from op_worker.http.cdmi.requests.addresses import path_text
from op_worker.http.cdmi.requests.queries import Query
from op_worker.snapshots.records import DIRECTORY, Status
from op_worker.snapshots.service import Snapshots


@frozen(eq=False)
class ContainerSnapshots:
    """What containers have to do with snapshots."""

    _snapshots: Snapshots

    async def take(self, caller: Caller, stat: FileStat, name: str) -> Answer:
        """Answer the request for a snapshot: 204, or 202 with its place when it takes longer."""
        if await self._snapshots.take(caller, Target(stat.guid), name):
            return NO_CONTENT
        return Answer(status=202, location=_uri(stat, name))

    async def is_complete(self, stat: FileStat) -> bool:
        """Whether a container is not a snapshot that is being taken, or came to nothing."""
        return (await self._snapshots.status(stat)).is_complete

    async def remove(self, caller: Caller, stat: FileStat, condition: ContentCondition) -> bool:
        """Remove a snapshot; tell whether it was one. Raises: PreconditionNotMet."""
        if not self._snapshots.is_snapshot(stat):
            return False
        condition.require(stat)
        await self._snapshots.remove(caller, Target(stat.guid))
        return True

    async def members(
        self, caller: Caller, stat: FileStat, members: Mapping[str, Json], query: Query
    ) -> tuple[dict[str, Json], bool]:
        """Return the members of a container with those about snapshots, and whether it has children to show.

        A snapshot that is not complete shows how far it is instead of what is in it.
        """
        status = await self._snapshots.status(stat)
        shown = dict(members) if status.is_complete else _with_status(members, status, query)
        if query.wants("snapshots") and stat.parent is not None:
            names = await self._snapshots.names(caller, stat)
            if names:
                shown["snapshots"] = [_uri(stat, name) for name in names]
        return shown, status.is_complete


def _uri(stat: FileStat, name: str) -> str:
    return path_text((*logical_path(stat), DIRECTORY, name)) + "/"


def _with_status(members: Mapping[str, Json], status: Status, query: Query) -> dict[str, Json]:
    """Return members, in their order, of a snapshot that is not complete."""
    shown: dict[str, Json] = {}
    for name, value in members.items():
        if name == "completionStatus":
            value = f"Error: {status.error}" if status.error else PROCESSING
        elif name == "metadata":
            _add_percent(shown, status, query)
        shown[name] = value
    _add_percent(shown, status, query)
    return shown


def _add_percent(shown: dict[str, Json], status: Status, query: Query) -> None:
    if status.percent is not None and query.wants("percentComplete"):
        shown.setdefault("percentComplete", str(status.percent))
