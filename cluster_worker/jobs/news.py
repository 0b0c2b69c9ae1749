"""Waiting for news, of which none is missed."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.defer import Deferred


@define(eq=False)
class News:
    """One waits, anybody tells; what was told before the wait ends it at once."""

    _is_told: bool = field(default=False, init=False)
    _waiter: Deferred[None] | None = field(default=None, init=False)

    def tell(self) -> None:
        """There is news."""
        waiter, self._waiter = self._waiter, None
        if waiter is None:
            self._is_told = True
        else:
            waiter.callback(None)

    async def wait(self) -> None:
        """Return when there is news; may be cancelled."""
        if not self._is_told:
            self._waiter = waiter = Deferred[None](self._forget)
            await waiter
        self._is_told = False

    def _forget(self, _waiter: Deferred[None]) -> None:
        self._waiter = None
