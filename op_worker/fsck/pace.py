"""Reading no faster than was asked for."""

from __future__ import annotations

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from cluster_worker.runtime.clock import sleep


@frozen(eq=False)
class Pace:
    """So many bytes a second at most; 0 is as fast as it goes."""

    _clock: IReactorTime
    _rate_b: int

    async def wait(self, size_b: int) -> None:
        """Return when so many more bytes may be read."""
        if self._rate_b:
            await sleep(self._clock, size_b / self._rate_b)
