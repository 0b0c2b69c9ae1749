"""The servers that have parts of a store, and questions to each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from attrs import frozen

from cluster_worker.persistence.address import (
    ClusterAddress,
    RedisAddress,
    SentinelAddress,
    StoreAddress,
)
from cluster_worker.persistence.backup.contents import Ask
from cluster_worker.persistence.backup.errors import NotReached
from cluster_worker.persistence.cluster import RedisCluster
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.connection import RedisConnection, Uses
from cluster_worker.persistence.endpoints import make_endpoint
from cluster_worker.persistence.engine import PersistenceUnavailable
from cluster_worker.persistence.link import LinkLost, RedisLink
from cluster_worker.persistence.resp import ReplyError
from cluster_worker.persistence.sentinel import NoPrimary, SentinelSet
from cluster_worker.runtime.clock import sleep

_WITHIN_S = 10.0
_POLL_S = 0.05


@frozen
class Shard:
    """A server that writes are sent to, and the slots that it owns when it belongs to a cluster."""

    address: RedisAddress
    slots: tuple[tuple[int, int], ...] = ()


def topology_of(address: StoreAddress) -> str:
    """Return ``single``, ``sentinel`` or ``cluster``."""
    if isinstance(address, ClusterAddress):
        return "cluster"
    return "sentinel" if isinstance(address, SentinelAddress) else "single"


async def find_shards(reactor: Any, address: StoreAddress, config: RedisConfig) -> Sequence[Shard]:
    """Return the servers that have the parts of a store now. Raises: NotReached."""
    if isinstance(address, RedisAddress):
        return [Shard(address)]
    if isinstance(address, SentinelAddress):
        try:
            return [Shard(await SentinelSet(reactor, address, config).find_primary())]
        except NoPrimary as exc:
            raise NotReached(str(exc)) from exc
    cluster = RedisCluster(reactor, address, config)
    cluster.startService()
    try:
        deadline = reactor.seconds() + _WITHIN_S
        while not cluster.slots.is_whole:
            if reactor.seconds() > deadline:
                raise NotReached(f"{address} does not say who has which slot")
            await cluster.refresh()
            await sleep(reactor, _POLL_S)
    finally:
        await cluster.stopService()
    like = address.nodes[0]
    ranges = cluster.slots.ranges()
    return [Shard(like.at(place.host, place.port), ranges[place]) for place in sorted(ranges, key=str)]


@asynccontextmanager
async def asking(reactor: Any, address: RedisAddress, config: RedisConfig) -> AsyncIterator[Ask]:
    """Yield what asks one server, once it has loaded its data. Raises: NotReached; ReplyError."""
    endpoint = make_endpoint(reactor, address, config.ca_file, config.reply_timeout_s)
    connection = RedisConnection(reactor, endpoint, address, config, Uses(_greet))
    connection.startService()
    try:
        try:
            await connection.wait_for(b"", config.patience_with(address))
        except PersistenceUnavailable as exc:
            raise NotReached(str(exc)) from exc
        link = connection.link
        assert link is not None

        async def ask(*words: bytes) -> Any:
            try:
                return await link.ask(*words)
            except LinkLost as exc:
                raise NotReached(f"{address}: {exc}") from exc

        await _loaded(reactor, ask)
        yield ask
    finally:
        await connection.stopService()


async def _loaded(reactor: Any, ask: Ask) -> None:
    """Return when the server has its data, which takes as long as it takes."""
    while True:
        try:
            await ask(b"DBSIZE")
            return
        except ReplyError as exc:
            if exc.code != "LOADING":
                raise
        await sleep(reactor, _POLL_S)


async def _greet(_link: RedisLink) -> None:
    """Nothing is run there but plain commands."""
