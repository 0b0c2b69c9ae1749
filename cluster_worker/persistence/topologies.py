"""The kinds of stores that an address can name, behind one interface."""

from __future__ import annotations

from typing import Any, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from cluster_worker.persistence.address import RedisAddress, SentinelAddress, StoreAddress
from cluster_worker.persistence.cluster import RedisCluster
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.connection import RedisConnection, Uses
from cluster_worker.persistence.endpoints import make_endpoint
from cluster_worker.persistence.requests import Servers
from cluster_worker.persistence.sentinel import SentinelSet


class Connections(Servers, Protocol):
    """Connections to the servers of a store, for one use; a service."""

    @property
    def running(self) -> object:
        """Whether they are started."""

    @property
    def is_ready(self) -> bool:
        """Whether every server is reached now."""

    async def wait_ready(self) -> None:
        """Return once every server is reached, however long that takes."""

    def setServiceParent(self, parent: object) -> None:
        """Start and stop with ``parent``."""

    def startService(self) -> None:
        """Begin to connect."""

    def stopService(self) -> Deferred[None]:
        """Give the connections up."""


class Store(Protocol):
    """The servers that keep what is stored; a service that runs before and after its connections."""

    def open(self, uses: Uses) -> Connections:
        """Return connections for one use; whoever opens them starts and stops them."""

    def setServiceParent(self, parent: object) -> None:
        """Start and stop with ``parent``."""


class SingleServer(Service):
    """One server that stays where it is."""

    def __init__(self, reactor: Any, address: RedisAddress, config: RedisConfig) -> None:
        self._reactor, self._address, self._config = reactor, address, config
        self._endpoint = make_endpoint(reactor, address, config.ca_file, config.reply_timeout_s)

    def open(self, uses: Uses) -> Connections:
        """Return a connection to the server."""
        return RedisConnection(self._reactor, self._endpoint, self._address, self._config, uses)


def make_store(reactor: Any, address: StoreAddress, config: RedisConfig) -> Store:
    """Return the store at ``address``, not yet started. Raises: OSError for a bad ``ca_file``."""
    if isinstance(address, RedisAddress):
        return SingleServer(reactor, address, config)
    if isinstance(address, SentinelAddress):
        return SentinelSet(reactor, address, config)
    return RedisCluster(reactor, address, config)
