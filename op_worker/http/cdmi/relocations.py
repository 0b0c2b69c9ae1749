"""``copy`` and ``move`` members: other objects as the source of a PUT."""

from __future__ import annotations

from attrs import evolve

from onedata.errors import BadData, Errno, OnedataError, Posix
from op_worker.auth.caller import Caller
from op_worker.files.model import FileStat, FileType, MetadataChange, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.answers import NO_CONTENT, Answer, representation
from op_worker.http.cdmi.bodies.members import ContainerBody, ObjectBody
from op_worker.http.cdmi.handlers import Place
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.refusals import Refused
from op_worker.http.cdmi.representations.representation import container_members, object_members, render
from op_worker.http.cdmi.requests.addresses import Address, source_addresses
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Query
from op_worker.http.cdmi.requests.request import CdmiRequest


class Relocations:
    """Carries out ``copy`` and ``move`` for data objects and containers.

    The form of the target (with or without a slash) does not bind the kind of the source: clients move
    directories through the object form.
    """

    def __init__(self, files: FileService, locator: Locator) -> None:
        self._files, self._locator = files, locator

    async def write(
        self,
        caller: Caller,
        request: CdmiRequest,
        target: Target,
        present: FileStat | None,
        body: ObjectBody | ContainerBody,
        change: MetadataChange,
    ) -> Answer:
        """Answer a PUT with a ``copy`` or ``move`` member.

        Args:
            present: what is at the target already.
            change: of the result's metadata; metadata that the body does not give are the source's.

        Raises:
            Refused: 400, when the source is missing.
            Posix: EEXIST when a container is in the way.
        """
        if present is not None and present.type is FileType.DIR:
            raise Posix(Errno.EEXIST, "a container is in the way")
        source = await self._source(caller, request, body)
        refuse_reserved(request.address, is_container=source.type is FileType.DIR)
        if request.address.is_container and source.type is not FileType.DIR:
            raise BadData("path", "the source of a container must be a container")
        if body.move is not None:
            return await self._move(caller, source, target, change)
        return await self._copy(caller, source, target, change)

    async def make(
        self, caller: Caller, request: CdmiRequest, place: Place, body: ObjectBody, change: MetadataChange
    ) -> Answer:
        """Answer a POST with a ``copy`` or ``move`` member; raises as ``write``."""
        source = await self._source(caller, request, body)
        if source.is_directory:
            raise BadData("path", "the source of a data object must be one")
        moved = None if body.move is None else source.guid
        placed = await place.take(None, moved)
        relocate = self._copy if moved is None else self._move
        answer = await relocate(caller, source, placed.target, change)
        return evolve(answer, location=placed.location)

    async def _source(
        self, caller: Caller, request: CdmiRequest, body: ObjectBody | ContainerBody
    ) -> FileStat:
        try:
            candidates = source_addresses(body.copy or body.move or "", request.host)
            return await self._locator.source(caller, candidates)
        except OnedataError as error:
            if error.http_status == 404 or (isinstance(error, Posix) and error.errno is Errno.ENOENT):
                raise Refused(400, Posix(Errno.ENOENT, "the source does not exist")) from None
            raise

    async def _move(self, caller: Caller, source: FileStat, target: Target, change: MetadataChange) -> Answer:
        stat, replaced = await self._files.move(caller, Target(source.guid), target)
        if not change.is_empty:
            await self._files.metadata.change(caller, Target(stat.guid), change)
        return await self._shown(caller, stat, 200 if replaced else 201)

    async def _copy(self, caller: Caller, source: FileStat, target: Target, change: MetadataChange) -> Answer:
        stat, replaced = await self._files.copy(
            caller, Target(source.guid), target, metadata=None if change.is_empty else change
        )
        return NO_CONTENT if replaced else await self._shown(caller, stat, 201)

    async def _shown(self, caller: Caller, stat: FileStat, status: int) -> Answer:
        """Return the representation of the result, without value or children."""
        xattrs = await self._locator.changed_xattrs(caller, stat)
        if stat.type is FileType.DIR:
            members = container_members(stat, xattrs, Query())
            return representation(Kind.CONTAINER, render(members), status)
        return representation(Kind.OBJECT, render(object_members(stat, xattrs, Query())), status)


def refuse_reserved(address: Address, *, is_container: bool) -> None:
    """Raise BadData(``path``) for containers with a name that the standard reserves."""
    if is_container and address.has_reserved_name:
        raise BadData("path", "names of containers cannot start with cdmi_")
