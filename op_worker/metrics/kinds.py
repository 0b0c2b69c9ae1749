"""Which metrics there are. Pure."""

from __future__ import annotations

from attrs import frozen

from op_worker.metrics.series import Kind


@frozen
class MetricKind:
    """A metric: its sources in order, their unit, how its samples become rows."""

    name: str
    sources: tuple[str, ...]
    unit: str
    kind: Kind
    is_per_user: bool

    def legend(self, space_id: str, user_id: str | None, provider_id: str) -> list[str]:
        """Return what each column is."""
        user = "" if user_id is None else f"; user {user_id}"
        start = f"space {space_id}; metric {self.name}{user}; oneprovider ID {provider_id}"
        return [f"{start}; {source}[{self.unit}]" for source in self.sources]


STORAGE_QUOTA = MetricKind("storage_quota", ("storage_quota",), "bytes", Kind.LAST, is_per_user=False)
STORAGE_USED = MetricKind("storage_used", ("storage_used",), "bytes", Kind.LAST, is_per_user=True)
DATA_ACCESS = MetricKind(
    "data_access", ("data_access_read", "data_access_write"), "bytes/s", Kind.AVERAGE, is_per_user=True
)
BLOCK_ACCESS = MetricKind(
    "block_access", ("block_access_read", "block_access_write"), "iops/s", Kind.AVERAGE, is_per_user=True
)
CONNECTED_USERS = MetricKind(
    "connected_users", ("connected_users",), "users_count", Kind.LAST, is_per_user=False
)
REMOTE_TRANSFER = MetricKind(
    "remote_transfer", ("remote_transfer_in",), "bits/s", Kind.AVERAGE, is_per_user=True
)
KINDS = {
    one.name: one
    for one in (STORAGE_QUOTA, STORAGE_USED, DATA_ACCESS, BLOCK_ACCESS, CONNECTED_USERS, REMOTE_TRANSFER)
}
