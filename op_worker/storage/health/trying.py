"""Tests of storages that tell each step, for whoever sets one up."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from typing import Any

from attrs import define, field
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.protocol import Factory, Protocol

from op_worker.storage.capabilities import is_tried_by_writing
from op_worker.storage.health.addresses import Address, address_of
from op_worker.storage.health.probe import (
    CONTENT_LETTERS,
    NAME_LETTERS,
    NAME_START,
    STEP_LIMIT_S,
    LocalProber,
    RandomBytes,
    letters,
)
from op_worker.storage.health.report import STEPS, Outcome, Report, Step
from op_worker.storage.helper import StorageError, StoragePath, SupportsClosing
from op_worker.storage.parameters import stored
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages


@define
class _Run:
    """The steps of one test as far as it has come."""

    clock: Any
    steps: list[Step] = field(factory=list)

    async def step(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Do one step, unless an earlier one failed."""
        if any(step.outcome is Outcome.FAILED for step in self.steps):
            self.skip(name, "an earlier step failed")
            return
        began = self.clock.seconds()
        try:
            await work()
        except StorageError as error:
            took_s = self.clock.seconds() - began
            self.steps.append(Step(name, Outcome.FAILED, took_s, error.reason or str(error)))
        else:
            self.steps.append(Step(name, Outcome.OK, self.clock.seconds() - began))

    def skip(self, name: str, why: str) -> None:
        self.steps.append(Step(name, Outcome.SKIPPED, words=why))


class StorageTests:
    """Tests storages, whether they are kept or only thought of."""

    def __init__(self, reactor: Any, storages: Storages, random_bytes: RandomBytes) -> None:
        self._reactor, self._storages, self._random_bytes = reactor, storages, random_bytes

    async def test(self, record: StorageRecord) -> Report:
        """Try a storage step by step on this node. Raises: BadStorageError."""
        record = self._storages.checked(record)
        helper = self._storages.helper_of(record)
        run = _Run(self._reactor)
        try:
            await self._reach(run, record)
            prober = LocalProber(helper, self._reactor)
            await run.step("log in", prober.access)
            await self._write(run, record, prober)
        finally:
            if isinstance(helper, SupportsClosing):
                await helper.close()
        return Report(run.steps)

    async def _reach(self, run: _Run, record: StorageRecord) -> None:
        type_ = self._storages.type_of(record)
        assert type_ is not None, "the record was checked"
        address = address_of(record.type, stored(type_, record.arguments, record.credentials))
        if address is None:
            run.skip("resolve", "the storage has no server")
            run.skip("connect", "the storage has no server")
            return
        await run.step("resolve", lambda: self._resolved(address))
        await run.step("connect", lambda: self._connected(address))

    async def _write(self, run: _Run, record: StorageRecord, prober: LocalProber) -> None:
        type_ = self._storages.type_of(record)
        assert type_ is not None, "the record was checked"
        names = STEPS[STEPS.index("create") :]
        if not is_tried_by_writing(type_, record):
            for name in names:
                run.skip(name, "the storage is not written to")
            return
        path = StoragePath(NAME_START + letters(NAME_LETTERS, self._random_bytes))
        data = letters(CONTENT_LETTERS, self._random_bytes).encode()

        async def compared() -> None:
            if await prober.read(path) != data:
                raise StorageError(errno.EIO, path, "what was written does not come back")

        works: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: prober.create(path),
            lambda: prober.write(path, data),
            compared,
            lambda: prober.remove(path),
        )
        for name, work in zip(names, works, strict=True):
            await run.step(name, work)
        if run.steps[-1].outcome is Outcome.SKIPPED and run.steps[-len(names)].outcome is Outcome.OK:
            await self._cleaned(prober, path)

    async def _cleaned(self, prober: LocalProber, path: StoragePath) -> None:
        try:
            await prober.remove(path)
        except StorageError:
            return  # what was wrong before is told

    async def _resolved(self, address: Address) -> None:
        try:
            await self._reactor.resolve(address.host)
        except DNSLookupError as error:
            raise StorageError(errno.EHOSTUNREACH, "", f"{address.host}: {error}") from error

    async def _connected(self, address: Address) -> None:
        endpoint = HostnameEndpoint(self._reactor, address.host, address.port, timeout=STEP_LIMIT_S)
        try:
            protocol: Any = await endpoint.connect(Factory.forProtocol(Protocol))
        except (ConnectError, DNSLookupError) as error:
            raise StorageError(errno.ECONNREFUSED, "", f"{address}: {error}") from error
        protocol.transport.loseConnection()
