"""Draining a storage of a space as a background job: masters take pages of directories, slaves files."""

from __future__ import annotations

import msgpack
from attrs import field, frozen

from cluster_worker.jobs.pool import Limits, Pool
from cluster_worker.jobs.service import Jobs
from cluster_worker.jobs.task import MasterJob, TaskId
from cluster_worker.jobs.traverse import JobContext, MasterOutcome, QuietTraverse
from cluster_worker.persistence.engine import Key, Scope
from onedata.ids import SpaceId, StorageId, copies_uuid, nameless_uuid, space_root_uuid
from op_worker.files.content.draining import Draining
from op_worker.files.context import FilesContext
from op_worker.files.stored.documents import BASE
from op_worker.files.stored.nodes import Node
from op_worker.files.stored.recycled import bin_key

POOL = Pool("draining", Limits(masters=4, slaves=4, tasks=4))
_PAGE = 400


@frozen(eq=False)
class DrainingTraverse(QuietTraverse):
    """One task for each space and storage. What a slave moved it moves once, whoever does it again."""

    _context: FilesContext
    _draining: Draining
    pool: Pool = field(default=POOL, init=False)

    async def do_master(self, job: MasterJob, context: JobContext) -> MasterOutcome:
        """Take a page of a directory; the first master of a task leads to where files are."""
        space_id, storage_id = SpaceId(context.task_id.scope), _storage_of(context)
        if job.payload == context.payload:
            tops = (space_root_uuid(space_id), nameless_uuid(space_id), copies_uuid(space_id))
            return MasterOutcome(masters=[_pack(Key(top), b"") for top in (*tops, bin_key(space_id))])
        directory, after = msgpack.unpackb(job.payload)
        entries = await self._context.engine.page(Scope(space_id), Key(directory), after or None, _PAGE, BASE)
        nodes = [node for node in map(Node.found, entries) if node.exists]
        masters = [_pack(node.key, b"") for node in nodes if node.is_directory]
        if len(entries) == _PAGE:
            masters.append(_pack(Key(directory), entries[-1].entry.name))
        files = dict.fromkeys(node.key for node in nodes if _is_on(node, storage_id))
        return MasterOutcome(slaves=[key.encode() for key in files], masters=masters)

    async def do_slave(self, payload: bytes, context: JobContext) -> None:
        """Move a file off the storage."""
        context.check()
        space_id = SpaceId(context.task_id.scope)
        await self._draining.drain(space_id, Key(payload.decode()), _storage_of(context), context.check)


async def start_draining(jobs: Jobs, space_id: SpaceId, storage_id: StorageId) -> TaskId:
    """Begin to move what a space has on a storage; nothing happens while that goes on.

    Raises: PersistenceUnavailable.
    """
    return await jobs.start(
        POOL.name, space_id, storage_id.encode(), scope=Scope(space_id), name=task_name(storage_id)
    )


def task_name(storage_id: StorageId) -> str:
    """Return the name of the task in the scope of its space."""
    return f"drain-{storage_id}"


def _is_on(node: Node, storage_id: StorageId) -> bool:
    return node.location is not None and storage_id in node.location.held_on


def _storage_of(context: JobContext) -> StorageId:
    return StorageId(context.payload.decode())


def _pack(directory: Key, after: bytes) -> bytes:
    packed: bytes = msgpack.packb([directory, after])
    return packed
