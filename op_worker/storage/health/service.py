"""The parts that look after the health of storages, joined."""

from __future__ import annotations

import os
from typing import Any

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from cluster_worker.node.cluster_node import ClusterNode
from cluster_worker.node.routing import OnNode
from op_worker.storage.capabilities import is_tried_by_writing
from op_worker.storage.catalogue import TYPES
from op_worker.storage.health.checks import HealthChecks
from op_worker.storage.health.nodes import WORKER, Detection, ProbeWorker
from op_worker.storage.health.probe import STEP_LIMIT_S
from op_worker.storage.health.trying import StorageTests
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages


@frozen(eq=False)
class StorageHealth:
    """What looks after storages: checks from time to time, tests on demand, and probes of other nodes."""

    checks: HealthChecks
    tests: StorageTests
    worker: ProbeWorker


def make_health(reactor: Any, storages: Storages) -> StorageHealth:
    """Make the parts; the checks are a service, not started."""
    return StorageHealth(
        HealthChecks(storages, reactor, os.urandom),
        StorageTests(reactor, storages, os.urandom),
        ProbeWorker(storages, reactor),
    )


def make_detection(node: ClusterNode, node_name: str, clock: IReactorTime) -> Detection:
    """Return what tries a storage on all nodes before it is kept."""

    async def call(name: str, payload: object) -> object:
        return await node.call(OnNode(name), WORKER, payload, timeout_s=2 * STEP_LIMIT_S)

    def is_written(record: StorageRecord) -> bool:
        return is_tried_by_writing(TYPES[record.type], record)

    return Detection(node_name, lambda: node.ring.present, call, clock, os.urandom, is_written)
