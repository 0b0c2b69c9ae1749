"""The parts of op-worker that are made anew at each boot, and how they are joined."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from attrs import frozen
from twisted.application.service import IService
from twisted.logger import Logger

from cluster_worker.feeds.compaction import FeedCompaction
from cluster_worker.feeds.metrics import FeedMetrics
from cluster_worker.health import NagiosResource
from cluster_worker.http.access_log import AccessLog, AppendingFile
from cluster_worker.http.certificate_watch import CertificateWatch
from cluster_worker.http.site import StreamingSite
from cluster_worker.http.tls import WebListener
from cluster_worker.jobs.metrics import JobMetrics
from cluster_worker.jobs.service import Jobs
from cluster_worker.node.preference import Preference
from cluster_worker.persistence.config import Durability as RedisDurability
from cluster_worker.persistence.engine import Engine, Scope
from cluster_worker.persistence.measured import MeasuredEngine, StoreMetrics
from cluster_worker.persistence.setup import make_engine
from cluster_worker.runtime.clock import system_wall_clock
from cluster_worker.runtime.pool import BlockingPool
from cluster_worker.runtime.randomness import PooledRandom
from cluster_worker.runtime.services import OrderedService
from cluster_worker.runtime.spool import Spools
from cluster_worker.wire.errors import BadRequest
from cluster_worker.wire.fields import Payload
from op_worker.administration.storages import StorageAdministration
from op_worker.administration.supports import SpaceSupports
from op_worker.auth.throttle import FailureThrottle
from op_worker.background import make_jobs, make_ownership
from op_worker.changes.service import ChangeStreams
from op_worker.changes.states import is_forgettable
from op_worker.config import OpWorkerConfig
from op_worker.domains.service import Domains
from op_worker.downloads.service import Downloads
from op_worker.files.charging.charging_job import ChargingAnew, charge_soon_by
from op_worker.files.content.draining import Draining
from op_worker.files.content.draining_job import DrainingTraverse
from op_worker.files.removing.tree_deletion import TreeDeletion, purge_soon_by
from op_worker.files.rules.offer import Offer
from op_worker.files.service import FileService
from op_worker.files.stored.documents import META
from op_worker.files.stored.paths import INODES, STAGING
from op_worker.fsck.job import FsckTraverse
from op_worker.fsck.tools import Tools
from op_worker.ground import Ground
from op_worker.http.cdmi.door import CdmiDoor
from op_worker.http.cdmi.queues.represented import WholeRepresentation
from op_worker.http.downloads.door import DownloadDoor
from op_worker.http.fresh_reads import Freshness, FreshReads
from op_worker.http.panel.checks import ChecksPanel
from op_worker.http.panel.door import PanelDoor
from op_worker.http.panel.draining import DrainingPanel
from op_worker.http.panel.guard import PanelGuard
from op_worker.http.panel.importing import ImportingPanel
from op_worker.http.panel.jobs import JobsPanel
from op_worker.http.panel.mappings import MappingsPanel
from op_worker.http.panel.placements import PlacementsPanel
from op_worker.http.panel.provider import ProviderPanel
from op_worker.http.panel.spaces import SpacesPanel
from op_worker.http.panel.storages import StoragesPanel
from op_worker.http.rest.configuration import ProductInfo, configuration_document
from op_worker.http.rest.door import RestDoor
from op_worker.http.root import Doors, make_root
from op_worker.http.shares.door import ShareDoor
from op_worker.http.tus.door import TusDoor
from op_worker.importing.parts import ImportingParts, make_importing
from op_worker.mapping.acting import ActingUsers
from op_worker.mapping.administration import MappingAdministration
from op_worker.mapping.external import ExternalFeed, feed_agent
from op_worker.mapping.service import UserMapping
from op_worker.mapping.showing import ShownOwners
from op_worker.membership import Membership, make_local_membership, make_zone_membership
from op_worker.metrics.exposed import SpaceMetrics
from op_worker.metrics.service import MetricsService, make_metrics
from op_worker.queue_services.service import QueueServices
from op_worker.search.service import Searching
from op_worker.shares.passwords import SharePasswords, make_hasher
from op_worker.shares.service import Shares
from op_worker.snapshots.service import Snapshots
from op_worker.snapshots.watching import SnapshotWatch, Watching
from op_worker.statistics.service import StatisticsService, make_statistics
from op_worker.storage.health.checks import HealthMetrics
from op_worker.storage.health.nodes import WORKER
from op_worker.storage.health.service import StorageHealth, make_detection, make_health
from op_worker.storage.helpers.posix.helper import POSIX
from op_worker.storage.helpers.posix.identity import can_act_as_others
from op_worker.storage.registry import Storages
from op_worker.storage.types import Durability
from op_worker.storage.wrappers.measured import StorageMetrics
from op_worker.uploads.service import Uploads
from op_worker.zone.administration import ProviderAdministration
from op_worker.zone.connection import load_trust

_log = Logger()


@frozen(eq=False)
class ProviderParts:
    """What is made anew at each boot; see ``op_worker.boot.Parts``."""

    ground: Ground
    engine: Engine
    engine_service: IService
    membership: Membership
    storages: Storages
    mapping: UserMapping
    supports: SpaceSupports
    files: FileService
    search_thread: BlockingPool
    searching: Searching
    compaction: FeedCompaction
    changes: ChangeStreams
    shares: Shares
    statistics: StatisticsService
    downloads: Downloads
    uploads: Uploads
    snapshots: Snapshots
    queue_services: QueueServices
    jobs: Jobs
    metrics: MetricsService
    importing: ImportingParts
    health: StorageHealth

    @staticmethod
    def make(ground: Ground) -> ProviderParts:
        """Make store, membership, storages and files, none of them started."""
        reactor, config = ground.reactor, ground.config
        engine_service, bare_engine = make_engine(reactor, config.redis, str(ground.folder))
        store_metrics = StoreMetrics(bare_engine)
        engine: Engine = MeasuredEngine(bare_engine, store_metrics, reactor)
        membership: Membership
        if config.local.users:
            membership = make_local_membership(config.local, ground.folder)
        else:
            membership = make_zone_membership(reactor, config.zone, engine, config.node.node_name)
        is_power = config.redis.durability is RedisDurability.POWER
        durability = Durability.POWER if is_power else Durability.PROCESS
        detect = make_detection(ground.node, config.node.node_name, reactor)
        storages = Storages(engine, ground.pool, reactor, durability, settings=config.storage, detect=detect)
        health = make_health(reactor, storages)
        trust = load_trust(config.zone.ca_file)
        mapping = UserMapping(
            engine, membership.zone, storages, ExternalFeed(feed_agent(reactor, trust), reactor), reactor
        )
        jobs = make_jobs(reactor, engine, ground.node, membership.zone.supported_spaces)
        files = FileService(
            engine,
            membership.zone,
            storages,
            clock=reactor,
            wall_clock=system_wall_clock,
            random_bytes=PooledRandom(os.urandom),
            node_name=config.node.node_name,
            offer=Offer(countries=config.provider.countries),
            purge_soon=purge_soon_by(jobs),
            charge_soon=charge_soon_by(jobs),
            sharing=Preference(config.node.node_name, lambda: ground.node.ring),
            acting=ActingUsers(storages, mapping, (STAGING, INODES)),
        )
        jobs.offer(TreeDeletion(files.trash))
        jobs.offer(FsckTraverse(Tools.of(files.context)))
        jobs.offer(ChargingAnew(files.context.recharging.walks))
        jobs.offer(DrainingTraverse(files.context, Draining(files.context)))
        importing = make_importing(files.context, jobs, mapping, membership.zone.supported_spaces, reactor)
        passwords = SharePasswords(reactor, ground.pool, os.urandom, make_hasher(), FailureThrottle())
        shares = Shares(files, passwords, wall_clock=system_wall_clock)
        statistics = make_statistics(
            engine,
            files,
            storages,
            clock=reactor,
            wall_clock=system_wall_clock,
        )
        search_thread = BlockingPool(reactor, 1, "search")
        searching = Searching(
            files.context,
            membership.zone.supported_spaces,
            ground.folder / "search",
            thread=search_thread,
            clock=reactor,
        )
        compaction = FeedCompaction(
            engine,
            lambda: [Scope(space_id) for space_id in membership.zone.supported_spaces()],
            field=META,
            is_forgettable=is_forgettable,
            wall_clock=system_wall_clock,
            works=files.context.works,
        )
        downloads = Downloads(files, engine, wall_clock=system_wall_clock, random_bytes=os.urandom)
        uploads = Uploads(
            files,
            engine,
            wall_clock=system_wall_clock,
            random_bytes=os.urandom,
            blocking=ground.pool,
        )
        queue_services = QueueServices(
            files,
            WholeRepresentation(),
            membership.zone.supported_spaces,
            clock=reactor,
            wall_clock=system_wall_clock,
        )
        metrics = make_metrics(
            engine,
            files.context,
            membership.zone.supported_spaces,
            make_ownership(ground.node),
            clock=reactor,
            wall_clock=system_wall_clock,
            flush_s=config.metrics.flush_s,
            has_users=config.metrics.users,
            user_usage_s=config.metrics.user_usage_s,
        )
        snapshots = Snapshots(files, clock=reactor, watching=Watching(jobs))
        jobs.offer(SnapshotWatch(snapshots))
        readers = (searching.reader, statistics.reader.feed, queue_services.reader.feed)
        ground.observed.pools.watch("search", search_thread)
        ground.observed.of_boot.use(
            (
                *(store_metrics, FeedMetrics(bare_engine, readers), StorageMetrics(storages)),
                HealthMetrics(storages),
                *(JobMetrics(jobs), SpaceMetrics(metrics, storages)),
            )
        )
        supports = SpaceSupports(membership.administered, membership.zone, storages, engine, reactor)
        return ProviderParts(
            *(ground, engine, engine_service, membership, storages, mapping, supports, files),
            *(search_thread, searching, compaction, ChangeStreams(files.context, reactor), shares),
            *(statistics, downloads, uploads, snapshots, queue_services),
            *(jobs, metrics, importing, health),
        )

    def start_engine(self, parent: OrderedService) -> None:
        """Add the store's service."""
        self.engine_service.setServiceParent(parent)

    async def start_workers(self, parent: OrderedService) -> None:
        """Load what is kept; add zone, storages and files."""
        await self.storages.load()
        self.storages.setServiceParent(parent)
        await self.membership.load(self.storages)
        self.membership.service.setServiceParent(parent)
        self._tell_who_acts()
        for service in (
            *(self.mapping, self.supports, self.files, self.shares),
            *(self.search_thread, self.searching, self.compaction),
            *(self.statistics, self.downloads, self.uploads, self.snapshots, self.queue_services),
            *(self.jobs, self.metrics, self.importing.following, self.health.checks),
        ):
            service.setServiceParent(parent)

    def _tell_who_acts(self) -> None:
        is_posix = any(storage.record.type == POSIX.name for storage in self.storages.all())
        if is_posix and not can_act_as_others():
            _log.warn("posix storages: this daemon is not root, so all users act there under its own uid")

    async def answer_call(self, worker: str, payload: Payload) -> Payload:
        """Answer another node, which tries a storage together with this one."""
        if worker != WORKER:
            raise BadRequest(f"no worker {worker}")
        return await self.health.worker.answer(payload)

    def storage_problems(self) -> Mapping[str, str]:
        """What keeps storages from being used, by their names."""
        return self.health.checks.problems()

    def start_listeners(self, parent: OrderedService) -> None:
        """Begin to serve HTTPS."""
        reactor, http = self.ground.reactor, self.ground.config.http
        access_log = AccessLog(
            AppendingFile(self.ground.folder / "log" / "access.log"),
            clock=reactor,
            wall_clock=system_wall_clock,
            blocking=self.ground.pool,
        )
        freshness = Freshness(
            (self.storages.load, self.membership.administered.refresh, self.files.context.settings.forget)
        )
        site = StreamingSite(
            FreshReads(self._root(), freshness),
            clock=reactor,
            limits=http.limits,
            access_log=access_log,
            traffic=self.ground.observed.traffic,
        )
        tls, files = self.ground.secrets.tls, self.ground.secrets.certificate_files
        grace_s = self.ground.config.stop_timeout_s
        listener = WebListener(reactor, http.address, http.port, site, tls, grace_s=grace_s)
        watch = CertificateWatch(tls, files, clock=reactor, blocking=self.ground.pool)

        def use(config: OpWorkerConfig) -> None:
            listener.use(config.http.limits, config.stop_timeout_s)
            self.membership.use(config.zone)

        following = self.ground.running.follow(use)
        for service in (access_log, watch, freshness, listener, self.changes, following):
            service.setServiceParent(parent)
        _log.info("serving HTTPS on {address}:{port}", address=http.address, port=listener.port)

    def _root(self) -> Any:
        zone, node, authenticator = self.membership.zone, self.ground.node, self.membership.authenticator
        product = ProductInfo()
        rest = RestDoor(
            self.files,
            zone,
            authenticator,
            searching=self.searching,
            changes=self.changes,
            shares=self.shares,
            downloads=self.downloads,
            product=product,
            is_serving=lambda: node.is_ready,
            is_healthy=lambda: node.is_ready,
            statistics=self.statistics.answers,
            metrics=self.metrics.answers,
            owners=ShownOwners(self.storages, self.mapping, self.ground.reactor),
            registering=self.importing.registering,
        )
        storages = StorageAdministration(self.storages, self.mapping, os.urandom, self.health.tests)
        administration = ProviderAdministration(self.membership.administered, self.storages)
        spools = Spools(self.ground.folder, self.ground.pool)
        domains = Domains(self.files, zone, self.statistics.answers, system_wall_clock)
        guard = PanelGuard(self.ground.secrets.passphrase, self.ground.reactor, FailureThrottle())
        importing = ImportingPanel(self.importing.imports, self.importing.looking)
        panel_routes = [
            *ProviderPanel(administration).routes(),
            *StoragesPanel(storages).routes(),
            *MappingsPanel(MappingAdministration(self.storages, self.mapping, os.urandom)).routes(),
            *SpacesPanel(administration, self.supports, importing).routes(),
            *importing.routes(),
            *PlacementsPanel(self.storages, self.files.context.choosing.policies).routes(),
            *DrainingPanel(self.storages, self.jobs).routes(),
            *ChecksPanel(self.jobs, zone.supported_spaces).routes(),
            *JobsPanel(self.jobs).routes(),
        ]
        doors = Doors(
            rest=rest.resource,
            tus=TusDoor(self.uploads, self.files, authenticator, is_serving=lambda: node.is_ready).resource,
            download=DownloadDoor(self.downloads, is_serving=lambda: node.is_ready).resource,
            cdmi=CdmiDoor(
                self.files,
                authenticator.authenticate,
                snapshots=self.snapshots,
                domains=domains,
                queue_services=self.queue_services,
                spools=spools,
            ).resource,
            panel=PanelDoor(guard, panel_routes).resource,
            share=ShareDoor(
                self.files, self.shares, self.downloads, is_serving=lambda: node.is_ready
            ).resource,
            nagios=NagiosResource(node, system_wall_clock),
        )
        root = make_root(
            doors,
            configuration=lambda: configuration_document(zone, product),
            is_zone_connected=self.membership.is_connected,
        )
        self.ground.observed.mount_on(root)
        return root
