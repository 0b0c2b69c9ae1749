"""Why a call between nodes could not be made."""

from __future__ import annotations


class NodeUnavailable(Exception):
    """The node is unknown, away or cannot be reached; the same call may work later."""


class ClusterUnavailable(Exception):
    """No manager is reachable, or the cluster is not ready."""
