"""A CDMI door over a real file service, listening on loopback."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pytest_twisted import async_yield_fixture
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from twisted.web.resource import Resource
from zope.interface import implementer

from cluster_worker.http.site import StreamingSite
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.clock import system_wall_clock
from cluster_worker.runtime.pool import Inline
from cluster_worker.runtime.spool import Spools
from onedata.errors import BadToken, Unauthorized
from onedata.ids import SpaceId, user_root_guid
from onedata.privileges import SPACE_ADMIN, SPACE_MEMBER
from op_worker.auth.caller import Caller
from op_worker.domains.service import Domains
from op_worker.files.rules.offer import Offer
from op_worker.files.service import FileService
from op_worker.http.cdmi.door import CdmiDoor
from op_worker.http.cdmi.queues.represented import WholeRepresentation
from op_worker.queue_services.service import QueueServices
from op_worker.snapshots.service import Snapshots
from op_worker.statistics.service import StatisticsService, make_statistics
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages
from op_worker.zone.directory import StaticZone
from op_worker.zone.records import SpaceInfo, UserInfo
from tests.integration.cdmi.callers import (
    CALLERS,
    MEMBER,
    OTHER,
    OWNER,
    PROVIDER,
    SPACE,
    STORAGE,
    STRANGER,
)
from tests.integration.cdmi.client import Client

JSON_LIMIT_B = 2 * 1024 * 1024
SPOOL_MEMORY_B = 128 * 1024


async def authenticate(
    token: str,
    *,
    peer_ip: str | None,
    interface: str,
    consumer_token: str | None,
    service_token: str | None,
) -> Caller:
    """Know the tokens of the tests."""
    if token not in CALLERS:
        raise Unauthorized(BadToken())
    return CALLERS[token]


def space(space_id: SpaceId, name: str) -> SpaceInfo:
    """A space that our provider supports, owned by OWNER."""
    return SpaceInfo(
        space_id=space_id,
        name=name,
        supports={PROVIDER: 1 << 40},
        provider_names={PROVIDER: "krk"},
        owners=frozenset({OWNER}),
        user_privileges={OWNER: SPACE_ADMIN, MEMBER: SPACE_MEMBER},
    )


def static_zone() -> StaticZone:
    """Two spaces, an owner and a member of both, and somebody who is in none."""
    spaces = (SPACE, OTHER)
    users = [UserInfo(user_id=user, full_name=user[0], spaces=spaces) for user in (OWNER, MEMBER)]
    users.append(UserInfo(user_id=STRANGER, full_name="c"))
    return StaticZone(
        users,
        [space(SPACE, "Science"), space(OTHER, "Other Space")],
        provider_id=PROVIDER,
        provider_name="krk",
    )


def statistics_of(files: FileService) -> StatisticsService:
    """Statistics over a file service."""
    context = files.context
    return make_statistics(
        context.engine,
        files,
        context.storages,
        clock=reactor,
        wall_clock=system_wall_clock,
    )


@pytest.fixture
def offer() -> Offer:
    """What the provider offers."""
    return Offer()


@async_yield_fixture
async def files(offer: Offer) -> AsyncIterator[FileService]:
    """A file service over memory."""
    engine = MemoryEngine()
    storages = Storages(engine, Inline(), reactor)
    await storages.load()
    await storages.add_storage(StorageRecord(storage_id=STORAGE, name="mem", type="memory"))
    for space_id in (SPACE, OTHER):
        await storages.support(space_id, STORAGE, 1 << 40)
    service = FileService(
        engine,
        static_zone(),
        storages,
        clock=reactor,
        wall_clock=system_wall_clock,
        random_bytes=os.urandom,
        node_name="worker@test",
        offer=offer,
    )
    service.startService()
    yield service
    await service.stopService()


@pytest.fixture
def statistics(files: FileService) -> StatisticsService:
    """The statistics of the file service; who wants them kept starts the reader."""
    return statistics_of(files)


@async_yield_fixture
async def snapshots(files: FileService) -> AsyncIterator[Snapshots]:
    """Snapshots, for which requests wait long enough in these tests."""
    service = Snapshots(files, clock=reactor)
    service.startService()
    yield service
    await service.stopService()


def queue_services_of(files: FileService) -> QueueServices:
    """What fills queues, not started."""
    return QueueServices(
        files,
        WholeRepresentation(),
        lambda: (SPACE, OTHER),
        clock=reactor,
        wall_clock=system_wall_clock,
    )


@async_yield_fixture
async def queue_services(files: FileService) -> AsyncIterator[QueueServices]:
    """What fills queues."""
    service = queue_services_of(files)
    service.startService()
    yield service
    await service.stopService()


@async_yield_fixture
async def client(
    files: FileService,
    snapshots: Snapshots,
    statistics: StatisticsService,
    queue_services: QueueServices,
    tmp_path: Path,
) -> AsyncIterator[Client]:
    """A client of a door that listens on loopback."""
    spools = Spools(tmp_path, Inline(), memory_b=SPOOL_MEMORY_B)
    domains = Domains(files, files.context.access.zone, statistics.answers, system_wall_clock)
    door = CdmiDoor(
        files,
        authenticate,
        snapshots=snapshots,
        domains=domains,
        queue_services=queue_services,
        spools=spools,
        json_limit_b=JSON_LIMIT_B,
    )
    root = Resource()
    root.putChild(b"cdmi", door.resource)
    site = StreamingSite(root, clock=reactor)
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(site)
    yield Client(port.getHost().port)
    await port.stopListening()
    await site.drain(0.1)


@pytest.fixture
def owner_root_id() -> str:
    """The object id of the owner's root container."""
    return user_root_guid(OWNER).object_id()


@pytest.fixture
def bugs() -> Iterator[list[str]]:
    """What was logged as a bug; there must be nothing at the end."""
    found: list[str] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        if event["log_level"] in (LogLevel.error, LogLevel.critical):
            failure = event.get("log_failure")
            found.append(failure.getTraceback() if failure is not None else str(event.get("log_format")))

    globalLogPublisher.addObserver(observe)
    yield found
    globalLogPublisher.removeObserver(observe)
    assert not found, found[0]
