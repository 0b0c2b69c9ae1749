"""Configuration of oz-worker; ``etc/oz_worker.toml`` is printed from these classes."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge, gt, le, min_len

from cluster_worker.http.config import HttpSection
from cluster_worker.http.metrics_page import MetricsSection
from cluster_worker.node.config import NodeConfig
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.runtime.log_files import LogSection
from oz_worker.throttle import ThrottleLimits

ENVIRONMENT_PREFIX = "OZ_WORKER"


@frozen(kw_only=True)
class WebSection(HttpSection):
    """The web doors: REST, Graph Sync, health. Durations in seconds, sizes in bytes."""

    port: int = field(
        default=9443,
        validator=[ge(0), le(65535)],
        metadata={
            "help": "Port of HTTPS. Providers and clients expect 443, which needs the right to bind it."
        },
    )


@frozen(kw_only=True)
class ZoneSection:
    """The zone itself."""

    domain: str = field(
        default="localhost:9443",
        validator=min_len(1),
        metadata={"help": "Domain of the zone, with :port when it is not 443; it stands in every token."},
    )
    name: str | None = field(
        default=None, metadata={"help": "Name shown to people.", "example": "My Onezone"}
    )
    open_registration: bool = field(
        default=True,
        metadata={"help": "Whether every user may invite providers; else those with oz_providers_invite."},
    )
    subdomain_delegation: bool = field(
        default=False,
        metadata={"help": "Whether providers may have a subdomain of the zone; somebody must serve its DNS."},
    )
    max_temporary_token_ttl_s: int = field(
        default=2592000,
        validator=gt(0),
        metadata={"help": "Temporary tokens live at most so long (seconds)."},
    )
    dev_mode: bool = field(
        default=False,
        metadata={
            "help": "Opens set-up routes to everybody who reaches this daemon. Only for test environments."
        },
    )
    admin_password_file: str | None = field(
        default=None,
        metadata={
            "help": "File with the password that user admin gets at the first start. Otherwise one is made in"
            " <state_dir>/admin_password.",
            "example": "/etc/onedata/admin_password",
        },
    )


@frozen(kw_only=True)
class OzWorkerConfig:
    """Configuration of oz-worker, the Onezone daemon (twistd oz-worker --config FILE).

    Every line shows an option at its default. Overlays in oz_worker.d/*.toml are read after this file, the
    environment last: OZ_WORKER__HTTP__PORT=443 sets port in [http].
    """

    state_dir: str = field(
        default="var/oz_worker",
        metadata={"help": "Folder of this node's state: data of the embedded Redis, certificate, logs."},
    )
    hashing_threads: int = field(
        default=4, validator=ge(1), metadata={"help": "Threads that compute password hashes."}
    )
    stop_timeout_s: float = field(
        default=10.0,
        validator=ge(0),
        metadata={"help": "Open requests have so long to end at a stop (seconds).", "reload": True},
    )
    zone: ZoneSection = field(factory=ZoneSection)
    http: WebSection = field(factory=WebSection)
    metrics: MetricsSection = field(factory=MetricsSection)
    log: LogSection = field(factory=LogSection)
    login: ThrottleLimits = field(factory=ThrottleLimits)
    node: NodeConfig = field(factory=NodeConfig)
    redis: RedisConfig = field(factory=RedisConfig)
