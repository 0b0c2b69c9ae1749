"""Putting a backup back: into a state folder without data, or into servers that have none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster_worker.persistence.address import StoreAddress
from cluster_worker.persistence.backup.checking import check_contents, digest_server, open_backup
from cluster_worker.persistence.backup.contents import ContentDigest, Piece, visit
from cluster_worker.persistence.backup.errors import BackupDamaged, TargetNotEmpty
from cluster_worker.persistence.backup.folders import sync_tree
from cluster_worker.persistence.backup.manifest import Manifest
from cluster_worker.persistence.backup.private_server import private_server
from cluster_worker.persistence.backup.servers import asking, find_shards
from cluster_worker.persistence.backup.tools import Tools
from cluster_worker.persistence.config import Durability
from cluster_worker.persistence.connection import Uses
from cluster_worker.persistence.embedded import DATA_FOLDER, EmbeddedRedis, owned_folder
from cluster_worker.persistence.link import RedisLink
from cluster_worker.persistence.requests import Requests
from cluster_worker.persistence.resp import encode_command
from cluster_worker.persistence.topologies import make_store
from cluster_worker.runtime.services import OrderedService

_SAY_EVERY = 20_000
_WORK_FOLDER = "restore.partial"


async def restore_to_folder(tools: Tools, backup: Path, state_dir: Path) -> Manifest:
    """Put a backup into a state folder for the embedded server, whole or not at all.

    Raises: TargetNotEmpty, StateFolderBusy, BackupDamaged, DumpUnreadable, OSError.
    """
    manifest = open_backup(backup)
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with owned_folder(str(state_dir)):
        if (state_dir / DATA_FOLDER).exists():
            raise TargetNotEmpty(f"{state_dir} has data of a server: {DATA_FOLDER}")
        with _work_folder(state_dir / _WORK_FOLDER) as work:
            server = EmbeddedRedis(tools.reactor, str(work), durability=Durability.PROCESS)
            server.startService()
            try:
                await _fill(tools, backup, manifest, server.address)
            finally:
                await server.stopService()
            sync_tree(work)
            os.rename(work / DATA_FOLDER, state_dir / DATA_FOLDER)
            sync_tree(state_dir / DATA_FOLDER)
    return manifest


@contextmanager
def _work_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder that is removed afterwards, as one that was left by an earlier try is before."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


async def restore_to_servers(tools: Tools, backup: Path, address: StoreAddress) -> Manifest:
    """Put a backup into servers that hold nothing, and compare what they have then with what it has.

    When it fails half-way, what was written is left there: the servers must be emptied before another try.

    Raises: TargetNotEmpty, BackupDamaged, DumpUnreadable, NotReached, PersistenceUnavailable.
    """
    manifest = open_backup(backup)
    await _fill(tools, backup, manifest, address)
    return manifest


async def _fill(tools: Tools, backup: Path, manifest: Manifest, address: StoreAddress) -> None:
    await _require_empty(tools, address)
    parent = OrderedService()
    store = make_store(tools.reactor, address, tools.config)
    store.setServiceParent(parent)
    connections = store.open(Uses(_greet))
    connections.setServiceParent(parent)
    parent.startService()
    try:
        requests = Requests(tools.reactor, connections, tools.config.patience_with(address))
        copied = await _copy(tools, backup, manifest, requests)
    finally:
        await parent.stopService()
    check_contents(manifest, copied)
    tools.say("comparing what was written")
    found = ContentDigest()
    for shard in await find_shards(tools.reactor, address, tools.config):
        await digest_server(tools, shard.address, found)
    if (found.keys, found.value) != (copied.keys, copied.value):
        raise BackupDamaged(f"{found.keys} keys were written where {copied.keys} were read, or others")


async def _require_empty(tools: Tools, address: StoreAddress) -> None:
    for shard in await find_shards(tools.reactor, address, tools.config):
        async with asking(tools.reactor, shard.address, tools.config) as ask:
            if keys := await ask(b"DBSIZE"):
                raise TargetNotEmpty(f"{shard.address} has {keys} keys")


async def _copy(tools: Tools, backup: Path, manifest: Manifest, requests: Requests) -> ContentDigest:
    digest = ContentDigest()
    said = 0

    async def put(piece: Piece, is_first: bool) -> None:
        nonlocal said
        digest.add(piece, is_first=is_first)
        if digest.keys - said >= _SAY_EVERY:
            said = digest.keys
            tools.say(f"{digest.keys} keys written")
        await requests.ask(piece.key, encode_command(piece.write()))

    for part in manifest.parts:
        tools.say(f"{part.file}: loading")
        dump = backup / part.file
        async with (
            private_server(tools.reactor, tools.program, dump, tools.config) as source,
            asking(tools.reactor, source.in_database(manifest.database), tools.config) as ask,
        ):
            await visit(ask, put)
    return digest


async def _greet(_link: RedisLink) -> None:
    """Only plain commands are sent."""
