"""Spaces whose storage was there before them: a real folder, an engine, and nodes that import."""

from __future__ import annotations

import os
from collections.abc import Awaitable
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from cluster_worker.jobs.service import Jobs
from cluster_worker.persistence.engine import Engine, Scope
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.clock import sleep, system_wall_clock
from cluster_worker.runtime.pool import Blocking, Inline
from cluster_worker.tenure.tenure import owner_text
from onedata.errors import BadData, Errno, Posix
from op_worker.files.model import FileType, Target
from op_worker.files.service import FileService
from op_worker.files.stored.paths import RESERVED_PREFIX
from op_worker.importing.configuration import ImportMode
from op_worker.importing.owners import SpaceOwners
from op_worker.importing.parts import ImportingParts, make_importing
from op_worker.importing.records import ScanStatus
from op_worker.importing.seen import SETTLED_S
from op_worker.storage.helpers.posix.helper import POSIX
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages
from op_worker.zone.directory import StaticZone
from tests.support.spaces import ROOT, SIZE_B, SPACE, STORAGE, make_zone, owner, read

T = TypeVar("T")
MOST_TURNS = 4000


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
        self.importing.following.startService()

    async def stop(self) -> None:
        await self.importing.following.stopService()
        await self.jobs.stopService()
        await self.files.stopService()

    async def scan(self) -> ScanStatus:
        """Scan the storage, and return how that went."""
        await self.begin_scan()
        return await self.until_scanned()

    async def begin_scan(self) -> None:
        """Begin a scan, once another one that goes on has ended."""
        while True:
            try:
                await self.importing.imports.start_scan(SPACE)
                return
            except BadData:
                await self.until_scanned()

    async def until_scanned(self) -> ScanStatus:
        """Return how the scan that goes on, or the last one, went."""
        while True:
            status = (await self.importing.imports.info(SPACE)).scan
            if status is not None and status.state.is_over:
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
        return self.root

    async def node(
        self,
        name: str = "worker@test",
        engine: Engine | None = None,
        clock: IReactorTime | None = None,
        mode: ImportMode = ImportMode.AUTO,
        **options: Any,
    ) -> ImportingNode:
        """Make a node, not started; the space is supported and its import chosen by the first.

        ``engine`` is the store as this node sees it, ``clock`` its own clock.
        """
        engine, clock = engine or self.engine, clock or self.clock
        self.folder.mkdir(parents=True, exist_ok=True)
        storages = Storages(engine, self.blocking, clock, types={"posix": POSIX})
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
            engine,
            self.zone,
            storages,
            clock=clock,
            wall_clock=self.wall_clock,
            random_bytes=self.random_bytes,
            node_name=name,
        )
        jobs = Jobs(
            engine,
            owner_text(name, self.random_bytes),
            lambda: [Scope(SPACE)],
            clock=clock,
            wall_clock=self.wall_clock,
            random_bytes=self.random_bytes,
        )
        importing = make_importing(files.context, jobs, SpaceOwners(), lambda: [SPACE], clock)
        await importing.imports.choose(SPACE, mode, options)
        return ImportingNode(files, jobs, importing, clock)


@define(eq=False)
class SteadySite(ImportedSite):
    """An imported site in memory, but for its folder, on a clock that the test turns."""

    engine: Engine = field(init=False)
    clock: Clock = field(factory=Clock, init=False)
    blocking: Blocking = field(factory=Inline, init=False)
    wall_clock: Any = field(init=False)
    random: Random = field(factory=lambda: Random(0), init=False)
    random_bytes: Any = field(init=False)
    others: list[Clock] = field(factory=list, init=False)
    """The clocks of nodes that have their own; that of a node that died goes no more."""

    def __attrs_post_init__(self) -> None:
        self.engine = MemoryEngine(self.clock)
        self.random_bytes = self.random.randbytes
        self.wall_clock = lambda: system_wall_clock() + SETTLED_S + 1 + self.clock.seconds()

    def turn(self) -> None:
        """Let a little time pass for everybody who lives."""
        for clock in (self.clock, *self.others):
            clock.advance(0.05)

    def run(self, work: Awaitable[T]) -> T:
        """Return the result of work, turning the clock as long as it waits."""
        results: list[Any] = []
        Deferred.fromCoroutine(work).addBoth(results.append)  # type: ignore[arg-type]  # a coroutine
        for _ in range(MOST_TURNS):
            if results:
                break
            self.turn()
        assert results, "the work does not end"
        if isinstance(results[0], Failure):
            results[0].raiseException()
        found: T = results[0]
        return found


@frozen
class Shown:
    """A file as users or the storage show it; ``content`` is ``None`` for directories."""

    content: bytes | None
    mode: int


def shown_by_folder(folder: Path) -> dict[str, Shown]:
    """Return what is in a folder: path to file. What is not to be imported is left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if RESERVED_PREFIX in name or path.is_symlink():
            continue
        mode = path.stat().st_mode & 0o777
        if path.is_dir():
            found[name] = Shown(None, mode)
        elif path.is_file():
            found[name] = Shown(path.read_bytes(), mode)
    return found


async def shown_by_space(files: FileService, names: tuple[str, ...] = ()) -> dict[str, Shown]:
    """Return what users see in a space: path to file."""
    found = {}
    page = await files.list_children(owner, Target(ROOT, names), limit=1000)
    for stat in page.items:
        here = (*names, stat.name)
        if stat.type is FileType.DIR:
            found["/".join(here)] = Shown(None, stat.mode)
            found.update(await shown_by_space(files, here))
        elif stat.type is FileType.REG:
            content = await read(files, Target(ROOT, here))
            if len(content) != stat.size_b:
                raise Posix(Errno.EAGAIN, "it changes while it is looked at")
            found["/".join(here)] = Shown(content, stat.mode)
    return found
