"""Queues made, or brought up to date, from other queues."""

from __future__ import annotations

from attrs import evolve, frozen

from onedata.errors import BadData
from op_worker.auth.caller import Caller
from op_worker.files.model import FileStat, MetadataChange, Target
from op_worker.files.service import FileService
from op_worker.files.stored.conditions import ContentCondition
from op_worker.http.cdmi.bodies.members import ContainerBody
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.relocations.relocations import permitted_only
from op_worker.http.cdmi.representations import metadata
from op_worker.http.cdmi.requests.request import CdmiRequest


@frozen(eq=False)
class QueueRelocations:
    """Copies and moves of whole queues."""

    _files: FileService
    _locator: Locator

    async def source(self, caller: Caller, request: CdmiRequest, body: ContainerBody) -> FileStat:
        """Return the queue that a body speaks of.

        Raises:
            Refused: 400, when it is missing.
            BadData: it is no queue, or the URI says which fields (keys ``path``, ``copy``).
        """
        source = await self._locator.source(caller, body.copy or body.move or "", request.host)
        if not source.stat.is_queue:
            raise BadData("path", "the source of a queue must be a queue")
        if source.query.fields is not None or (body.copy is not None and request.query.fields is not None):
            raise BadData("copy", "queues are copied whole")
        return source.stat

    async def make(
        self, caller: Caller, source: FileStat, target: Target, body: ContainerBody, change: MetadataChange
    ) -> FileStat:
        """Copy or move a queue to where nothing is."""
        if body.move is not None:
            moved, _ = await permitted_only(self._files.move(caller, Target(source.guid), target, change))
            return moved
        copied, _ = await permitted_only(self._files.copy(caller, Target(source.guid), target, change))
        return copied

    async def update(
        self,
        caller: Caller,
        source: FileStat,
        stat: FileStat,
        change: MetadataChange,
        condition: ContentCondition,
    ) -> None:
        """Give a queue the metadata of another one; its values stay."""
        xattrs = await self._locator.changed_xattrs(caller, source)
        taken = metadata.update(metadata.user_items(xattrs), ())
        if change.replace_user_xattrs is not None:
            taken = change
        elif not change.is_empty:
            taken = evolve(taken, acl=change.acl)
        await self._files.metadata.change(caller, Target(stat.guid), taken, condition)
