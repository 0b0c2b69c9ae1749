"""Emptying the trash without background jobs: for a file service by itself, such as in tools and tests."""

from __future__ import annotations

from cluster_worker.persistence.engine import Engine, Key, PersistenceError, Scope
from cluster_worker.runtime.rounds import Rounds
from cluster_worker.runtime.services import TaskOwner
from onedata.errors import ServiceUnavailable
from onedata.ids import SpaceId, trash_uuid
from op_worker.files.removing.purging import PAGE, Purging
from op_worker.files.stored.documents import BASE
from op_worker.storage.helper import StorageError


def purges_here(engine: Engine, purging: Purging, tasks: TaskOwner) -> Rounds[SpaceId]:
    """Return purges of each space's trash in this process, without retries: the next round comes anyway."""

    async def purge(space_id: SpaceId) -> None:
        scope, trash = Scope(space_id), Key(trash_uuid(space_id))
        while entries := await engine.page(scope, trash, None, PAGE, BASE):
            for item in entries:
                await purging.purge(space_id, item)

    return Rounds("purge", tasks, purge, (PersistenceError, StorageError, ServiceUnavailable))
