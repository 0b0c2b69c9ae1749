"""A process that serves CDMI from real files: ``python -m tests.integration.cdmi.serving FOLDER``.

It writes its port on one line and serves until it is killed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, cast

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.task import react
from twisted.web.resource import Resource

from cluster_worker.http.site import StreamingSite
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.clock import system_wall_clock
from cluster_worker.runtime.pool import BlockingPool
from cluster_worker.runtime.spool import Spools
from op_worker.domains.service import Domains
from op_worker.files.service import FileService
from op_worker.http.cdmi.door import CdmiDoor
from op_worker.snapshots.service import Snapshots
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages
from tests.integration.cdmi.callers import SPACE, STORAGE
from tests.integration.cdmi.conftest import authenticate, queue_services_of, static_zone, statistics_of


async def serve(folder: Path) -> None:
    """Listen on loopback; files and what waits lie below ``folder``."""
    pool = BlockingPool(cast(Any, reactor), 4)
    engine = MemoryEngine()
    storages = Storages(engine, pool, reactor)
    await storages.load()
    (folder / "storage").mkdir()
    record = StorageRecord(
        storage_id=STORAGE, name="disk", type="posix", arguments={"mountPoint": str(folder / "storage")}
    )
    await storages.add_storage(record)
    await storages.support(SPACE, STORAGE, 1 << 40)
    files = FileService(
        engine,
        static_zone(),
        storages,
        clock=reactor,
        wall_clock=system_wall_clock,
        random_bytes=os.urandom,
        node_name="worker@test",
    )
    files.startService()
    root = Resource()
    snapshots, spools = Snapshots(files, clock=reactor), Spools(folder, pool)
    domains = Domains(files, files.context.access.zone, statistics_of(files).answers, system_wall_clock)
    services = queue_services_of(files)
    services.startService()
    door = CdmiDoor(
        files,
        authenticate,
        snapshots=snapshots,
        domains=domains,
        queue_services=services,
        spools=spools,
    )
    root.putChild(b"cdmi", door.resource)
    site = StreamingSite(root, clock=reactor)
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(site)
    print(port.getHost().port, flush=True)
    await Deferred()


if __name__ == "__main__":
    react(lambda _: Deferred.fromCoroutine(serve(Path(sys.argv[1]))))
