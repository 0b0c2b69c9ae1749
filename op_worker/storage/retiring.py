"""Helpers that were replaced: they are closed when nobody can still be using them."""

from __future__ import annotations

from typing import Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from op_worker.storage.helper import StorageError, StorageHelper, SupportsClosing
from op_worker.storage.stack import Stack

GRACE_S = 60.0
"""A request that found a storage before it was changed has opened its files by then; those that are open keep
what they need of the helper by themselves."""


class Retired(Protocol):
    """A storage that was replaced."""

    @property
    def inner(self) -> StorageHelper: ...

    @property
    def stack(self) -> Stack: ...


class Retiring(Service):
    """Closes helpers after a while; those that wait when the service stops are closed then."""

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._waiting: dict[IDelayedCall, Retired] = {}

    def retire(self, storage: Retired) -> None:
        """Close the helper of a storage in a while."""
        if not isinstance(storage.inner, SupportsClosing):
            storage.stack.close()
            return
        call = self._clock.callLater(GRACE_S, self._time_is_up, storage)
        self._waiting[call] = storage

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._close_all())

    async def close(self, storage: Retired) -> None:
        """Close a helper now; what goes wrong is logged."""
        storage.stack.close()
        if not isinstance(storage.inner, SupportsClosing):
            return
        try:
            await storage.inner.close()
        except StorageError as error:
            self._log.warn("a storage helper did not close cleanly: {error}", error=error)

    async def _close_all(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for call, storage in waiting.items():
            call.cancel()
            await self.close(storage)

    def _time_is_up(self, storage: Retired) -> None:
        self._waiting = {call: each for call, each in self._waiting.items() if each is not storage}
        Deferred.fromCoroutine(self.close(storage)).addErrback(self._failed)

    def _failed(self, failure: Failure) -> None:
        self._log.failure("a storage helper could not be closed", failure=failure)
