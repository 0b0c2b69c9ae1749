"""Queues that are filled, for tests: begun with a few words, and waited for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet import reactor

from cluster_worker.runtime.clock import sleep
from onedata.ids import FileGuid
from op_worker.auth.caller import Caller
from op_worker.files.model import Json, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.queues.represented import WholeRepresentation
from op_worker.queue_services.definitions import parse_definition
from op_worker.queue_services.service import QueueServices
from tests.support.spaces import OTHER_SPACE, SPACE, Site, owner, path

NAMES: Mapping[str, Json] = {"objectName": ""}
PATIENCE_S = 8.0


def make_services(site: Site, files: FileService) -> QueueServices:
    """The services of a node, not started."""
    return QueueServices(
        files,
        WholeRepresentation(),
        lambda: [SPACE, OTHER_SPACE],
        clock=reactor,
        wall_clock=site.wall_clock,
    )


async def begin_query(
    services: QueueServices,
    files: FileService,
    scope: Sequence[Any] = (),
    results: Json = NAMES,
    caller: Caller = owner,
    name: str = "queue",
) -> FileGuid:
    """Make a query queue."""
    return await _begin(
        *(services, files, caller, name),
        {
            "cdmi_queue_type": "cdmi_query_queue",
            "cdmi_scope_specification": list(scope),
            "cdmi_results_specification": results,
        },
    )


async def begin_notification(
    services: QueueServices,
    files: FileService,
    scope: Sequence[Any] = (),
    events: Sequence[str] = (),
    caller: Caller = owner,
    name: str = "queue",
) -> FileGuid:
    """Make a notification queue that tells events and names."""
    return await _begin(
        *(services, files, caller, name),
        {
            "cdmi_queue_type": "cdmi_notification_queue",
            "cdmi_scope_specification": list(scope),
            "cdmi_results_specification": {"cdmi_event": "", "objectName": ""},
            "cdmi_notification_events": list(events),
        },
    )


async def _begin(
    services: QueueServices, files: FileService, caller: Caller, name: str, items: Mapping[str, Json]
) -> FileGuid:
    stat = await files.queues.create(caller, path(name))
    await services.begin(caller, stat.guid, parse_definition(items))
    return stat.guid


async def status_of(services: QueueServices, queue: FileGuid) -> str:
    """Return the status that a queue shows."""
    items = await services.items(queue)
    return next(str(value) for name, value in items.items() if name.endswith("_status"))


async def until_status(services: QueueServices, queue: FileGuid, wanted: str = "Current") -> None:
    """Wait until a queue shows a status."""
    for _ in range(int(PATIENCE_S / 0.01)):
        if await status_of(services, queue) == wanted:
            return
        await sleep(reactor, 0.01)
    raise AssertionError(await status_of(services, queue))


async def values_of(files: FileService, queue: FileGuid, caller: Caller = owner) -> list[Any]:
    """Return the values that are in a queue."""
    found = []
    for value in (await files.queues.oldest(caller, Target(queue), 900)).values:
        reader = await value.open()
        found.append(json.loads(await reader.read(0, 1 << 20)))
        await reader.close()
        assert value.xattrs["cdmi_mimetype"] == "application/json"
    return found


async def until_values(files: FileService, queue: FileGuid, count: int) -> list[Any]:
    """Wait until a queue has so many values, and return them."""
    for _ in range(int(PATIENCE_S / 0.01)):
        found = await values_of(files, queue)
        if len(found) >= count:
            return found
        await sleep(reactor, 0.01)
    raise AssertionError(found)
