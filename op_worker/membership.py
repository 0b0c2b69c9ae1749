"""Where users and spaces come from: a zone, or the configuration of a provider that has none."""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from attrs import evolve, frozen
from twisted.application.service import Service
from twisted.logger import Logger

from cluster_worker.persistence.engine import Engine
from cluster_worker.runtime.clock import system_wall_clock
from cluster_worker.runtime.services import OrderedService
from cluster_worker.runtime.state_folder import read_or_make_secret, write_secret
from onedata.errors import MissingRequiredValue
from onedata.ids import ProviderId, SpaceId, StorageId, UserId
from onedata.privileges import SPACE_ADMIN, SPACE_MEMBER
from op_worker.config import LocalSection, LocalSpace, ZoneSection
from op_worker.http.rest.configuration import PRODUCT_VERSION
from op_worker.storage.helper import StorageError
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages
from op_worker.storage.types import BadStorageError
from op_worker.zone.administration import AdministeredZone
from op_worker.zone.authenticator import ZoneAuthenticator
from op_worker.zone.backoff import Backoff
from op_worker.zone.channel import ChannelTimes, ZoneChannel
from op_worker.zone.client import ZoneClient
from op_worker.zone.connection import ZoneAddress, load_trust, zone_agent, zone_endpoint
from op_worker.zone.directory import StaticZone
from op_worker.zone.link import LinkTimes, WebSocketConnector
from op_worker.zone.local import PROVIDER_ID, LocalAuthenticator, NoZone, mint_local_token
from op_worker.zone.records import SpaceInfo, UserInfo
from op_worker.zone.registering import RegistrationRequest, register_at_zone
from op_worker.zone.registration import Registration
from op_worker.zone.session import OnPush
from op_worker.zone.store import ZoneStore

_log = Logger()


@frozen(eq=False)
class ZoneMembership:
    """The provider is, or will be, registered in a zone."""

    zone: ZoneClient
    authenticator: ZoneAuthenticator
    service: OrderedService

    @property
    def administered(self) -> AdministeredZone:
        """The same zone."""
        return self.zone

    async def load(self, storages: Storages) -> None:
        """Take over what the zone told earlier runs."""
        stored = await self.zone.load()
        self.authenticator.load(stored.tokens)

    def use(self, config: ZoneSection) -> None:
        """Take into use at once what may change while the daemon runs."""
        self.authenticator.recheck_s = config.token_recheck_s

    def is_connected(self) -> bool:
        """Whether the zone can be asked now."""
        return self.zone.is_connected


def make_zone_membership(reactor: Any, config: ZoneSection, engine: Engine, node_name: str) -> ZoneMembership:
    """Join the parts that speak with a zone. Raises: UnusableCertificateError."""
    trust = load_trust(config.ca_file)
    store = ZoneStore(engine)

    def make_channel(
        registration: Registration, on_ready: Callable[[], Awaitable[None]], on_push: OnPush
    ) -> ZoneChannel:
        connector = WebSocketConnector(
            reactor,
            zone_endpoint(reactor, _address(config, registration.zone_domain), trust),
            f"wss://{registration.zone_domain}/graph_sync/provider",
            LinkTimes(ping_interval_s=config.ping_interval_s, ping_timeout_s=config.ping_timeout_s),
        )
        return ZoneChannel(
            connector.connect,
            registration,
            clock=reactor,
            backoff=_backoff(config),
            on_ready=on_ready,
            on_push=on_push,
            times=ChannelTimes(reply_timeout_s=config.request_timeout_s),
        )

    async def register(request: RegistrationRequest) -> Registration:
        domain = request.zone_domain or config.domain
        if domain is None:
            raise MissingRequiredValue("zoneUrl")
        agent = zone_agent(reactor, _address(config, domain), trust)
        return await register_at_zone(agent, reactor, domain, request)

    zone = ZoneClient(
        store,
        clock=reactor,
        make_channel=make_channel,
        register=register,
        version=PRODUCT_VERSION,
        node_name=node_name,
    )
    authenticator = ZoneAuthenticator(
        zone,
        store,
        clock=reactor,
        wall_clock=system_wall_clock,
        recheck_s=config.token_recheck_s,
        most_tokens=config.remembered_tokens,
    )
    service = OrderedService()
    zone.setServiceParent(service)
    authenticator.setServiceParent(service)
    return ZoneMembership(zone, authenticator, service)


def _address(config: ZoneSection, domain: str) -> ZoneAddress:
    return ZoneAddress(domain=domain, address=config.address)


def _backoff(config: ZoneSection) -> Backoff:
    return Backoff(
        random.random,
        first_s=config.reconnect_first_s,
        factor=config.reconnect_factor,
        limit_s=config.reconnect_limit_s,
    )


@frozen(eq=False)
class LocalMembership:
    """The provider has no zone: users and spaces are those of the configuration."""

    zone: StaticZone
    authenticator: LocalAuthenticator
    administered: NoZone
    service: Service
    spaces: tuple[tuple[SpaceId, LocalSpace], ...]

    async def load(self, storages: Storages) -> None:
        """Make the storages and supports of the local spaces."""
        for space_id, space in self.spaces:
            storage_id = StorageId(f"local-{space_id}")
            record = StorageRecord(storage_id=storage_id, name=space.storage, type="posix")
            known = storages.get(storage_id)
            if known is not None:
                record = known.record  # with what administrators changed
            record = evolve(record, arguments={**record.arguments, "mountPoint": space.storage})
            try:
                await storages.add_storage(record)
                await storages.support(space_id, storage_id, space.size_b)
            except (StorageError, BadStorageError) as error:
                _log.error("space {space_id} is without its storage: {error}", space_id=space_id, error=error)

    def use(self, config: ZoneSection) -> None:
        """Nothing of a zone is used."""

    def is_connected(self) -> bool:
        """There is no zone to be connected with."""
        return False


def make_local_membership(config: LocalSection, folder: Path) -> LocalMembership:
    """Build users and spaces of the configuration; write the tokens that are not there yet."""
    secret = read_or_make_secret(folder / "local_token_secret", lambda: os.urandom(32).hex())
    users = [_user(config, UserId(user_id)) for user_id in config.users]
    for user_id, user in config.users.items():
        path = Path(user.token_file or folder / "tokens" / user_id)
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_secret(path, mint_local_token(UserId(user_id), secret))
            _log.info("a token of local user {user} is in {path}", user=user_id, path=str(path))
    spaces = [_space(SpaceId(space_id), space) for space_id, space in config.spaces.items()]
    zone = StaticZone(users, spaces, provider_id=ProviderId(PROVIDER_ID), provider_name=PROVIDER_ID)
    authenticator = LocalAuthenticator(secret, [user.user_id for user in users], system_wall_clock)
    own = tuple((SpaceId(space_id), space) for space_id, space in config.spaces.items())
    return LocalMembership(zone, authenticator, NoZone(zone), Service(), own)


def _user(config: LocalSection, user_id: UserId) -> UserInfo:
    spaces = tuple(
        SpaceId(space_id)
        for space_id, space in config.spaces.items()
        if user_id in (space.owner, *space.members)
    )
    full_name = config.users[user_id].full_name or user_id
    return UserInfo(user_id=user_id, full_name=full_name, username=user_id, spaces=spaces)


def _space(space_id: SpaceId, space: LocalSpace) -> SpaceInfo:
    provider_id, owner = ProviderId(PROVIDER_ID), UserId(space.owner)
    privileges = {UserId(member): SPACE_MEMBER for member in space.members}
    return SpaceInfo(
        space_id=space_id,
        name=space.name or space_id,
        supports={provider_id: space.size_b},
        provider_names={provider_id: PROVIDER_ID},
        owners=frozenset([owner]),
        user_privileges={**privileges, owner: SPACE_ADMIN},
    )


Membership = ZoneMembership | LocalMembership
"""Users, spaces and tokens of a provider, wherever they come from."""
