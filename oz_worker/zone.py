"""Everything the zone consists of, joined; the composition that daemon and tests share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from argon2 import PasswordHasher
from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import Engine
from cluster_worker.runtime.clock import WallClock
from cluster_worker.runtime.pool import Blocking
from cluster_worker.runtime.services import OrderedService
from oz_worker.authentication import Authenticator
from oz_worker.bootstrap import ensure_admin, ensure_admin_group, needs_admin
from oz_worker.config import ZoneSection
from oz_worker.draft import Draft
from oz_worker.fresh import Fresh
from oz_worker.graphsync.operations import ProviderOperations
from oz_worker.graphsync.parts import SessionParts
from oz_worker.graphsync.websocket import GraphSync, GraphSyncFactory, GraphSyncResource
from oz_worker.invitations import Invitations
from oz_worker.issuing import Issuer
from oz_worker.online import Online
from oz_worker.passwords import Passwords, make_hasher
from oz_worker.registration import Registration
from oz_worker.rest.belongings import BELONGINGS, Belongings
from oz_worker.rest.clusters import Clusters
from oz_worker.rest.current_provider import CurrentProvider
from oz_worker.rest.current_user import CurrentUser
from oz_worker.rest.development import Development
from oz_worker.rest.groups import Groups
from oz_worker.rest.memberships import RELATIONS, Memberships
from oz_worker.rest.named_tokens import NamedTokens
from oz_worker.rest.one_shot_tokens import OneShotTokens
from oz_worker.rest.providers import Providers
from oz_worker.rest.routes import Route, RouteDoor, routes_of
from oz_worker.rest.spaces import Spaces
from oz_worker.rest.subject_tokens import OWNERS, SubjectTokens, TokenDesk
from oz_worker.rest.token_checks import TokenChecks
from oz_worker.rest.users import Users
from oz_worker.rest.zone import PRODUCT_VERSION, ZoneInfo, ZoneRoutes
from oz_worker.store import ZoneStore
from oz_worker.throttle import LoginThrottle, ThrottleLimits
from oz_worker.verification import TokenVerifier


@frozen(kw_only=True)
class ZoneMeans:
    """What a zone takes from the world.

    Attributes:
        reactor: for time and WebSockets.
        blocking: where password hashes are computed.
    """

    reactor: Any
    engine: Engine
    blocking: Blocking
    wall_clock: WallClock
    random_bytes: Callable[[int], bytes]
    hasher: PasswordHasher = field(factory=make_hasher)


class ZoneService(OrderedService):
    """The zone: call ``load`` before its doors are opened.

    Attributes:
        door: the REST routes.
        graph_sync: the resource of the providers' channel.
        info: what the zone tells of itself.
    """

    def __init__(self, means: ZoneMeans, config: ZoneSection, login: ThrottleLimits) -> None:
        super().__init__()
        clock: IReactorTime = means.reactor
        self._config = config
        self._fresh = Fresh(means.wall_clock, means.random_bytes)
        self.online = Online()
        self.info = ZoneInfo(config.name, config.domain, PRODUCT_VERSION, config.subdomain_delegation)
        self.store = ZoneStore(clock, means.engine)
        self.store.setServiceParent(self)
        self._passwords = Passwords(
            clock, means.blocking, LoginThrottle(login), means.hasher, means.random_bytes
        )
        self._verifier = TokenVerifier(self.store.state)
        self._issuer = Issuer(config.domain, self._fresh, config.max_temporary_token_ttl_s)
        self._invitations = Invitations(
            self.store, self._verifier, means.wall_clock, open_registration=config.open_registration
        )
        self._registration = Registration(
            self._invitations,
            self._issuer,
            self._fresh,
            config.domain,
            delegates_subdomains=config.subdomain_delegation,
        )
        self._authenticator = Authenticator(
            self.store.state, self._verifier, self._passwords, means.wall_clock
        )
        self.door = RouteDoor(
            self._routes(means.wall_clock), self.store.state, self._authenticator.request, config.domain
        )
        hub = self._make_hub(clock, means.wall_clock)
        self.graph_sync = GraphSyncResource(GraphSyncFactory(hub, means.reactor))

    async def load(self) -> None:
        """Read the stored zone and follow its changes from now on. Raises: PersistenceUnavailable."""
        await self.store.load()

    async def bootstrap(self, first_password: Callable[[], str]) -> None:
        """Make what a new zone lacks. Outside ``dev_mode`` that is also the user ``admin``.

        Args:
            first_password: asked for the password of ``admin`` only when he is made.
        """
        await self.store.change(lambda draft: ensure_admin_group(draft, self._fresh))
        if self._config.dev_mode or not needs_admin(Draft(self.store.state)):
            return
        hashed = await self._passwords.hash(first_password())
        await self.store.change(lambda draft: ensure_admin(draft, self._fresh, hashed))

    def _make_hub(self, clock: IReactorTime, wall_clock: WallClock) -> GraphSync:
        operations = ProviderOperations(self.store, self._verifier, self._invitations, wall_clock)
        attributes = {
            "zoneName": self._config.name,
            "zoneDomain": self._config.domain,
            "serviceVersion": PRODUCT_VERSION,
        }
        parts = SessionParts(
            clock, self.store.state, self._authenticator, operations, self.online, attributes
        )
        hub = GraphSync(parts, self.store, self._fresh.id)
        hub.setServiceParent(self)
        return hub

    def _routes(self, wall_clock: WallClock) -> list[Route]:
        store, fresh, online = self.store, self._fresh, self.online
        desk = TokenDesk(store, self._issuer, self._verifier, self._config.open_registration)
        one_shot = OneShotTokens(desk, fresh)
        subjects: list[object] = [
            ZoneRoutes(self.info),
            CurrentUser(store, self._passwords, online),
            Users(store, fresh, self._passwords),
            Groups(store, fresh, online),
            Spaces(store, fresh, online),
            Providers(store, self._registration, online),
            CurrentProvider(store, self._verifier, online, wall_clock),
            Clusters(store),
            TokenChecks(self._verifier, wall_clock, online),
            NamedTokens(store),
            one_shot,
        ]
        if self._config.dev_mode:
            subjects.append(Development(store, fresh, self._passwords, self._registration))
        routes = [item for subject in subjects for item in routes_of(subject)]
        routes += one_shot.routes()
        for relation in RELATIONS:
            routes += Memberships(relation, store).routes()
        for belonging in BELONGINGS:
            routes += Belongings(belonging, store, fresh, self._invitations).routes()
        for token_owner in OWNERS:
            routes += SubjectTokens(token_owner, desk).routes()
        return routes
