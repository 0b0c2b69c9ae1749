"""Which provider and storage holds which bytes of a file."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from onedata.errors import DirStatsDisabledForSpace
from op_worker.auth.caller import Caller
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.model import FileType, Json, Target
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored.documents import Location
from op_worker.files.stored.nodes import Chain
from op_worker.files.translation import translated


@frozen(eq=False)
class Distribution:
    """Where the bytes of files are. Only this provider is known so far."""

    _context: FilesContext

    @translated
    async def blocks(self, caller: Caller, target: Target) -> Mapping[str, Json]:
        """Return which provider and storage holds which blocks, in the form of the REST answer."""
        visit, chain = await self._readable(caller, target)
        type_ = chain.file.type
        provider_id = self._context.access.provider_id
        return {
            "type": type_.value,
            "distributionPerProvider": {provider_id: _of_this_provider(visit, chain, type_)},
        }

    @translated
    async def locations(self, caller: Caller, target: Target) -> Mapping[str, Json]:
        """Return the path on each storage, in the form of the REST answer."""
        visit, chain = await self._readable(caller, target)
        return {
            "locationsPerProvider": {
                self._context.access.provider_id: {
                    "success": True,
                    "locationsPerStorage": _paths(visit, chain),
                }
            }
        }

    async def _readable(self, caller: Caller, target: Target) -> tuple[Visit, Chain]:
        visit, chain = await self._context.chain(caller, target)
        await visit.require(chain, Operation.READ_METADATA)
        return visit, chain


def _of_this_provider(visit: Visit, chain: Chain, type_: FileType) -> Mapping[str, Json]:
    storage_id = _storage_id(visit, chain)
    if type_ is FileType.DIR:
        error = DirStatsDisabledForSpace().to_json()
        return {"success": False, "distributionPerStorage": {storage_id: {"error": _json(error)}}}
    location = chain.file.location or Location(storage_id)
    answer: dict[str, Json] = {"success": True, "virtualSize": location.size_b}
    if type_ is FileType.SYMLNK:
        answer["distributionPerStorage"] = {storage_id: {"physicalSize": 0}}
        return answer
    blocks = [[offset, size] for offset, size in location.blocks]
    answer["distributionPerStorage"] = {storage_id: {"physicalSize": location.held_b, "blocks": blocks}}
    answer["locationsPerStorage"] = _paths(visit, chain)
    return answer


def _paths(visit: Visit, chain: Chain) -> Mapping[str, Json]:
    path = f"/{chain.storage_path}" if chain.file.type is FileType.REG else None
    return {_storage_id(visit, chain): path}


def _storage_id(visit: Visit, chain: Chain) -> str:
    location = chain.file.location
    return visit.support.storage.storage_id if location is None else location.storage_id


def _json(error: Mapping[str, object]) -> Json:
    return {key: str(value) for key, value in error.items()}
