"""The import of each space: what is chosen for it, its scans, and what is told about them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from cluster_worker.jobs.service import Jobs, NoSuchTask
from cluster_worker.jobs.task import TaskId
from cluster_worker.persistence.engine import ABSENT, Batch, Document, PreconditionFailed, Put, Scope
from onedata.errors import AutoStorageImportNotSupported, BadData, NotFound, RequiresAutoStorageImportMode
from onedata.ids import SpaceId
from op_worker.files.context import FilesContext
from op_worker.importing.audit import AuditLine
from op_worker.importing.charts import Charts, Period, Series
from op_worker.importing.configuration import ImportConfig, ImportMode
from op_worker.importing.job import POOL, TASK
from op_worker.importing.records import (
    AUDIT,
    CONFIG,
    IMPORT,
    NOTICES,
    SCAN,
    NoticeStatus,
    ScanState,
    ScanStatus,
    charts_of,
)
from op_worker.importing.scanning import Scanner
from op_worker.importing.walking import Portion
from op_worker.storage.supports import Storage

SCANNED = ("posix", "glusterfs", "nulldevice", "webdav", "xrootd", "nfs", "sftp")
"""The types of storages that can be scanned, when their paths are canonical."""


@frozen(kw_only=True)
class ImportInfo:
    """How the import of a space is: its last scan and its notices."""

    scan: ScanStatus | None
    notices: NoticeStatus


@frozen(eq=False)
class Imports:
    """Chooses how spaces are imported, begins and ends scans, and tells how they are.

    Every method may raise PersistenceUnavailable, and NotFound for a space whose storage is not imported.
    """

    _context: FilesContext
    _jobs: Jobs

    def is_imported(self, space_id: SpaceId) -> bool:
        """Whether the storage of a space is imported."""
        return self._storage(space_id) is not None

    def usual_mode(self, space_id: SpaceId) -> ImportMode:
        """Return how a storage is imported when nobody says how. Raises: NotFound."""
        return ImportMode.AUTO if _can_be_scanned(self._require(space_id)) else ImportMode.MANUAL

    def imported(self, supported: Collection[SpaceId]) -> list[SpaceId]:
        """Return those of some spaces whose storage is imported."""
        return [space_id for space_id in supported if self.is_imported(space_id)]

    async def config(self, space_id: SpaceId) -> ImportConfig:
        """Return what is chosen for a space. Raises: NotFound when nothing is, yet."""
        found = await self._config(space_id)
        if found is None:
            raise NotFound
        return ImportConfig.decode(found.data)

    async def choose(
        self, space_id: SpaceId, mode: ImportMode | None, options: Mapping[str, Any]
    ) -> ImportConfig:
        """Choose how a space is imported; what is not named stays as it is, and the mode stays for good.

        Raises: BadData for another mode than there is; RequiresAutoStorageImportMode for options of an import
            that is manual; AutoStorageImportNotSupported for a storage that cannot be scanned.
        """
        storage = self._require(space_id)
        while True:
            found = await self._config(space_id)
            config = ImportConfig(mode=mode or ImportMode.AUTO)
            if found is not None:
                config = ImportConfig.decode(found.data)
            if mode is not None and mode is not config.mode:
                raise BadData("mode", "the mode of an import cannot be changed")
            if options and not config.is_auto:
                raise RequiresAutoStorageImportMode
            if config.is_auto and not _can_be_scanned(storage):
                raise AutoStorageImportNotSupported(storage.storage_id, SCANNED, ())
            config = config.changed(options)
            expected = ABSENT if found is None else found.revision
            step = Put(IMPORT, CONFIG, config.encode(), expect=expected)
            try:
                await self._context.engine.commit(Scope(space_id), Batch([step]))
            except PreconditionFailed:
                continue  # another one chooses at the same time
            return config

    async def start_scan(self, space_id: SpaceId) -> str:
        """Begin a scan; return its id.

        Raises: BadData when one goes on; RequiresAutoStorageImportMode.
        """
        if not (await self.config(space_id)).is_auto:
            raise RequiresAutoStorageImportMode
        while True:
            found = await self._field(space_id, SCAN)
            if found is not None and not ScanStatus.decode(found.data).state.is_over:
                raise BadData("spaceId", "a scan of this space goes on already")
            scan_id = self._context.random_bytes(8).hex()
            status = ScanStatus(scan_id=scan_id, started_s=self._context.wall_clock())
            expected = ABSENT if found is None else found.revision
            step = Put(IMPORT, SCAN, status.encode(), expect=expected)
            try:
                await self._context.engine.commit(Scope(space_id), Batch([step]))
            except PreconditionFailed:
                continue
            await self.begin_task(space_id, scan_id)
            return scan_id

    async def begin_task(self, space_id: SpaceId, scan_id: str) -> None:
        """Let a scan that waits be done; nothing happens while the job of one goes on."""
        payload = Portion(scan_id).encode()
        await self._jobs.start(POOL.name, space_id, payload, scope=Scope(space_id), name=TASK)

    async def stop_scan(self, space_id: SpaceId) -> None:
        """End the scan that goes on, soon; one that has not begun at once. Raises: BadData when none does."""
        self._require(space_id)
        while True:
            found = await self._field(space_id, SCAN)
            status = None if found is None else ScanStatus.decode(found.data)
            if found is None or status is None or status.state.is_over:
                raise BadData("spaceId", "no scan of this space goes on")
            if status.state is not ScanState.ENQUEUED:
                await self._jobs.cancel(TaskId(Scope(space_id), TASK))
                return
            over = evolve(status, state=ScanState.ABORTED, ended_s=self._context.wall_clock())
            step = Put(IMPORT, SCAN, over.encode(), expect=found.revision)
            try:
                await self._context.engine.commit(Scope(space_id), Batch([step]))
            except PreconditionFailed:
                continue  # it begins now
            return

    async def info(self, space_id: SpaceId) -> ImportInfo:
        """Return how the import of a space is."""
        self._require(space_id)
        fields = await self._context.engine.get(Scope(space_id), IMPORT, [SCAN, NOTICES])
        scan = ScanStatus.decode(fields[SCAN].data) if SCAN in fields else None
        if scan is not None and not scan.state.is_over and await self._is_unwanted(space_id):
            scan = evolve(scan, state=ScanState.ABORTING)
        notices = NoticeStatus.decode(fields[NOTICES].data) if NOTICES in fields else NoticeStatus()
        return ImportInfo(scan=scan, notices=notices)

    async def charts(
        self, space_id: SpaceId, period: Period, wanted: Collection[Series]
    ) -> Mapping[Series, Sequence[int]]:
        """Return what was counted in the last windows of a period, the newest last."""
        self._require(space_id)
        names = [charts_of(SCAN), charts_of(NOTICES)]
        fields = await self._context.engine.get(Scope(space_id), IMPORT, names)
        charts = [Charts.decode(found.data) for found in fields.values()] or [Charts()]
        now_s = self._context.wall_clock()
        rows = {series: [one.values(period, series, now_s) for one in charts] for series in wanted}
        return {series: [sum(some) for some in zip(*row, strict=True)] for series, row in rows.items()}

    async def audit(
        self, space_id: SpaceId, token: str | None, limit: int
    ) -> tuple[Sequence[AuditLine], str | None]:
        """Return lines of the audit log, the oldest first, from behind a token; and the next one, if any."""
        self._require(space_id)
        after = None if token is None else token.encode("utf-8", "replace")
        found = await self._context.engine.page(Scope(space_id), AUDIT, after, limit, ())
        lines = [AuditLine.found(item.entry) for item in found]
        return lines, lines[-1].token if len(lines) == limit else None

    async def scanner(self, space_id: SpaceId) -> Scanner | None:
        """Return how a space is scanned; ``None`` when it is not to be, now."""
        storage, visit = self._storage(space_id), await self._context.access.as_space_owner(space_id)
        found = await self._config(space_id)
        if storage is None or visit is None or found is None:
            return None
        return Scanner(visit, storage, ImportConfig.decode(found.data).options)

    def _storage(self, space_id: SpaceId) -> Storage | None:
        support = self._context.storages.for_space(space_id)
        return support.storage if support is not None and support.storage.record.is_imported else None

    def _require(self, space_id: SpaceId) -> Storage:
        storage = self._storage(space_id)
        if storage is None:
            raise NotFound
        return storage

    async def _config(self, space_id: SpaceId) -> Document | None:
        self._require(space_id)
        return await self._field(space_id, CONFIG)

    async def _field(self, space_id: SpaceId, name: str) -> Document | None:
        return (await self._context.engine.get(Scope(space_id), IMPORT, [name])).get(name)

    async def _is_unwanted(self, space_id: SpaceId) -> bool:
        try:
            found = await self._jobs.status(TaskId(Scope(space_id), TASK))
        except NoSuchTask:
            return False
        return found.is_unwanted and found.task.status.is_open


def _can_be_scanned(storage: Storage) -> bool:
    """Whether the files of a storage can be found by themselves, and follow names that are changed here."""
    return storage.scanning is not None and storage.keeps_names
