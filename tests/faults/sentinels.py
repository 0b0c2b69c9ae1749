"""Three servers and three sentinels that keep the provider's metadata, one of each on each of three hosts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import define

from tests.support.network import Network
from tests.support.redis_sets import Machine, SentinelGroup, Server

HOSTS = ("redis1", "redis2", "redis3")
DOWN_AFTER_MS = 1500
SETTINGS = {"REPLICAS_ACKNOWLEDGE": "1"}
"""What daemons are told of the servers besides their URL: options of the section ``[redis]``."""


@define(eq=False)
class Sentinels:
    """The servers on a network. Every commit is on two of them before it counts."""

    group: SentinelGroup

    @classmethod
    def on(cls, network: Network, folder: Path) -> Sentinels:
        """Plan them; ``group.start()`` starts."""
        machines = [Machine(network.addresses[host], tuple(network.inside(host))) for host in HOSTS]
        extra = ["--protected-mode", "no"]
        return cls(SentinelGroup(folder, extra=extra, machines=machines, down_after_ms=DOWN_AFTER_MS))

    def host_of(self, server: Server) -> str:
        """Return the host of a server."""
        return HOSTS[self.group.servers.index(server)]

    def replica(self) -> Server:
        """Return a server that is not the primary."""
        primary = self.group.primary()
        return next(server for server in self.group.servers if server is not primary)

    def processes_beside_primary(self) -> Sequence[Server]:
        """Return the primary and the sentinel of its host."""
        primary = self.group.primary()
        return [primary, self.group.sentinels[self.group.servers.index(primary)]]
