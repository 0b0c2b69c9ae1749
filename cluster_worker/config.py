"""Configuration of the bare worker; ``etc/cluster_worker.toml`` is printed from these classes."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge, le

from cluster_worker.http.metrics_page import MetricsSection
from cluster_worker.node.config import NodeConfig
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.runtime.log_files import LogSection

ENVIRONMENT_PREFIX = "CLUSTER_WORKER"


@frozen(kw_only=True)
class HttpSection:
    """The pages on health and metrics, over plain HTTP."""

    address: str = field(default="127.0.0.1", metadata={"help": "Address to listen on; 0.0.0.0 for all."})
    port: int = field(
        default=8080,
        validator=[ge(0), le(65535)],
        metadata={"help": "Port of /nagios, /health and /metrics; customarily 80."},
    )


@frozen(kw_only=True)
class ClusterWorkerConfig:
    """Configuration of cluster-worker, a node without an application (twistd cluster-worker --config FILE).

    Every line shows an option at its default. Overlays in cluster_worker.d/*.toml are read after this file,
    the environment last: CLUSTER_WORKER__HTTP__PORT=80 sets port in [http].
    """

    state_dir: str = field(
        default="var/cluster_worker",
        metadata={"help": "Folder of this node's state: data of the embedded Redis, logs."},
    )
    node: NodeConfig = field(factory=NodeConfig)
    redis: RedisConfig = field(factory=RedisConfig)
    http: HttpSection = field(factory=HttpSection)
    metrics: MetricsSection = field(factory=MetricsSection)
    log: LogSection = field(factory=LogSection)
