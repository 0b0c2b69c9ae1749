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
from op_worker.files.stored import blocks as block_lists
from op_worker.files.stored.blocks import Blocks
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
    answer["distributionPerStorage"] = {
        one: {
            "physicalSize": block_lists.total(blocks),
            "blocks": [[offset, size] for offset, size in blocks],
        }
        for one, blocks in _blocks(location).items()
    }
    answer["locationsPerStorage"] = _paths(visit, chain)
    return answer


def _blocks(location: Location) -> Mapping[str, Blocks]:
    """Return the blocks on each storage; those of a content without any are on its main one."""
    found = {location.storage_id: location.main_blocks}
    for part in location.parts:
        found[part.storage_id] = block_lists.merge(found.get(part.storage_id, block_lists.NONE), part.blocks)
    return {one: blocks for one, blocks in found.items() if blocks or not location.blocks}


def _paths(visit: Visit, chain: Chain) -> Mapping[str, Json]:
    """Return a path on each storage; of several on one storage that of the main place, or the first."""
    if chain.file.type is not FileType.REG:
        return {_storage_id(visit, chain): None}
    paths: dict[str, Json] = {}
    location = chain.file.location
    if location is None or location.main_blocks or not location.parts:
        paths[_storage_id(visit, chain)] = f"/{chain.storage_path}"
    for part in () if location is None else location.parts:
        paths.setdefault(part.storage_id, f"/{part.at}")
    return paths


def _storage_id(visit: Visit, chain: Chain) -> str:
    location = chain.file.location
    return visit.support.storage.storage_id if location is None else location.storage_id


def _json(error: Mapping[str, object]) -> Json:
    return {key: str(value) for key, value in error.items()}
