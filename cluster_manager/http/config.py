"""The ``[http]`` section of the manager's configuration."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge, le

from cluster_worker.http.networks import are_networks


@frozen(kw_only=True)
class HttpSection:
    """The door for operators and monitoring: HTTPS with the manager's certificate."""

    address: str = field(default="127.0.0.1", metadata={"help": "Address to listen on; 0.0.0.0 for all."})
    port: int = field(
        default=5057,
        validator=[ge(0), le(65535)],
        metadata={"help": "Port of /status, /nagios, /health, /metrics and /nodes; 0 takes any free one."},
    )
    allowed: tuple[str, ...] = field(
        default=("127.0.0.0/8", "::1/128"),
        validator=are_networks,
        metadata={
            "help": "Networks whose addresses may read /status; others need a certificate of the cluster.",
            "reload": True,
        },
    )
