"""The configuration of the cluster-manager."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge, gt, le

from cluster_manager.dns.config import DnsSection
from cluster_manager.election import LeaseRules
from cluster_manager.http.config import HttpSection
from cluster_manager.membership.rules import MembershipRules
from cluster_manager.settings import ManagerSettings
from cluster_worker.http.metrics_page import MetricsSection
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.runtime.log_files import LogSection
from cluster_worker.wire.connections import Address
from cluster_worker.wire.steps import BootStep

ENVIRONMENT_PREFIX = "CLUSTER_MANAGER"


def _seconds(default: float, meaning: str) -> float:
    option: float = field(default=default, validator=gt(0), metadata={"help": f"Seconds {meaning}"})
    return option


@frozen(kw_only=True)
class ClusterManagerSection:
    """The cluster and how long its manager waits."""

    node_name: str = field(
        default="cm@127.0.0.1",
        metadata={"help": "Name of this manager, name@host; its certificate carries the same name."},
    )
    listen_address: str = field(
        default="127.0.0.1", metadata={"help": "Address on which workers reach the manager."}
    )
    port: int = field(
        default=5055,
        validator=[ge(0), le(65535)],
        metadata={"help": "Port for workers; 0 takes any free one."},
    )
    worker_num: int = field(
        default=1,
        validator=ge(1),
        metadata={"help": "How many worker nodes the first boot waits for; others may join and leave later."},
    )
    key_associated_nodes: int = field(
        default=1,
        validator=ge(1),
        metadata={
            "help": "How many nodes are responsible for each key: the owner of its hash slot and the next."
        },
    )
    lease_ttl_s: float = _seconds(
        3.0, "the lead of a manager lasts when it is not renewed; only with several managers, see [redis]."
    )
    lease_renew_s: float = _seconds(
        1.0,
        "between two renewals of the lead; at most half of lease_ttl_s. A standby asks four times as often.",
    )
    node_loss_grace_s: float = _seconds(10.0, "a worker may be without link before it counts as lost.")
    heartbeat_interval_s: float = _seconds(
        0.5, "between a worker's heartbeats; one that is silent for twice as long counts as fully loaded."
    )
    lb_advices_update_interval_s: float = _seconds(0.5, "between two rounds of load advice.")
    start_default_workers_timeout_s: float = _seconds(600.0, "for the boot step start_default_workers.")
    prepare_for_custom_workers_timeout_s: float = _seconds(
        120.0, "for the boot step prepare_for_custom_workers."
    )
    start_custom_workers_timeout_s: float = _seconds(300.0, "for the boot step start_custom_workers.")
    prepare_for_upgrade_timeout_s: float = _seconds(120.0, "for the boot step prepare_for_upgrade.")
    upgrade_cluster_timeout_s: float = _seconds(3600.0, "for the boot step upgrade_cluster.")
    start_listeners_timeout_s: float = _seconds(480.0, "for the boot step start_listeners.")
    cluster_ready_timeout_s: float = _seconds(120.0, "for all components to become well after the last step.")
    cluster_status_caching_time_s: float = _seconds(15.0, "a status without problems is kept.")
    cluster_component_healthcheck_timeout_s: float = _seconds(10.0, "a worker may take to report its health.")

    def __attrs_post_init__(self) -> None:
        if 2 * self.lease_renew_s > self.lease_ttl_s:
            raise ValueError("lease_renew_s has to be at most half of lease_ttl_s")


@frozen(kw_only=True)
class TlsSection:
    """Certificates of the cluster; leave all three out to have them made in the state folder."""

    ca: str = field(default="", metadata={"help": "PEM file of the cluster's certificate authority."})
    cert: str = field(default="", metadata={"help": "PEM file of the manager's certificate and its chain."})
    key: str = field(default="", metadata={"help": "PEM file of the manager's private key."})

    def __attrs_post_init__(self) -> None:
        given = (self.ca, self.cert, self.key)
        if any(given) and not all(given):
            raise ValueError("ca, cert and key belong together: give all three or none")

    @property
    def is_given(self) -> bool:
        return bool(self.ca)


@frozen(kw_only=True)
class ClusterManagerConfig:
    """Everything the cluster-manager can be told.

    Managers of one cluster that share its Redis elect a leader. Without ``redis.url`` this manager is the
    only one; it has no server of its own, and no use for the durability that is asked of one.
    """

    state_dir: str = field(
        default="var/cluster_manager",
        metadata={
            "help": "Folder for certificates the manager makes itself, and for the logs; relative to the"
            " working directory."
        },
    )
    cluster_manager: ClusterManagerSection = field(
        factory=ClusterManagerSection, metadata={"help": "The cluster and how long its manager waits."}
    )
    tls: TlsSection = field(
        factory=TlsSection,
        metadata={"help": "Certificates; without them an authority of its own is made in the state folder."},
    )
    http: HttpSection = field(factory=HttpSection)
    metrics: MetricsSection = field(factory=MetricsSection)
    dns: DnsSection = field(factory=DnsSection)
    log: LogSection = field(factory=LogSection)

    redis: RedisConfig = field(
        factory=RedisConfig,
        metadata={
            "help": "The Redis of the cluster, the same as the workers'; without url this manager is alone."
        },
    )

    def __attrs_post_init__(self) -> None:
        if self.redis.is_memory:
            raise ValueError("managers cannot share redis.url 'memory:'; leave it out for a sole manager")

    @property
    def lease(self) -> LeaseRules:
        """How the lead is held when there are several managers."""
        section = self.cluster_manager
        return LeaseRules(ttl_s=section.lease_ttl_s, renew_s=section.lease_renew_s)

    def settings(self, release: str = "") -> ManagerSettings:
        """What the service needs to know of it."""
        section = self.cluster_manager
        rules = MembershipRules(
            worker_num=section.worker_num,
            owners=section.key_associated_nodes,
            grace_s=section.node_loss_grace_s,
            step_timeouts_s=_step_timeouts(section),
            ready_timeout_s=section.cluster_ready_timeout_s,
        )
        return ManagerSettings(
            node_name=section.node_name,
            listen=Address(section.listen_address, section.port),
            rules=rules,
            heartbeat_interval_s=section.heartbeat_interval_s,
            advice_interval_s=section.lb_advices_update_interval_s,
            healthcheck_timeout_s=section.cluster_component_healthcheck_timeout_s,
            status_lifetime_s=section.cluster_status_caching_time_s,
            release=release,
        )


def _step_timeouts(section: ClusterManagerSection) -> dict[BootStep, float]:
    return {
        BootStep.START_DEFAULT_WORKERS: section.start_default_workers_timeout_s,
        BootStep.PREPARE_FOR_CUSTOM_WORKERS: section.prepare_for_custom_workers_timeout_s,
        BootStep.START_CUSTOM_WORKERS: section.start_custom_workers_timeout_s,
        BootStep.PREPARE_FOR_UPGRADE: section.prepare_for_upgrade_timeout_s,
        BootStep.UPGRADE_CLUSTER: section.upgrade_cluster_timeout_s,
        BootStep.START_LISTENERS: section.start_listeners_timeout_s,
    }
