"""A zone and a provider in this process, with certificates of one authority, on loopback."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from treq.client import HTTPClient
from twisted.application.service import IService
from twisted.internet import reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IReactorTime

from cluster_worker.http.config import HttpSection
from cluster_worker.node.config import NodeConfig
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.runtime.clock import sleep, system_wall_clock
from cluster_worker.wire.certificates import Authority, save_issued
from op_worker.app import make_op_worker
from op_worker.config import LocalSection, OpWorkerConfig, ZoneSection
from op_worker.zone.connection import ZoneAddress, load_trust, zone_agent
from oz_worker.app import make_oz_worker
from oz_worker.config import OzWorkerConfig, WebSection
from oz_worker.config import ZoneSection as ZoneItself

CLOCK = IReactorTime(reactor)
PASSPHRASE = "let me in"


@frozen
class Answer:
    status: int
    headers: Any
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    @property
    def error(self) -> str:
        return str(self.body["error"]["id"])

    @property
    def auth_error(self) -> str:
        return str(self.body["error"]["details"]["authError"]["id"])


@frozen
class Client:
    """Sends requests to one server, verified by its certificate."""

    domain: str
    agent: Any
    auth: Any = None
    headers: dict[str, str] = field(factory=dict)

    def with_token(self, token: str) -> Client:
        return Client(self.domain, self.agent, None, {"X-Auth-Token": token})

    def with_password(self, user: str, password: str) -> Client:
        return Client(self.domain, self.agent, (user, password))

    async def __call__(
        self, method: str, path: str, body: Any = None, *, content_type: str = "application/json"
    ) -> Answer:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers: dict[bytes | str, bytes | str] = dict(self.headers.items())
        if data is not None:
            headers["Content-Type"] = content_type
        response = await HTTPClient(self.agent).request(
            method, f"https://{self.domain}{path}", data=data, headers=headers, auth=self.auth
        )
        return Answer(response.code, response.headers, await response.content())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Return when ``condition`` holds; fail after ten seconds."""
    for _ in range(200):
        if await condition():
            return
        await sleep(CLOCK, 0.05)
    raise AssertionError(f"waited too long: {what}")


@define
class World:
    """Starts and stops daemons."""

    folder: Path
    zone_port: int = 0
    provider_port: int = 0
    services: dict[str, IService] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.zone_port, self.provider_port = free_port(), free_port()
        authority = Authority.make("test", system_wall_clock())
        authority.save(self.folder / "ca")
        for host in ("oz.test", "p1.test"):
            save_issued(authority.issue_web([host], system_wall_clock()), self.folder / host, "web")

    @property
    def zone_domain(self) -> str:
        return f"oz.test:{self.zone_port}"

    @property
    def provider_domain(self) -> str:
        return f"p1.test:{self.provider_port}"

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca" / "ca.pem")

    def zone_client(self) -> Client:
        return self._client(self.zone_domain, self.zone_port)

    def provider_client(self) -> Client:
        return self._client(self.provider_domain, self.provider_port)

    def admin(self) -> Client:
        return self.provider_client().with_password("onepanel", PASSPHRASE)

    def _client(self, domain: str, port: int) -> Client:
        address = ZoneAddress(domain=domain, address=f"127.0.0.1:{port}")
        return Client(domain, zone_agent(reactor, address, load_trust(self.ca_file)))

    async def start_zone(self) -> None:
        state = self.folder / "zone"
        state.mkdir(exist_ok=True)
        config = OzWorkerConfig(
            state_dir=str(state),
            redis=RedisConfig(),
            http=WebSection(
                port=self.zone_port,
                cert=str(self.folder / "oz.test" / "web_cert.pem"),
                key=str(self.folder / "oz.test" / "web_key.pem"),
            ),
            zone=ZoneItself(domain=self.zone_domain, dev_mode=True),
            stop_timeout_s=0.2,
        )
        await self._start("zone", make_oz_worker(reactor, config, system_wall_clock))
        await self.until_up(self.zone_client())

    def provider_config(
        self,
        *,
        zone: ZoneSection | None = None,
        local: LocalSection | None = None,
        node: NodeConfig | None = None,
    ) -> OpWorkerConfig:
        passphrase = self.folder / "passphrase"
        passphrase.write_text(PASSPHRASE + "\n")
        return OpWorkerConfig(
            state_dir=str(self.folder / "provider"),
            emergency_passphrase_file=str(passphrase),
            redis=RedisConfig(),
            http=HttpSection(
                port=self.provider_port,
                cert=str(self.folder / "p1.test" / "web_cert.pem"),
                key=str(self.folder / "p1.test" / "web_key.pem"),
            ),
            zone=zone
            or ZoneSection(
                domain=self.zone_domain,
                address=f"127.0.0.1:{self.zone_port}",
                ca_file=self.ca_file,
                reconnect_first_s=0.1,
            ),
            local=local or LocalSection(),
            node=node or NodeConfig(),
            stop_timeout_s=0.2,
        )

    async def start_provider(self, config: OpWorkerConfig | None = None) -> None:
        await self._start("provider", make_op_worker(reactor, config or self.provider_config()))
        await self.until_up(self.provider_client())

    async def until_up(self, client: Client) -> None:
        async def is_up() -> bool:
            try:
                return b'status="ok"' in (await client("GET", "/nagios")).content
            except Exception:  # noqa: BLE001 - whatever it is, it is not up yet
                return False

        await until(is_up, f"{client.domain} is up")

    async def until_connected(self, expected: str = "ok") -> None:
        async def is_connected() -> bool:
            answer = await self.provider_client()("GET", "/nagios/oz_connectivity")
            return bool(answer.body == {"status": expected})

        await until(is_connected, f"connection to the zone is {expected}")

    async def _start(self, name: str, service: IService) -> None:
        self.services[name] = service
        service.startService()

    async def stop(self, name: str) -> None:
        await maybeDeferred(self.services.pop(name).stopService)

    async def stop_all(self) -> None:
        for name in ("provider", "zone"):
            if name in self.services:
                await self.stop(name)

    # -- the usual content ------------------------------------------------------------------------

    async def user(self, user_id: str) -> tuple[Client, str]:
        """Make a user; return him as a client of the zone, and a token of his."""
        zone = self.zone_client()
        body = {"userId": user_id, "username": user_id, "fullName": user_id, "password": "password"}
        assert (await zone("POST", "/api/v3/onezone/dev/users", body)).status == 204
        client = zone.with_password(user_id, "password")
        token = await client("POST", "/api/v3/onezone/user/tokens/named", {"name": "mine"})
        return client, token.body["token"]

    async def register(self, user: Client) -> Answer:
        """Register the provider p1 for ``user``."""
        kind = {"inviteToken": {"inviteType": "registerOneprovider", "adminUserId": "anna"}}
        wanted = {"name": f"registration {os.urandom(4).hex()}", "type": kind}
        made = await user("POST", "/api/v3/onezone/user/tokens/named", wanted)
        body = {
            "token": made.body["token"],
            "name": "p1",
            "adminEmail": "p1@onedata.org",
            "domain": self.provider_domain,
            "devId": "p1",
        }
        return await self.admin()("POST", "/api/v3/onepanel/provider", body)

    async def support(self, user: Client, space_id: str = "space1") -> Answer:
        """Make a space of anna, a POSIX storage, and join them."""
        body = {"spaceId": space_id, "name": space_id, "creatorId": "anna", "users": [], "groups": []}
        assert (await self.zone_client()("POST", "/api/v3/onezone/dev/spaces", body)).status == 204
        (self.folder / "storage").mkdir(exist_ok=True)
        storage = {"type": "posix", "mountPoint": str(self.folder / "storage"), "id": "st1"}
        added = await self.admin()("POST", "/api/v3/onepanel/provider/storages", {"st": storage})
        assert added.status == 200, added
        token = await user("POST", f"/api/v3/onezone/spaces/{space_id}/providers/token")
        wanted = {"token": token.body["token"], "size": 10**9, "storageId": "st1"}
        return await self.admin()("POST", "/api/v3/onepanel/provider/spaces", wanted)
