"""Spaces whose storage was there before them: a real folder, an engine, and nodes that import."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from cluster_worker.jobs.service import Jobs
from cluster_worker.persistence.engine import Engine, Scope
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.pool import Blocking
from cluster_worker.tenure.tenure import owner_text
from op_worker.files.service import FileService
from op_worker.importing.configuration import ImportMode
from op_worker.importing.parts import ImportingParts, make_importing
from op_worker.importing.records import ScanStatus
from op_worker.storage.helpers.posix.helper import POSIX
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages
from op_worker.zone.directory import StaticZone
from tests.support.spaces import SIZE_B, SPACE, STORAGE, make_zone


@define(eq=False)
class ImportingNode:
    """One node: its file service, its jobs, its import."""

    files: FileService
    jobs: Jobs
    importing: ImportingParts
    clock: IReactorTime

    def start(self) -> None:
        self.files.startService()
        self.jobs.startService()

    async def stop(self) -> None:
        await self.jobs.stopService()
        await self.files.stopService()

    async def scan(self) -> ScanStatus:
        """Scan the storage, and return how that went."""
        imports = self.importing.imports
        scan_id = await imports.start_scan(SPACE)
        while True:
            status = (await imports.info(SPACE)).scan
            assert status is not None
            if status.scan_id == scan_id and status.state.is_over:
                return status
            await sleep(self.clock, 0.01)


@define(eq=False)
class ImportedSite:
    """A folder with files, and what nodes need to show it as a space."""

    engine: Engine
    root: Path
    clock: IReactorTime
    blocking: Blocking
    wall_clock: Any
    zone: StaticZone = field(factory=make_zone)
    random_bytes: Any = os.urandom
    is_readonly: bool = False

    @property
    def folder(self) -> Path:
        """The root of the space."""
        return self.root / SPACE

    async def node(self, name: str = "worker@test", **options: Any) -> ImportingNode:
        """Make a node, not started; the space is supported and its import chosen by the first."""
        self.folder.mkdir(parents=True, exist_ok=True)
        storages = Storages(self.engine, self.blocking, self.clock, types={"posix": POSIX})
        await storages.load()
        if storages.get(STORAGE) is None:
            record = StorageRecord(
                storage_id=STORAGE,
                name="s",
                type="posix",
                arguments={"mountPoint": str(self.root)},
                is_imported=True,
                is_readonly=self.is_readonly,
            )
            await storages.add_storage(record)
            await storages.support(SPACE, STORAGE, SIZE_B)
        files = FileService(
            self.engine,
            self.zone,
            storages,
            clock=self.clock,
            wall_clock=self.wall_clock,
            random_bytes=self.random_bytes,
            node_name=name,
        )
        jobs = Jobs(
            self.engine,
            owner_text(name, self.random_bytes),
            lambda: [Scope(SPACE)],
            clock=self.clock,
            wall_clock=self.wall_clock,
            random_bytes=self.random_bytes,
        )
        importing = make_importing(files.context, jobs)
        await importing.imports.choose(SPACE, ImportMode.AUTO, options)
        return ImportingNode(files, jobs, importing, self.clock)
