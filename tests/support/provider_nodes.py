"""Several op-worker nodes of one provider in this process: one Redis, one storage, one zone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from attrs import define, evolve, field, frozen
from twisted.internet import reactor
from twisted.web.client import URI, Agent, HTTPConnectionPool
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from cluster_worker.node.config import NodeConfig
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.embedded import EmbeddedRedis
from op_worker.app import make_op_worker
from op_worker.config import OpWorkerConfig
from op_worker.zone.connection import ZoneAddress, load_trust, zone_endpoint
from tests.integration.op_worker.running import PASSPHRASE, Answer, Client, World, free_port


@implementer(IAgentEndpointFactory)
@frozen
class _OneServer:
    endpoint: Any

    def endpointForURI(self, uri: URI) -> Any:
        return self.endpoint


@define
class Nodes:
    """A provider with nodes 0, 1, ..., and the zone that it is to be registered in."""

    world: World
    redis_url: str
    ports: list[int] = field(factory=lambda: [free_port(), free_port()])
    pool: HTTPConnectionPool = field(factory=lambda: HTTPConnectionPool(reactor))

    def config(self, number: int) -> OpWorkerConfig:
        """The configuration of a node; all share the Redis of this provider."""
        config = self.world.provider_config(node=NodeConfig(node_name=f"worker{number}@127.0.0.1"))
        return evolve(
            config,
            state_dir=str(self.world.folder / f"node{number}"),
            redis=RedisConfig(url=self.redis_url),
            http=evolve(config.http, port=self.ports[number]),
        )

    async def start(self, number: int) -> None:
        """Start a node and wait until it serves."""
        service = make_op_worker(reactor, self.config(number))
        self.world.services[f"node{number}"] = service
        service.startService()
        await self.world.until_up(self.client(number))

    async def stop(self, number: int) -> None:
        await self.world.stop(f"node{number}")

    def client(self, number: int) -> Client:
        """A client of one node; connections are kept, so that answers come in no time."""
        domain = f"p1.test:{self.ports[number]}"
        address = ZoneAddress(domain=domain, address=f"127.0.0.1:{self.ports[number]}")
        endpoint = zone_endpoint(reactor, address, load_trust(self.world.ca_file))
        return Client(domain, Agent.usingEndpointFactory(reactor, _OneServer(endpoint), self.pool))

    def user(self, number: int, token: str) -> Client:
        return self.client(number).with_token(token)

    def admin(self, number: int) -> Client:
        return self.client(number).with_password("onepanel", PASSPHRASE)

    async def register(self, number: int, anna: Client) -> Answer:
        """Register the provider through one node."""
        kind = {"inviteToken": {"inviteType": "registerOneprovider", "adminUserId": "anna"}}
        made = await anna("POST", "/api/v3/onezone/user/tokens/named", {"name": f"r{number}", "type": kind})
        body = {
            "token": made.body["token"],
            "name": "p1",
            "adminEmail": "p1@onedata.org",
            "domain": self.client(number).domain,
            "devId": "p1",
        }
        return await self.admin(number)("POST", "/api/v3/onepanel/provider", body)

    async def add_storage(self, number: int, storage_id: str) -> Answer:
        """Add a POSIX storage through one node."""
        folder = self.world.folder / storage_id
        folder.mkdir()
        wanted = {storage_id: {"type": "posix", "mountPoint": str(folder), "id": storage_id}}
        return await self.admin(number)("POST", "/api/v3/onepanel/provider/storages", wanted)

    async def new_space(self, anna: Client, space_id: str) -> str:
        """Make a space in the zone; return a token to support it."""
        body = {"spaceId": space_id, "name": space_id, "creatorId": "anna", "users": [], "groups": []}
        assert (await self.world.zone_client()("POST", "/api/v3/onezone/dev/spaces", body)).status == 204
        token = await anna("POST", f"/api/v3/onezone/spaces/{space_id}/providers/token")
        return str(token.body["token"])

    async def support(self, number: int, token: str, storage_id: str) -> Answer:
        """Support a space through one node."""
        wanted = {"token": token, "size": 10**9, "storageId": storage_id}
        return await self.admin(number)("POST", "/api/v3/onepanel/provider/spaces", wanted)


@asynccontextmanager
async def provider_nodes(folder: Path) -> AsyncIterator[Nodes]:
    """Start a zone and the Redis of a provider; stop them and every node that was started at the end."""
    redis = EmbeddedRedis(reactor, str(folder / "redis"))
    redis.startService()
    nodes = Nodes(World(folder), f"unix://{redis.address.path}")
    try:
        await nodes.world.start_zone()
        yield nodes
    finally:
        await nodes.pool.closeCachedConnections()
        for name in reversed(list(nodes.world.services)):
            await nodes.world.stop(name)
        await redis.stopService()
