"""op-worker as an application of its cluster: what it does in each boot step, how it stops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from twisted.application.service import Service
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import Engine
from cluster_worker.persistence.health import engine_status, until_engine_answers
from cluster_worker.runtime.services import OrderedService
from cluster_worker.wire.errors import BadRequest
from cluster_worker.wire.fields import Payload
from cluster_worker.wire.steps import BootStep


class Parts(Protocol):
    """One set of everything that runs between a boot and the end of the cluster."""

    @property
    def engine(self) -> Engine:
        """The store."""

    def start_engine(self, parent: OrderedService) -> None:
        """Add the store's service."""

    async def start_workers(self, parent: OrderedService) -> None:
        """Load what is kept and add zone, storages and files."""

    async def answer_call(self, worker: str, payload: Payload) -> Payload:
        """Answer a call of another node. Raises: BadRequest when there is no such worker."""

    def storage_problems(self) -> Mapping[str, str]:
        """What keeps storages from being used, by their names."""

    def start_listeners(self, parent: OrderedService) -> None:
        """Begin to serve HTTPS."""


class OpWorkerApplication:
    """See ``cluster_worker.node.application.Application``.

    Args:
        make_parts: makes everything anew; called at each boot.
        workers: gets the services of the earlier steps, ``doors`` those of the last.
    """

    name = "op_worker"
    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        make_parts: Callable[[], Parts],
        workers: OrderedService,
        doors: OrderedService,
    ) -> None:
        self._clock, self._make_parts = clock, make_parts
        self._workers, self._doors = workers, doors
        self._parts: Parts | None = None
        self._is_working = self._is_listening = False

    async def start_step(self, step: str) -> None:
        """Do this node's part of a boot step."""
        match BootStep(step):
            case BootStep.START_DEFAULT_WORKERS:
                self._parts = self._make_parts()
                self._parts.start_engine(self._workers)
                await until_engine_answers(self._parts.engine, self._clock)
            case BootStep.START_CUSTOM_WORKERS:
                await self._current().start_workers(self._workers)
                self._is_working = True
            case BootStep.START_LISTENERS:
                self._current().start_listeners(self._doors)
                self._is_listening = True
            case _:
                pass

    async def handle_call(self, worker: str, payload: Payload) -> Payload:
        """Nodes call each other to try storages; all else that one has to know of another is in the store."""
        if self._parts is None or not self._is_working:
            raise BadRequest(f"no worker {worker}")
        return await self._parts.answer_call(worker, payload)

    async def healthcheck(self) -> Mapping[str, str]:
        """Status by component."""
        return {
            "datastore_worker": await self._engine_status(),
            "fslogic_worker": "ok" if self._is_working else "out_of_sync",
            "https_listener": "ok" if self._is_listening else "out_of_sync",
            **self._storage_status(),
        }

    async def on_forced_stop(self, reason: str) -> None:
        """Stop serving; the next boot makes everything anew."""
        self._log.warn("the cluster stops this node: {reason}", reason=reason)
        self._is_working = self._is_listening = False
        self._parts = None
        await _empty(self._doors)
        await _empty(self._workers)

    def _current(self) -> Parts:
        if self._parts is None:
            raise RuntimeError("the boot was stopped")
        return self._parts

    def _storage_status(self) -> Mapping[str, str]:
        """Told once all runs: a storage that cannot be used keeps no cluster from starting."""
        if self._parts is None or not self._is_listening:
            return {}
        problems = self._parts.storage_problems()
        told = "; ".join(f"{name}: {problem}" for name, problem in sorted(problems.items()))
        return {"storages": f"error: {told}" if told else "ok"}

    async def _engine_status(self) -> str:
        if self._parts is None:
            return "out_of_sync"
        return await engine_status(self._parts.engine)


async def _empty(services: OrderedService) -> None:
    """Stop and remove the children, last started first."""
    for child in reversed(list(services)):
        assert isinstance(child, Service)
        await maybeDeferred(child.disownServiceParent)
