"""A space on a real posix storage whose users are mapped; metadata are in memory."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

from attrs import define, field
from twisted.internet.task import Clock

from cluster_worker.persistence.engine import Engine
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.pool import Inline
from op_worker.files.service import FileService
from op_worker.files.stored.paths import INODES, STAGING
from op_worker.mapping.acting import ActingUsers
from op_worker.mapping.entries import Table
from op_worker.mapping.external import FeedUnavailable
from op_worker.mapping.feeds import FeedSettings
from op_worker.mapping.service import UserMapping
from op_worker.storage.catalogue import TYPES
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages
from op_worker.storage.types import StorageType
from tests.support.keyed_storage import KEYED
from tests.support.spaces import SPACE, STORAGE, make_zone

Answers = Mapping[tuple[Table, str], object]


@define(eq=False)
class Feed:
    """The server of an external feed, in memory: answers by table and by what was asked for."""

    answers: dict[tuple[Table, str], object] = field(factory=dict)
    asked: list[tuple[Table, str]] = field(factory=list)

    async def ask(self, feed: FeedSettings, table: Table, question: Mapping[str, object]) -> object | None:
        names = ("onedataUserId", "spaceId", "uid", "aclUser", "aclGroup")
        place = table, next(str(question[name]) for name in names if name in question)
        self.asked.append(place)
        answer = self.answers.get(place)
        if isinstance(answer, FeedUnavailable):
            raise answer
        return answer


@define(eq=False)
class MappedSite:
    """A node with a mapping, whose service is not started."""

    folder: Path
    engine: Engine
    storages: Storages
    feed: Feed
    mapping: UserMapping
    files: FileService

    @property
    def record(self) -> StorageRecord:
        storage = self.storages.get(STORAGE)
        assert storage is not None
        return storage.record


async def mapped_site(
    folder: Path,
    users: Mapping[str, str] | None = None,
    *,
    type_: StorageType = TYPES["posix"],
    credentials: Mapping[str, str] | None = None,
    engine: Engine | None = None,
) -> MappedSite:
    """Start a node with a storage in ``folder``, whose feed is described by ``users``."""
    folder.mkdir(exist_ok=True)
    engine, clock, chance = engine or MemoryEngine(), Clock(), random.Random(0)
    storages = Storages(engine, Inline(), clock, types={**TYPES, KEYED.name: KEYED})
    await storages.load()
    arguments = {"mountPoint": str(folder)} if type_.name == "posix" else {}
    record = StorageRecord(
        storage_id=STORAGE,
        name="s",
        type=type_.name,
        arguments=arguments,
        credentials=credentials or {},
        users=users or {},
    )
    await storages.add_storage(record)
    await storages.support(SPACE, STORAGE, 1 << 30)
    zone, feed = make_zone(), Feed()
    mapping = UserMapping(engine, zone, storages, feed, clock)
    files = FileService(
        engine,
        zone,
        storages,
        clock=clock,
        wall_clock=lambda: 1_600_000_000.0,
        random_bytes=chance.randbytes,
        node_name="worker@test",
        acting=ActingUsers(storages, mapping, (STAGING, INODES)),
    )
    return MappedSite(folder, engine, storages, feed, mapping, files)
