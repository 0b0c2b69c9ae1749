"""Directories of a space that no entry leads to: no listing, walk or path meets them or what is in them.

They are made when they are first needed, at the root of the space, and members may add to them.
"""

from __future__ import annotations

from cluster_worker.persistence.engine import ABSENT, Key, Put
from onedata.errors import Errno, Posix
from onedata.ids import FileUuid
from op_worker.files.context import FilesContext
from op_worker.files.finding.lookup import space_owner_id
from op_worker.files.finding.visit import Visit
from op_worker.files.model import FileType
from op_worker.files.stored import batches
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.nodes import Chain

MODE = 0o1730
"""Members may add and find by id, none may list, and only owners may take away or remove."""


async def unlisted_directory(context: FilesContext, visit: Visit, uuid: FileUuid, name: str) -> Chain:
    """Return a directory, which is made when this is its first use.

    Raises: PreconditionFailed when somebody else is making it.
    """
    try:
        return await context.lookup.by_id(visit.space_id, uuid)
    except Posix as error:
        if error.errno is not Errno.ENOENT:
            raise
    root = (await context.lookup.walk(visit.space_id, ())).chain
    now_s, owner = context.wall_clock(), space_owner_id(visit.space_id)
    meta = Meta(name, FileType.DIR, MODE, owner, context.access.provider_id, int(now_s))
    documents = batches.first_documents(meta, root.file.key, None, now_s)
    steps = [Put(Key(uuid), field, data, expect=ABSENT) for field, data in documents.items()]
    await context.transactions.commit(visit.space_id, steps, [Key(uuid)])
    return await context.lookup.by_id(visit.space_id, uuid)
