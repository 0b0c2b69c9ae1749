"""Taking a backup: a dump of every shard while it serves, looked into, and described."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from cluster_worker.persistence.address import ClusterAddress, SentinelAddress, StoreAddress
from cluster_worker.persistence.backup.contents import ContentDigest
from cluster_worker.persistence.backup.dumping import receive_dump
from cluster_worker.persistence.backup.errors import StoreMoved
from cluster_worker.persistence.backup.folders import appearing, write_file
from cluster_worker.persistence.backup.manifest import FILE_NAME, Manifest, Part
from cluster_worker.persistence.backup.servers import Shard, asking, find_shards, topology_of
from cluster_worker.persistence.backup.tools import Tools
from cluster_worker.persistence.endpoints import make_endpoint
from cluster_worker.runtime.together import together

Look = Callable[[Tools, Path, Sequence[Part], int], Awaitable[ContentDigest]]
_SAY_EVERY_B = 64 * 1024 * 1024


async def create_backup(tools: Tools, address: StoreAddress, target: Path, look: Look | None) -> Manifest:
    """Write a backup of the store at ``address`` to the new folder ``target``, whole or not at all.

    Every commit acknowledged before the call is in it, and of each scope all commits up to one moment.

    Args:
        look: loads what was written and digests it; ``None`` to do without.

    Raises: NotReached, StoreMoved, DumpBroken, DumpUnreadable, UnknownContent, FolderTaken, OSError.
    """
    with appearing(target) as folder:
        shards = await find_shards(tools.reactor, address, tools.config)
        began = tools.wall_clock()
        parts = await together(
            [_dump(tools, shard, folder / f"part-{number}.rdb") for number, shard in enumerate(shards)]
        )
        ended = tools.wall_clock()
        if await find_shards(tools.reactor, address, tools.config) != shards:
            raise StoreMoved("the servers of the store changed meanwhile; try again")
        database = database_of(address)
        digest = None if look is None else await look(tools, folder, parts, database)
        keys, value = (None, None) if digest is None else (digest.keys, digest.value)
        manifest = Manifest(topology_of(address), database, began, ended, parts, keys, value)
        write_file(folder / FILE_NAME, manifest.encode())
    return manifest


def database_of(address: StoreAddress) -> int:
    """Return the number of the database that a store is in."""
    if isinstance(address, ClusterAddress):
        return 0
    return address.login.database if isinstance(address, SentinelAddress) else address.database


async def _dump(tools: Tools, shard: Shard, path: Path) -> Part:
    address = shard.address
    async with asking(tools.reactor, address, tools.config) as ask:
        role, *_ = await ask(b"ROLE")
        if role != b"master":
            raise StoreMoved(f"{address} is a replica, which may lag behind its primary")
        version = _version(await ask(b"INFO", b"server"))
    said_b = 0

    def progress(size_b: int) -> None:
        nonlocal said_b
        if size_b - said_b >= _SAY_EVERY_B:
            said_b = size_b
            tools.say(f"{path.name}: {size_b >> 20} MiB of {address}")

    endpoint = make_endpoint(tools.reactor, address, tools.config.ca_file, tools.config.reply_timeout_s)
    tools.say(f"{path.name}: asking {address} for a dump")
    dump = await receive_dump(tools.reactor, endpoint, address, path, progress)
    tools.say(f"{path.name}: {dump.size_b} bytes of {address}")
    return Part(
        path.name, str(address), version, dump.history, dump.size_b, dump.sha256, list(map(list, shard.slots))
    )


def _version(info: bytes) -> str:
    """Return the name and version that a server calls itself by."""
    table = dict(line.split(b":", 1) for line in info.splitlines() if b":" in line)
    for name in (b"valkey", b"redis"):
        if name + b"_version" in table:
            return f"{name.decode()} {table[name + b'_version'].decode()}"
    return "unknown"
