"""A zone on loopback, and clients that talk to it as users and providers do."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

import treq
from argon2 import PasswordHasher
from attrs import define, field, frozen
from twisted.internet import reactor
from twisted.internet.interfaces import IReactorTCP
from twisted.web.client import Agent, HTTPConnectionPool

from cluster_worker.http.site import StreamingSite
from cluster_worker.http.tls import WebListener
from cluster_worker.persistence.engine import Engine
from cluster_worker.runtime.clock import system_wall_clock
from cluster_worker.runtime.pool import Inline
from oz_worker.config import ZoneSection
from oz_worker.doors import make_tree
from oz_worker.throttle import ThrottleLimits
from oz_worker.zone import ZoneMeans, ZoneService

BASE = "/api/v3/onezone"
DOMAIN = "onezone.test"
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
PASSWORD = "correct horse"


@frozen
class Answer:
    """An answer with its body decoded."""

    status: int
    headers: Any
    body: Any

    @property
    def error(self) -> str:
        """The id of the error."""
        return str(self.body["error"]["id"])

    @property
    def auth_error(self) -> str:
        """The id of the error nested in ``unauthorized``."""
        return str(self.body["error"]["details"]["authError"]["id"])

    def header(self, name: str) -> str | None:
        values = self.headers.getRawHeaders(name)
        return values[0] if values else None


@define
class Client:
    """Sends requests with one kind of credentials."""

    root: str
    http: Any
    auth: dict[str, str] = field(factory=dict)

    def basic(self, username: str, password: str = PASSWORD) -> Client:
        encoded = base64.b64encode(f"{username}:{password}".encode()).decode()
        return Client(self.root, self.http, {"Authorization": f"Basic {encoded}"})

    def token(self, token: str) -> Client:
        return Client(self.root, self.http, {"X-Auth-Token": token})

    async def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        return await self.send(method, path, data, {"Content-Type": "application/json", **headers})

    async def send(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Answer:
        all_headers = {**headers, **self.auth}
        response = await self.http.request(method, self.root + path, data=data, headers=all_headers)
        content = await response.content()
        is_json = content[:1] in (b"{", b"[", b'"')
        return Answer(response.code, response.headers, json.loads(content) if is_json else content)


@define
class RunningZone:
    """A zone that serves, and what tests need of it."""

    service: ZoneService
    listener: WebListener
    client: Client

    @property
    def port(self) -> int:
        return self.listener.port

    async def user(self, user_id: str) -> Client:
        """Make a user with ``PASSWORD``; return a client that is logged in as him with a token."""
        body = {"userId": user_id, "username": user_id, "fullName": user_id.title(), "password": PASSWORD}
        made = await self.client("POST", "/dev/users", body)
        assert made.status == 204, made
        answer = await self.client.basic(user_id)("POST", "/user/tokens/named", {"name": "main token"})
        assert answer.status == 201, answer
        return self.client.token(answer.body["token"])

    async def space(self, user: Client, name: str = "Science") -> str:
        """Make a space of a user; return its id."""
        answer = await user("POST", "/user/spaces", {"name": name})
        assert answer.status == 201, answer
        return str(answer.header("Location")).rpartition("/")[2]

    async def provider(self, user: Client, provider_id: str = "krk") -> Client:
        """Register a provider of a user; return a client that is this provider."""
        token = await user("POST", "/user/clusters/provider_registration_token")
        body = {
            "uuid": provider_id,
            "token": token.body["token"],
            "name": provider_id,
            "adminEmail": "admin@example.org",
            "subdomainDelegation": False,
            "domain": f"{provider_id}.example.org",
        }
        answer = await self.client("POST", "/providers/dev", body)
        assert answer.status == 200, answer
        return self.client.token(answer.body["providerRootToken"])

    async def stop(self) -> None:
        await self.service.stopService()
        await self.listener.stopService()


async def start_zone(engine: Engine, login: ThrottleLimits | None = None, **options: Any) -> RunningZone:
    """Start a zone on an engine, in ``dev_mode`` unless told otherwise."""
    means = ZoneMeans(
        reactor=reactor,
        engine=engine,
        blocking=Inline(),
        wall_clock=system_wall_clock,
        random_bytes=os.urandom,
        hasher=QUICK_HASHER,
    )
    config = ZoneSection(**{"domain": DOMAIN, "dev_mode": True, **options})
    service = ZoneService(means, config, login or ThrottleLimits())
    service.startService()
    await service.load()
    await service.bootstrap(lambda: PASSWORD)
    tree = make_tree(service.door, service.graph_sync, None, service.info)
    listener = WebListener(IReactorTCP(reactor), "127.0.0.1", 0, StreamingSite(tree, clock=reactor), None)
    listener.startService()
    pool = HTTPConnectionPool(reactor, persistent=False)
    http = treq.client.HTTPClient(Agent(reactor, pool=pool))
    return RunningZone(service, listener, Client(f"http://127.0.0.1:{listener.port}{BASE}", http))
