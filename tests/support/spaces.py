"""A space with users, an engine and a storage: everything that a file service needs, in memory."""

from __future__ import annotations

import random
from collections.abc import Mapping

from attrs import define, evolve, field
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock

from cluster_worker.persistence.engine import Engine, Scope
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.pool import Blocking, Inline
from cluster_worker.runtime.streams import BytesStream
from onedata.ids import FileGuid, GroupId, ProviderId, SpaceId, StorageId, UserId, space_root_guid
from op_worker.auth.caller import Caller
from op_worker.files.model import NAMES, Target
from op_worker.files.service import FileService
from op_worker.storage.helper import StorageHelper
from op_worker.storage.helpers.memory import MEMORY, MemoryHelper
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages
from op_worker.storage.types import PathType
from op_worker.zone.directory import StaticZone
from op_worker.zone.records import SpaceInfo, UserInfo
from tests.support.immediate import now

SPACE = SpaceId("5" * 32)
OTHER_SPACE = SpaceId("6" * 32)
FOREIGN = SpaceId("7" * 32)
UNSUPPORTED = SpaceId("8" * 32)
STORAGE = StorageId("a" * 32)
SECOND = StorageId("c" * 32)
"""Supports the spaces of sites that have two storages."""
PROVIDER = ProviderId("b" * 32)
OWNER, ALICE, BOB, READER, STRANGER = (UserId(letter * 32) for letter in "01234")
TEAM = GroupId("9" * 32)
"""A group of the space that Bob is in."""
SIZE_B = 1 << 30
READ_WRITE = frozenset({"space_read_data", "space_write_data"})
PRIVILEGES: Mapping[UserId, frozenset[str]] = {
    OWNER: READ_WRITE,
    ALICE: READ_WRITE,
    BOB: READ_WRITE,
    READER: frozenset({"space_read_data"}),
}
ROOT = space_root_guid(SPACE)
owner, alice, bob, reader, stranger = map(Caller, (OWNER, ALICE, BOB, READER, STRANGER))


def space_info(space_id: SpaceId, name: str) -> SpaceInfo:
    """A space that our provider supports."""
    return SpaceInfo(
        space_id=space_id,
        name=name,
        supports={PROVIDER: SIZE_B},
        owners=frozenset({OWNER}),
        user_privileges=PRIVILEGES,
        groups={TEAM: "Team"},
    )


def make_zone() -> StaticZone:
    """Two supported spaces, one that Alice knows and nobody supports, one of other people."""
    spaces = (SPACE, OTHER_SPACE)
    groups = {BOB: frozenset({TEAM})}
    users = [
        UserInfo(
            user_id=user, full_name=user, spaces=(*spaces, UNSUPPORTED), groups=groups.get(user, frozenset())
        )
        for user in PRIVILEGES
    ]
    foreign = SpaceInfo(space_id=FOREIGN, name="foreign", user_privileges={STRANGER: READ_WRITE})
    return StaticZone(
        [*users, UserInfo(user_id=STRANGER, full_name="s")],
        [space_info(SPACE, "Science"), space_info(OTHER_SPACE, "Other"), foreign],
        provider_id=PROVIDER,
    )


@define(eq=False)
class Site:
    """What outlives a process: the engine's and the storage's content; and the time."""

    engine: Engine = field(factory=MemoryEngine)
    helper: StorageHelper = field(factory=MemoryHelper)
    clock: IReactorTime = field(factory=Clock)
    blocking: Blocking = field(factory=Inline)
    zone: StaticZone = field(factory=make_zone)
    size_b: int = SIZE_B
    path_type: PathType = PathType.CANONICAL
    second: StorageHelper | None = None
    now_s: float = 1_600_000_000.0
    random: random.Random = field(factory=lambda: random.Random(0))

    def wall_clock(self) -> float:
        """A little later every time."""
        self.now_s += 0.25
        return self.now_s

    async def process(self, node_name: str = "worker@test") -> FileService:
        """Start the life of a node; its service is not started, so nothing is recovered by itself."""
        types = {"memory": evolve(MEMORY, make=lambda *_: self.helper, path_types=[self.path_type])}
        second = self.second
        if second is not None:
            types["second"] = evolve(MEMORY, make=lambda *_: second, path_types=[PathType.FLAT])
        storages = Storages(self.engine, self.blocking, self.clock, types=types)
        record = StorageRecord(storage_id=STORAGE, name="s", type="memory")
        await storages.load()
        if storages.get(STORAGE) is None:
            await storages.add_storage(record)
            for space_id in (SPACE, OTHER_SPACE):
                await storages.support(space_id, STORAGE, self.size_b)
            if second is not None:
                await storages.add_storage(StorageRecord(storage_id=SECOND, name="s2", type="second"))
                for space_id in (SPACE, OTHER_SPACE):
                    await storages.support(space_id, SECOND, self.size_b)
        return FileService(
            self.engine,
            self.zone,
            storages,
            clock=self.clock,
            wall_clock=self.wall_clock,
            random_bytes=self.random.randbytes,
            node_name=node_name,
        )


class FlatMemoryHelper:
    """Files in memory by their whole paths: nothing moves, nothing is listed, as on object storages."""

    def __init__(self) -> None:
        inner = self.inner = MemoryHelper()
        self.open_read, self.open_update, self.open_write = (
            inner.open_read,
            inner.open_update,
            inner.open_write,
        )
        self.write_whole, self.remove = inner.write_whole, inner.remove
        self.stat, self.check = inner.stat, inner.check


def flat_site() -> Site:
    """A site whose storage moves nothing and lists nothing."""
    return Site(helper=FlatMemoryHelper(), path_type=PathType.FLAT)


def double_site() -> Site:
    """A site with a storage that keeps names and one that moves nothing; contents go to either."""
    return Site(second=FlatMemoryHelper())


def living_site() -> Site:
    """A site whose clock also measures leases, so that nodes are seen to live, and to be dead."""
    clock = Clock()
    return Site(engine=MemoryEngine(clock), clock=clock)


def live(files: FileService) -> None:
    """Let a node show that it lives, as it does by itself when its service is started."""
    files.context.lives.startService()


def die(files: FileService) -> None:
    """Let a node end without a word, or sleep."""
    now(files.context.lives.tasks.close())


def at(*names: str, base: FileGuid = ROOT) -> Target:
    """A file by names below the root of the space."""
    return Target(base, names)


def path(text: str) -> Target:
    """A file by its path below the root of the space."""
    return Target(ROOT, tuple(text.split("/")) if text else ())


def body(data: bytes) -> BytesStream:
    """A body that is in memory."""
    return BytesStream(data)


async def read(files: FileService, target: Target, caller: Caller = owner) -> bytes:
    """Return the whole content of a file."""
    reader = await files.open_content(caller, target)
    try:
        parts = []
        offset_b = 0
        while part := await reader.read(offset_b, 1 << 20):
            parts.append(part)
            offset_b += len(part)
        assert offset_b == reader.stat.size_b
        return b"".join(parts)
    finally:
        await reader.close()


async def used_b(site: Site) -> int:
    """Return how many bytes the space takes on all its storages."""
    counters = await site.engine.counters(Scope(SPACE))
    return sum(value for name, value in counters.items() if name.startswith("used:"))


async def names_in(files: FileService, target: Target, caller: Caller = owner) -> list[str]:
    """Return the names in a directory, read in small pages."""
    names: list[str] = []
    token: str | None = None
    while True:
        page = await files.list_children(caller, target, limit=3, token=token, shown=NAMES)
        names += [stat.name for stat in page.items]
        if page.is_last:
            return names
        token = page.next_token
