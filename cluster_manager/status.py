"""The health of the whole cluster, kept for a short while. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from cluster_worker.wire.health_messages import ClusterStatus, ComponentStatuses

OK = "ok"
NODE_DOWN: ComponentStatuses = (("node_manager", "error: nodedown"), ("dispatcher", "error: nodedown"))
TIMED_OUT: ComponentStatuses = (("node_manager", "error: timeout"), ("dispatcher", "error: timeout"))

LIFETIME_NOT_OK_S = 1.0


def gather(nodes: Mapping[str, ComponentStatuses]) -> ClusterStatus:
    """Put the answers of all nodes together, sorted by name."""
    return ClusterStatus(tuple(sorted(nodes.items())))


def first_problem(status: ClusterStatus) -> str | None:
    """The first component that is not ok, as text; ``None`` when everything is."""
    for node, components in status.nodes:
        for component, text in components:
            if text != OK:
                return f"{component} of {node}: {text}"
    return None


@frozen
class _Kept:
    status: ClusterStatus
    until_s: float


class StatusCache:
    """Keeps the last status: ``lifetime_s`` when all was well, 1 s when not."""

    def __init__(self, lifetime_s: float) -> None:
        self._lifetime_s = lifetime_s
        self._kept: _Kept | None = None

    def get(self, now: float) -> ClusterStatus | None:
        """The status, when it is recent enough."""
        return self._kept.status if self._kept is not None and now < self._kept.until_s else None

    def put(self, status: ClusterStatus, now: float) -> None:
        lifetime_s = self._lifetime_s if first_problem(status) is None else LIFETIME_NOT_OK_S
        self._kept = _Kept(status, now + lifetime_s)

    def clear(self) -> None:
        """Something has changed that is known to matter."""
        self._kept = None
