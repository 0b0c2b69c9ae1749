"""The ``[node]`` section of a worker's configuration."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge, gt, le

from cluster_worker.wire.connections import Address


def _check_addresses(_: object, __: object, addresses: tuple[str, ...]) -> None:
    for address in addresses:
        Address.parse(address)


@frozen(kw_only=True)
class NodeConfig:
    """How a worker node takes part in its cluster."""

    node_name: str = field(
        default="worker@127.0.0.1",
        metadata={
            "help": "Name of this node in the cluster, name@host; its certificate carries the same name."
        },
    )
    listen_address: str = field(
        default="127.0.0.1",
        metadata={"help": "Address on which other nodes reach this one; used only when cm_nodes is set."},
    )
    port: int = field(
        default=0,
        validator=[ge(0), le(65535)],
        metadata={"help": "Port for other nodes; 0 takes any free one, the manager tells the others which."},
    )
    cm_nodes: tuple[str, ...] = field(
        default=(),
        validator=_check_addresses,
        metadata={
            "help": "Cluster-managers as host:port, tried in order; their certificates have to be valid for"
            " these hosts. Without any the node stands alone."
        },
    )
    tls_ca: str = field(default="", metadata={"help": "PEM file of the cluster's certificate authority."})
    tls_cert: str = field(default="", metadata={"help": "PEM file of this node's certificate and its chain."})
    tls_key: str = field(default="", metadata={"help": "PEM file of this node's private key."})
    heartbeat_interval_s: float = field(
        default=0.5, validator=gt(0), metadata={"help": "Seconds between two heartbeats to the manager."}
    )
    cm_connection_retry_period_s: float = field(
        default=1.0, validator=gt(0), metadata={"help": "Seconds between two tries to reach a manager."}
    )
