"""What a manager is told about itself and its cluster."""

from __future__ import annotations

from attrs import frozen

from cluster_manager.membership.rules import MembershipRules
from cluster_worker.wire.connections import Address

_WILDCARDS = ("", "0.0.0.0", "::")


@frozen(kw_only=True)
class ManagerSettings:
    """Times in seconds."""

    node_name: str
    listen: Address
    rules: MembershipRules
    heartbeat_interval_s: float = 0.5
    advice_interval_s: float = 0.5
    tick_s: float = 1.0
    healthcheck_timeout_s: float = 10.0
    status_lifetime_s: float = 15.0
    release: str = ""

    def reached_at(self, port: int) -> Address:
        """Where workers reach this manager when it listens on ``port``."""
        return reached_at(self.listen.host, port, self.node_name)


def reached_at(host: str, port: int, node_name: str) -> Address:
    """Where others reach a manager that listens on ``host``: with all addresses, at its name's host."""
    return Address(node_name.partition("@")[2] if host in _WILDCARDS else host, port)
