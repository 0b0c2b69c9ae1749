"""Probes by two nodes: what one asks of another, and how that is answered."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from cluster_worker.node.errors import NodeUnavailable
from cluster_worker.wire.errors import WireError
from onedata.errors import BadData, OnedataError
from op_worker.storage.health.probe import (
    LocalProber,
    Prober,
    RandomBytes,
    probe,
    reached,
)
from op_worker.storage.helper import StorageError, StorageHelper, StoragePath, SupportsClosing
from op_worker.storage.records import StorageRecord
from op_worker.storage.types import BadStorageError

WORKER = "storage_probe"
"""The name of the worker that takes part in probes, in calls between nodes."""

Call = Callable[[str, object], Awaitable[object]]
"""Given the name of a node and a payload, has ``WORKER`` there answer; see ``ClusterNode.call``."""


class Made(Protocol):
    """What makes helpers; see ``Storages``."""

    def helper_of(self, record: StorageRecord) -> StorageHelper: ...


class RemoteProber:
    """Another node, asked over the cluster's links. See ``Prober``.

    The record goes along, with its secrets, because a storage is tried before it is kept; links between
    nodes are encrypted and both ends proven.
    """

    def __init__(self, call: Call, node: str, record: StorageRecord) -> None:
        self._call, self._node = call, node
        self._record = [record.storage_id, record.encode()]

    async def access(self) -> None:
        await self._ask("access")

    async def create(self, path: StoragePath) -> None:
        await self._ask("create", path)

    async def write(self, path: StoragePath, data: bytes) -> None:
        await self._ask("write", path, data)

    async def read(self, path: StoragePath) -> bytes:
        found = await self._ask("read", path)
        return found if isinstance(found, bytes) else b""

    async def remove(self, path: StoragePath) -> None:
        await self._ask("remove", path)

    async def _ask(self, verb: str, path: str = "", data: bytes = b"") -> object:
        try:
            answer: Any = await self._call(self._node, [verb, *self._record, path, data])
        except (NodeUnavailable, WireError, OnedataError) as error:
            raise StorageError(errno.EHOSTUNREACH, path, f"node {self._node}: {error}") from error
        number, reason, found = answer
        if number:
            raise StorageError(number, path, f"on node {self._node}: {reason}")
        return found


class ProbeWorker:
    """Takes part in probes of other nodes."""

    def __init__(self, storages: Made, clock: Any) -> None:
        self._storages, self._clock = storages, clock

    async def answer(self, payload: object) -> object:
        """Do one verb and return its errno (0 when it was done), the reason, and what was read.

        Raises: BadData for what no node asks.
        """
        try:
            asked: Any = payload
            verb, storage_id, packed, path, data = asked
            record = StorageRecord.decode(storage_id, packed)
        except (TypeError, ValueError) as error:
            raise BadData("payload") from error
        try:
            return [0, "", await self._do(verb, record, StoragePath(path), data)]
        except BadStorageError as error:
            return [errno.EINVAL, str(error), b""]
        except StorageError as error:
            return [error.errno, error.reason or str(error), b""]

    async def _do(self, verb: str, record: StorageRecord, path: StoragePath, data: bytes) -> bytes:
        helper = self._storages.helper_of(record)
        prober = LocalProber(helper, self._clock)
        try:
            match verb:
                case "access":
                    await prober.access()
                case "create":
                    await prober.create(path)
                case "write":
                    await prober.write(path, data)
                case "read":
                    return await prober.read(path)
                case "remove":
                    await prober.remove(path)
                case _:
                    raise BadData("payload", f"no verb {verb}")
        finally:
            if isinstance(helper, SupportsClosing):
                await helper.close()
        return b""


class Detection:
    """Tries whether all nodes can use a storage, and see what each other wrote.

    Args:
        this_node: its name.
        nodes: gives the names of all nodes that are there, in order.
        call: reaches another node.
        is_written: whether a storage is tried by writing.
    """

    def __init__(
        self,
        this_node: str,
        nodes: Callable[[], tuple[str, ...]],
        call: Call,
        clock: Any,
        random_bytes: RandomBytes,
        is_written: Callable[[StorageRecord], bool],
    ) -> None:
        self._this_node, self._nodes, self._call = this_node, nodes, call
        self._clock, self._random_bytes, self._is_written = clock, random_bytes, is_written

    async def __call__(self, record: StorageRecord, helper: StorageHelper) -> None:
        """See ``op_worker.storage.health.probe.Detect``. Raises: ProbeFailed."""
        here = LocalProber(helper, self._clock)
        if not self._is_written(record):
            await reached(here)
            return
        nodes = self._nodes() or (self._this_node,)
        probers: list[Prober] = [
            here if node == self._this_node else RemoteProber(self._call, node, record) for node in nodes
        ]
        for prober in probers:
            await reached(prober)
        for number, prober in enumerate(probers):
            await probe(prober, probers[(number + 1) % len(probers)], self._random_bytes)
