"""Whether a daemon wants new requests, and why not."""

from __future__ import annotations

from collections.abc import Callable

from twisted.application.service import Service

STARTING = "starting"
DRAINING = "draining"


class Readiness(Service):
    """Knows what keeps a daemon from taking new requests.

    Added as the last child of the composition root it is the first to learn of a stop: from that moment
    the daemon is draining.

    Args:
        is_booted: whether the daemon has come up.
    """

    def __init__(self, is_booted: Callable[[], bool]) -> None:
        self._is_booted = is_booted
        self._conditions: list[tuple[str, Callable[[], bool]]] = []
        self._is_stopping = False

    def startService(self) -> None:
        super().startService()
        self._is_stopping = False

    def stopService(self) -> None:
        super().stopService()
        self._is_stopping = True

    def require(self, condition: Callable[[], bool], reason: str) -> None:
        """Be ready only while ``condition()`` holds; ``reason`` is told when it does not."""
        self._conditions.append((reason, condition))

    def reasons(self) -> tuple[str, ...]:
        """Return why no new requests are wanted; nothing when they are."""
        found = [DRAINING] if self._is_stopping else []
        if not self._is_booted():
            found.append(STARTING)
        return (*found, *(reason for reason, holds in self._conditions if not holds()))
