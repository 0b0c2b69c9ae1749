"""Trees of random files put through the CDMI door onto real servers, and read there by other clients."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.web.resource import Resource

from cluster_worker.http.site import StreamingSite
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.clock import system_wall_clock
from cluster_worker.runtime.pool import Inline
from cluster_worker.runtime.spool import Spools
from op_worker.domains.service import Domains
from op_worker.files.service import FileService
from op_worker.http.cdmi.door import CdmiDoor
from op_worker.snapshots.service import Snapshots
from op_worker.storage.helper import StoragePath
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages
from tests.conformance.storage.enrolled import sftp, webdav
from tests.integration.cdmi.callers import SPACE, STORAGE
from tests.integration.cdmi.client import Client
from tests.integration.cdmi.conftest import authenticate, queue_services_of, static_zone, statistics_of
from tests.support.storages.apache_dav import apache_dav
from tests.support.storages.nginx_dav import nginx_dav
from tests.support.storages.sabre_dav import sabre_dav
from tests.support.storages.sshd import PORT, Sshd, sshd
from tests.support.storages.web_folder import WebFolder

pytestmark = pytest.mark.slow
MIB = 1 << 20
PLACE = "place"


def on_webdav(range_writes: str) -> Callable[[WebFolder], StorageRecord]:
    def record(server: WebFolder) -> StorageRecord:
        who: Mapping[str, str] = {"credentialsType": "none"}
        if server.user:
            who = {"credentialsType": "basic", "credentials": f"{server.user}:{server.password}"}
        arguments = {"endpoint": webdav.make_place(server, PLACE), "rangeWriteSupport": range_writes}
        return StorageRecord(
            storage_id=STORAGE, name="s", type="webdav", arguments=arguments, credentials=who
        )

    return record


def on_sftp(server: Sshd) -> StorageRecord:
    (server.data / PLACE).mkdir()
    arguments = {
        "host": server.address,
        "port": str(PORT),
        "path": str(server.data / PLACE),
        "hostKey": server.host_key,
    }
    who = {"username": server.user, "privateKey": server.private_key}
    return StorageRecord(storage_id=STORAGE, name="s", type="sftp", arguments=arguments, credentials=who)


SERVERS: Mapping[str, tuple[Any, Callable[[Any], StorageRecord], Callable[..., bytes]]] = {
    "webdav on Apache": (apache_dav, on_webdav("moddav"), webdav.read_back),
    "webdav on sabre/dav": (sabre_dav, on_webdav("sabredav"), webdav.read_back),
    "webdav on nginx": (nginx_dav, on_webdav("none"), webdav.read_back),
    "sftp on OpenSSH": (sshd, on_sftp, sftp.read_back),
}


@asynccontextmanager
async def door(record: StorageRecord, folder: Path) -> AsyncIterator[Client]:
    """A client of a CDMI door whose one storage is ``record``."""
    engine = MemoryEngine()
    storages = Storages(engine, Inline(), reactor)
    await storages.load()
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
    domains = Domains(files, files.context.access.zone, statistics_of(files).answers, system_wall_clock)
    cdmi = CdmiDoor(
        files,
        authenticate,
        snapshots=Snapshots(files, clock=reactor),
        domains=domains,
        queue_services=queue_services_of(files),
        spools=Spools(folder, Inline()),
    )
    root = Resource()
    root.putChild(b"cdmi", cdmi.resource)
    site = StreamingSite(root, clock=reactor)
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(site)
    try:
        yield Client(port.getHost().port)
    finally:
        await port.stopListening()
        await site.drain(0.1)
        await files.stopService()


def tree(seed: int) -> Mapping[str, bytes]:
    """Random files below random directories: empty, small, on the edge of small, and long."""
    random = Random(seed)
    sizes = [
        0,
        1,
        100,
        256 * 1024,
        256 * 1024 + 1,
        3 * MIB + 7,
        *(random.randrange(50_000) for _ in range(10)),
    ]
    paths = [f"d{random.randrange(3)}/e{random.randrange(2)}/file {number}" for number in range(len(sizes))]
    return {path: random.randbytes(size_b) for path, size_b in zip(paths, sizes, strict=True)}


@pytest.mark.parametrize("name", list(SERVERS))
@ensureDeferred
async def test_what_is_put_through_cdmi_other_clients_of_the_storage_read(name: str, tmp_path: Path) -> None:
    start, record_of, read_back = SERVERS[name]
    folder = tmp_path / "server"
    folder.mkdir()
    with start(folder) as server:
        record = record_of(server)
        async with door(record, tmp_path) as client:
            contents = tree(1)
            for top in {path.split("/")[0] for path in contents}:
                await client.cdmi("PUT", f"/cdmi/Science/{top}/")
            for folder_path in {path.rpartition("/")[0] for path in contents}:
                await client.cdmi("PUT", f"/cdmi/Science/{folder_path}/")
            for path, data in contents.items():
                url = f"/cdmi/Science/{path}".replace(" ", "%20")
                reply = await client.send("PUT", url, data, {"Content-Type": "application/octet-stream"})
                assert reply.status == 201, reply.body
            for path, data in contents.items():
                url = f"/cdmi/Science/{path}".replace(" ", "%20")
                assert (await client.send("GET", url)).body == data
                if data:
                    assert read_back(server, PLACE, StoragePath(f"{SPACE}/{path}")) == data
