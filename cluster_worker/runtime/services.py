"""Services that stop in order and own their background tasks."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.application.service import MultiService, Service
from twisted.internet.defer import CancelledError, Deferred, DeferredList, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure


class TaskOwner:
    """Background coroutines that belong to somebody: logged when they fail, cancelled on ``close``."""

    _log = Logger()

    def __init__(self) -> None:
        self._tasks: set[Deferred[Any]] = set()

    def spawn(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        """Run ``work`` until it ends or ``close`` is called; a failure is logged, never lost."""
        task: Deferred[Any] = Deferred.fromCoroutine(work)
        self._tasks.add(task)
        task.addErrback(self._failed, name)
        task.addBoth(self._ended, task)

    async def close(self) -> None:
        """Cancel every task and return when the last one has ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await DeferredList(tasks)

    def _failed(self, failure: Failure, name: str) -> None:
        if not failure.check(CancelledError):
            self._log.failure("task {name} failed", failure=failure, name=name)

    def _ended(self, result: object, task: Deferred[Any]) -> None:
        self._tasks.discard(task)


class TaskService(Service):
    """A service that owns background tasks; stopping it cancels them and waits for their end."""

    def __init__(self) -> None:
        self.tasks = TaskOwner()

    def spawn(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        """Run ``work`` for as long as this service runs; see ``TaskOwner.spawn``."""
        self.tasks.spawn(name, work)

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self.tasks.close())


class OrderedService(MultiService):
    """A parent that stops its children one at a time, last started first.

    Twisted's ``MultiService`` stops all children at once, so a store could close under a door that
    still drains. A child that fails to stop is logged and does not keep the others running.
    """

    _log = Logger()

    def stopService(self) -> Deferred[None]:
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop_children())

    async def _stop_children(self) -> None:
        for child in reversed(list(self)):
            try:
                await maybeDeferred(child.stopService)
            except Exception:  # noqa: BLE001 - the other children must still be stopped
                self._log.failure("{child} did not stop cleanly", child=child)
