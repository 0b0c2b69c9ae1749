"""What backups are made and put back with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from cluster_worker.persistence.config import RedisConfig
from cluster_worker.runtime.clock import WallClock


@frozen
class Tools:
    """The surroundings of one command.

    Attributes:
        config: how servers are reached.
        program: the server that loads dumps.
        say: tells the operator how far it is.
    """

    reactor: Any
    config: RedisConfig
    wall_clock: WallClock
    program: str
    say: Callable[[str], None]
